"""A small approved issue that can be sent: real freeze, real compiler, a design of a few lines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from newsletter.core.letter import Design
from newsletter.core.tokens import Keys
from newsletter.flow.compile import Frozen, Sender, versions
from newsletter.flow.compile.gathering import gather_content
from newsletter.flow.deliver import Installation
from newsletter.models import Delivery, DeliveryState, Freeze, Issue, IssueState, Newsletter
from subscribers.models import Subscriber, Subscription, SubscriptionState
from tests.factories import LONG_AGO, make_list, make_newsletter

SLOT = datetime(2026, 11, 5, 13, 0, tzinfo=UTC)
KEYS = Keys(b"a key for tests only")
DESIGN = Design(
    "plain",
    {
        "letter.mjml": "<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{ subscriber.name or 'reader' }}, "
        '{{ issue.subject }}. <a href="{{ subscriber.unsubscribe_url }}">Stop</a></mj-text></mj-column>'
        "</mj-section></mj-body></mjml>",
        "letter.txt": "Dear {{ subscriber.name or 'reader' }},\n{{ issue.subject }}.\n"
        "Stop: {{ subscriber.unsubscribe_url }}",
        "subject.txt": "{{ issue.subject }}",
    },
)


class Clock:
    """A clock that only tests move; each look takes a moment, so that no two rows have the same time."""

    def __init__(self, at: datetime = SLOT, step: timedelta = timedelta(milliseconds=1)) -> None:
        self.at, self.step = at, step

    def __call__(self) -> datetime:
        self.at += self.step
        return self.at

    def sleep(self, seconds: float) -> None:
        """Stands in for time.sleep."""
        self.at += timedelta(seconds=seconds)


def make_people(addresses: Iterable[str], **fields: Any) -> list[Subscription]:
    """One active subscription to the weekly list for each address, in that order."""
    people = [
        Subscriber(
            address=address, address_key=address.lower(), name=address.partition("@")[0].title(), created_at=LONG_AGO
        )
        for address in addresses
    ]
    Subscriber.objects.bulk_create(people)
    times = dict.fromkeys(("joined_at", "confirmed_at", "state_at"), LONG_AGO)
    rows = [
        Subscription(
            mailing_list=make_list(), subscriber=person, **{"state": SubscriptionState.ACTIVE, **times, **fields}
        )
        for person in people
    ]
    return Subscription.objects.bulk_create(rows)


def make_approved(
    people: int | Iterable[str] = (),
    *,
    newsletter: Newsletter | None = None,
    design: Design = DESIGN,
    base_url: str = "https://news.example.test",
    return_path: str = "",
    **fields: Any,
) -> Issue:
    """An approved issue at `SLOT`, frozen, for as many subscribers as asked for (or for these addresses)."""
    series = newsletter or Newsletter.objects.first() or make_newsletter()
    make_people([f"r{n}@box.test" for n in range(people)] if isinstance(people, int) else people)
    issue = Issue.objects.create(
        **{
            "newsletter": series, "slot": "2026-11-05", "slot_at": SLOT, "cutoff_at": SLOT, "number": 1,
            "created_at": LONG_AGO, "subject": "Lights, low rooms", **fields,
        }
    )  # fmt: skip
    inputs = Frozen(
        content=gather_content(issue, base_url),
        design=design,
        sender=Sender(
            series.from_name, series.from_address, "", "Weekly <weekly.news.example.test>", "a:b:c:lantern", return_path
        ),
        base_url=base_url,
        audience={"list": series.mailing_list.slug, "rule": series.audience},
        versions=versions(),
    )
    freeze = Freeze.objects.create(
        issue=issue, fingerprint=inputs.fingerprint, inputs=inputs.canonical(), created_at=LONG_AGO
    )
    Issue.objects.filter(pk=issue.pk).update(state=IssueState.APPROVED, freeze=freeze, approved_by="Mara")
    issue.refresh_from_db()
    return issue


def here(folder: Path = Path("outbox"), **environ: str) -> Installation:
    """An installation with the tests' key."""
    return Installation(keys=KEYS, outbox=folder, environ=environ)


def states(issue: Issue) -> dict[str, int]:
    """How many deliveries are in each state."""
    found: dict[str, int] = {}
    for state in Delivery.objects.filter(issue=issue).values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def addresses(issue: Issue, state: DeliveryState) -> list[str]:
    """The addresses of the deliveries in one state, in the order of the freeze."""
    return list(Delivery.objects.filter(issue=issue, state=state).order_by("pk").values_list("address", flat=True))
