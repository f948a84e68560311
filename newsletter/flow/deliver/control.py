"""Begin, pause, resume, stop, settle: what a person, or the week, decides about a send."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.core.account import AccountRules
from newsletter.core.errors import IssueError
from newsletter.core.sentence import counted, sentence, together, word
from newsletter.flow import compile as letters
from newsletter.flow.deliver.installation import Installation
from newsletter.flow.domain import obstacle
from newsletter.flow.report import teach
from newsletter.ledger import deliveries, issues
from newsletter.models import Issue, IssueState
from subscribers import audience
from subscribers.errors import AudienceError

log = logging.getLogger(__name__)

# A provider that is away is asked again at most this often; less than a minute, so that a cron of every minute does it.
ASK_AGAIN = timedelta(seconds=55)
_DAYS = (
    sentence("Monday"), sentence("Tuesday"), sentence("Wednesday"), sentence("Thursday"), sentence("Friday"),
    sentence("Saturday"), sentence("Sunday"),
)  # fmt: skip
_MONTHS = (
    sentence("January"), sentence("February"), sentence("March"), sentence("April"), sentence("May"),
    sentence("June"), sentence("July"), sentence("August"), sentence("September"), sentence("October"),
    sentence("November"), sentence("December"),
)  # fmt: skip


def start(issue: Issue, now: datetime, *, confirmed: bool = False, installation: Installation | None = None) -> int:
    """Freeze the audience of an approved issue and begin to send it; returns how many it goes to.

    Given an installation, the DNS is asked first whether mailboxes will believe the sending domain (`flow.domain`): a
    send that would only spoil the domain's name does not begin.

    An issue that is sending already is left as it is. Raises `IssueError` in any other state, when it would go to
    nobody, when another issue went out within `min_gap` and nobody `confirmed`, and when the domain is not ready, with
    every record to add.
    """
    row = Issue.objects.select_related("newsletter__account", "freeze").get(pk=issue.pk)
    if row.state == IssueState.SENDING:
        return row.audience_count
    try:
        if installation is not None and row.state == IssueState.APPROVED:
            _require_domain(row, installation)
        rules, _ = AccountRules.split(row.newsletter.account.settings, where=f"account {row.newsletter.account.name}")
        size = deliveries.batch_size(rules.per_second)
        return deliveries.start(row.pk, now=now, confirmed=confirmed, size=size)
    except IssueError:
        # Another process may have begun between our look and its transaction; a short list may even be sent by now.
        begun = Issue.objects.filter(pk=row.pk, state__in=issues.STARTED).first()
        if row.state != IssueState.APPROVED or begun is None:
            raise
        return begun.audience_count
    except AudienceError as error:
        raise IssueError(str(error), where=f"{row.newsletter.slug}/{row.slot}") from error


def _require_domain(issue: Issue, installation: Installation) -> None:
    """Asked outside of any transaction: it may wait for the DNS some seconds."""
    sender = letters.frozen(issue).sender
    why = obstacle(sender.from_address, sender.return_path, issue.newsletter.account, installation.home)
    if why:
        raise IssueError(why, where=f"{issue.newsletter.slug}/{issue.slot}")


def pause(issue: Issue, now: datetime, *, by: str, reason: str = "") -> None:
    """Stop after the messages on the wire, until a person resumes. A wait for the provider becomes a person's pause."""
    words = reason or f"Paused by {by}."
    if deliveries.waits_for_provider(issue.pk) is not None and _state(issue) == IssueState.PAUSED:
        issues.resume(issue.pk, now=now, by=by)
    issues.pause(issue.pk, words, now=now, by=by)


def resume(issue: Issue, now: datetime, *, by: str = "") -> None:
    """paused → sending: the rest of the same frozen issue may go. Sending issues are left as they are."""
    if _state(issue) != IssueState.SENDING:
        issues.resume(issue.pk, now=now, by=by)


