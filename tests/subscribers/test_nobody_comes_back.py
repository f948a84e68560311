"""Whatever happens in whatever order: who left gets nothing again without an act of their own that follows."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscribers import audience, consent, erasure, preferences, suppression
from subscribers.address import parse
from subscribers.models import Subscription, SubscriptionState, SuppressionReason
from subscribers.preferences import Choices
from tests.factories import LONG_AGO, make_list

pytestmark = pytest.mark.django_db

ACTS = (
    "form", "vouch", "confirm", "leave", "leave by page", "editor ends", "undo", "explain", "choose", "pause", "resume",
    "pauses end", "complaint", "bounce", "lift", "erasure", "erasure undone", "hours", "days",
)  # fmt: skip
_numbers = count()


class Person:
    """Somebody and what we know of their will: `stopped` until they confirm anew, `asked` once they ask again."""

    def __init__(self) -> None:
        self.address = parse(f"p{next(_numbers)}@box.test")
        self.now = LONG_AGO
        self.stopped = self.asked = False
        self.before = (False, False)
        self.row = self._subscribe(confirmed=True)

    def _subscribe(self, *, confirmed: bool) -> Subscription:
        made = consent.subscribe(
            make_list(), self.address, now=self.now, origin="test", wording="Yes", confirmed=confirmed
        )
        assert made.subscription is not None
        self.asked = self.asked or made.asked in (consent.Asked.RETURNING, consent.Asked.AGAIN)
        return made.subscription

    def _stop(self, changed: bool) -> None:
        if changed:
            self.before = (self.stopped, self.asked)
            self.stopped, self.asked = True, False

    def act(self, name: str) -> None:
        self.now += timedelta(minutes=1)
        row, now, key = self.row, self.now, self.address.key
        row.refresh_from_db()
        left = row.state == SubscriptionState.UNSUBSCRIBED
        if name in ("form", "vouch"):
            self._subscribe(confirmed=name == "vouch")
        elif name == "confirm":
            if consent.confirm(row, now=now, origin="confirmation link"):
                assert self.asked or not self.stopped
                self.stopped = self.asked = False
        elif name == "leave":
            self._stop(consent.unsubscribe(row, now=now, origin=f"{consent.LINK} one-click"))
        elif name == "leave by page":
            self._stop(consent.unsubscribe(row, now=now, origin=f"{consent.LINK} page"))
        elif name == "editor ends":
            self._stop(consent.unsubscribe(row, now=now, origin="admin"))
        elif name == "undo":
            if consent.resubscribe(row, now=now, origin=f"{consent.LINK} undo", wording="Undo"):
                assert row.subscriber.erase_at is None
                self.stopped, self.asked = self.before
        elif name == "explain":
            consent.explain(row, "other")
        elif name == "choose":
            preferences.choose(row, Choices(topics=("movie",), frequency="monthly"), now=now, origin="test")
        elif name == "pause":
            preferences.pause(row, until=now + timedelta(days=14), now=now, origin="test")
        elif name == "resume":
            preferences.resume(row, now=now, origin="test")
        elif name == "pauses end":
            preferences.resume_due(now + timedelta(days=400))
        elif name == "complaint":
            if suppression.suppress(key, SuppressionReason.COMPLAINT, now=now) and not left:
                self._stop(True)
        elif name == "bounce":
            suppression.suppress(key, SuppressionReason.BOUNCE, now=now)
        elif name == "lift":
            suppression.lift(key, now=now, by="Mara", reason="They wrote to us.")
        elif name == "erasure":
            if erasure.request(row.subscriber, now=now) and not left:
                self._stop(True)
        elif name == "erasure undone":
            row.subscriber.refresh_from_db()
            erasure.undo(row.subscriber, now=now, wording="Keep")
            row.refresh_from_db()
            if left and row.state != SubscriptionState.UNSUBSCRIBED:
                self.stopped, self.asked = self.before
        else:
            self.now += timedelta(hours=5) if name == "hours" else timedelta(days=2)

    def check(self) -> None:
        self.row.refresh_from_db()
        if self.stopped:
            assert self.row.state in (SubscriptionState.UNSUBSCRIBED, SubscriptionState.PENDING)
            # Not in a year either, when every pause is over.
            later = self.now + timedelta(days=400)
            assert not audience.queryset(make_list(), {}, now=later).filter(pk=self.row.pk).exists()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.sampled_from(ACTS), min_size=1, max_size=16))
def test_no_path_brings_back_who_left_without_an_act_of_theirs(acts: list[str]) -> None:
    person = Person()
    for name in acts:
        person.act(name)
        person.check()
