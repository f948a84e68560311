"""The list of sources, one source with what it brings, and why a review is (not) in an issue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from newsletter.core.errors import NewsletterError, SourceError
from newsletter.core.rubrics import RUBRICS
from newsletter.core.sentence import together
from newsletter.flow import sourcing
from newsletter.flow.deliver.control import spoken_time
from newsletter.flow.issue import why as explain
from newsletter.flow.people import Role
from newsletter.flow.sourcing.health import WEEKS, Health
from newsletter.flow.week import fetcher_from
from newsletter.models import Newsletter, Poll, Source
from newsletter.sources.fetch import Fetcher
from newsletter.web.headers import private
from newsletter.web.studio.access import allowed, denied, may
from newsletter.web.studio.plots import bars_of, columns
from newsletter.web.studio.spans import span
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import ngettext, rubric

PATIENCE = 10.0
"""Seconds that one fetch may take at most: somebody sits in front of the page."""
_LONGEST = 300


@allowed(Role.EDITOR)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every source: what it brings, how it does, when its turn is next."""
    now = timezone.now()
    found = sourcing.health_of_all(now)
    context = {
        "rows": [_row(one, now) for one in found],
        "failing": sum(one.state == "failing" for one in found),
        "may_change": may(request, Role.ADMIN),
        "weeks": WEEKS,
    }
    return private(render(request, "studio/sources/list.html", context, using="jinja2"))


@allowed(Role.EDITOR)
@require_safe
def page(request: HttpRequest, source: str) -> HttpResponse:
    """One source."""
    return _page(request, _find(source))


@allowed(Role.EDITOR)
@require_POST
def act(request: HttpRequest, source: str, verb: str) -> HttpResponse:
    """Read it now, pause it, go on with it, put it into a newsletter, say which words tell its rubrics, remove it."""
    if verb not in _VERBS:
        raise Http404
    row = _find(source)
    if verb != "read" and not may(request, Role.ADMIN):
        return denied(request, Role.ADMIN)
    try:
        where = _VERBS[verb](request, row, timezone.now(), request.user.get_username())
    except NewsletterError as error:
        return _page(request, _find(source), problem=together(error.message, error.hint), verb=verb)
    return private(HttpResponseRedirect(where or reverse("source", args=[source])))


