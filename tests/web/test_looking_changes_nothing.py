"""RFC 9110 section 9.2.1: whoever only looks (a scanner, a prefetch, a crawler) changes nothing, anywhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from newsletter.core.tokens import UNSUBSCRIBE, token
from newsletter.flow import people
from newsletter.models import Issue, IssueState, Source, TestMail
from newsletter.web.links import keys
from newsletter.web.studio.login import login_link
from subscribers import consent
from subscribers.models import Subscription
from tests.factories import make_subscription
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = pytest.mark.django_db


def dump() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in apps.get_models()}


def patterns(resolver: URLResolver, prefix: str = "") -> list[str]:
    """Every route of the product, as written; those of the admin, which are Django's, are left to `paths`."""
    found: list[str] = []
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            found.append(route)
        elif entry.namespace != "admin":
            found += patterns(entry, route)
    return found


@pytest.fixture
def paths(issue: Issue, configured: Path) -> list[str]:
    """Every route filled in with what exists, and with what does not."""
    gone = make_subscription("gone@example.org")
    consent.unsubscribe(gone, now=timezone.now(), origin=f"{consent.LINK} page")
    name = "ab/" + "ab" * 32 + ".jpg"
    (configured / "ab").mkdir()
    (configured / name).write_bytes(b"picture")
    user = User.objects.create_user("edda")
    sent = Issue.objects.create(
        newsletter=issue.newsletter,
        slot="2026-10-29",
        slot_at=issue.slot_at,
        cutoff_at=issue.cutoff_at,
        number=213,
        created_at=issue.created_at,
        state=IssueState.SENT,
        started_at=issue.created_at,
        public_html="<p>Hi</p>",
    )
    tokens = [
        token(keys(), UNSUBSCRIBE, number) for number in (*Subscription.objects.values_list("pk", flat=True), 999)
    ]
    once = login_link(user, "", timezone.now()).rpartition("/")[2]
    invitation = people.invite(people.Role.EDITOR, "", now=timezone.now(), by="root")[1]
    source = Source.objects.get()
    test = TestMail.objects.create(issue=issue, address="ada@example.org", at=issue.created_at, by="edda")
    numbers = {
        "person": str(user.pk),
        "invitation": "1",
        "source": source.slug,
        "design": "marquee",
        "test": str(test.pk),
    }
    values = {
        "join/<str:token>": [{"token": invitation}, {"token": "x"}],
        "u/<str:token>": [{"token": text} for text in [*tokens, "x"]],
        "login/<str:token>": [{"token": once}, {"token": "x"}],
        "media/": [{"name": name}, {"name": name.replace("jpg", "png")}],
        "": [{"newsletter": "weekly", "slot": slot, **numbers} for slot in (issue.slot, sent.slot, "never")],
    }
    filled: list[str] = []
    for route in patterns(get_resolver()):
        known = next(choices for start, choices in values.items() if start in route)
        for choice in known:
            path = re.sub(r"<\w+:(\w+)>", lambda match, choice=choice: choice.get(match[1], ""), route)
            filled.append("/" + re.sub(r"\^?media.*", f"media/{choice.get('name', '')}", path))
    admin = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in apps.get_models()]
    return [*dict.fromkeys(filled), "/admin/", *admin, f"/studio/weekly/{issue.slot}/?q=ada&view=text"]


def test_a_look_at_every_route_leaves_every_row_as_it_was(paths: list[str]) -> None:
    root = User.objects.create_superuser("root")
    inside = Client(raise_request_exception=True)
    inside.force_login(root)
    assert {path.split("/")[1] for path in paths} >= {"u", "i", "media", "login", "logout", "studio", "admin"}
    before = dump()
    statuses: dict[str, int] = {}
    for client in (Client(), inside):
        for path in paths:
            for method in ("GET", "HEAD", "OPTIONS"):
                answer = client.generic(method, path)
                if answer.streaming:
                    b"".join(answer.streaming_content)  # which closes the file, and not the database as close() would
                statuses[path] = answer.status_code
                assert answer.status_code < 500, (method, path)
    assert dump() == before
    assert Session.objects.count() == 1
    assert sum(status == 200 for status in statuses.values()) > 10
