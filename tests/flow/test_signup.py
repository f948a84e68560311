"""From a form to a subscription: the same answer for everybody, and what each address deserves behind it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.core.errors import DnsError
from newsletter.flow import service, signup
from newsletter.flow.service import Kind
from newsletter.flow.signup import Client, Limited, Standing
from newsletter.models import Event, Newsletter, ServiceMail, Signup, SignupForm, SignupState
from subscribers import address, consent
from subscribers.models import (
    ConsentEvent,
    ConsentKind,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)
from tests.factories import make_newsletter, make_subscription
from tests.sending import KEYS, Clock

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 5, 13, 0, tzinfo=UTC)
BASE = "https://news.example.test"


@pytest.fixture
def newsletter() -> Newsletter:
    return make_newsletter()


@pytest.fixture
def form(newsletter: Newsletter) -> SignupForm:
    return SignupForm.objects.create(slug="weekly", newsletter=newsletter, ask_name=True, topics=["book", "movie"])


@pytest.fixture
def clock() -> Clock:
    return Clock(AT)


def ask(
    form: SignupForm, to: str = "ada@box.test", *, at: datetime = AT, client: str = "198.51.100.7", **more: Any
) -> Signup:
    return signup.receive(
        form,
        address.parse(to),
        now=at,
        client=Client.of(client, "Firefox", KEYS),
        copy=signup.copy_of(form),
        per_client=more.pop("per_client", 20),
        **more,
    )


def work(clock: Clock, **options: Any) -> signup.Worked:
    return signup.work_off(
        **{"clock": clock, "keys": KEYS, "base_url": BASE, "mails_per_hour": 1000, "sleep": lambda _: None, **options}
    )


def link_of(mail: ServiceMail) -> str:
    return str(mail.values["link"]).rpartition("/")[2]


class Zone:
    """A DNS of a few names."""

    def __init__(self, mx: dict[str, list[str]], addresses: dict[str, list[str]] | None = None) -> None:
        self._mx, self._addresses = mx, addresses or {}

    def mx(self, name: str) -> list[str]:
        if name == "silent.test":
            raise DnsError("no answer")
        return self._mx.get(name, [])

    def addresses(self, name: str) -> list[str]:
        return self._addresses.get(name, [])

    def txt(self, name: str) -> list[str]:
        return []

    def ptr(self, ip: str) -> list[str]:
        return []


# --- what comes in ---------------------------------------------------------------------------------------------------


def test_a_form_keeps_the_exact_words_and_no_whole_address_of_the_internet(form: SignupForm) -> None:
    row = ask(form, name="Ada", topics=["book", "opera"], language="de", page="https://lantern.example.test/a")
    assert (row.network, row.agent, row.topics) == ("198.51.100.0/24", "Firefox", ["book"])
    assert "198.51.100.7" not in repr(Signup.objects.values().get())
    assert signup.copy_of(form).wording in row.wording and signup.copy_of(form).version in row.wording


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("198.51.100.7", "198.51.100.8", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:198.51.100.7", "198.51.100.7", True),
        ("nonsense", "", True),
    ],
)
def test_one_client_is_an_ipv4_address_or_a_64_of_ipv6(one: str, other: str, same: bool) -> None:
    assert (Client.of(one, "", KEYS).mark == Client.of(other, "", KEYS).mark) is same


@pytest.mark.slow
def test_ten_thousand_addresses_from_one_place_cause_twenty_mails_an_hour(form: SignupForm, clock: Clock) -> None:
    taken = 0
    for number in range(10_000):
        try:
            ask(form, f"r{number}@box.test")
        except Limited:
            continue
        taken += 1
    work(clock)
    assert taken == 20 and ServiceMail.objects.count() == 20
    ask(form, "later@box.test", at=AT + timedelta(minutes=61))


@pytest.mark.slow
def test_ten_thousand_forms_for_one_victim_cause_one_mail(form: SignupForm, clock: Clock) -> None:
    Signup.objects.bulk_create(
        Signup(
            form=form, address=("Victim@Box.test" if n % 2 else "victim@box.test"), wording="w", at=AT, client=str(n)
        )
        for n in range(10_000)
    )
    while Signup.objects.filter(state=SignupState.WAITING).exists():
        work(clock)
    assert ServiceMail.objects.count() == 1 and Subscription.objects.count() == 1


# --- what it deserves ------------------------------------------------------------------------------------------------


def test_a_new_address_gets_a_confirmation_and_is_not_subscribed_yet(form: SignupForm, clock: Clock) -> None:
    ask(form, name="Ada", topics=["book"], language="de")
    assert work(clock).confirmations == 1
    row = Subscription.objects.select_related("subscriber").get()
    assert (row.state, row.topics, row.subscriber.name) == (SubscriptionState.PENDING, ["book"], "Ada")
    mail = ServiceMail.objects.get()
    assert (mail.kind, mail.language, mail.address) == (Kind.CONFIRM, "de", "ada@box.test")
    assert set(mail.values) == {"link"}, "nothing that a stranger typed"
    event = ConsentEvent.objects.get()
    assert event.kind == ConsentKind.REQUESTED and event.origin == "form weekly" and "by e-mail" in event.wording
    assert work(clock) == signup.Worked()


@pytest.mark.parametrize(
    ("state", "kind", "after"),
    [
        (SubscriptionState.ACTIVE, Kind.ALREADY, SubscriptionState.ACTIVE),
        (SubscriptionState.PAUSED, Kind.ALREADY, SubscriptionState.PAUSED),
        (SubscriptionState.PENDING, Kind.CONFIRM, SubscriptionState.PENDING),
        (SubscriptionState.UNSUBSCRIBED, Kind.CONFIRM, SubscriptionState.PENDING),
    ],
)
def test_what_differs_for_each_state_is_the_mail(
    state: SubscriptionState, kind: Kind, after: SubscriptionState, form: SignupForm, clock: Clock
) -> None:
    row = make_subscription("ada@box.test", form.newsletter.mailing_list, state=state)
    ask(form)
    work(clock)
    row.refresh_from_db()
    assert ServiceMail.objects.get().kind == kind and row.state == after


@pytest.mark.parametrize("reason", [each for each in SuppressionReason if each != SuppressionReason.ERASED])
def test_a_suppressed_address_gets_nothing(reason: SuppressionReason, form: SignupForm, clock: Clock) -> None:
    Suppression.objects.create(address_key="ada@box.test", reason=reason, at=AT)
    ask(form)
    assert work(clock).dropped == 1
    assert not ServiceMail.objects.exists() and not Subscriber.objects.exists()


def test_an_address_gets_one_mail_a_day_and_three_without_ever_confirming(form: SignupForm, clock: Clock) -> None:
    for day in range(6):
        for hour in (0, 5):
            clock.at = AT + timedelta(days=day, hours=hour, minutes=day)
            ask(form, at=clock.at)
            work(clock)
    assert ServiceMail.objects.count() == 3
    assert set(Signup.objects.values_list("outcome", flat=True)) == {
        "confirmation", "one mail a day", "three mails without a confirmation",
    }  # fmt: skip


def test_above_the_ceiling_forms_wait_and_a_person_is_told_once(form: SignupForm, clock: Clock) -> None:
    for number in range(7):
        ask(form, f"r{number}@box.test", client=f"198.51.100.{number}")
    worked = work(clock, mails_per_hour=3)
    assert (worked.confirmations, worked.held) == (3, 4)
    work(clock, mails_per_hour=3)
    assert Event.objects.filter(kind="signup ceiling").count() == 1
    assert Signup.objects.filter(state=SignupState.WAITING).count() == 4, "nobody is lost"
    clock.at += timedelta(minutes=61)
    assert work(clock, mails_per_hour=10).confirmations == 4


def test_one_forms_ceiling_is_not_the_others(form: SignupForm, clock: Clock) -> None:
    other = SignupForm.objects.create(slug="shop", newsletter=form.newsletter)
    SignupForm.objects.filter(pk=form.pk).update(mails_per_hour=1)
    for number in range(3):
        ask(form, f"r{number}@box.test")
    ask(other, "ada@box.test")
    worked = work(clock)
    assert (worked.confirmations, worked.held) == (2, 2)


def test_a_domain_that_takes_no_mail_gets_none(form: SignupForm, clock: Clock) -> None:
    zone = Zone({"box.test": ["mx.box.test"], "null.test": ["."]}, {"bare.test": ["192.0.2.1"]})
    wanted = {"box.test": True, "null.test": False, "bare.test": True, "nowhere.test": False, "silent.test": True}
    for domain in wanted:
        ask(form, f"ada@{domain}")
    work(clock, resolver=zone)
    mailed = set(ServiceMail.objects.values_list("address", flat=True))
    assert mailed == {f"ada@{domain}" for domain, taken in wanted.items() if taken}


# --- the link --------------------------------------------------------------------------------------------------------


def confirmed(form: SignupForm, clock: Clock) -> str:
    ask(form)
    work(clock)
    return link_of(ServiceMail.objects.get(kind=Kind.CONFIRM))


def test_the_link_subscribes_when_it_is_pressed_and_welcomes_once(form: SignupForm, clock: Clock) -> None:
    token = confirmed(form, clock)
    link = signup.read_link(token, keys=KEYS, now=AT)
    assert link.standing is Standing.OPEN and link.newsletter == form.newsletter
    assert signup.confirm(link, now=AT, wording="Yes, subscribe me", evidence={})
    assert not signup.confirm(link, now=AT, wording="Yes, subscribe me", evidence={})
    assert signup.read_link(token, keys=KEYS, now=AT).standing is Standing.CONFIRMED
    assert Subscription.objects.get().state == SubscriptionState.ACTIVE
    assert ServiceMail.objects.filter(kind=Kind.WELCOME).count() == 1
    proof = ConsentEvent.objects.get(kind=ConsentKind.CONFIRMED)
    assert proof.wording == "Yes, subscribe me" and proof.origin == "confirmation link"


def test_a_link_lasts_a_week_and_then_a_new_one_can_be_asked_for_once_a_day(form: SignupForm, clock: Clock) -> None:
    token = confirmed(form, clock)
    assert signup.read_link(token, keys=KEYS, now=AT + timedelta(days=7)).standing is Standing.OPEN
    later = AT + timedelta(days=8, hours=1)
    link = signup.read_link(token, keys=KEYS, now=later)
    assert link.standing is Standing.EXPIRED and not signup.confirm(link, now=later, wording="", evidence={})
    assert signup.ask_again(link, keys=KEYS, base_url=BASE, now=later)
    assert not signup.ask_again(link, keys=KEYS, base_url=BASE, now=later)
    fresh = ServiceMail.objects.filter(kind=Kind.CONFIRM).latest("pk")
    assert signup.read_link(link_of(fresh), keys=KEYS, now=later).standing is Standing.OPEN


def test_an_old_link_confirms_nothing_once_the_person_left_or_began_anew(form: SignupForm, clock: Clock) -> None:
    token = confirmed(form, clock)
    row = Subscription.objects.get()
    consent.unsubscribe(row, now=AT, origin="link page")
    assert signup.read_link(token, keys=KEYS, now=AT).standing is Standing.CANCELLED
    clock.at = AT + timedelta(days=2)
    ask(form, at=clock.at)
    work(clock)
    assert signup.read_link(token, keys=KEYS, now=clock.at).standing is Standing.UNKNOWN
    row.refresh_from_db()
    assert row.state == SubscriptionState.PENDING


# --- time ------------------------------------------------------------------------------------------------------------


def test_there_is_one_reminder_after_two_days(form: SignupForm, clock: Clock) -> None:
    confirmed(form, clock)
    make_subscription("imported@box.test", form.newsletter.mailing_list, state=SubscriptionState.PENDING)
    assert signup.remind(now=AT + timedelta(hours=47), keys=KEYS, base_url=BASE) == 0
    for hours in (49, 60, 200):
        signup.remind(now=AT + timedelta(hours=hours), keys=KEYS, base_url=BASE)
    mail = ServiceMail.objects.get(kind=Kind.REMIND)
    assert mail.address == "ada@box.test"
    assert signup.read_link(link_of(mail), keys=KEYS, now=AT + timedelta(days=3)).standing is Standing.OPEN


def test_who_never_confirms_is_forgotten_after_a_fortnight(form: SignupForm, clock: Clock) -> None:
    confirmed(form, clock)
    assert signup.retire_unconfirmed(now=AT + timedelta(days=13)) == 0
    assert signup.retire_unconfirmed(now=AT + timedelta(days=15)) == 1
    for model in (Subscriber, Subscription, ConsentEvent, Signup, ServiceMail):
        assert not model.objects.exists(), model


def test_who_had_left_before_and_never_confirms_has_left_as_before(form: SignupForm, clock: Clock) -> None:
    row = make_subscription("ada@box.test", form.newsletter.mailing_list)
    consent.unsubscribe(row, now=AT - timedelta(days=100), origin="link page")
    confirmed(form, clock)
    signup.retire_unconfirmed(now=AT + timedelta(days=15))
    row.refresh_from_db()
    assert row.state == SubscriptionState.UNSUBSCRIBED
    assert not consent.can_resubscribe(row, now=AT + timedelta(days=15))


def test_a_confirmation_waits_for_nobody_and_no_free_text_is_in_it(form: SignupForm, clock: Clock) -> None:
    ask(form, name="Buy now http://evil.test", page="https://evil.test/")
    work(clock)
    raw = service.Composer(KEYS).message(ServiceMail.objects.select_related("newsletter__magazine").get())
    assert b"evil" not in raw and b"Buy now" not in raw
