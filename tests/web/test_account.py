from __future__ import annotations

from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from newsletter.core.errors import PeopleError
from newsletter.flow.issue import edit_issue
from newsletter.flow.people import Role, accept, give, invite
from newsletter.models import Event, Issue
from newsletter.web.studio.limits import PER_ACCOUNT
from tests.factories import make_newsletter

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
    assert "You have no password yet" in client.get(PAGE).content.decode()
    assert change(client, "")[0] == 302
    assert Client().login(username="first", password=NEW)


@pytest.fixture
def first() -> Client:
    """The first admin, in by the link that `serve` prints."""
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def named(client: Client, name: str, new: str = NEW) -> tuple[int, str]:
    answer = client.post(f"{PAGE}password", {"name": name, "new": new})
    return answer.status_code, unescape(answer.content.decode())


def test_who_came_by_a_link_takes_a_name_with_the_first_password(first: Client) -> None:
    assert 'name="name" value="admin"' in first.get(PAGE).content.decode()
    assert named(first, " mara ")[0] == 302
    assert Client().login(username="mara", password=NEW)
    assert "You are mara, an admin." in first.get(PAGE).content.decode()
    events = list(Event.objects.order_by("pk").values_list("kind", "by", "text"))
    assert events == [
        ("name chosen", "admin", "admin is called mara from here on."),
        ("password changed", "mara", "mara changed the password."),
    ]
    # A name is taken once: what stands under the old one is nobody else's, and the new one stays.
    assert named(first, "otto")[0] == 400
    assert not User.objects.filter(username="otto").exists()
    for name in ("ADMIN", "admin"):
        _, token = invite(Role.EDITOR, "somebody", now=timezone.now(), by="mara")
        with pytest.raises(PeopleError, match="taken"):
            accept(token, name, "seven herons over the weir", now=timezone.now())


@pytest.mark.parametrize(
    ("name", "new", "says"),
    [
        ("edda", NEW, "name is taken"),
        ("Edda", NEW, "name is taken"),
        ("schedule", NEW, "name is taken"),
        ("<b>", NEW, "valid username"),
        ("x" * 151, NEW, "at most 150"),
        ("mara", "short", "too short"),
        ("lighthouse", "lighthouses", "too similar"),
    ],
)
def test_a_name_or_a_password_that_will_not_do_sets_neither(
    first: Client, edda: User, name: str, new: str, says: str
) -> None:
    status, page = named(first, name, new)
    assert status == 400
    assert says in page
    assert "You are admin, an admin." in page and f'value="{name}"' in page
    assert not User.objects.get(username="admin").has_usable_password()
    assert not Event.objects.exists()


def test_who_edited_an_issue_keeps_the_name_that_stands_there(first: Client) -> None:
    """Or they could approve under another name what somebody else must approve."""
    newsletter = make_newsletter()
    now = timezone.now()
    row = Issue.objects.create(newsletter=newsletter, slot="x", slot_at=now, cutoff_at=now, number=1, created_at=now)
    Event.objects.create(at=now, kind="looked at", text="", by="admin", issue=row)
    edit_issue(row, {"note": "A short week."}, now=now, by="admin")
    status, page = named(first, "mara")
    assert (status, "stands under the name admin" in page) == (400, True)
    assert named(first, "admin")[0] == 302


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
