from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from newsletter.web.studio.login import VALID, login_link

pytestmark = pytest.mark.django_db
BASE = "https://news.example.test"


@pytest.fixture
def mara() -> User:
    return User.objects.create_user("mara", password="the lighthouse keeps")


@pytest.fixture
def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def path(user: User, **shift: int) -> str:
    link = login_link(user, f"{BASE}/", timezone.now() + timedelta(**shift))
    assert link.startswith(f"{BASE}/login/")
    return link.removeprefix(BASE)


def press(browser: Client, where: str) -> int:
    """Open the page and press its button, as a person does."""
    page = browser.get(where)
    if page.status_code != 200:
        return page.status_code
    secret = browser.cookies["csrftoken"].value
    return browser.post(where, {"csrfmiddlewaretoken": secret}).status_code


def test_a_link_logs_in_once_and_looking_at_it_does_not(browser: Client, mara: User) -> None:
    where = path(mara)
    for _ in range(3):
        page = browser.get(where)
        assert page.status_code == 200
        assert "Log in as mara" in page.content.decode()
    assert "sessionid" not in browser.cookies
    assert User.objects.get().last_login is None
    assert press(browser, where) == 302
    assert browser.get("/studio/").status_code == 200
    assert press(Client(), where) == 404
    assert Client().post(where).status_code == 404


def test_two_presses_at_once_log_in_one(mara: User, monkeypatch: pytest.MonkeyPatch) -> None:
    where = path(mara)
    seen = User.objects.get()
    assert Client().post(where).status_code == 302
    # The second had read the user before the first wrote.
    monkeypatch.setattr("newsletter.web.studio.login._user_of", lambda token, now: seen)
    second = Client()
    assert second.post(where).status_code == 404
    assert "sessionid" not in second.cookies


def test_a_link_works_again_only_when_made_again_after_a_log_in(mara: User) -> None:
    assert Client().post(path(mara)).status_code == 302
    mara.refresh_from_db()
    assert Client().post(path(mara)).status_code == 302


@pytest.mark.parametrize("change", ["password", "inactive", "other log-in", "gone"])
def test_a_link_dies_with_what_it_was_made_for(mara: User, change: str) -> None:
    where = path(mara)
    if change == "password":
        mara.set_password("another one")
    elif change == "inactive":
        mara.is_active = False
    elif change == "other log-in":
        mara.last_login = timezone.now()
    mara.save()
    if change == "gone":
        mara.delete()
    assert Client().get(where).status_code == 404


@pytest.mark.parametrize("shift", [{"seconds": -int(VALID.total_seconds()) - 1}, {"minutes": 6}])
def test_a_link_is_good_for_a_day(mara: User, shift: dict[str, int]) -> None:
    assert Client().get(path(mara, **shift)).status_code == 404


def test_every_wrong_link_is_the_same_404(mara: User) -> None:
    good = path(mara)
    user, at, mac = good.rpartition("/")[2].split("-")
    wrong = [
        f"/login/{user}-{at}-{mac[:-1]}{'0' if mac[-1] != '0' else '1'}",
        f"/login/{user}-{int(at) + 1}-{mac}",
        f"/login/{int(user) + 1}-{at}-{mac}",
        f"/login/{user}-{at}-",
        "/login/x",
        f"/login/{'9' * 18}-{'9' * 12}-{mac}",
    ]
    answers = {(answer.status_code, answer.content) for answer in map(Client().get, wrong)}
    assert len(answers) == 1
    assert answers.pop()[0] == 404


def test_the_page_of_a_link_is_kept_nowhere(mara: User) -> None:
    answer = Client().get(path(mara))
    assert answer.headers["Cache-Control"] == "no-store"
    # A stricter policy would make browsers post the form with "Origin: null", and the log-in would be refused.
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_a_link_needs_its_own_button(browser: Client, mara: User) -> None:
    assert browser.post(path(mara)).status_code == 403


def test_a_password_logs_in_and_a_wrong_one_says_so(mara: User) -> None:
    browser = Client()
    wrong = browser.post("/login/", {"username": "mara", "password": "guess"})
    assert "don’t belong together" in wrong.content.decode()
    right = browser.post("/login/?next=/studio/", {"username": "mara", "password": "the lighthouse keeps"})
    assert (right.status_code, right.headers["Location"]) == (302, "/studio/")
    assert browser.get("/login/").status_code == 302
    assert browser.get("/logout/").status_code == 405
    assert browser.post("/logout/").headers["Location"] == "/login/"
    assert browser.get("/studio/").status_code == 302


def test_nobody_is_led_elsewhere_after_a_log_in(mara: User) -> None:
    answer = Client().post(
        "/login/", {"username": "mara", "password": "the lighthouse keeps", "next": "https://evil.example/"}
    )
    assert answer.headers["Location"] == "/studio/"
