"""The preference centre, one's data and one's erasure, as their holder, a stranger and a scanner meet them."""

from __future__ import annotations

import json
import quopri
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter.core.content import EntryContent, to_json
from newsletter.core.tokens import ADDRESS, DATA, PREFERENCES, UNSUBSCRIBE, token
from newsletter.flow import deliver as sending
from newsletter.flow import preferences as flow
from newsletter.flow.compile import checks
from newsletter.flow.service import Kind
from newsletter.models import Delivery, DeliveryState, Entry, Issue, Newsletter, Review, ServiceMail
from newsletter.providers.memory import mailbox
from newsletter.web.links import keys
from subscribers import consent
from subscribers.address import parse
from subscribers.models import ConsentEvent, Subscriber, Subscription, SubscriptionState, Suppression
from tests.factories import make_list, make_newsletter, make_source, make_subscription
from tests.sending import SLOT, Clock, here, make_approved, make_people

pytestmark = pytest.mark.django_db
BASE = "https://news.example.test"


@pytest.fixture(autouse=True)
def _https(settings: Any) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER.__class__(base_url=BASE, secret_key="s" * 40)


@pytest.fixture
def newsletter() -> Newsletter:
    return make_newsletter()


@pytest.fixture
def ada(newsletter: Newsletter) -> Subscription:
    return make_subscription("ada@box.test", newsletter.mailing_list, name="Ada")


def path(purpose: str, row: Subscription) -> str:
    row.refresh_from_db()
    return flow.link_to(purpose, row, keys=keys(), base_url="", now=timezone.now())


def accepted(issue: Issue, row: Subscription) -> None:
    address = row.subscriber.address
    Delivery.objects.create(issue=issue, subscription=row, address=address, state=DeliveryState.ACCEPTED, at=SLOT)


def with_topics(newsletter: Newsletter) -> None:
    source = make_source()
    for number, rubric in enumerate(("movie", "book", "album", "movie")):
        review = Review.objects.create(first_seen_at=timezone.now(), effective_at=timezone.now())
        content = to_json(EntryContent(title=f"T{number}", title_clean=f"T{number}", rubric=rubric))
        Entry.objects.create(
            source=source, review=review, guid_key=str(number), title=f"T{number}", content=content, content_hash="x",
            first_seen_at=timezone.now(), last_seen_at=timezone.now(),
        )  # fmt: skip


# --- choosing --------------------------------------------------------------------------------------------------------


def test_the_page_shows_what_is_chosen_and_no_address(
    client: Client, newsletter: Newsletter, ada: Subscription
) -> None:
    with_topics(newsletter)
    page = client.get(path(PREFERENCES, ada)).content.decode()
    assert "Your preferences" in page and "a•••@b•••.test" in page and "ada@box.test" not in page
    assert page.count('name="topics"') == 3 and page.count("checked") == 5
    assert "<script" not in page and not ConsentEvent.objects.exists()


def test_choices_are_stored_with_what_was_and_what_is(
    client: Client, newsletter: Newsletter, ada: Subscription
) -> None:
    with_topics(newsletter)
    fields = {"topics": ["movie", "opera"], "frequency": "monthly", "language": "de", "format": "text"}
    page = client.post(path(PREFERENCES, ada), fields).content.decode()
    ada.refresh_from_db()
    assert (ada.topics, ada.frequency) == (["movie"], "monthly")
    assert (ada.subscriber.language, ada.subscriber.plain_text, ada.subscriber.name) == ("de", True, "Ada")
    assert '<html lang="de"' in page
    event = ConsentEvent.objects.get()
    assert event.kind == "changed" and event.evidence["changed"]["topics"] == [[], ["movie"]]
    client.post(path(PREFERENCES, ada), fields)
    assert ConsentEvent.objects.count() == 1, "the same again is no change"
    client.post(path(PREFERENCES, ada), {**fields, "topics": ["movie", "book", "album"]})
    ada.refresh_from_db()
    assert ada.topics == [], "all of them is no choice: topics to come belong to it too"


def test_nonsense_in_a_form_changes_nothing(client: Client, ada: Subscription) -> None:
    client.post(path(PREFERENCES, ada), {"frequency": "hourly", "language": "xx", "format": "pdf", "topics": ["'; --"]})
    ada.refresh_from_db()
    assert (ada.frequency, ada.subscriber.language, ada.topics) == ("weekly", "", [])


