"""The people of the lists in the studio: who sees what, and what is done to whom."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from newsletter.flow.people import Role, give
from newsletter.models import Delivery, DeliveryState, Event, Evidence, Issue
from subscribers import consent, preferences, suppression
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
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = pytest.mark.django_db
HERE = "/studio/subscribers/"


def somebody(role: Role) -> Client:
    user, new = User.objects.get_or_create(username=f"the-{role.word}")
    if new:
        give(user, role)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


def page(client: Client, path: str = HERE) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def ada(issue: Issue) -> Subscriber:
    """The fixtures' reader, with a story: joined by a form, chose topics, got one letter, and one came back."""
    row = Subscription.objects.select_related("subscriber", "mailing_list").get()
    now = timezone.now() - timedelta(days=9)
    proof = {"page": "https://lantern.example.org/about"}
    consent.record(row, ConsentKind.REQUESTED, now=now, origin="form weekly", wording="I agree to <b>mail</b>.",
                   evidence=proof)  # fmt: skip
    consent.record(row, ConsentKind.CONFIRMED, now=now + timedelta(hours=1), origin="confirmation link")
    chosen = preferences.Choices(topics=("book",), name="Ada Marlow")
    preferences.choose(row, chosen, now=now + timedelta(days=1), origin="preferences page")
    for days, state, reason in ((2, "accepted", ""), (3, "failed", "refused (full): 452 <script>over quota")):
        other = issue if days == 2 else Issue.objects.create(
            newsletter=issue.newsletter, slot="2026-10-29", slot_at=now, cutoff_at=now, number=213, created_at=now
        )  # fmt: skip
        Delivery.objects.create(issue=other, subscription=row, address=row.subscriber.address, state=state,
                                reason=reason, at=now + timedelta(days=days))  # fmt: skip
    Evidence.objects.create(event="x", subscription=row, issue=issue, kind="bounce", about="address", hard=True,
                            status="5.1.1", diagnostic="550 <script>alert(1)</script>", reporter="mail (dsn)",
                            at=now + timedelta(days=4), decision="suppressed: hard bounce")  # fmt: skip
    suppression.suppress(row.subscriber.address_key, SuppressionReason.BOUNCE, now=now + timedelta(days=4),
                         evidence="hard bounce 5.1.1")  # fmt: skip
    return row.subscriber


def test_the_list_shows_a_plot_first_then_states_with_their_numbers_then_people(ada: Subscriber) -> None:
    for number, state in enumerate(("active", "pending", "unsubscribed", "unsubscribed")):
        make_subscription(f"p{number}@box.test", state=state)
    shown = page(somebody(Role.ADMIN))
    assert shown.index('<svg class="curve"') < shown.index("<table>") < shown.index('class="chips"')
    for words, number in (("All", 5), ("Active", 2), ("Not confirmed", 1), ("Paused", 0), ("Unsubscribed", 2)):
        assert f"{words} <b>{number}</b>" in shown
    assert "Suppressed <b>1</b>" in shown
    assert shown.count('<li><p class="who">') == 5
    only = page(somebody(Role.ADMIN), f"{HERE}?state=unsubscribed")
    assert only.count('<li><p class="who">') == 2
    assert "p2@box.test" in only and "ada@readers" not in only
    assert "Suppressed: bounce" in page(somebody(Role.ADMIN), f"{HERE}?state=suppressed")
    assert page(somebody(Role.ADMIN), f"{HERE}?state=nonsense").count('<li><p class="who">') == 5


def test_pages_follow_one_another_without_gap_or_repetition_while_people_join(newsletter: object) -> None:
    for number in range(120):
        make_subscription(f"p{number:03}@box.test")
    client, seen, path = somebody(Role.ADMIN), [], HERE
    for round_ in range(3):
        shown = page(client, path)
        seen += [part.split("<")[0] for part in shown.split("<bdi>") if "@box.test" in part[:20]]
        make_subscription(f"late{round_}@box.test")
        path = HERE + shown.split('href="/studio/subscribers/')[-1].split('"')[0].replace("&amp;", "&") if (
            "Next page" in shown
        ) else ""  # fmt: skip
    assert not path
    assert len(seen) == len(set(seen)) == 120


