"""The steps of `run_week`: each does what is due, and reports it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min

from newsletter.config.schema import Config
from newsletter.core.errors import IssueError, NewsletterError
from newsletter.core.polling import is_due
from newsletter.core.week import Action
from newsletter.flow import editors, readers, service
from newsletter.flow.deliver import DeliveryOutcome, Installation, deliver, start, unfinished, would_send
from newsletter.flow.gather import GatherReport, gather
from newsletter.flow.issue import decide, ensure_draft, place
from newsletter.ledger.issues import OPEN
from newsletter.models import Issue, IssueState, Newsletter, Source
from newsletter.sources.fetch import Fetcher
from subscribers.errors import SubscribersError

logger = logging.getLogger(__name__)

# For one issue in one pass: one slow server must not make another newsletter miss its hours of grace.
BUDGET = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class WayOut:
    """What delivery needs beside the issue: the time, where it runs, when to stop, how to wait (seconds), and how long
    one issue may take before it is another one's turn.
    """

    clock: Callable[[], datetime]
    installation: Installation
    stopping: Callable[[], bool]
    sleep: Callable[[float], object]
    budget: timedelta = BUDGET

    def begin(self, issue: Issue, now: datetime) -> int:
        """Begin the send of an issue that is due. Raises `IssueError` as `start`."""
        return start(issue, now, installation=self.installation)

    def wait(self, seconds: float) -> None:
        """Wait, or a little less when told to stop."""
        self.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong with one newsletter or issue. `held` ones wait for a person; the others are faults."""

    where: str
    text: str
    held: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """What one open issue came to: the action of the weekly rule and its reason. `news` is False for a hold that an
    earlier pass told of, with the same reason.
    """

    issue: str
    action: str
    reason: str
    news: bool = True


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one delivery run came to. `clean` is False when a person should look."""

    issue: str
    state: str
    sent_now: int
    frozen: int
    accepted: int
    failed: int
    excluded: int
    uncertain: int
    pending: int
    paused_reason: str
    clean: bool


@dataclass(slots=True)
class WeekReport:
    """What one pass did. `gathered` lists the sources that were due, `service` counts service mails, `problems` is what
    a person should know.
    """

    at: datetime
    service: service.Outcome = field(default_factory=service.Outcome)
    gathered: GatherReport | None = None
    decided: list[Decided] = field(default_factory=list)
    delivered: list[Delivered] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether a step broke down."""
        return any(not problem.held for problem in self.problems)

    @property
    def needs_a_person(self) -> bool:
        """Whether something is held, or ran with failures or uncertainties."""
        held = any(one.action in (Action.HOLD, Action.MISS) for one in self.decided) or bool(self.problems)
        unclean = any(not one.clean and one.state != IssueState.SENDING for one in self.delivered)
        return held or unclean or bool(self.gathered and self.gathered.failed)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for --json."""
        sources = [asdict(source) for source in self.gathered.sources] if self.gathered else []
        return {
            "at": self.at.isoformat(),
            "gathered": sources,
            "new": self.gathered.new if self.gathered else 0,
            "decided": [asdict(one) for one in self.decided],
            "delivered": [asdict(one) for one in self.delivered],
            "service": asdict(self.service),
            "problems": [asdict(problem) for problem in self.problems],
        }


def fetcher_from(config: Config, *, seconds: float | None = None) -> Fetcher:
    """The fetcher that newsletter.toml describes: its guard open for nothing but what `fetch.inner` names.

    `seconds` is how long one fetch may take at most where somebody waits for it; the configured time may be shorter.
    """
    contact = f"; {config.fetch_contact}" if config.fetch_contact else ""
    return Fetcher(
        allow=config.inner_addresses,
        user_agent=f"newsletter/0.1 (gathers reviews for a weekly letter{contact})",
        max_bytes=config.fetch_megabytes * 1024 * 1024,
        deadline=min(float(config.fetch_seconds), seconds or float(config.fetch_seconds)),
    )


def serve_readers(report: WeekReport, way_out: WayOut, config: Config) -> None:
    """Work off forms and send the service mails that are due; what keeps them waiting is a problem."""
    with alone(report, "service mails"):
        composer = service.Composer(way_out.installation.keys)
        _, report.service = readers.serve(
            config, way_out.installation, composer, clock=way_out.clock, stopping=way_out.stopping
        )
        if report.service.trouble:
            report.problems.append(Problem("service mails", report.service.trouble, held=True))


def gather_due(report: WeekReport, *, config: Config, fetcher: Fetcher | None) -> None:
    """Read the sources that are due, each by one process only however many look at once."""
    with alone(report, "gather"):
        due = [source for source in due_sources(report.at) if _claim(source, report.at)]
        if due:
            report.gathered = gather(
                now=report.at, sources=due, fetcher=fetcher or fetcher_from(config), media_folder=config.media_folder
            )


def due_sources(now: datetime) -> list[Source]:
    """The enabled sources whose turn it is, the preferred ones first."""
    return [
        source
        for source in Source.objects.filter(enabled=True).order_by("preference", "pk")
        if is_due(now, source.last_tried_at, source.failures_in_row, next_cutoff(source, now))
    ]


def decide_newsletter(
    report: WeekReport, newsletter: Newsletter, begin: Callable[[Issue, datetime], object] = start
) -> None:
    """Bring a newsletter's open issues to where they belong now, and leave the next one as a draft.

    `begin` is called for an issue whose send is due.
    """
    now = report.at
    ensure_draft(newsletter, now=now)
    for issue in Issue.objects.filter(newsletter=newsletter, state__in=OPEN).order_by("slot_at", "pk"):
        name = f"{newsletter.slug}/{issue.slot}"
        with alone(report, name):
            held_before = issue.held_reason
            decision = decide(issue, now=now)
            if decision.action is not Action.WAIT:
                news = decision.action is not Action.HOLD or decision.reason != held_before
                report.decided.append(Decided(name, decision.action, decision.reason, news))
            if decision.action is Action.SEND:
                begin(issue, now)
    # As soon as one issue is decided the next one exists.
    place(ensure_draft(newsletter, now=now), now=now)


def would_do(now: datetime) -> list[str]:
    """What a pass at `now` would do, in sentences. Sources are named, not read; everything else is taken back."""
    sentences = [f"Would read {source.name}." for source in due_sources(now)]
    report = WeekReport(now)
    with transaction.atomic():
        for newsletter in Newsletter.objects.order_by("pk"):
            with alone(report, newsletter.slug):
                decide_newsletter(report, newsletter, lambda issue, at: sentences.append(would_send(issue, at)))
        sentences += [f"{one.issue}: {one.action}. {one.reason}" for one in report.decided if one.action != Action.SEND]
        sentences += [would_send(issue, now) for issue in unfinished(now)]
        sentences += [f"{problem.where}: {problem.text}" for problem in report.problems]
        transaction.set_rollback(True)
    return sentences


def tell_editors(report: WeekReport, config: Config) -> None:
    """Queue what editors should hear of by mail; the service mails' own turn sends it."""
    with alone(report, "notices"):
        editors.tell(report.at, base_url=config.base_url)