def test_a_choice_that_is_no_longer_offered_stays_until_it_is_unticked(
    client: Client, newsletter: Newsletter, ada: Subscription
) -> None:
    with_topics(newsletter)
    Subscription.objects.filter(pk=ada.pk).update(topics=["concert"])
    link = path(PREFERENCES, ada)
    assert 'value="concert" checked' in client.get(link).content.decode()
    client.post(link, {"topics": ["concert"], "frequency": "weekly"})
    ada.refresh_from_db()
    assert ada.topics == ["concert"]
    client.post(link, {"topics": ["book"], "frequency": "weekly"})
    ada.refresh_from_db()
    assert ada.topics == ["book"]


def test_no_topic_ticked_is_no_wish_for_all_of_them(client: Client, newsletter: Newsletter, ada: Subscription) -> None:
    with_topics(newsletter)
    Subscription.objects.filter(pk=ada.pk).update(topics=["book"])
    client.post(path(PREFERENCES, ada), {"frequency": "monthly"})
    ada.refresh_from_db()
    assert (ada.topics, ada.frequency) == (["book"], "monthly")


def test_a_pause_ends_by_itself_or_by_a_button(client: Client, ada: Subscription) -> None:
    now = datetime(2026, 11, 5, 13, 0, tzinfo=UTC)
    with time_machine.travel(now, tick=False):
        page = client.post(f"{path(PREFERENCES, ada)}/pause", {"length": "2w"}).content.decode()
        assert "You get no issue before Thursday, November 19, 2026" in page
        ada.refresh_from_db()
        assert (ada.state, ada.paused_until) == (SubscriptionState.PAUSED, now + timedelta(days=14))
        client.post(f"{path(PREFERENCES, ada)}/resume")
        ada.refresh_from_db()
        assert ada.state == SubscriptionState.ACTIVE
        client.post(f"{path(PREFERENCES, ada)}/pause", {"length": "for ever"})
        ada.refresh_from_db()
        assert ada.state == SubscriptionState.ACTIVE


def test_choosing_starts_no_mail_for_who_left(client: Client, ada: Subscription) -> None:
    consent.unsubscribe(ada, now=timezone.now(), origin="link page")
    for way, fields in (("", {"frequency": "weekly"}), ("/pause", {"length": "1m"}), ("/resume", {})):
        client.post(path(PREFERENCES, ada) + way, fields)
    ada.refresh_from_db()
    assert ada.state == SubscriptionState.UNSUBSCRIBED
    assert "not subscribed now" in client.get(path(PREFERENCES, ada)).content.decode()


# --- links -----------------------------------------------------------------------------------------------------------


def test_a_link_ages_and_a_fresh_one_comes_by_mail_once_an_hour(client: Client, ada: Subscription) -> None:
    old = path(PREFERENCES, ada)
    with time_machine.travel(timezone.now() + timedelta(days=32), tick=False):
        assert "This link has expired" in client.get(old).content.decode()
        assert "This link has expired" in client.post(old, {"frequency": "monthly"}).content.decode()
        first, second = client.post(f"{old}/link"), client.post(f"{old}/link")
        assert first.content == second.content
        mail = ServiceMail.objects.get()
        assert mail.kind == Kind.PREFERENCES and mail.address == "ada@box.test"
        assert client.get(str(mail.values["link"]).removeprefix(BASE)).status_code == 200
    ada.refresh_from_db()
    assert ada.frequency == "weekly"


def test_a_new_beginning_voids_every_older_link_but_the_one_to_stop(client: Client, ada: Subscription) -> None:
    links = [path(purpose, ada) for purpose in (PREFERENCES, DATA)]
    stop = f"/u/{token(keys(), UNSUBSCRIBE, ada.pk)}"
    Subscription.objects.filter(pk=ada.pk).update(generation=1)
    assert [client.get(link).status_code for link in links] == [404, 404]
    assert client.post(stop).status_code == 200
    ada.refresh_from_db()
    assert ada.state == SubscriptionState.UNSUBSCRIBED


def test_one_purposes_token_opens_no_other_page_and_no_other_reader(
    client: Client, newsletter: Newsletter, ada: Subscription
) -> None:
    bob = make_subscription("bob@box.test", newsletter.mailing_list)
    made = {purpose: path(purpose, ada).rpartition("/")[2] for purpose in (PREFERENCES, DATA, ADDRESS)}
    made["stop"] = token(keys(), UNSUBSCRIBE, ada.pk)
    for way, own in (("p", PREFERENCES), ("d", DATA), ("a", ADDRESS)):
        for purpose, text in made.items():
            if purpose != own:
                assert client.get(f"/{way}/{text}").status_code == 404, (way, purpose)
    before = Subscriber.objects.values().get(pk=bob.subscriber_id)
    fields = {"address": "eve@box.test", "name": "Eve", "word": "delete", "length": "3m"}
    for text in made.values():
        for way in ("p", "d", "a", "u"):
            for end in ("", "/pause", "/resume", "/address", "/name", "/erase", "/fewer", "/reason"):
                client.post(f"/{way}/{text}{end}", fields)
    assert Subscriber.objects.values().get(pk=bob.subscriber_id) == before
    bob.refresh_from_db()
    assert bob.state == SubscriptionState.ACTIVE


