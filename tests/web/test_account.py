from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from newsletter.flow.people import Role, give
from newsletter.models import Event
from newsletter.web.studio.limits import PER_ACCOUNT

pytestmark = pytest.mark.django_db
PAGE = "/studio/account/"
GOOD = "the lighthouse keeps"
NEW = "seven herons over the weir"


@pytest.fixture
def edda() -> User:
    user = User.objects.create_user("edda", password=GOOD)
    give(user, Role.EDITOR)
    return user


@pytest.fixture
def inside(edda: User) -> Client:
    client = Client()
    client.force_login(edda)
    return client


def change(client: Client, old: str = GOOD, new: str = NEW) -> tuple[int, str]:
    answer = client.post(f"{PAGE}password", {"old": old, "new": new})
    return answer.status_code, answer.content.decode()


def test_everybody_has_an_account_page_and_a_way_to_it(inside: Client) -> None:
    page = inside.get(PAGE).content.decode()
    assert "You are edda, an editor." in page
    assert f'<a href="{PAGE}">Your account</a>' in inside.get("/studio/").content.decode()


def test_a_new_password_ends_every_other_session_and_not_this_one(inside: Client, edda: User) -> None:
    other = Client()
    other.force_login(edda)
    assert other.get(PAGE).status_code == 200
    assert change(inside)[0] == 302
    assert "Every other browser" in inside.get(f"{PAGE}?said=password").content.decode()
    assert other.get(PAGE).status_code == 302
    assert Client().login(username="edda", password=NEW)
    event = Event.objects.get()
    assert (event.kind, event.by) == ("password changed", "edda")
    assert NEW not in event.text


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("guess", NEW, "present password is another one"),
        (GOOD, "short", "too short"),
        (GOOD, "password1", "too common"),
        (GOOD, "nul\x00nul\x00nul", "can’t be typed"),
        (GOOD, "x" * 5000, "too long"),
    ],
)
def test_what_will_not_do_is_said_and_changes_nothing(inside: Client, old: str, new: str, says: str) -> None:
    status, page = change(inside, old, new)
    assert status == 400
    assert says in page.replace("&#39;", "’")
    assert f'value="{new}"' not in page
    assert Client().login(username="edda", password=GOOD)
    assert not Event.objects.exists()


def test_whoever_finds_an_open_browser_may_not_guess_the_password(inside: Client) -> None:
    assert {change(inside, "guess")[0] for _ in range(PER_ACCOUNT)} == {400}
    assert change(inside)[0] == 429


def test_who_came_by_a_link_sets_a_first_password() -> None:
    user = User.objects.create_user("first")
    client = Client()
    client.force_login(user)
    assert "You have none yet" in client.get(PAGE).content.decode()
    assert change(client, "")[0] == 302
    assert Client().login(username="first", password=NEW)


def test_notices_go_where_the_person_says(inside: Client, edda: User) -> None:
    assert inside.post(f"{PAGE}address", {"address": " Edda@Box.test "}).status_code == 302
    edda.refresh_from_db()
    assert edda.email == "Edda@box.test"
    for typed in ("nowhere", "<b>@box.test", "9" * 500, "a\x00b@box.test"):
        answer = inside.post(f"{PAGE}address", {"address": typed})
        assert answer.status_code == 400
        assert "is no address" in answer.content.decode()
    assert inside.post(f"{PAGE}address", {"address": "edda@BOX.test".title()}).status_code == 302
    assert inside.post(f"{PAGE}address", {"address": ""}).status_code == 302
    edda.refresh_from_db()
    assert edda.email == ""
    assert all("@" not in text for text in Event.objects.values_list("text", flat=True))
    assert set(Event.objects.values_list("kind", flat=True)) == {"address changed"}