def test_a_search_by_a_part_is_for_who_may_see_addresses(newsletter: object) -> None:
    for number in range(60):
        make_subscription(f"reader{number:02}@box.test", name="Re Ader")
    approver, editor = somebody(Role.APPROVER), somebody(Role.EDITOR)
    shown = page(approver, f"{HERE}?q=@box")
    assert shown.index("reader00@") < shown.index("reader49@") and "reader50@" not in shown
    after = Subscription.objects.get(subscriber__address="reader49@box.test").pk
    assert f"after={after}" in shown
    assert "reader50@box.test" in page(approver, f"{HERE}?q=@box&after={after}")
    assert "Nobody on this list has the address “@box”" in page(editor, f"{HERE}?q=@box")
    whole = page(editor, f"{HERE}?q=READER07@box.test")
    assert "r•••@b•••.test" in whole and "Re Ader" not in whole
    assert "reader07@box.test" not in whole.replace('value="READER07@box.test"', "")
    everybody = page(editor)
    assert "@box.test" not in everybody and 'href="/studio/subscribers/1/' not in everybody


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        f"q={'x' * 9000}",
        f"after={'9' * 30}",
        "after=-1",
        "q=%25%27<b>&after=7",
        "state=%00",
        "q=%D7%90@box.test",
    ],
)
def test_what_makes_no_sense_in_the_address_is_no_error(newsletter: object, query: str) -> None:
    for role in Role:
        assert somebody(role).get(f"{HERE}?{query}").status_code == 200


def test_a_list_that_there_is_not_is_a_404_and_no_list_at_all_says_what_to_do(newsletter: object) -> None:
    assert somebody(Role.ADMIN).get(f"{HERE}?list=nowhere").status_code == 404
    assert somebody(Role.ADMIN).get(f"{HERE}{'9' * 30}/").status_code == 404


def test_no_list_at_all_says_what_to_do() -> None:
    assert "There is no list yet." in page(somebody(Role.EDITOR))


def test_a_persons_story_is_told_in_order_and_nothing_in_it_runs(ada: Subscriber) -> None:
    shown = page(somebody(Role.ADMIN), f"{HERE}{ada.pk}/")
    told = [
        "A letter bounced for good",
        "Did not get",
        "Got",
        "Topics: all → book",
        "Confirmed:",
        "Asked for mail: by the form “weekly”",
    ]
    places = [shown.index(words) for words in told]
    assert places == sorted(places)
    assert "on https://lantern.example.org/about" in shown
    assert "<script>alert" not in shown and "&lt;script&gt;alert(1)" in shown
    assert "I agree to &lt;b&gt;mail&lt;/b&gt;." in shown
    assert "Suppressed: bounce" in shown and "This bounce was wrong" in shown


def test_an_editor_opens_a_person_by_their_whole_address_and_sees_no_proof_and_no_button(ada: Subscriber) -> None:
    editor, path = somebody(Role.EDITOR), f"{HERE}{ada.pk}/"
    assert editor.get(path).status_code == 404
    assert editor.get(f"{path}?q=ada").status_code == 404
    shown = page(editor, f"{path}?q=Ada@readers.example.test")
    assert "a•••@r•••.test" in shown and "ada@readers" not in shown and "Ada Marlow" not in shown
    assert "Asked for mail" in shown
    assert "550 " not in shown and '<form method="post" action="/studio/subscribers' not in shown


def test_a_long_story_shows_its_end_and_the_rest_on_demand(ada: Subscriber) -> None:
    row = Subscription.objects.get()
    for number in range(130):
        consent.record(row, ConsentKind.CHANGED, now=timezone.now(), origin=f"test {number}", evidence={"kept": True})
    admin = somebody(Role.ADMIN)
    assert "37 earlier" in page(admin, f"{HERE}{ada.pk}/")
    assert "Asked for mail" in page(admin, f"{HERE}{ada.pk}/?all=1")


def test_an_admin_unsubscribes_a_person_and_only_they_can_come_back(ada: Subscriber) -> None:
    row, admin = Subscription.objects.get(), somebody(Role.ADMIN)
    wrong = admin.post(f"{HERE}{ada.pk}/unsubscribe", {"subscription": "9" * 30})
    assert wrong.status_code == 409 and "no subscription of theirs" in wrong.content.decode()
    for _ in range(2):
        assert admin.post(f"{HERE}{ada.pk}/unsubscribe", {"subscription": row.pk}).status_code == 302
    row.refresh_from_db()
    assert row.state == SubscriptionState.UNSUBSCRIBED
    assert not consent.can_resubscribe(row, now=timezone.now())
    event = Event.objects.get()
    assert (event.kind, event.by) == ("unsubscribed", "the-admin")
    assert "@" not in event.text
    assert "Unsubscribed: the studio, by the-admin" in page(admin, f"{HERE}{ada.pk}/")