def stop(
    issue: Issue,
    now: datetime,
    *,
    by: str,
    journal: deliveries.ReadJournal = deliveries.no_journal,
    patience: float = 30.0,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """The rest becomes excluded (stopped) and the issue sent; returns how many. Workers get `patience` seconds to hear
    the answers to what they have on the wire. Raises `IssueError` when one takes longer, or when nothing was accepted
    yet (discard it then).
    """
    if _state(issue) == IssueState.SENDING:
        issues.pause(issue.pk, f"Being stopped by {by}.", now=now, by=by)
    deliveries.recover(issue.pk, now=now, journal=journal)
    waited = 0.0
    while issues.in_hands(issue.pk) and waited < patience:
        sleep(0.5)
        waited += 0.5
    excluded = deliveries.stop(issue.pk, now=now, by=by)
    teach(issue, now=now)
    return excluded


def settle_uncertain(issue: Issue, now: datetime, *, resend: bool, by: str) -> int:
    """Decide every uncertain delivery that nobody has decided: send once more under the same Message-ID, or leave."""
    return deliveries.settle_uncertain(issue.pk, resend=resend, now=now, by=by)


def unfinished(now: datetime) -> list[Issue]:
    """The issues whose send should go on now: sending ones, and paused ones whose provider was away a while ago, which
    are resumed here. The week calls `deliver` for each.

    Of all workers only that one asks whether the provider is back: the others are told of the issue once somebody has
    got it, or when a while has passed in which nobody has.
    """
    ours = set()
    for issue in Issue.objects.filter(state=IssueState.PAUSED).select_related("newsletter"):
        since = deliveries.waits_for_provider(issue.pk)
        if since is None or since + ASK_AGAIN > now:
            continue
        try:
            resume(issue, now)
            ours.add(issue.pk)
        except IssueError as error:
            # Another clock, or a person, was there first. That ends nobody else's week.
            log.info("%s/%s was not resumed: %s", issue.newsletter.slug, issue.slot, error)
    going = Issue.objects.filter(state=IssueState.SENDING).select_related("newsletter").order_by("started_at", "pk")
    return [issue for issue in going if issue.pk in ours or not _left_to_another(issue, now)]


def _left_to_another(issue: Issue, now: datetime) -> bool:
    since = deliveries.asks_provider(issue.pk)
    return since is not None and now < since + ASK_AGAIN


def would_send(issue: Issue, now: datetime) -> str:
    """The sentence of a dry run: what, when and to how many, and who is left out and why. Changes nothing."""
    row = Issue.objects.select_related("newsletter__mailing_list", "freeze").get(pk=issue.pk)
    what = f"{row.newsletter.name}, {row.subject}" if row.subject else row.newsletter.name
    if row.state in (IssueState.SENDING, IssueState.PAUSED):
        left = row.deliveries.filter(state="pending").count()
        return counted(
            "Would go on sending {what} to the remaining {n} of {all} people.",
            "Would go on sending {what} to the remaining {n} of {all} people.",
            left,
            what=what,
            n=f"{left:,}",
            all=f"{row.audience_count:,}",
        )
    if row.state not in issues.OPEN:
        return sentence("Would send nothing: the issue is {state}.", state=word(row.state))
    found = reach(row, now)
    when = spoken_time(max(issues.due_at(row), now), row.newsletter.timezone)
    text = counted(
        "Would send {what}: {when} to {n} person",
        "Would send {what}: {when} to {n} people",
        found.people,
        what=what,
        when=when,
        n=f"{found.people:,}",
    )
    if found.excluded:
        reasons = (
            sentence("{number} {what}", number=f"{number:,}", what=word(reason)) for reason, number in found.excluded
        )
        text = sentence(
            "{text}; {number} excluded: {reasons}",
            text=text,
            number=f"{found.left_out:,}",
            reasons=together(*reasons, between=", "),
        )
    draft = row.state == IssueState.DRAFT
    return together(sentence("{text}.", text=text), sentence("It is not approved yet.") if draft else "")


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom an issue would go to: how many people, how many of the list not, and why, the most frequent reason first."""

    people: int
    left_out: int
    excluded: tuple[tuple[str, int], ...]


def reach(issue: Issue, now: datetime) -> Reach:
    """Whom an open issue would go to now: by the rule that was approved with it, else by its newsletter's.

    Raises `IssueError` for a rule that can't be read.
    """
    try:
        live = issue.newsletter.mailing_list, issue.newsletter.audience
        who = deliveries.frozen_audience(issue) if issue.freeze is not None else live
        found = audience.counts(*who, now=now, monthly=deliveries.first_of_month(issue))
    except AudienceError as error:
        raise IssueError(str(error), where=f"{issue.newsletter.slug}/{issue.slot}") from error
    out = sorted(found.excluded.items(), key=lambda item: (-item[1], item[0]))
    return Reach(found.selected, found.total - found.selected, tuple(out))


def spoken_time(at: datetime, zone: str) -> str:
    """ "Thursday, November 5, 08:00 New York (13:00 UTC)": the wall clock of the newsletter, and the same in UTC."""
    local = at.astimezone(ZoneInfo(zone))
    weekday, month = _DAYS[local.weekday()], _MONTHS[local.month - 1]
    day = sentence("{weekday}, {month} {day}", weekday=weekday, month=month, day=local.day)
    if zone == "UTC":
        return sentence("{day}, {time} UTC", day=day, time=f"{local:%H:%M}")
    return sentence(
        "{day}, {time} {place} ({utc} UTC)",
        day=day,
        time=f"{local:%H:%M}",
        place=zone.rpartition("/")[2].replace("_", " "),
        utc=f"{at.astimezone(ZoneInfo('UTC')):%H:%M}",
    )


def _state(issue: Issue) -> str:
    return Issue.objects.values_list("state", flat=True).get(pk=issue.pk)
