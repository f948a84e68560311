from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from subscribers import consent, marks, suppression
from subscribers.address import parse
from subscribers.consent import Asked
from subscribers.models import (
    ConsentEvent,
    ConsentKind,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)
from tests.factories import make_list, make_subscription

pytestmark = pytest.mark.django_db
TEXT = "Send me LANTERN Weekly every Thursday."
ANA = parse("Ana@example.org")


def ask(now: datetime, *, confirmed: bool = False) -> consent.Request:
    return consent.subscribe(
        make_list(), ANA, now=now, origin="form weekly", wording=TEXT, topics=["tv", "movie"], confirmed=confirmed
    )


def kinds() -> list[str]:
    return list(ConsentEvent.objects.order_by("pk").values_list("kind", flat=True))


def state_of(subscription: Subscription) -> str:
    return Subscription.objects.get(pk=subscription.pk).state


def test_asking_makes_a_pending_subscription_with_its_proof(now: datetime) -> None:
    request = ask(now)
    assert request.asked == Asked.NEW
    assert request.subscription is not None
    assert request.subscription.state == SubscriptionState.PENDING
    assert request.subscription.topics == ["movie", "tv"]
    event = ConsentEvent.objects.get()
    assert (event.kind, event.wording, event.origin) == (ConsentKind.REQUESTED, TEXT, "form weekly")
    assert (event.address_key, event.list_slug, event.at) == ("ana@example.org", "weekly", now)


def test_confirming_makes_it_active_once(now: datetime) -> None:
    subscription = ask(now).subscription
    assert subscription is not None
    assert consent.confirm(subscription, now=now, origin="confirm page")
    assert not consent.confirm(subscription, now=now, origin="confirm page")
    assert state_of(subscription) == SubscriptionState.ACTIVE
    assert kinds() == ["requested", "confirmed"]
    assert ask(now).asked == Asked.ACTIVE
    assert kinds() == ["requested", "confirmed"]


def test_asking_again_before_confirming_is_recorded_and_changes_nothing(now: datetime) -> None:
    ask(now)
    assert ask(now).asked == Asked.AGAIN
    assert Subscriber.objects.count() == Subscription.objects.count() == 1
    assert kinds() == ["requested", "requested"]


def test_the_callers_own_proof_makes_it_active_at_once(now: datetime) -> None:
    request = ask(now, confirmed=True)
    assert request.asked == Asked.ACTIVE
    assert request.subscription is not None
    assert (request.subscription.state, request.subscription.confirmed_at) == (SubscriptionState.ACTIVE, now)
    assert kinds() == ["confirmed"]


def test_the_callers_own_proof_confirms_a_pending_one(now: datetime) -> None:
    ask(now)
    assert ask(now, confirmed=True).asked == Asked.ACTIVE
    assert Subscription.objects.get().state == SubscriptionState.ACTIVE


def test_unsubscribing_is_immediate_and_one_event(now: datetime) -> None:
    subscription = make_subscription("ana@example.org")
    assert consent.unsubscribe(subscription, now=now, origin="link one-click")
    assert not consent.unsubscribe(subscription, now=now, origin="link one-click")
    assert state_of(subscription) == SubscriptionState.UNSUBSCRIBED
    event = ConsentEvent.objects.get()
    assert (event.kind, event.evidence) == (ConsentKind.UNSUBSCRIBED, {"was": "active"})


def test_an_old_confirmation_never_revives_an_unsubscribe(now: datetime) -> None:
    subscription = ask(now).subscription
    assert subscription is not None
    consent.unsubscribe(subscription, now=now, origin="link")
    assert not consent.confirm(subscription, now=now, origin="confirm page")
    assert state_of(subscription) == SubscriptionState.UNSUBSCRIBED


@pytest.mark.parametrize("confirmed", [False, True])
def test_only_the_mailbox_brings_an_unsubscribed_person_back(now: datetime, confirmed: bool) -> None:
    subscription = make_subscription("ana@example.org", state=SubscriptionState.UNSUBSCRIBED)
    assert ask(now, confirmed=confirmed).asked == Asked.RETURNING
    assert state_of(subscription) == SubscriptionState.PENDING
    assert consent.confirm(subscription, now=now, origin="confirm page")
    assert state_of(subscription) == SubscriptionState.ACTIVE


def test_nobodys_word_overrides_an_unsubscribe_however_often_it_is_given(now: datetime) -> None:
    subscription = ask(now, confirmed=True).subscription
    assert subscription is not None
    for round_ in range(2):
        later = now + timedelta(days=round_)
        assert consent.unsubscribe(subscription, now=later, origin="link one-click")
        answers = [ask(later, confirmed=True).asked for _ in range(3)]
        assert answers == [Asked.RETURNING, Asked.AGAIN, Asked.AGAIN]
        assert state_of(subscription) == SubscriptionState.PENDING
        assert consent.confirm(subscription, now=later, origin="confirm page")
        assert state_of(subscription) == SubscriptionState.ACTIVE


@pytest.mark.parametrize("reason", [each for each in SuppressionReason if each != SuppressionReason.ERASED])
def test_a_suppressed_address_is_never_brought_back_by_a_form(now: datetime, reason: SuppressionReason) -> None:
    suppression.suppress(ANA.key, reason, now=now)
    assert ask(now) == consent.Request(Asked.SUPPRESSED, None)
    subscription = make_subscription("ana@example.org", state=SubscriptionState.PENDING)
    assert ask(now, confirmed=True).asked == Asked.SUPPRESSED
    assert not consent.confirm(subscription, now=now, origin="confirm page")
    assert state_of(subscription) == SubscriptionState.PENDING


