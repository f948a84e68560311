"""The second step at log-in: asked after the password, once a code, never around it, and nobody locked out."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from newsletter.core import second_step as core
from newsletter.core.seal import Seal
from newsletter.flow import second_step
from newsletter.flow.people import Role, give
from newsletter.models import Event, LoginFailure, RecoveryCode, SecondStep
from newsletter.web.links import seal
from newsletter.web.studio.limits import COOKIE, PER_ACCOUNT, PER_CLIENT, WINDOW
from newsletter.web.studio.login import SUSPECT, login_link
from newsletter.web.studio.waiting import PATIENCE

pytestmark = pytest.mark.django_db
GOOD = "the lighthouse keeps"
SECRET = b"a secret of 20 bytes"
NOW = datetime(2026, 11, 27, 12, 0, 10, tzinfo=UTC)
STEP = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def mara() -> User:
    user = User.objects.create_user("mara", password=GOOD)
    give(user, Role.ADMIN)
    return user


@pytest.fixture
def codes(mara: User) -> list[str]:
    """Mara's recovery codes; her step was turned on a while ago."""
    before = NOW - timedelta(days=1)
    return second_step.turn_on(mara, SECRET, core.digits_at(SECRET, before), seal=seal(), now=before)


def digits(shift: int = 0) -> str:
    return core.digits_at(SECRET, timezone.now() + shift * STEP)


def wrong() -> str:
    """Six digits that are none of the three good ones."""
    good = {digits(shift) for shift in (-1, 0, 1)}
    return next(text for text in ("000000", "000001", "000002", "000003") if text not in good)


def password(browser: Client, given: str = GOOD, address: str = "192.0.2.1", **more: str) -> Any:
    return browser.post("/login/", {"username": "mara", "password": given, **more}, REMOTE_ADDR=address)


def code(browser: Client, typed: str, address: str = "192.0.2.1") -> Any:
    return browser.post("/login/code", {"code": typed}, REMOTE_ADDR=address)


def is_in(browser: Client) -> bool:
    return browser.get("/studio/account/").status_code == 200


def kinds() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


def test_after_the_password_a_code_is_asked_and_only_then_somebody_is_in(codes: list[str]) -> None:
    browser = Client()
    answer = password(browser, next="/studio/team/")
    assert answer.headers["Location"] == "/login/code"
    assert COOKIE not in answer.cookies
    assert not is_in(browser)
    page = browser.get("/login/code")
    assert "six digits that your app shows for mara" in page.content.decode()
    assert page.headers["Cache-Control"] == "no-store"
    refused = code(browser, wrong())
    assert refused.status_code == 400
    assert "not right, or was used before" in refused.content.decode()
    assert not is_in(browser)
    before = browser.session.session_key
    entered = code(browser, digits())
    assert (entered.status_code, entered.headers["Location"]) == (302, "/studio/team/")
    assert COOKIE in entered.cookies
    assert browser.session.session_key != before
    assert is_in(browser)
    assert browser.get("/login/code").headers["Location"] == "/login/"


def test_who_has_none_is_asked_for_none(mara: User) -> None:
    assert password(Client()).headers["Location"] == "/studio/"
    assert Client().get("/login/code").headers["Location"] == "/login/"
    assert code(Client(), "123456").headers["Location"] == "/login/"


def test_a_code_counts_once_even_when_two_ask_at_once(mara: User, codes: list[str], clock: Any) -> None:
    first, second = Client(), Client()
    for browser in (first, second):
        password(browser)
    typed = digits()
    assert code(first, typed).status_code == 302
    assert code(second, typed).status_code == 400
    assert code(second, digits(-1)).status_code == 400
    clock.shift(STEP)
    assert code(second, digits()).status_code == 302