def deliver_issue(report: WeekReport, issue: Issue, way_out: WayOut) -> None:
    """Go on with one issue's send, for as long as the budget lasts; the next pass goes on from there."""
    outcome = deliver(
        issue,
        clock=way_out.clock,
        installation=way_out.installation,
        stopping=way_out.stopping,
        sleep=way_out.wait,
        budget=way_out.budget,
    )
    report.delivered.append(_delivered(issue, outcome))


@contextmanager
def alone(report: WeekReport, where: str) -> Iterator[None]:
    """What fails in here is reported and stops nobody else: one newsletter's fault is not the other's week."""
    try:
        yield
    except (NewsletterError, SubscribersError) as error:
        logger.warning("%s: %s", where, error)
        report.problems.append(Problem(where, str(error), held=isinstance(error, IssueError)))
    except Exception as error:
        logger.exception("%s: a fault of ours", where)
        report.problems.append(Problem(where, f"{type(error).__name__}: {error}"))


def _claim(source: Source, now: datetime) -> bool:
    """Whether this process reads the source: the conditional UPDATE lets one through."""
    mine = Source.objects.filter(pk=source.pk, last_tried_at=source.last_tried_at).update(last_tried_at=now)
    return mine == 1


def next_cutoff(source: Source, now: datetime) -> datetime | None:
    """The earliest cutoff ahead of the open issues that the source feeds."""
    open_issues = Issue.objects.filter(newsletter__sources=source, state__in=OPEN, cutoff_at__gte=now)
    found: datetime | None = open_issues.aggregate(next=Min("cutoff_at"))["next"]
    return found


def _delivered(issue: Issue, outcome: DeliveryOutcome) -> Delivered:
    counts = outcome.counts
    return Delivered(
        issue=f"{issue.newsletter.slug}/{issue.slot}",
        state=outcome.state,
        sent_now=outcome.sent_now,
        frozen=counts.frozen,
        accepted=counts.accepted,
        failed=counts.failed,
        excluded=counts.excluded,
        uncertain=counts.uncertain,
        pending=counts.pending + counts.claimed,
        paused_reason=outcome.paused_reason,
        clean=outcome.clean,
    )