def test_a_forwarded_letters_links_show_and_change_no_address(client: Client, ada: Subscription) -> None:
    for link in (path(PREFERENCES, ada), f"/u/{token(keys(), UNSUBSCRIBE, ada.pk)}"):
        page = client.get(link).content.decode()
        assert "ada@box.test" not in page and 'name="address"' not in page and "Ada" not in page


# --- data ------------------------------------------------------------------------------------------------------------


def test_the_data_of_a_person_is_all_there_and_nobody_elses(
    client: Client, newsletter: Newsletter, ada: Subscription
) -> None:
    make_subscription("bob@box.test", newsletter.mailing_list)
    issue = make_approved(0, newsletter=newsletter)
    Delivery.objects.create(
        issue=issue, subscription=ada, address="ada@box.test", state=DeliveryState.ACCEPTED, at=SLOT
    )
    consent.record(ada, "confirmed", now=SLOT, origin="form weekly", wording="Yes")  # type: ignore[arg-type]
    answer = client.get(f"{path(DATA, ada)}/my-data.json")
    assert (
        answer.headers["Content-Disposition"].startswith("attachment") and answer.headers["Cache-Control"] == "no-store"
    )
    found = json.loads(answer.content)
    assert found["address"] == "ada@box.test" and found["consent"][0]["wording"] == "Yes"
    assert found["subscriptions"][0]["issues"][0]["issue"] == issue.slot
    assert "bob@box.test" not in answer.content.decode()
    assert "ada@box.test" in client.get(path(DATA, ada)).content.decode()


def test_a_new_address_is_asked_first_and_the_old_one_is_told(client: Client, ada: Subscription) -> None:
    page = client.post(f"{path(DATA, ada)}/address", {"address": "ada@new.test"}).content.decode()
    assert "Until it says yes" in page
    mail = ServiceMail.objects.get(kind=Kind.ADDRESS)
    assert mail.address == "ada@new.test" and ada.subscriber.address == "ada@box.test"
    link = str(mail.values["link"]).removeprefix(BASE)
    for _ in range(3):
        client.get(link)
    ada.subscriber.refresh_from_db()
    assert ada.subscriber.address == "ada@box.test"
    assert "Your address has changed" in client.post(link).content.decode()
    ada.subscriber.refresh_from_db()
    assert (ada.subscriber.address, ada.subscriber.address_key) == ("ada@new.test", "ada@new.test")
    assert ServiceMail.objects.get(kind=Kind.MOVED).address == "ada@box.test"
    assert client.post(link).status_code == 404, "used up"


def test_nobody_learns_whose_an_address_is(client: Client, newsletter: Newsletter, ada: Subscription) -> None:
    make_subscription("bob@box.test", newsletter.mailing_list)
    link = f"{path(DATA, ada)}/address"
    pages = [client.post(link, {"address": to}).content for to in ("bob@box.test", "eve@new.test", "ada@box.test")]
    assert len(set(pages)) == 1
    taken = str(ServiceMail.objects.get(address="bob@box.test").values["link"]).removeprefix(BASE)
    assert client.post(taken).status_code in (200, 404)
    ada.subscriber.refresh_from_db()
    assert ada.subscriber.address == "ada@box.test"
    wrong = client.post(link, {"address": "nonsense"})
    assert wrong.status_code == 422 and 'aria-invalid="true"' in wrong.content.decode()


def test_an_erasure_needs_the_word_stops_at_once_and_can_be_taken_back_for_a_day(
    client: Client, ada: Subscription
) -> None:
    link = path(DATA, ada)
    assert client.post(f"{link}/erase", {"word": "yes"}).status_code == 422
    assert "Everything goes in a day" in client.post(f"{link}/erase", {"word": " Delete "}).content.decode()
    ada.refresh_from_db()
    assert ada.state == SubscriptionState.UNSUBSCRIBED and ServiceMail.objects.get().kind == Kind.ERASED
    client.post(f"{link}/erase", {"word": "delete"})
    assert ServiceMail.objects.count() == 1
    client.post(f"{link}/keep")
    ada.refresh_from_db()
    assert ada.state == SubscriptionState.ACTIVE and ada.subscriber.erase_at is None
    assert flow.erase_due(timezone.now() + timedelta(days=3)) == 0


