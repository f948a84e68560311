"""Who did what, and when: the ledger's events and those about people, as they were written; nothing edits them."""

from __future__ import annotations

from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from newsletter.flow.deliver.control import spoken_time
from newsletter.flow.people import Role
from newsletter.models import Event, Issue
from newsletter.web.headers import private
from newsletter.web.studio.access import allowed

PER_PAGE = 50
ISSUES = 100


@allowed(Role.ADMIN)
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """`by` and `issue` ("weekly/2026-11-05") filter, `clock` adds what nobody did, `before` is where a page ends.

    What makes no sense in the address filters nothing away but finds nothing, as a wrong name would.
    """
    who, which = _text(request, "by"), _text(request, "issue")
    clock = request.GET.get("clock") == "1"
    rows = _filtered(who, which, clock)
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PER_PAGE + 1])
    kept = {"by": who, "issue": which, "clock": "1" if clock else ""}
    query = urlencode({name: value for name, value in kept.items() if value})
    older = ""
    if len(found) > PER_PAGE:
        found = found[:PER_PAGE]
        older = f"{reverse('audit')}?{urlencode({**{n: v for n, v in kept.items() if v}, 'before': found[-1].pk})}"
    context = {
        "rows": [_row(event) for event in found],
        "who": who,
        "which": which,
        "clock": clock,
        "people": _names(),
        "issues": _issues(which),
        "older": older,
        "newest": f"{reverse('audit')}?{query}" if before else "",
    }
    return private(render(request, "studio/audit.html", context, using="jinja2"))


def _filtered(who: str, which: str, clock: bool) -> QuerySet[Event]:
    # By number, not by time: events are only added, and two of one moment keep their order from page to page.
    # Without the letters, of a hundred kilobytes each, that issues keep.
    rows = Event.objects.select_related("newsletter", "issue__newsletter").defer("issue__public_html").order_by("-pk")
    if who:
        rows = rows.filter(by=who)
    elif not clock:
        rows = rows.exclude(by="")
    if which:
        newsletter, _, slot = which.partition("/")
        rows = rows.filter(Q(issue__newsletter__slug=newsletter) & Q(issue__slot=slot))
    return rows


def _row(event: Event) -> dict[str, object]:
    newsletter = event.newsletter
    return {
        "kind": event.kind,
        "text": event.text,
        "by": event.by,
        "when": spoken_time(event.at, newsletter.timezone if newsletter else "UTC"),
        "at": event.at.isoformat(timespec="seconds"),
        "issue": event.issue,
    }


def _names() -> list[str]:
    """Everybody who ever did something, removed people too."""
    return list(Event.objects.exclude(by="").order_by("by").values_list("by", flat=True).distinct())


def _issues(chosen: str) -> list[tuple[str, str]]:
    """The newest issues, as the filter writes them and as people read them; the chosen one however old."""
    rows = Issue.objects.order_by("-slot_at", "-pk").values_list("newsletter__slug", "newsletter__name", "slot")
    found = [(f"{slug}/{slot}", f"{name}, {slot}") for slug, name, slot in rows[:ISSUES]]
    return found if not chosen or chosen in dict(found) else [(chosen, chosen), *found]


def _text(request: HttpRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\x00", "")[:200]