def test_of_two_that_read_the_counter_before_either_wrote_one_is_in(
    mara: User, codes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = core.counter_of

    def overtaken(*given: Any, **options: Any) -> int | None:
        found = original(*given, **options)
        SecondStep.objects.update(counter=found)  # the other one
        return found

    monkeypatch.setattr(core, "counter_of", overtaken)
    assert not second_step.passes(mara, digits(), seal=seal(), now=NOW)


def test_a_recovery_code_stands_in_once_and_is_written_down(mara: User, codes: list[str]) -> None:
    assert len(set(codes)) == core.CODES
    assert not {each.replace("-", "") for each in codes} & set(RecoveryCode.objects.values_list("mark", flat=True))
    browser = Client()
    password(browser)
    assert code(browser, f" {codes[0].upper()} ").status_code == 302
    assert kinds() == ["second step on", "recovery code used"]
    assert Event.objects.last().text == "mara used a recovery code; 9 left."  # type: ignore[union-attr]
    again = Client()
    password(again)
    assert code(again, codes[0]).status_code == 400
    other = User.objects.create_user("otto")
    assert not second_step.passes(other, codes[1], seal=seal(), now=NOW)


def test_a_one_time_link_asks_for_the_code_too_and_is_used_up_by_it(mara: User, codes: list[str], clock: Any) -> None:
    path = login_link(mara, "", timezone.now())
    browser = Client()
    assert browser.post(path).headers["Location"] == "/login/code"
    assert not is_in(browser)
    assert code(browser, wrong()).status_code == 400
    other = Client()
    assert other.post(path).headers["Location"] == "/login/code"  # a wrong code does not cost the link
    assert code(browser, digits()).headers["Location"] == "/studio/"
    assert Client().post(path).status_code == 404
    clock.shift(STEP)
    assert code(other, digits()).status_code == 404
    assert not is_in(other)


@pytest.mark.parametrize("change", ["time", "password", "closed", "gone"])
def test_who_waits_for_the_code_does_not_wait_for_ever(mara: User, codes: list[str], clock: Any, change: str) -> None:
    browser = Client()
    password(browser)
    if change == "time":
        clock.shift(PATIENCE + timedelta(seconds=1))
    elif change == "password":
        mara.set_password("another one entirely")
        mara.save()
    elif change == "closed":
        User.objects.update(is_active=False)
    else:
        mara.delete()
    assert code(browser, digits()).headers["Location"] == "/login/"
    assert not is_in(browser)


def test_codes_are_guessed_no_faster_than_passwords_and_the_owner_is_not_locked_out(codes: list[str]) -> None:
    own = Client()
    password(own)
    assert code(own, codes[0]).status_code == 302
    own.post("/logout/")
    for _ in range(SUSPECT):
        password(Client(), "guess", address="203.0.113.1")
    LoginFailure.objects.update(at=NOW - WINDOW)  # wrong passwords are no wrong codes, and age
    guesser = Client()
    password(guesser, address="203.0.113.1")
    tries = [code(guesser, wrong(), address=f"198.51.100.{number}").status_code for number in range(PER_ACCOUNT)]
    assert set(tries) == {400}
    refused = code(guesser, digits(), address="198.51.100.99")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "900"
    assert password(Client(), address="198.51.100.98").status_code == 429
    # The right password in between gives no fresh tries, and no browser of the guesser's became a known one.
    assert COOKIE not in guesser.cookies
    assert kinds().count("wrong codes") == 1
    assert f"{SUSPECT} wrong codes at the log-in of mara" in Event.objects.get(kind="wrong codes").text
    password(own)
    assert code(own, digits()).status_code == 302


def test_one_address_gets_so_many_codes_at_all_accounts(codes: list[str]) -> None:
    browser = Client()
    password(browser)
    for number in range(PER_CLIENT):
        Client().post("/login/", {"username": f"name{number}", "password": "x"}, REMOTE_ADDR="192.0.2.1")
    assert code(browser, digits()).status_code == 429
    assert code(browser, digits(), address="192.0.2.2").status_code == 302


@pytest.mark.parametrize("typed", ["", "\x00", "x" * 10_000_000, "9" * 30, "<b>123456</b>", "שלום", "12 34 56 78"])
def test_nonsense_is_a_wrong_code_and_no_more(codes: list[str], typed: str, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20_000_000
    browser = Client()
    password(browser)
    assert code(browser, typed).status_code == 400


def test_under_another_secret_key_the_page_says_what_to_do_and_older_keys_go_on(
    codes: list[str], settings: Settings
) -> None:
    old = settings.NEWSLETTER.secret_key
    browser = Client()
    password(browser)
    settings.NEWSLETTER = replace(settings.NEWSLETTER, secret_key="n" * 40)
    answer = code(browser, digits())
    assert answer.status_code == 409
    assert "newsletter people second-step-off mara" in answer.content.decode()
    settings.NEWSLETTER = replace(settings.NEWSLETTER, previous_secret_keys=(old,))
    assert code(browser, digits()).status_code == 302


def test_the_database_alone_tells_neither_secret_nor_codes(codes: list[str]) -> None:
    row = SecondStep.objects.get()
    assert SECRET not in row.secret.encode() and SECRET.hex() not in row.secret
    assert Seal(b"another").open(row.secret) is None


# --- asked of approvers and admins -----------------------------------------------------------------------------------


@pytest.fixture
def asked(settings: Settings) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, require_second_step=True)


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.word)
def test_where_it_is_asked_nothing_else_opens_to_approvers_and_admins(role: Role, asked: None) -> None:
    user = User.objects.create_user("otto", password=GOOD)
    give(user, role)
    browser = Client()
    browser.force_login(user)
    if role is Role.EDITOR:
        assert browser.get("/studio/").status_code == 200
        return
    assert browser.get("/studio/").headers["Location"] == "/studio/account/second-step/"
    act = browser.post("/studio/plan/weekly/skip")
    assert act.status_code == 403
    assert "First a second step" in act.content.decode()
    assert browser.get("/studio/account/second-step/").status_code == 200
    second_step.turn_on(user, SECRET, digits(), seal=seal(), now=timezone.now())
    assert browser.get("/studio/").status_code == 200


