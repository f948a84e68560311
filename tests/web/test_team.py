from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from newsletter.core.errors import PeopleError
from newsletter.flow import people
from newsletter.flow.people import Role, give, role_of
from newsletter.models import Event, Invitation

pytestmark = pytest.mark.django_db
TEAM = "/studio/team/"
GOOD = "seven herons over the weir"


def make(name: str, role: Role) -> User:
    user = User.objects.create_user(name, password=GOOD)
    give(user, role)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def mara() -> User:
    return make("mara", Role.ADMIN)


@pytest.fixture
def admin(mara: User) -> Client:
    client = Client()
    client.force_login(mara)
    return client


def invited(admin: Client, role: str = "editor") -> str:
    page = admin.post(f"{TEAM}invite", {"role": role, "whom": "Edda, film"}).content.decode()
    found = re.search(r"https://news\.example\.test(/join/[\w-]{43})<", page)
    assert found
    return found[1]


def kinds() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.word)
def test_whoever_has_the_link_chooses_name_and_password_and_is_in_with_that_role(admin: Client, role: Role) -> None:
    path = invited(admin, role.word)
    browser = Client()
    for _ in range(2):
        assert f"invites you as {role.word}" in browser.get(path).content.decode()
    assert browser.post(path, {"name": " edda ", "password": GOOD}).headers["Location"] == "/studio/"
    assert browser.get("/studio/").status_code == 200
    assert role_of(User.objects.get(username="edda")) is role
    assert Client().login(username="edda", password=GOOD)
    again = Client().post(path, {"name": "eve", "password": GOOD})
    assert again.status_code == 404
    assert not User.objects.filter(username="eve").exists()
    assert kinds() == ["invited", "joined"]
    assert Event.objects.get(kind="joined").by == "edda"


def test_the_link_is_shown_once_and_kept_nowhere(admin: Client) -> None:
    token = invited(admin).rpartition("/")[2]
    page = admin.get(TEAM).content.decode()
    assert "Edda, film" in page
    assert token not in page
    assert token not in str(list(Invitation.objects.values()))


@pytest.mark.parametrize("end", ["withdrawn", "too old", "wrong"])
def test_a_void_invitation_is_one_and_the_same_404(admin: Client, end: str) -> None:
    path = invited(admin)
    if end == "withdrawn":
        assert admin.post(f"{TEAM}invitations/{Invitation.objects.get().pk}/withdraw").status_code == 302
        assert kinds() == ["invited", "invitation withdrawn"]
    elif end == "too old":
        Invitation.objects.update(expires_at=timezone.now())
    else:
        path = f"{path[:-1]}{'A' if path[-1] != 'A' else 'B'}"
    void = Client().get(path)
    assert void.status_code == 404
    assert void.content == Client().get("/join/x").content
    assert Client().post(path, {"name": "edda", "password": GOOD}).status_code == 404
    assert not User.objects.filter(username="edda").exists()


@pytest.mark.parametrize(
    ("name", "password", "says"),
    [
        ("MARA", GOOD, "That name is taken."),
        ("Schedule", GOOD, "That name is taken."),
        ("", GOOD, "blank"),
        ("two words", GOOD, "valid username"),
        ("edda", "edda1", "too short"),
        ("edda", "password", "too common"),
        ("heron-lane", "heron-lane1", "similar"),
    ],
)
def test_what_will_not_do_is_said_and_uses_nothing_up(admin: Client, name: str, password: str, says: str) -> None:
    path = invited(admin)
    answer = Client().post(path, {"name": name, "password": password})
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert f'value="{name}"' in answer.content.decode()
    assert f'value="{password}"' not in answer.content.decode()
    assert User.objects.count() == 1
    assert Client().post(path, {"name": "edda", "password": GOOD}).status_code == 302


def test_two_who_use_one_link_at_once_get_one_account(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    token = invited(admin).rpartition("/")[2]
    seen = people.invitation_of(token, timezone.now())
    people.accept(token, "edda", GOOD, now=timezone.now())
    # The second had read the invitation before the first used it.
    monkeypatch.setattr(people, "invitation_of", lambda token, now: seen)
    with pytest.raises(PeopleError, match="does not count any more"):
        people.accept(token, "eve", GOOD, now=timezone.now())
    assert not User.objects.filter(username="eve").exists()


def test_a_role_is_changed_and_counts_from_the_next_click_on(admin: Client) -> None:
    edda = make("edda", Role.EDITOR)
    hers = Client()
    hers.force_login(edda)
    assert hers.get(TEAM).status_code == 403
    assert admin.post(f"{TEAM}{edda.pk}/role", {"role": "admin"}).headers["Location"] == TEAM
    assert hers.get(TEAM).status_code == 200
    assert admin.post(f"{TEAM}{edda.pk}/role", {"role": "approver"}).status_code == 302
    assert hers.get(TEAM).status_code == 403
    assert admin.post(f"{TEAM}{edda.pk}/role", {"role": "approver"}).status_code == 302
    assert kinds() == ["role changed", "role changed"]
    assert Event.objects.last().text == "edda, admin before, is approver now."  # type: ignore[union-attr]
    assert admin.post(f"{TEAM}{edda.pk}/role", {"role": "king"}).status_code == 409


def test_who_is_removed_is_out_at_once_and_can_be_let_in_again(admin: Client) -> None:
    edda = make("edda", Role.APPROVER)
    hers = Client()
    hers.force_login(edda)
    assert hers.get("/studio/").status_code == 200
    assert admin.post(f"{TEAM}{edda.pk}/remove").status_code == 302
    assert hers.get("/studio/").status_code == 302
    assert not Client().login(username="edda", password=GOOD)
    assert "Let in again" in admin.get(TEAM).content.decode()
    # The name stays hers.
    assert "taken" in Client().post(invited(admin), {"name": "edda", "password": GOOD}).content.decode()
    assert admin.post(f"{TEAM}{edda.pk}/role", {"role": "editor"}).status_code == 302
    assert role_of(User.objects.get(username="edda")) is Role.EDITOR
    assert kinds() == ["removed", "invited", "let in again"]


@pytest.mark.parametrize("act", ["role", "remove"])
def test_the_last_admin_stays_one(admin: Client, mara: User, act: str) -> None:
    make("gone", Role.ADMIN)
    User.objects.filter(username="gone").update(is_active=False)
    answer = admin.post(f"{TEAM}{mara.pk}/{act}", {"role": "editor"})
    assert answer.status_code == 409
    assert "mara is the last admin." in answer.content.decode()
    assert role_of(User.objects.get(pk=mara.pk)) is Role.ADMIN
    make("edda", Role.ADMIN)
    assert admin.post(f"{TEAM}{mara.pk}/{act}", {"role": "editor"}).headers["Location"] == "/studio/" or act == "remove"
    assert role_of(User.objects.get(pk=mara.pk)) is not Role.ADMIN
    assert kinds() == ["role changed" if act == "role" else "removed"]


def test_an_invitation_holds_for_a_week(admin: Client) -> None:
    invited(admin)
    row = Invitation.objects.get()
    assert row.expires_at - row.created_at == timedelta(days=7)