def test_after_an_erasure_a_count_and_a_mark_are_left_and_a_fresh_act_begins_anew(
    client: Client, ada: Subscription
) -> None:
    issue = make_approved(0, newsletter=Newsletter.objects.get())
    Delivery.objects.create(
        issue=issue, subscription=ada, address="ada@box.test", state=DeliveryState.ACCEPTED, at=SLOT
    )
    client.post(f"{path(DATA, ada)}/erase", {"word": "delete"})
    assert flow.erase_due(timezone.now()) == 0
    assert flow.erase_due(timezone.now() + timedelta(days=1, minutes=1)) == 1
    row = Delivery.objects.get()
    assert (row.address, row.subscription_id, row.state) == ("", None, DeliveryState.ACCEPTED)
    for model in (Subscriber, Subscription, ConsentEvent, ServiceMail):
        assert not model.objects.exists(), model
    assert Suppression.objects.get().address_key.startswith("hash:")
    asked = consent.subscribe(make_list(), parse("ada@box.test"), now=SLOT, origin="form weekly", wording="w")
    assert asked.subscription is not None and asked.subscription.state == SubscriptionState.PENDING
    assert consent.confirm(asked.subscription, now=SLOT, origin="confirmation link")
    assert not Suppression.objects.exists()


# --- what it does to an issue ----------------------------------------------------------------------------------------


def send(issue: Issue, clock: Clock) -> dict[str, str]:
    sending.start(issue, clock())
    sending.deliver(issue, clock=clock, installation=here())
    return dict(Delivery.objects.filter(issue=issue).values_list("address", "state"))


def test_monthly_readers_get_the_first_issue_of_a_month_and_no_other(newsletter: Newsletter) -> None:
    people = make_people(["every@box.test", "monthly@box.test"])
    Subscription.objects.filter(pk=people[1].pk).update(frequency="monthly")
    got = {}
    for day in (5, 12, 19, 33, 40):
        at = datetime(2026, 11, 1, 13, 0, tzinfo=UTC) + timedelta(days=day - 1)
        issue = make_approved(0, newsletter=newsletter, slot=f"{at:%Y-%m-%d}", slot_at=at, cutoff_at=at, number=day)
        got[f"{at:%m-%d}"] = len(send(issue, Clock(at)))
    assert got == {"11-05": 2, "11-12": 1, "11-19": 1, "12-03": 2, "12-10": 1}


def test_a_pause_keeps_mail_away_until_its_end_and_nobody_has_to_end_it(newsletter: Newsletter) -> None:
    people = make_people(["away@box.test", "back@box.test", "here@box.test"])
    for row, days in ((people[0], 1), (people[1], -1)):
        Subscription.objects.filter(pk=row.pk).update(
            state=SubscriptionState.PAUSED, paused_until=SLOT + timedelta(days=days)
        )
    issue = make_approved(0, newsletter=newsletter)
    assert "2 people" in sending.would_send(issue, SLOT) and "1 paused" in sending.would_send(issue, SLOT)
    assert send(issue, Clock()) == {"back@box.test": "accepted", "here@box.test": "accepted"}
    assert Subscription.objects.get(pk=people[1].pk).state == SubscriptionState.ACTIVE


def test_who_wants_plain_text_gets_no_html(newsletter: Newsletter) -> None:
    mailbox().clear()
    people = make_people(["plain@box.test", "rich@box.test"])
    Subscriber.objects.filter(pk=people[0].subscriber_id).update(plain_text=True)
    send(make_approved(0, newsletter=newsletter), Clock())
    raw = {sent.recipient: sent.message for sent in mailbox()}
    assert b"Content-Type: text/plain" in raw["plain@box.test"] and b"multipart" not in raw["plain@box.test"]
    words = quopri.decodestring(raw["plain@box.test"]).decode().replace("\r\n", " ")
    assert "Dear Plain" in words and "</" not in words
    assert b"multipart/alternative" in raw["rich@box.test"]


# --- leaving ---------------------------------------------------------------------------------------------------------