def test_djangos_admin_asks_the_same(mara: User, asked: None) -> None:
    browser = Client()
    browser.force_login(mara)
    assert browser.get("/admin/", follow=True).redirect_chain[-1][0] == "/studio/account/second-step/"
    second_step.turn_on(mara, SECRET, digits(), seal=seal(), now=timezone.now())
    assert browser.get("/admin/").status_code == 200


# --- turning it on and off -------------------------------------------------------------------------------------------

PAGE = "/studio/account/second-step/"


@pytest.fixture
def inside(mara: User) -> Client:
    client = Client()
    client.force_login(mara)
    return client


def begun(inside: Client) -> bytes:
    """Press "Begin"; returns the secret that the page shows in letters."""
    from base64 import b32decode

    assert inside.post(f"{PAGE}begin", {"password": GOOD}).headers["Location"] == PAGE
    page = inside.get(PAGE).content.decode()
    found = re.search(r'<p class="secret"><code>([A-Z2-7 ]+)</code>', page)
    assert found
    assert '<svg class="squares"' in page and "otpauth://totp/news.example.test:mara" in page
    return b32decode(found[1].replace(" ", ""))


def test_it_is_turned_on_by_a_code_of_the_app_and_shows_the_codes_once(inside: Client, mara: User) -> None:
    secret = begun(inside)
    assert not second_step.has(mara)
    missed = inside.post(f"{PAGE}on", {"code": "12345"})
    assert missed.status_code == 400
    assert "not the code that the app shows" in missed.content.decode()
    assert begun_again_shows(inside, secret)
    answer = inside.post(f"{PAGE}on", {"code": core.digits_at(secret, timezone.now())})
    assert answer.headers["Cache-Control"] == "no-store"
    page = answer.content.decode()
    shown = re.findall(r"<li><code>([a-z2-9]{5}-[a-z2-9]{5})</code>", page)
    assert len(shown) == core.CODES
    assert all(each in page.partition('href="data:text/plain')[2] for each in shown)
    assert kinds() == ["second step on"]
    assert not any(each in inside.get(PAGE).content.decode() for each in shown)
    # The code that turned it on logs nobody in.
    other = Client()
    password(other)
    assert code(other, core.digits_at(secret, timezone.now())).status_code == 400
    assert code(other, shown[0]).status_code == 302