def test_a_wrong_bounce_is_taken_back_with_a_reason(ada: Subscriber) -> None:
    admin = somebody(Role.ADMIN)
    refused = admin.post(f"{HERE}{ada.pk}/let-in", {"reason": " \x00 "})
    assert refused.status_code == 400 and "Say why" in refused.content.decode()
    assert admin.post(f"{HERE}{ada.pk}/let-in", {"reason": "their server was down"}).status_code == 302
    assert not Suppression.objects.exists()
    assert Evidence.objects.get().forgiven_at is not None
    assert Event.objects.get().kind == "suppression lifted"
    shown = page(admin, f"{HERE}{ada.pk}/")
    assert "Let in again, by the-admin" in shown and "their server was down" in shown and "set aside later" in shown
    gone = admin.post(f"{HERE}{ada.pk}/let-in", {"reason": "once more", "back": "bounces"})
    assert gone.status_code == 302 and Event.objects.count() == 1


def test_a_person_is_erased_when_the_word_was_typed_and_no_import_brings_them_back(ada: Subscriber) -> None:
    admin = somebody(Role.ADMIN)
    refused = admin.post(f"{HERE}{ada.pk}/erase", {"typed": "yes"})
    assert refused.status_code == 400 and "Nothing was erased" in refused.content.decode()
    assert admin.post(f"{HERE}{ada.pk}/erase", {"typed": " Erase "}).headers["Location"] == f"{HERE}?erased=1"
    assert not Subscriber.objects.exists() and not ConsentEvent.objects.exists()
    assert set(Delivery.objects.values_list("address", flat=True)) == {""}
    assert Suppression.objects.get().reason == SuppressionReason.ERASED
    assert Event.objects.get().text == f"Subscriber {ada.pk} was erased."
    assert admin.post(f"{HERE}{ada.pk}/erase", {"typed": "erase"}).status_code == 404


def test_the_data_of_a_person_and_the_list_leave_by_a_button_and_the_log_says_who_took_them(ada: Subscriber) -> None:
    make_subscription("=evil@box.test", name="=HYPERLINK(1)", language="de")
    admin = somebody(Role.ADMIN)
    data = admin.post(f"{HERE}{ada.pk}/data")
    assert json.loads(data.content)["address"] == ada.address
    assert "attachment" in data.headers["Content-Disposition"]
    whole = admin.post(f"{HERE}export", {"list": "weekly"})
    lines = b"".join(whole.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[arg-type]
    assert len(lines) == 3
    assert "'=evil@box.test,'=HYPERLINK(1)," in lines[2]
    assert {event.text for event in Event.objects.all()} == {
        f"The data of subscriber {ada.pk} left as a file.", "Everybody of LANTERN Weekly left as a file."
    }  # fmt: skip
    assert admin.get(f"{HERE}export").status_code == 405
    wrong = admin.post(f"{HERE}export", {"list": "weekly", "segment": "no\x00where"})
    assert wrong.status_code == 409 and "There is no segment" in wrong.content.decode()


def test_two_lists_are_kept_apart(ada: Subscriber) -> None:
    make_subscription("other@box.test", make_list("other", name="Other"))
    admin = somebody(Role.ADMIN)
    assert "other@box.test" not in page(admin, f"{HERE}?list=weekly")
    assert "other@box.test" in page(admin, f"{HERE}?list=other")
    assert "Nobody on this list" in page(admin, f"{HERE}?list=weekly&q=other")


def test_deliveries_that_nobody_decided_on_yet_have_words_too(ada: Subscriber) -> None:
    for state, words in ((DeliveryState.UNCERTAIN, "May have got"), (DeliveryState.EXCLUDED, "Was left out of")):
        Delivery.objects.filter(issue__slot="2026-11-05").update(state=state)
        assert words in page(somebody(Role.APPROVER), f"{HERE}{ada.pk}/")
