"""Segments, bounces and sign-up forms in the studio."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.core.bounce import BounceClass, ReportKind
from newsletter.flow.bounce import Told, record
from newsletter.flow.people import Role
from newsletter.models import Event, Evidence, Issue, Newsletter, Signup, SignupForm
from subscribers import segments
from subscribers.models import Segment, Subscription, Suppression
from tests.factories import make_list, make_subscription
from tests.flow.compile.fixtures import home as home
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.web.test_subscribers import page, somebody

pytestmark = pytest.mark.django_db
HERE = "/studio/subscribers/"
RULE = {"state": ["active"], "language": ["de"]}


@pytest.fixture
def german(newsletter: Newsletter) -> Segment:
    make_subscription("bo@box.test", language="de")
    return segments.save("german", newsletter.mailing_list, rule=RULE, name="In <i>German</i>")[0]


def save(client: Client, path: str, rule: str, **fields: str) -> tuple[int, str]:
    answer = client.post(f"{HERE}{path}", {"rule": rule, "name": "New", **fields})
    return answer.status_code, html.unescape(answer.content.decode())


def test_segments_are_listed_with_a_number_that_comes_by_itself_or_by_a_link(german: Segment) -> None:
    editor = somebody(Role.EDITOR)
    shown = page(editor, f"{HERE}segments/")
    assert "In &lt;i&gt;German&lt;/i&gt;" in shown and "?count=german" in shown
    assert editor.get(f"{HERE}segments/german/count").json() == {"said": "<b>1</b> person now"}
    assert "<b>1</b> person now" in page(editor, f"{HERE}segments/?count=german")
    assert editor.get(f"{HERE}segments/none/count").status_code == 404


def test_a_segment_is_made_counted_and_changed_and_the_log_tells(german: Segment) -> None:
    approver, rule = somebody(Role.APPROVER), json.dumps({"domain": ["box.test"]})
    status, shown = save(approver, "new-segment", rule, slug="box", do="count")
    assert status == 200 and "<strong>1</strong> person fits" in shown and Segment.objects.count() == 1
    assert save(approver, "new-segment", rule, slug="box")[0] == 302
    assert Segment.objects.get(slug="box").rule == {"domain": ["box.test"]}
    assert save(approver, "new-segment", rule, slug="box")[0] == 409
    status, shown = save(approver, "new-segment", rule, slug="No Name!")
    assert status == 422 and "takes a short name" in shown
    opened = page(approver, f"{HERE}segments/box/")
    mark = opened.split('name="mark" value="')[1].split('"')[0]
    assert save(approver, "segments/box/", "{}", mark=mark)[0] == 302
    assert Segment.objects.get(slug="box").rule == {}
    status, shown = save(approver, "segments/box/", rule, mark=mark)
    assert status == 409 and "Somebody else changed this segment meanwhile" in shown and "box.test" in shown
    assert list(Event.objects.values_list("kind", "by")) == [("segment saved", "the-approver")] * 2


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (
            '{\n  "state": ["actve"]\n}',
            "state[0]: 'actve' is not known.|Line 2|<mark>\"actve\"</mark>",
        ),
        ('{"any": [{"joined": {"after": "soon"}}]}', 'any[0].joined.after: takes a day|<mark>"after": "soon"</mark>'),
        ('{"attributes": {"a.b": {"is": []}}}', 'attributes.a.b.is|<mark>"is": []</mark>'),
        ('{"shape": 1}', 'shape: there is no such condition|<mark>"shape": 1</mark>'),
        ('{"state": [', "This is not JSON|Line 1"),
        ("", "This is not JSON|Line 1"),
        ("[1]", "A segment's rule is a table"),
        ("[" * 5000, "This is not JSON"),
        ('{"joined": {"within_days": ' + "9" * 30 + "}}", "takes a whole number"),
        ('{"attributes": {"n": {"is": ' + "9" * 5000 + "}}}", "a number is too long"),
        ('{"name": {"is": "<script>alert(1)</script>\x00"}}', "This is not JSON: invalid control character"),
        ("x" * 200_000, "at most 100,000 are read"),
    ],
)
def test_a_mistake_in_a_rule_is_shown_where_it_stands_and_the_rule_stays(
    german: Segment, rule: str, words: str
) -> None:
    answer = somebody(Role.APPROVER).post(f"{HERE}segments/german/", {"rule": rule, "name": "Mine"})
    shown = answer.content.decode()
    assert answer.status_code in (409, 422)
    assert "<script>alert" not in shown
    plain = html.unescape(shown)
    assert all(one in plain for one in words.split("|"))
    assert 'value="Mine"' in shown
    assert Segment.objects.get().rule == RULE


def test_a_segment_that_a_newsletter_goes_to_warns_and_is_not_deleted(issue: Issue, german: Segment) -> None:
    approver = somebody(Role.APPROVER)
    Newsletter.objects.update(audience={"segment": "german"})
    shown = page(approver, f"{HERE}segments/german/")
    assert "LANTERN Weekly no. 214" in shown and "is not approved yet" in shown
    refused = approver.post(f"{HERE}segments/german/delete")
    assert (
        refused.status_code == 409
        and "weekly goes to german. Give it another audience first." in refused.content.decode()
    )
    Newsletter.objects.update(audience={})
    assert approver.post(f"{HERE}segments/german/delete").status_code == 302
    assert not Segment.objects.exists()
    assert Event.objects.get().kind == "segment deleted"
    assert "Deleted." in page(approver, f"{HERE}segments/?deleted=1")


def test_a_segment_is_made_for_the_list_that_was_chosen(german: Segment) -> None:
    make_list("other", name="Other")
    assert save(somebody(Role.APPROVER), "new-segment", "{}", slug="all-others", list="other")[0] == 302
    assert Segment.objects.get(slug="all-others").mailing_list.slug == "other"


def bounced(number: int = 0) -> Evidence:
    row = make_subscription(f"gone{number}@box.test")
    words = "550 5.1.1 <img src=x onerror=alert(1)> no such user"
    told = Told(f"mail:{number}", ReportKind.BOUNCE, "mail (dsn)", timezone.now(), subscription=row.pk,
                about=BounceClass.ADDRESS, hard=True, status="5.1.1", diagnostic=words)  # fmt: skip
    record(told, now=timezone.now())
    return Evidence.objects.latest("pk")


def test_what_came_back_is_listed_with_its_words_as_text_and_taken_back_by_an_admin(newsletter: Newsletter) -> None:
    row = bounced()
    admin, editor = somebody(Role.ADMIN), somebody(Role.EDITOR)
    shown = page(admin, f"{HERE}bounces/")
    assert "gone0@box.test" in shown and "No such mailbox or domain" in shown
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown and "<img" not in shown
    assert "This was wrong" in shown
    masked = page(editor, f"{HERE}bounces/")
    assert "gone0@" not in masked and "g•••@b•••.test" in masked and "This was wrong" not in masked
    person = Subscription.objects.get(pk=row.subscription_id).subscriber_id
    back = admin.post(f"{HERE}{person}/let-in", {"reason": "a full disk", "back": "bounces"})
    assert back.headers["Location"] == f"{HERE}bounces/"
    assert not Suppression.objects.exists()
    assert "set aside later" in page(admin, f"{HERE}bounces/")


def test_many_bounces_come_page_by_page(newsletter: Newsletter) -> None:
    for number in range(60):
        bounced(number)
    admin = somebody(Role.ADMIN)
    first = page(admin, f"{HERE}bounces/")
    older = first.split('href="/studio/subscribers/bounces/?after=')[1].split('"')[0]
    second = page(admin, f"{HERE}bounces/?after={older}")
    seen = [number for number in range(60) if f">gone{number}@box.test<" in first + second]
    assert len(seen) == 60
    assert first.count("gone59@box.test</bdi>") == 1 and "gone59@box.test</bdi>" not in second
    assert somebody(Role.ADMIN).get(f"{HERE}bounces/?after={'9' * 40}").status_code == 200


def test_a_mail_that_nobody_understood_is_shown_as_text_to_who_may_see_addresses(
    newsletter: Newsletter, home: Path
) -> None:
    folder = home / "bounced" / "aside"
    folder.mkdir(parents=True)
    name = "20261103T170000-0a1b.eml"
    (folder / name).write_bytes(b"From: x@box.test\r\n\r\n<script>alert(1)</script> \xff\x00")
    assert "3 Nov 2026, 17:00 UTC" in page(somebody(Role.EDITOR), f"{HERE}bounces/")
    assert somebody(Role.EDITOR).get(f"{HERE}bounces/aside/{name}").status_code == 403
    shown = page(somebody(Role.APPROVER), f"{HERE}bounces/aside/{name}")
    assert "&lt;script&gt;alert(1)" in shown and "<script>alert" not in shown
    for wrong in ("..", "..%2f..%2fsecret.key", "none.eml"):
        assert somebody(Role.APPROVER).get(f"{HERE}bounces/aside/{wrong}").status_code == 404


@pytest.fixture
def form(newsletter: Newsletter) -> SignupForm:
    made = SignupForm.objects.create(slug="homepage", newsletter=newsletter, heading="Films <b>first</b>")
    for number, state in enumerate(("done", "done", "waiting", "dropped")):
        Signup.objects.create(form=made, address=f"p{number}@box.test", wording="x", at=timezone.now(), state=state,
                              page="https://lantern.example.org/<script>?utm=1")  # fmt: skip
    return made


def test_a_form_shows_its_numbers_its_code_and_how_it_looks(form: SignupForm) -> None:
    editor = somebody(Role.EDITOR)
    assert "2 answered, 1 waiting, 1 dropped" in page(editor, f"{HERE}forms/")
    shown = page(editor, f"{HERE}forms/homepage/")
    assert "&lt;form action=&#34;https://news.example.test/s/homepage" in shown
    assert "/s/homepage.js" in shown and shown.count("data-copy=") == 3
    assert "https://lantern.example.org/&lt;script&gt;" in shown and "utm" not in shown
    frame = editor.get(f"{HERE}forms/homepage/preview")
    policy = frame.headers["Content-Security-Policy"]
    assert "sandbox" in policy and "form-action 'none'" in policy and "script" not in policy
    assert "Films &lt;b&gt;first&lt;/b&gt;" in frame.content.decode()
    assert "Close it" not in shown
    assert editor.get(f"{HERE}forms/none/").status_code == 404


def test_a_form_is_closed_and_opened_and_the_log_tells(form: SignupForm) -> None:
    admin = somebody(Role.ADMIN)
    for wanted, word in (("0", "closed"), ("0", "closed"), ("1", "opened")):
        assert admin.post(f"{HERE}forms/homepage/turn", {"open": wanted}).status_code == 302
        assert SignupForm.objects.get().is_open is (word == "opened")
    assert list(Event.objects.order_by("pk").values_list("kind", flat=True)) == ["form closed", "form opened"]


def test_a_form_is_made_and_changed_by_the_same_rules_as_in_magazine_toml(form: SignupForm) -> None:
    admin = somebody(Role.ADMIN)
    fields = {"slug": "film", "newsletter": "weekly", "heading": 'Say "yes"', "topics": ["movie", "nonsense"],
              "origins": "https://lantern.example.org/\nhttps://b.example.org"}  # fmt: skip
    assert admin.post(f"{HERE}new-form", fields).status_code == 302
    made = SignupForm.objects.get(slug="film")
    assert (made.heading, made.topics) == ('Say "yes"', ["movie"])
    assert made.origins == ["https://b.example.org", "https://lantern.example.org"]
    assert admin.post(f"{HERE}new-form", fields).status_code == 409
    for wrong, words in (
        ({"slug": "No!"}, "takes a short name"),
        ({"slug": "x", "newsletter": "gone"}, "not among newsletters"),
        ({"slug": "x", "origins": "lantern"}, "takes sites like"),
        ({"slug": "x", "button": "b" * 61}, "at most 60 letters"),
        ({"slug": "x", "heading": "a\x00b"}, "takes one line of text"),
    ):
        answer = admin.post(f"{HERE}new-form", {**fields, **wrong})
        assert answer.status_code == 422 and words in html.unescape(answer.content.decode()), wrong
    made.mails_per_hour, made.is_open = 7, False
    made.save()
    assert admin.post(f"{HERE}forms/film/edit", {"heading": "Films", "ask_name": "1"}).status_code == 302
    made.refresh_from_db()
    assert (made.heading, made.ask_name, made.topics, made.mails_per_hour, made.is_open) == (
        "Films",
        True,
        [],
        7,
        False,
    )
    assert [event.kind for event in Event.objects.all()] == ["form saved"] * 2
    assert 'value="Films"' in page(admin, f"{HERE}forms/film/edit")
