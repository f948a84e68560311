"""Role x route x method, over the resolver itself: a route that is added without a role fails here."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import URLPattern, URLResolver

from newsletter.flow.people import Role, give, role_of
from newsletter.models import Issue
from newsletter.web.studio import urls
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = pytest.mark.django_db
FILLED = {"newsletter": "weekly", "slot": "2026-11-05", "token": "x", "verb": "test"}
# For strangers: the way in and out, and two redirects. Whoever adds one thinks about what it tells.
OPEN = {"", "favicon.ico", "login/", "login/code", "login/<str:token>", "logout/", "join/<str:token>"}
UNDECLARED = object()


@dataclass(frozen=True)
class Route:
    pattern: str
    role: object

    @property
    def path(self) -> str:
        def value(match: re.Match[str]) -> str:
            return FILLED.get(match[2], "1" if match[1] == "int" else "x")

        return "/" + re.sub(r"<(?:(\w+):)?(\w+)>", value, self.pattern)


def routes_of(patterns: list[URLPattern | URLResolver], prefix: str = "") -> list[Route]:
    found: list[Route] = []
    for entry in patterns:
        if isinstance(entry, URLResolver):
            found += routes_of(entry.url_patterns, prefix + str(entry.pattern))
        else:
            found.append(Route(prefix + str(entry.pattern), getattr(entry.callback, "role", UNDECLARED)))
    return found


def named_routes(patterns: list[URLPattern | URLResolver]) -> list[str | None]:
    """The names of all addresses; None for one that has none."""
    found: list[str | None] = []
    for entry in patterns:
        found += named_routes(entry.url_patterns) if isinstance(entry, URLResolver) else [entry.name]
    return found


ROUTES = routes_of(list(urls.urlpatterns))
CLOSED = [route for route in ROUTES if isinstance(route.role, Role)]


def somebody(role: Role | None) -> Client:
    client = Client()
    if role is not None:
        user = User.objects.create_user(f"the-{role.word}", password="a password of many words")
        give(user, role)
        client.force_login(user)
    return client


def test_every_route_of_the_studio_declares_who_may_use_it() -> None:
    assert [route.pattern for route in ROUTES if route.role is UNDECLARED] == []
    assert {route.pattern for route in ROUTES if route.role is None} <= OPEN
    assert all(route.pattern.startswith("studio/") for route in CLOSED)
    assert len(CLOSED) >= 5


@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: role.word if role else "stranger")
def test_each_route_opens_to_its_role_and_those_above_by_every_method(role: Role | None, issue: Issue) -> None:
    client = somebody(role)
    wrong: list[object] = []
    for route in CLOSED:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            answer = client.generic(method, route.path)
            if role is None:
                right = answer.status_code == 302 and answer.headers["Location"].startswith("/login/?next=")
                right = right and not answer.content
            elif role < route.role:  # type: ignore[operator]
                right = answer.status_code == 403
            else:
                right = answer.status_code not in (401, 403)
            if not right:
                wrong.append((method, route.path, answer.status_code))
    assert wrong == []
    assert Issue.objects.get(pk=issue.pk).state == "draft"


def test_who_may_not_is_told_so_in_plain_words_and_whom_to_ask(issue: Issue) -> None:
    somebody(Role.ADMIN)
    answer = somebody(Role.EDITOR).post("/studio/weekly/2026-11-05/approve")
    page = answer.content.decode()
    assert "This takes an approver. You are logged in as the-editor, an editor." in page
    assert "Who can change that: the-admin." in page
    assert answer.headers["Cache-Control"] == "no-store"


def test_whoever_logs_in_comes_back_to_where_the_button_was() -> None:
    somebody(Role.EDITOR)
    client = Client(headers={"referer": "http://testserver/studio/weekly/2026-11-05/?view=text"})
    sent = client.post("/studio/weekly/2026-11-05/approve")
    assert sent.headers["Location"] == "/login/?next=/studio/weekly/2026-11-05/%3Fview%3Dtext"
    foreign = Client(headers={"referer": "https://evil.test/studio/"}).post("/studio/weekly/2026-11-05/approve")
    assert foreign.headers["Location"] == "/login/?next=/studio/"
    looked = Client().get("/studio/weekly/2026-11-05/?view=phone")
    assert looked.headers["Location"] == "/login/?next=/studio/weekly/2026-11-05/%3Fview%3Dphone"


def test_a_role_can_be_given_and_taken_back_even_when_a_group_gave_it() -> None:
    user = User.objects.create_user("edda")
    group = Group.objects.create(name="those who send")
    group.permissions.set(Permission.objects.filter(codename="approve_issue"))
    user.groups.add(group)
    assert role_of(user) is Role.APPROVER
    for role in (Role.EDITOR, Role.APPROVER, Role.ADMIN, Role.EDITOR):
        give(user, role)
        assert role_of(User.objects.get(pk=user.pk)) is role
    user.is_active = False
    assert role_of(user) is None
