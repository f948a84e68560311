"""What the pages about subscribers share: which list, who may see addresses, how a day is written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from newsletter.flow.people import Role
from newsletter.web.headers import private
from newsletter.web.studio.access import may
from newsletter.web.studio.spans import short_day
from subscribers import address
from subscribers.models import MailingList, Subscriber

LONGEST_QUERY = 254
_LARGEST_NUMBER = 2**63 - 1
# Pages that lie behind another one's tab.
_TABS = {"index": "subscribers", "person": "subscribers", "segment": "segments", "aside": "bounces", "form": "forms",
         "form_edit": "forms", "columns": "import", "outcome": "import", "running": "import"}  # fmt: skip


def show(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page of this part of the studio."""
    here = _TABS.get(template, template)
    shared = {"here": here, "sees": sees(request), "is_admin": may(request, Role.ADMIN), "problem": "", "done": ""}
    filled = {**shared, **context}
    return private(render(request, f"studio/subscribers/{template}.html", filled, status=status, using="jinja2"))


def sees(request: HttpRequest) -> bool:
    """Whether whoever asks may see addresses."""
    return bool(request.user.has_perm("subscribers.view_subscriber"))


def lists() -> list[MailingList]:
    """Every list, by name."""
    return list(MailingList.objects.order_by("name", "slug"))


def chosen(known: list[MailingList], slug: str) -> MailingList | None:
    """The list that an address names, else the first. Raises `Http404` for a name that there is not."""
    if not slug:
        return known[0] if known else None
    for one in known:
        if one.slug == slug:
            return one
    raise Http404("There is no such list.")


def text(request: HttpRequest, name: str, longest: int = LONGEST_QUERY) -> str:
    """One value of the address, without what no database takes."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:longest]


def number(request: HttpRequest, name: str) -> int | None:
    """A row's number in the address; None for anything else."""
    value = request.GET.get(name, "")
    found = int(value) if value.isascii() and value.isdigit() and len(value) < 20 else None
    return found if found is not None and found <= _LARGEST_NUMBER else None


def shown(request: HttpRequest, person: Subscriber) -> str:
    """The address, masked for who may not see it."""
    return person.address if sees(request) else address.masked(person.address)


def day(at: datetime | None) -> str:
    """ "5 Nov 2026", or "" for none."""
    return short_day(at, year=True) if at else ""


def minute(at: datetime | None) -> str:
    """ "5 Nov 2026, 13:00 UTC", or "" for none: a story may be ten years long."""
    return f"{day(at)}, {at.astimezone(UTC):%H:%M} UTC" if at else ""
