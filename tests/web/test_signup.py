"""The sign-up form as readers, sites, scripts and scanners meet it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from newsletter.flow import signup
from newsletter.flow.service import Kind
from newsletter.models import ServiceMail, Signup, SignupForm
from newsletter.web.links import keys
from subscribers.models import Subscription, SubscriptionState, Suppression, SuppressionReason
from tests.factories import make_newsletter, make_subscription

pytestmark = pytest.mark.django_db
SITE = "https://lantern.example.test"


@pytest.fixture(autouse=True)
def _https(settings: Any) -> None:
    old = settings.NEWSLETTER
    settings.NEWSLETTER = old.__class__(base_url="https://news.example.test", secret_key="s" * 40)


@pytest.fixture
def form() -> SignupForm:
    return SignupForm.objects.create(slug="weekly", newsletter=make_newsletter(), topics=["book"], origins=[SITE])


def stamp_of(client: Client, form: SignupForm) -> str:
    """The stamp of a form that was shown ten seconds ago."""
    with time_machine.travel(timezone.now() - timedelta(seconds=10), tick=False):
        return str(client.get(f"/s/{form.slug}.json").json()["stamp"])


def post(client: Client, form: SignupForm, to: str = "ada@box.test", **more: Any) -> Any:
    headers = more.pop("headers", {})
    fields = {"address": to, "stamp": stamp_of(client, form), "company": "", **more}
    return client.post(f"/s/{form.slug}", fields, headers=headers)


def work() -> None:
    signup.work_off(clock=timezone.now, keys=keys(), base_url="https://news.example.test", mails_per_hour=1000)


def test_the_page_shows_the_form_and_changes_nothing(client: Client, form: SignupForm) -> None:
    page = client.get("/s/weekly")
    text = page.content.decode()
    assert page.status_code == 200 and "The best of LANTERN in your inbox" in text and 'autocomplete="email"' in text
    assert page.headers["X-Robots-Tag"].startswith("noindex") and page.headers["Cache-Control"] == "no-store"
    assert (
        page.headers["Referrer-Policy"] == "no-referrer" and "script-src" not in page.headers["Content-Security-Policy"]
    )
    assert not page.cookies and "<script" not in text and not Signup.objects.exists()


def test_five_states_of_an_address_get_the_same_bytes(client: Client, form: SignupForm) -> None:
    listed = form.newsletter.mailing_list
    for state in SubscriptionState:
        make_subscription(f"{state.value}@box.test", listed, state=state)
    Suppression.objects.create(address_key="bounced@box.test", reason=SuppressionReason.BOUNCE, at=timezone.now())
    answers = [post(client, form, f"{who}@box.test") for who in ("new", *SubscriptionState.values, "bounced")]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    bodies = [
        client.post("/s/weekly.json", json.dumps({"address": f"{who}@box.test", "stamp": stamp_of(client, form)}),
                    content_type="application/json")
        for who in ("newer", *SubscriptionState.values, "bounced")
    ]  # fmt: skip
    assert len({(body.status_code, body.content) for body in bodies}) == 1
    work()
    mailed = dict(ServiceMail.objects.values_list("address", "kind"))
    assert mailed["active@box.test"] == Kind.ALREADY and "bounced@box.test" not in mailed
    assert mailed["unsubscribed@box.test"] == mailed["new@box.test"] == Kind.CONFIRM


@pytest.mark.parametrize(
    "address", ["", "ada", "ada@", "ada@box", "a b@box.test", "ada@box.test, bob@box.test", "é" * 300]
)
def test_what_is_no_address_is_said_where_it_stands_and_kept(address: str, client: Client, form: SignupForm) -> None:
    page = post(client, form, address)
    text = page.content.decode()
    assert page.status_code == 422 and "That doesn’t look like an email address" in text
    assert 'aria-describedby="address-problem"' in text and 'aria-invalid="true"' in text
    assert f'value="{address.strip()}"' in text and not Signup.objects.exists()


def test_a_slip_of_the_fingers_is_a_question_and_never_changed_by_itself(client: Client, form: SignupForm) -> None:
    page = post(client, form, "ada@gmial.com")
    assert page.status_code == 422 and "ada@gmail.com" in page.content.decode() and not Signup.objects.exists()
    stamp = re.findall(r'name="stamp" value="([^"]+)"', page.content.decode())[0]
    at_once = client.post("/s/weekly", {"address": "ada@gmail.com", "stamp": stamp})
    assert at_once.status_code == 200, "who has been seen already may press as fast as they like"
    Signup.objects.all().delete()
    assert post(client, form, "ada@gmial.com", sure="1").status_code == 200
    assert post(client, form, "ada@gmial.com", instead="ada@gmail.com").status_code == 200
    assert set(Signup.objects.values_list("address", flat=True)) == {"ada@gmial.com", "ada@gmail.com"}


def test_a_program_that_fills_in_everything_hears_what_everybody_hears(client: Client, form: SignupForm) -> None:
    honest = post(client, form)
    trapped = post(client, form, "bot@box.test", company="ACME")
    assert trapped.content == honest.content and Signup.objects.count() == 1


@pytest.mark.parametrize("seconds", [0, 1, 90_000])
def test_too_fast_or_too_old_asks_for_one_more_press(seconds: int, client: Client, form: SignupForm) -> None:
    at = datetime(2026, 11, 5, 13, 0, tzinfo=UTC)
    with time_machine.travel(at, tick=False):
        stamp = client.get("/s/weekly.json").json()["stamp"]
    with time_machine.travel(at + timedelta(seconds=seconds), tick=False):
        page = client.post("/s/weekly", {"address": "ada@box.test", "stamp": stamp})
    assert page.status_code == 422 and "One more press" in page.content.decode()
    assert 'value="ada@box.test"' in page.content.decode() and not Signup.objects.exists()


def test_a_stamp_is_good_for_its_own_form_only(client: Client, form: SignupForm) -> None:
    other = SignupForm.objects.create(slug="other", newsletter=form.newsletter)
    stamp = stamp_of(client, other)
    assert client.post("/s/weekly", {"address": "ada@box.test", "stamp": stamp}).status_code == 422


def test_a_static_form_is_taken_from_a_site_that_may_carry_it_only(client: Client, form: SignupForm) -> None:
    fields = {"address": "ada@box.test", "page": f"{SITE}/a-review"}
    answer = client.post("/s/weekly", fields, headers={"origin": SITE})
    assert answer.status_code == 200 and f'href="{SITE}/a-review"' in answer.content.decode()
    for origin in ("https://evil.test", "null", ""):
        assert client.post("/s/weekly", fields, headers={"origin": origin}).status_code == 422
    fields["page"] = "https://evil.test/phish"
    assert "evil.test" not in client.post("/s/weekly", fields, headers={"origin": SITE}).content.decode()


def test_the_endpoint_answers_scripts_of_its_sites_and_takes_no_cookies(client: Client, form: SignupForm) -> None:
    ours = client.options("/s/weekly.json", headers={"origin": SITE})
    assert ours.headers["Access-Control-Allow-Origin"] == SITE
    assert "Access-Control-Allow-Credentials" not in ours.headers
    assert (
        "Access-Control-Allow-Origin"
        not in client.get("/s/weekly.json", headers={"origin": "https://evil.test"}).headers
    )
    body = {"address": "ada@box.test", "stamp": stamp_of(client, form), "topics": ["book", "opera", 7]}
    answer = client.post("/s/weekly.json", json.dumps(body), content_type="application/json", headers={"origin": SITE})
    assert answer.json()["ok"] is True and Signup.objects.get().topics == ["book"]


@pytest.mark.parametrize(
    "body", ["", "[]", "null", "{", '{"address": 7}', '{"address": {"a": 1}}', "x" * 30_000, "\xff"]
)
def test_what_is_no_json_of_ours_is_said_so(body: str, client: Client, form: SignupForm) -> None:
    answer = client.post("/s/weekly.json", body.encode("latin-1"), content_type="application/json")
    assert answer.status_code in (400, 422) and answer.json()["ok"] is False and not Signup.objects.exists()


def test_too_many_tries_from_one_place_are_told_to_wait(client: Client, form: SignupForm) -> None:
    codes = [post(client, form, f"r{number}@box.test").status_code for number in range(22)]
    assert codes == [200] * 20 + [429] * 2
    assert post(client, form, "bob@box.test", headers={"x-forwarded-for": "203.0.113.9"}).status_code == 429


def test_behind_a_trusted_proxy_its_own_word_counts(client: Client, form: SignupForm, settings: Any) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER.__class__(
        base_url="https://news.example.test", secret_key="s" * 40, client_header="X-Forwarded-For"
    )
    for number in range(22):
        spoofed = {"x-forwarded-for": f"10.0.0.{number}, 203.0.113.9"}
        status = post(client, form, f"r{number}@box.test", headers=spoofed).status_code
        assert status == (200 if number < 20 else 429), "what a client puts in front does not count"
    assert post(client, form, "bob@box.test", headers={"x-forwarded-for": "198.51.100.2"}).status_code == 200
    assert set(Signup.objects.values_list("network", flat=True)) == {"203.0.113.0/24", "198.51.100.0/24"}


def test_a_closed_form_and_no_form_say_so(client: Client, form: SignupForm) -> None:
    SignupForm.objects.update(is_open=False)
    assert "closed for now" in client.get("/s/weekly").content.decode()
    assert post(client, form).status_code == 410 and not Signup.objects.exists()
    assert client.get("/s/nowhere").status_code == 404


@pytest.mark.parametrize(
    "evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "{address}"]
)
def test_nothing_typed_becomes_markup(evil: str, client: Client, form: SignupForm) -> None:
    SignupForm.objects.update(heading=evil, consent=evil, ask_name=True)
    text = post(client, form, evil, name=evil).content.decode()
    assert "<script>alert" not in text and "<img" not in text and "49" not in text


def test_the_script_names_our_address_and_nothing_else(client: Client, form: SignupForm) -> None:
    answer = client.get("/s/weekly.js")
    text = answer.content.decode()
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert text.count("https://") == 1 and '"https://news.example.test/s/weekly.json"' in text
    assert "cookie" not in text.replace("no cookie", "") and 'credentials: "omit"' in text


def test_the_embed_code_is_a_form_that_works(
    client: Client, form: SignupForm, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("form", "embed", "weekly")
    code = capsys.readouterr().out
    assert 'action="https://news.example.test/s/weekly"' in code and 'name="company"' in code
    call_command("form", "embed", "weekly", "--script")
    assert 'src="https://news.example.test/s/weekly.js"' in capsys.readouterr().out
    post(client, form)
    work()
    call_command("form", "list")
    assert "1 answered, 0 waiting, 0 dropped" in capsys.readouterr().out


# --- the confirmation ------------------------------------------------------------------------------------------------


@pytest.fixture
def link(client: Client, form: SignupForm) -> str:
    post(client, form)
    work()
    return str(ServiceMail.objects.get().values["link"]).removeprefix("https://news.example.test")


def test_opening_the_link_a_hundred_times_subscribes_nobody_and_pressing_once_does(client: Client, link: str) -> None:
    for _ in range(3):
        for method in (client.get, client.head, client.options):
            method(link)
    assert Subscription.objects.get().state == SubscriptionState.PENDING
    assert "Yes, subscribe me" in client.get(link).content.decode()
    page = client.post(link)
    assert "You’re in" in page.content.decode() and Subscription.objects.get().state == SubscriptionState.ACTIVE
    assert "You were already in" in client.get(link).content.decode()
    assert "You were already in" in client.post(link).content.decode()
    assert ServiceMail.objects.filter(kind=Kind.WELCOME).count() == 1
    assert "ada@box.test" not in page.content.decode(), "whoever forwards the mail tells no address"


def test_an_expired_link_offers_a_new_one(client: Client, link: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=9), tick=False):
        page = client.get(link)
        assert "This link has expired" in page.content.decode() and page.status_code == 200
        first, second = client.post(f"{link}/again"), client.post(f"{link}/again")
        assert first.content == second.content
    assert ServiceMail.objects.filter(kind=Kind.CONFIRM).count() == 2


@pytest.mark.parametrize("token", ["A" * 28, "A" * 24, "x", "é" * 28, "A" * 500])
def test_every_wrong_link_is_the_same_page(token: str, client: Client, form: SignupForm) -> None:
    page, known = client.get(f"/c/{token}"), client.get("/c/" + "B" * 28)
    assert page.status_code == known.status_code == 404
    assert page.content == known.content
    assert client.post(f"/c/{token}").status_code == 404


def test_a_forged_host_changes_no_link(client: Client, form: SignupForm) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        stamp = stamp_of(client, form)
    client.post("/s/weekly", {"address": "ada@box.test", "stamp": stamp}, headers={"host": "evil.test"})
    client.post("/s/weekly", {"address": "ada@box.test", "stamp": stamp})
    work()
    assert all(mail.values["link"].startswith("https://news.example.test/c/") for mail in ServiceMail.objects.all())


@pytest.mark.parametrize(("asked", "language"), [("de", "de"), ("ar-EG,ar;q=0.9", "ar"), ("ja", "en"), ("", "en")])
def test_the_page_speaks_the_browsers_language_where_the_newsletter_has_none_of_its_own(
    asked: str, language: str, client: Client, form: SignupForm
) -> None:
    form.newsletter.language = ""
    form.newsletter.save()
    page = client.get("/s/weekly", headers={"accept-language": asked}).content.decode()
    assert f'<html lang="{language}"' in page and ('dir="rtl"' in page.partition(">")[2][:80]) == (language == "ar")


def test_the_skin_is_the_designs_and_text_can_be_read(client: Client, form: SignupForm) -> None:
    page = client.get("/s/weekly").content.decode()
    assert 'href="/skin/weekly.css"' in page
    sheet = client.get("/skin/weekly.css")
    assert "--accent: #C4003F" in sheet.content.decode() and "--on-accent: #FFFCFA" in sheet.content.decode()
    form.newsletter.design_tokens = {"ink": "#FFFFFF"}
    form.newsletter.save()
    assert "--ink" not in client.get("/skin/weekly.css").content.decode().partition("@media")[0]


def test_the_skin_has_the_faces_of_the_design_and_nothing_but_faces(client: Client, form: SignupForm) -> None:
    form.newsletter.design = "colophon"
    form.newsletter.save()
    sheet = client.get("/skin/weekly.css").content.decode()
    assert "--accent: #7A1F2B" in sheet and "--serif: Iowan Old Style," in sheet and "--sans: Iowan Old Style," in sheet
    form.newsletter.design_tokens = {"heads": "Georgia; } body { display: none", "text": "'Georgia"}
    form.newsletter.save()
    sheet = client.get("/skin/weekly.css").content.decode()
    assert "--serif" not in sheet and "--sans" not in sheet and "display" not in sheet
