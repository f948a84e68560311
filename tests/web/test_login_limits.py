"""Passwords can't be guessed at speed, from one address or from many; and nobody can be shut out by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from newsletter.models import LoginFailure
from newsletter.web.studio.limits import COOKIE, PER_ACCOUNT, PER_CLIENT, WINDOW
from newsletter.web.studio.login import login_link

pytestmark = pytest.mark.django_db
GOOD = "the lighthouse keeps"


@pytest.fixture(autouse=True)
def mara() -> User:
    return User.objects.create_user("mara", password=GOOD)


def attempt(browser: Client, password: str, name: str = "mara", address: str = "192.0.2.1") -> int:
    return browser.post("/login/", {"username": name, "password": password}, REMOTE_ADDR=address).status_code


def guesses_at_mara(number: int) -> list[int]:
    """Wrong ones, each from another address."""
    return [attempt(Client(), "guess", address=f"198.51.100.{each}") for each in range(number)]


def test_one_address_gets_so_many_tries_at_any_names_and_others_go_on() -> None:
    tries = [attempt(Client(), "guess", name=f"name{number}") for number in range(PER_CLIENT)]
    assert set(tries) == {200}
    refused = Client().post("/login/", {"username": "mara", "password": GOOD}, REMOTE_ADDR="192.0.2.1")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, str(int(WINDOW.total_seconds())))
    assert "Too many tries went wrong" in refused.content.decode()
    assert 'value="mara"' in refused.content.decode()
    assert "sessionid" not in refused.cookies
    assert attempt(Client(), GOOD, address="192.0.2.2") == 302


def test_an_account_is_not_guessed_at_from_many_addresses_and_a_name_that_nobody_has_looks_the_same() -> None:
    assert set(guesses_at_mara(PER_ACCOUNT)) == {200}
    assert attempt(Client(), GOOD, name=" MARA", address="203.0.113.9") == 429
    for number in range(PER_ACCOUNT):
        attempt(Client(), "guess", name="nobody", address=f"198.51.100.{number + 100}")
    answers = [
        Client().post("/login/", {"username": name, "password": "x"}, REMOTE_ADDR="203.0.113.9").content.decode()
        for name in ("mara", "nobody")
    ]
    cut = [text.partition('name="csrfmiddlewaretoken"')[0] for text in answers]
    assert cut[0] == cut[1]


@pytest.mark.parametrize("way", ["password", "link"])
def test_the_owner_is_never_locked_out_of_a_browser_that_was_in_before(mara: User, way: str) -> None:
    own = Client()
    if way == "password":
        assert attempt(own, GOOD) == 302
    else:
        assert own.post(login_link(mara, "", timezone.now())).status_code == 302
    own.post("/logout/")
    guesses_at_mara(PER_ACCOUNT + 5)
    assert attempt(Client(), GOOD, address="203.0.113.9") == 429
    assert attempt(own, "mistyped") == 200
    assert attempt(own, GOOD) == 302


def test_a_known_browser_is_limited_too_and_is_known_to_its_own_people_only() -> None:
    User.objects.create_user("otto", password=GOOD)
    own = Client()
    assert attempt(own, GOOD) == 302
    own.post("/logout/")
    tries = [attempt(own, "guess", address=f"203.0.113.{number}") for number in range(PER_ACCOUNT + 1)]
    assert tries == [200] * PER_ACCOUNT + [429]
    for number in range(PER_ACCOUNT):
        attempt(Client(), "guess", name="otto", address=f"198.51.100.{number}")
    assert attempt(own, GOOD, name="otto", address="203.0.113.200") == 429


def test_a_cookie_that_is_not_ours_helps_nobody() -> None:
    guesses_at_mara(PER_ACCOUNT)
    forger = Client()
    forger.cookies[COOKIE] = "WyJ4IixbIm1hcmEiXV0:1abcde:forged"
    assert attempt(forger, GOOD, address="203.0.113.9") == 429


def test_the_tries_of_before_are_forgotten_and_right_ones_never_count() -> None:
    for _ in range(PER_ACCOUNT + 2):
        assert attempt(Client(), GOOD) == 302
    assert not LoginFailure.objects.exists()
    guesses_at_mara(PER_ACCOUNT)
    LoginFailure.objects.update(at=timezone.now() - WINDOW - timedelta(seconds=1))
    assert attempt(Client(), GOOD, address="203.0.113.9") == 302
    assert not LoginFailure.objects.exists()


def test_the_address_is_what_the_proxy_says_and_one_network_in_ipv6(settings: Settings) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, client_header="X-Forwarded-For")
    for number in range(PER_CLIENT):
        client = Client(headers={"x-forwarded-for": f"10.0.0.{number}, 2001:db8:1:2::{number:x}"})
        client.post("/login/", {"username": f"name{number}", "password": "guess"})
    for address, status in (("2001:db8:1:2:ffff::1", 429), ("2001:db8:1:3::1", 302)):
        client = Client(headers={"x-forwarded-for": address})
        assert client.post("/login/", {"username": "mara", "password": GOOD}).status_code == status


def test_the_back_door_has_the_same_lock(mara: User) -> None:
    assert Client().get("/admin/").headers["Location"] == "/admin/login/?next=/admin/"
    answer = Client().post("/admin/login/?next=/admin/", {"username": "mara", "password": GOOD})
    assert answer.headers["Location"] == "/login/?next=/admin/"
    inside = Client()
    inside.force_login(mara)
    followed = inside.get("/admin/", follow=True)
    assert followed.status_code == 403
    assert "This takes an admin" in followed.content.decode()