def test_turning_it_on_ends_every_other_session_of_the_person_and_not_this_one(inside: Client, mara: User) -> None:
    def logged_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    otto = User.objects.create_user("otto", password=GOOD)
    give(otto, Role.EDITOR)
    elsewhere, others = [logged_in(mara), logged_in(mara)], logged_in(otto)
    copied = Client()
    copied.cookies["sessionid"] = inside.cookies["sessionid"].value
    secret = begun(inside)
    assert inside.post(f"{PAGE}on", {"code": "12345"}).status_code == 400
    assert all(client.get("/studio/").status_code == 200 for client in (*elsewhere, copied))
    page = inside.post(f"{PAGE}on", {"code": core.digits_at(secret, timezone.now())}).content.decode()
    assert "Every other browser" in page
    assert all(client.get("/studio/").status_code == 302 for client in (*elsewhere, copied))
    assert inside.get("/studio/").status_code == 200
    assert others.get("/studio/").status_code == 200


def begun_again_shows(inside: Client, secret: bytes) -> bool:
    return core.typed_secret(secret) in inside.get(PAGE).content.decode()


def test_whoever_finds_an_open_browser_turns_nothing_on_or_off(inside: Client, mara: User, codes: list[str]) -> None:
    for verb in ("off", "codes"):
        for typed in (wrong(), ""):
            answer = inside.post(f"{PAGE}{verb}", {"code": typed})
            assert answer.status_code == 400
            assert "Nothing was changed." in answer.content.decode()
    assert "on already" in inside.post(f"{PAGE}begin", {"password": GOOD}).content.decode()
    second_step.turn_off(mara, now=NOW, by="otto")
    answer = inside.post(f"{PAGE}begin", {"password": "guess"})
    assert (answer.status_code, "Your password is another one." in answer.content.decode()) == (400, True)
    assert "secret" not in inside.get(PAGE).content.decode()
    assert "too old" in inside.post(f"{PAGE}on", {"code": "123456"}).content.decode()


def test_tries_in_the_account_are_limited_as_at_the_log_in(inside: Client, codes: list[str]) -> None:
    for _ in range(PER_ACCOUNT):
        assert inside.post(f"{PAGE}off", {"code": wrong()}).status_code == 400
    answer = inside.post(f"{PAGE}off", {"code": digits()})
    assert answer.status_code == 429
    assert "Too many tries" in answer.content.decode()


def test_codes_are_renewed_and_the_step_is_turned_off_by_a_code(inside: Client, mara: User, codes: list[str]) -> None:
    page = inside.post(f"{PAGE}codes", {"code": digits()}).content.decode()
    fresh = re.findall(r"<li><code>([a-z2-9]{5}-[a-z2-9]{5})</code>", page)
    assert len(fresh) == core.CODES and not set(fresh) & set(codes)
    assert inside.post(f"{PAGE}off", {"code": codes[0]}).status_code == 400
    assert inside.post(f"{PAGE}off", {"code": fresh[0]}).headers["Location"] == "/studio/account/?said=off"
    assert not second_step.has(mara) and not RecoveryCode.objects.exists()
    assert kinds()[1:] == ["recovery codes renewed", "recovery code used", "second step off"]
    assert password(Client()).headers["Location"] == "/studio/"


def test_what_was_begun_can_be_left_and_ages(inside: Client, mara: User, clock: Any) -> None:
    begun(inside)
    assert inside.post(f"{PAGE}cancel").headers["Location"] == "/studio/account/"
    assert "Begin" in inside.get(PAGE).content.decode()
    secret = begun(inside)
    clock.shift(timedelta(hours=2))
    assert inside.post(f"{PAGE}on", {"code": core.digits_at(secret, timezone.now())}).status_code == 400
    assert not second_step.has(mara)
    assert inside.post(f"{PAGE}dance").status_code == 404


def test_who_came_by_a_link_and_has_no_password_sets_it_up_without(asked: None) -> None:
    user = User.objects.create_user("first")
    give(user, Role.ADMIN)
    client = Client()
    client.force_login(user)
    assert "Your password" not in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}begin").status_code == 302
    assert "Show this to your app" in client.get(PAGE).content.decode()


def test_wrong_passwords_are_not_taken_for_wrong_codes(codes: list[str]) -> None:
    for _ in range(SUSPECT - 1):
        password(Client(), "guess")
    browser = Client()
    password(browser)
    assert code(browser, wrong()).status_code == 400
    assert "wrong codes" not in kinds()