@pytest.mark.parametrize("before", [SubscriptionState.ACTIVE, SubscriptionState.PENDING, SubscriptionState.PAUSED])
def test_undo_gives_back_the_state_before_and_no_more(now: datetime, before: SubscriptionState) -> None:
    subscription = make_subscription("ana@example.org", state=before)
    consent.unsubscribe(subscription, now=now, origin="link page")
    later = now + timedelta(minutes=5)
    subscription.refresh_from_db()
    assert consent.can_resubscribe(subscription, now=later)
    assert consent.resubscribe(subscription, now=later, origin="link undo", wording="Undo")
    assert not consent.resubscribe(subscription, now=later, origin="link undo", wording="Undo")
    assert state_of(subscription) == before
    assert kinds()[0] == "unsubscribed"
    assert len(kinds()) == 2


def test_undo_is_closed_after_a_day(now: datetime) -> None:
    subscription = make_subscription("ana@example.org")
    consent.unsubscribe(subscription, now=now, origin="link page")
    late = now + consent.UNDO_WITHIN + timedelta(seconds=1)
    assert not consent.resubscribe(subscription, now=late, origin="link undo", wording="Undo")
    assert state_of(subscription) == SubscriptionState.UNSUBSCRIBED


def test_undo_does_not_reach_what_an_editor_or_a_complaint_ended(now: datetime) -> None:
    by_editor = make_subscription("ana@example.org")
    consent.unsubscribe(by_editor, now=now, origin="editor mara")
    assert not consent.resubscribe(by_editor, now=now, origin="link undo", wording="Undo")
    complained = make_subscription("ben@example.org")
    consent.unsubscribe(complained, now=now, origin="link page")
    suppression.suppress("ben@example.org", SuppressionReason.COMPLAINT, now=now)
    assert not consent.resubscribe(complained, now=now, origin="link undo", wording="Undo")
    never = make_subscription("cy@example.org")
    assert not consent.can_resubscribe(never, now=now)


def test_the_first_reason_of_a_suppression_is_kept(now: datetime) -> None:
    assert suppression.suppress("ana@example.org", SuppressionReason.BOUNCE, now=now, evidence="550 5.1.1")
    assert not suppression.suppress("ana@example.org", SuppressionReason.MANUAL, now=now, evidence="asked")
    row = Suppression.objects.get()
    assert (row.reason, row.evidence) == (SuppressionReason.BOUNCE, "550 5.1.1")
    assert kinds() == ["suppressed"]
    assert suppression.reasons(["ana@example.org", "ben@example.org"]) == {"ana@example.org": "bounce"}


def test_a_bounce_says_nothing_about_consent_and_a_complaint_ends_it(now: datetime) -> None:
    weekly = make_subscription("ana@example.org")
    suppression.suppress("ana@example.org", SuppressionReason.BOUNCE, now=now)
    assert state_of(weekly) == SubscriptionState.ACTIVE
    suppression.suppress("ana@example.org", SuppressionReason.COMPLAINT, now=now)
    assert state_of(weekly) == SubscriptionState.UNSUBSCRIBED


def test_lifting_a_suppression_needs_a_person_and_a_reason(now: datetime) -> None:
    suppression.suppress("ana@example.org", SuppressionReason.BOUNCE, now=now)
    with pytest.raises(ValueError, match="needs a reason"):
        suppression.lift("ana@example.org", now=now, by="mara", reason=" ")
    assert suppression.lift("ana@example.org", now=now, by="mara", reason="new mailbox, wrote to us")
    assert not suppression.lift("ana@example.org", now=now, by="mara", reason="again")
    assert not Suppression.objects.exists()
    event = ConsentEvent.objects.order_by("pk").last()
    assert event is not None
    assert event.wording == "new mailbox, wrote to us"


def test_an_erased_persons_mark_keeps_the_address_out_until_they_ask_anew_or_an_editor_lifts_it(
    now: datetime, settings: Settings
) -> None:
    key = "ana@example.org"
    Suppression.objects.create(address_key=marks.mark(key), reason=SuppressionReason.ERASED, at=now)
    assert key not in str(list(Suppression.objects.values()))
    # A secret that was changed since still reads its old marks.
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a newer secret, as long as the one before it"
    assert ask(now, confirmed=True).asked == Asked.SUPPRESSED, "somebody else's word is not enough"
    assert suppression.reasons([key, "bo@example.org"]) == {key: "erased"}
    asked = ask(now)
    assert asked.asked == Asked.NEW and asked.subscription is not None, "their own is"
    assert suppression.reasons([key]) == {key: "erased"}, "once the mailbox has said so"
    assert consent.confirm(asked.subscription, now=now, origin="confirm page")
    assert suppression.reasons([key]) == {}
    consent.retire(asked.subscription, now=now)
    Suppression.objects.create(address_key=marks.mark(key), reason=SuppressionReason.ERASED, at=now)
    assert suppression.lift(key, now=now, by="mara", reason="Wrote to us and asked.")
    assert suppression.reasons([key]) == {}
