"""The demo's one week, through the same functions that a real magazine's week goes through, over real HTTP and SMTP."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter.config.schema import Config
from newsletter.core.errors import IssueError
from newsletter.demo.mailbox import messages
from newsletter.demo.people import PEOPLE, REFUSED
from newsletter.demo.setting import NOTE, SIGNATURE
from newsletter.demo.urls import MAILBOX
from newsletter.flow import compile as compiling
from newsletter.flow import deliver as delivering
from newsletter.flow import issue as issuing
from newsletter.flow.gather import GatherReport, gather
from newsletter.flow.report import Report, report
from newsletter.models import Issue, IssueState, Newsletter, Placement, PlacementState
from newsletter.sources.fetch import Fetcher
from subscribers.models import Subscription

APPROVER = "Mara Quill"
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Week:
    """What the week came to. `sent_now` is 0 when an earlier run had sent the issue already."""

    issue: Issue
    gathered: GatherReport
    report: Report
    cards: int
    lines: int
    subscribers: int
    sent_now: int
    preview: Path
    mailbox: Path

    @property
    def placed(self) -> int:
        """Reviews in the issue, as cards and as lines."""
        return self.cards + self.lines

    def surprises(self) -> list[str]:
        """What did not go as scripted, a sentence each; empty when all did. The one refusal is in the script."""
        counts, files = self.report.counts, len(messages(self.mailbox))
        refused = [(named.address, named.reason) for named in self.report.names["failed"]]
        found = [f"{source.name} could not be read: {source.error}" for source in self.gathered.failed]
        if self.gathered.picture_errors:
            found.append(f"{self.gathered.picture_errors} pictures could not be stored.")
        if not self.placed:
            found.append("There is no review in the issue.")
        if self.issue.state != IssueState.SENT or not counts.complete:
            found.append(self.report.sentence)
        if [address for address, _ in refused] != [REFUSED] or "550" not in refused[0][1]:
            found.append(f"One address should have been refused with 550, and {refused or 'none'} was.")
        if counts.uncertain or counts.undecided:
            found.append(f"{counts.uncertain} deliveries are uncertain.")
        if files != counts.accepted:
            found.append(f"{counts.accepted} messages were accepted, but {files} are in the mailbox.")
        return found


def run_week(
    newsletter: Newsletter,
    config: Config,
    *,
    magazine: tuple[str, int],
    clock: Clock,
    say: Callable[[str], None],
    progress: Callable[[delivering.Tally], None],
) -> Week:
    """Gather, issue, approve, deliver and report. An issue that an earlier run sent stays as it is.

    `magazine` is the (host, port) that the fetcher's guard is opened for: exactly this one.
    """
    home = config.need_home()
    say("Gathering from three sources")
    fetcher = Fetcher(allow=frozenset({magazine}), pause=0)
    gathered = gather(now=clock(), fetcher=fetcher, media_folder=config.media_folder)
    issue = Issue.objects.filter(newsletter=newsletter).order_by("pk").first()
    issue = issue or issuing.ensure_draft(newsletter, now=clock())
    if issue.state == IssueState.DRAFT:
        say("Placing the reviews")
        issuing.place(issue, now=clock())
        suggested = compiling.issue_content(issue).issue
        words = {"subject": suggested.subject, "preview_text": suggested.preview_text}
        words |= {"note": NOTE, "note_signature": SIGNATURE}
        issuing.edit_issue(issue, words, now=clock(), by=APPROVER)
        say("Approving: content, design and audience are frozen")
        issuing.approve(issue, APPROVER, now=clock())
    issue = Issue.objects.select_related("newsletter__magazine", "newsletter__mailing_list", "freeze").get(pk=issue.pk)
    preview = _preview(issue, config, home / "preview", clock())
    sent_now = _deliver(issue, config, clock, say, progress)
    issue.refresh_from_db()
    if issue.state == IssueState.SENT:
        issuing.place(issuing.ensure_draft(newsletter, now=clock()), now=clock())
    placed = Placement.objects.filter(issue=issue).exclude(state=PlacementState.RELEASED)
    return Week(
        issue=issue,
        gathered=gathered,
        report=report(issue),
        cards=placed.filter(kind=Placement.Kind.CARD).count(),
        lines=placed.filter(kind=Placement.Kind.LINE).count(),
        subscribers=Subscription.objects.filter(mailing_list=newsletter.mailing_list).count(),
        sent_now=sent_now,
        preview=preview,
        mailbox=home / MAILBOX,
    )


def _deliver(
    issue: Issue, config: Config, clock: Clock, say: Callable[[str], None], progress: Callable[[delivering.Tally], None]
) -> int:
    if issue.state == IssueState.SENT:
        return 0
    say("Delivering over SMTP")
    match issue.state:
        case IssueState.APPROVED:
            delivering.start(issue, clock())
        case IssueState.PAUSED:
            delivering.resume(issue, clock(), by=APPROVER)
        case IssueState.SENDING:
            pass
        case _:
            raise IssueError(f"The demo's issue is {issue.state}.", hint="Delete the demo's folder and begin again.")
    outcome = delivering.deliver(
        issue,
        clock=clock,
        installation=delivering.Installation.of(config, os.environ),
        progress=progress,
    )
    return outcome.sent_now


def _preview(issue: Issue, config: Config, folder: Path, now: datetime) -> Path:
    """The letter of the first reader as three files; written once, as the letter itself is frozen."""
    if (folder / "letter.eml").is_file():
        return folder
    subscription = Subscription.objects.select_related("subscriber").get(
        mailing_list=issue.newsletter.mailing_list, subscriber__address=PEOPLE[0].address
    )
    keys = delivering.Installation.of(config, os.environ).keys
    shown = compiling.preview(issue, subscription, keys=keys, now=now)
    folder.mkdir(exist_ok=True)
    (folder / "letter.html").write_text(shown.rendered.html, encoding="utf-8")
    (folder / "letter.txt").write_text(shown.rendered.text, encoding="utf-8")
    (folder / "letter.eml").write_bytes(shown.message)
    return folder