@allowed(Role.EDITOR)
@require_safe
def why(request: HttpRequest) -> HttpResponse:
    """Rule by rule, why the reviews that an address or a title names are in the next issue, out, or waiting."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:_LONGEST]
    newsletters = list(Newsletter.objects.order_by("name", "pk"))
    chosen = request.GET.get("newsletter", "")
    shown = next((row for row in newsletters if row.slug == chosen), newsletters[0] if newsletters else None)
    found = explain(text, shown, now=timezone.now()) if text and shown is not None else []
    context = {"text": text, "newsletters": newsletters, "shown": shown, "found": found}
    return private(render(request, "studio/sources/why.html", context, using="jinja2"))


def patient_fetcher() -> Fetcher:
    """The configured fetcher, its guard and its bounds, with no more patience than somebody who waits."""
    return fetcher_from(settings.NEWSLETTER, seconds=PATIENCE)


def _find(slug: str) -> Source:
    return get_object_or_404(Source, slug=slug, removed_at=None)


def _page(request: HttpRequest, source: Source, *, problem: str = "", verb: str = "") -> HttpResponse:
    """`problem` is what became of the button `verb`; what was typed for it is shown again."""
    now = timezone.now()
    health = sourcing.health_of(source, now)
    poll = Poll.objects.filter(source=source).order_by("-at", "-pk").first()
    context = {
        **_row(health, now),
        "may_change": may(request, Role.ADMIN),
        "problem": problem,
        "typed": request.POST.get("slug", "")[:60] if verb == "remove" else "",
        "rubrics": bars_of([(rubric(key), number) for key, number in sourcing.rubrics_of(source)]),
        "mapped": _typed_pairs(request) if verb == "map" else source.rubric_map,
        "seen": sourcing.mark_of_rubrics(source),
        "rubric_name": rubric,
        "every_rubric": sorted((rubric(key), key) for key in RUBRICS),
        "saved": request.GET.get("saved") == "map",
        "latest": sourcing.latest_entries(source, 5),
        "warnings": poll.warnings if poll else [],
        "read": poll if request.GET.get("read") and poll and poll.outcome != Poll.Outcome.FAILED else None,
        "others": Newsletter.objects.exclude(pk__in=[one.pk for one in health.newsletters]).order_by("name"),
    }
    status = 409 if verb else 200
    return private(render(request, "studio/sources/one.html", context, status=status, using="jinja2"))


def _row(one: Health, now: datetime) -> dict[str, Any]:
    source = one.source
    earlier = [
        ngettext("%(num)s week ago", "%(num)s weeks ago", number) % {"num": number} for number in range(2, WEEKS)
    ]
    labels = [_("this week"), _("last week"), *earlier][::-1]
    steps = [(f"{number} {label}", number, 0) for label, number in zip(labels, one.weeks, strict=True)]
    read = source.last_success_at
    return {
        "source": source,
        "state": one.state,
        "health": one,
        "columns": columns(steps),
        "most": max(one.weeks),
        "read_ago": _("%(span)s ago") % {"span": span(now - read)} if read else "",
        "since": spoken_time(one.since, "UTC") if one.since else "",
        "next_in": _next(one.next_at, now) if one.next_at else "",
    }


def _next(at: datetime, now: datetime) -> str:
    return _("now") if at <= now else _("in %(span)s") % {"span": span(at - now)}


# --- one function a button; each returns where to go, or "" for the page of the source -------------------------------


def _read(request: HttpRequest, source: Source, now: datetime, by: str) -> str:
    report = sourcing.read_now(
        source, now=now, fetcher=patient_fetcher(), media_folder=settings.NEWSLETTER.media_folder
    )
    if report.error:
        raise SourceError(report.error)
    return f"{reverse('source', args=[source.slug])}?{urlencode({'read': 1})}"


def _pause(request: HttpRequest, source: Source, now: datetime, by: str) -> str:
    sourcing.set_enabled(source, False, now=now, by=by, home=settings.NEWSLETTER.home)
    return ""


def _resume(request: HttpRequest, source: Source, now: datetime, by: str) -> str:
    sourcing.set_enabled(source, True, now=now, by=by, home=settings.NEWSLETTER.home)
    return ""


def _into(request: HttpRequest, source: Source, now: datetime, by: str) -> str:
    newsletter = Newsletter.objects.filter(slug=request.POST.get("newsletter", "").replace("\x00", "")).first()
    if newsletter is None:
        raise SourceError(_("There is no such newsletter."), hint=_("Choose one of those below."))
    sourcing.put_into(source, newsletter, now=now, by=by, home=settings.NEWSLETTER.home)
    return ""


def _map(request: HttpRequest, source: Source, now: datetime, by: str) -> str:
    pairs = _typed_pairs(request)
    for words, key in pairs:
        if not key:
            raise SourceError(_("“%(words)s” has no rubric yet.") % {"words": words}, hint=_("Choose one."))
    sourcing.map_rubrics(source, pairs, request.POST.get("seen", ""), now=now, by=by, home=settings.NEWSLETTER.home)
    return f"{reverse('source', args=[source.slug])}?{urlencode({'saved': 'map'})}#words"


def _typed_pairs(request: HttpRequest) -> list[list[str]]:
    """The lines of the form whose words were not emptied."""
    words, rubrics = (request.POST.getlist(name) for name in ("words", "rubric"))
    lines = zip(words, rubrics, strict=False)
    return [[text, key] for word, key in lines if (text := word.replace("\x00", "").strip())]


def _remove(request: HttpRequest, source: Source, now: datetime, by: str) -> str:
    sourcing.remove(source, request.POST.get("slug", ""), now=now, by=by)
    return reverse("sources")


_VERBS: dict[str, Callable[[HttpRequest, Source, datetime, str], str]] = {
    "read": _read,
    "pause": _pause,
    "resume": _resume,
    "into": _into,
    "map": _map,
    "remove": _remove,
}