def test_leaving_offers_less_and_takes_a_reason_if_one_likes(client: Client, ada: Subscription) -> None:
    link = f"/u/{token(keys(), UNSUBSCRIBE, ada.pk)}"
    assert "You have a pause" in client.post(f"{link}/pause").content.decode()
    ada.refresh_from_db()
    assert ada.state == SubscriptionState.PAUSED and ada.paused_until is not None
    assert "One issue a month" in client.post(f"{link}/fewer").content.decode() or ada.state == SubscriptionState.PAUSED
    ada.refresh_from_db()
    assert ada.frequency == "monthly"
    assert "You’re unsubscribed" in client.post(link).content.decode()
    page = client.post(f"{link}/reason", {"reason": "too often"}).content.decode()
    assert "Thank you" in page and 'name="reason"' not in page
    left = ConsentEvent.objects.filter(kind="unsubscribed").get()
    assert left.evidence == {"was": "paused", "reason": "too often"}
    client.post(f"{link}/reason", {"reason": "<script>"})
    left.refresh_from_db()
    assert left.evidence["reason"] == "too often"
    client.post(f"{link}/undo")
    ada.refresh_from_db()
    assert ada.state == SubscriptionState.PAUSED


def test_the_link_to_stop_never_brings_mail_sooner(client: Client, ada: Subscription) -> None:
    link = f"/u/{token(keys(), UNSUBSCRIBE, ada.pk)}"
    client.post(f"{path(PREFERENCES, ada)}/pause", {"length": "3m"})
    ada.refresh_from_db()
    until = ada.paused_until
    client.post(f"{link}/pause")
    ada.refresh_from_db()
    assert ada.paused_until == until and ada.state == SubscriptionState.PAUSED


def test_who_asks_for_mail_anew_and_confirms_is_not_erased_any_more(client: Client, ada: Subscription) -> None:
    client.post(f"{path(DATA, ada)}/erase", {"word": "delete"})
    now = timezone.now()
    consent.subscribe(ada.mailing_list, parse("ada@box.test"), now=now, origin="form weekly", wording="Yes")
    assert Subscriber.objects.get().erase_at is not None  # anybody may have typed the address
    assert consent.confirm(ada, now=now, origin="confirmation link")
    assert flow.erase_due(now + timedelta(days=2)) == 0
    ada.refresh_from_db()
    assert ada.state == SubscriptionState.ACTIVE


def test_the_link_to_stop_does_not_take_an_erasure_back(client: Client, ada: Subscription) -> None:
    fresh = path(DATA, ada)
    client.post(f"{fresh}/erase", {"word": "delete"})
    link = f"/u/{token(keys(), UNSUBSCRIBE, ada.pk)}"
    assert "/undo" not in client.get(link).content.decode()
    client.post(f"{link}/undo")
    ada.refresh_from_db()
    assert ada.state == SubscriptionState.UNSUBSCRIBED
    client.post(f"{fresh}/keep")
    ada.refresh_from_db()
    assert ada.state == SubscriptionState.ACTIVE and client.get(link).status_code == 200


def test_approval_stops_an_issue_for_which_everybody_waits_until_next_month(newsletter: Newsletter) -> None:
    people = make_people(["monthly@box.test"])
    Subscription.objects.filter(pk=people[0].pk).update(frequency="monthly")
    first, second = (
        make_approved(0, newsletter=newsletter, slot=f"2026-11-{day:02}", slot_at=SLOT.replace(day=day), number=day)
        for day in (5, 12)
    )
    nobody = "There is nobody to send to."
    assert nobody not in [row.text for row in checks(second, SLOT)]
    Issue.objects.filter(pk=first.pk).update(started_at=SLOT)
    assert nobody in [row.text for row in checks(second, SLOT)]


def test_a_crawler_changes_nothing_anywhere(client: Client, newsletter: Newsletter, ada: Subscription) -> None:
    with_topics(newsletter)
    client.post(f"{path(DATA, ada)}/address", {"address": "ada@new.test"})
    ada.subscriber.refresh_from_db()
    roots = [path(purpose, ada) for purpose in (PREFERENCES, DATA, ADDRESS)]
    roots.append(f"/u/{token(keys(), UNSUBSCRIBE, ada.pk)}")
    ends = (
        "",
        "/pause",
        "/resume",
        "/link",
        "/fewer",
        "/reason",
        "/undo",
        "/erase",
        "/keep",
        "/name",
        "/address",
        "/my-data.json",
    )

    def everything() -> str:
        models = (Subscriber, Subscription, ConsentEvent, Suppression, ServiceMail)
        return repr([list(model.objects.order_by("pk").values()) for model in models])

    before = everything()
    for _ in range(3):
        for root in roots:
            for end in ends:
                for method in (client.get, client.head, client.options):
                    assert method(root + end).status_code in (200, 404, 405)
    assert everything() == before
