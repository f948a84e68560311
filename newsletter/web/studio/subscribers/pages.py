"""A list's people: how many, how it grows, and who they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from newsletter.flow import membership
from newsletter.flow.people import Role
from newsletter.web.headers import private
from newsletter.web.studio.access import allowed
from newsletter.web.studio.plots import line
from newsletter.web.studio.spans import short_day
from newsletter.web.studio.subscribers.showing import chosen, day, lists, number, sees, show, shown, text
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy
from subscribers import listing, segments
from subscribers.csv_io import export_lines
from subscribers.errors import SubscribersError
from subscribers.models import MailingList, Segment, Subscription

CHIPS = {
    "": gettext_lazy("All"),
    "active": gettext_lazy("Active"),
    "pending": gettext_lazy("Not confirmed"),
    "paused": gettext_lazy("Paused"),
    "unsubscribed": gettext_lazy("Unsubscribed"),
    listing.SUPPRESSED: gettext_lazy("Suppressed"),
}
PLOT = (600.0, 150.0)


@allowed(Role.EDITOR)
@require_safe
def index(request: HttpRequest) -> HttpResponseBase:
    """`list`, `state`, `q` (an address, or a part for who may see them) and `after` (where a page begins)."""
    return _page(request, request.GET.get("list", ""))


@allowed(Role.ADMIN)
@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    """The list, or a segment of it, as a CSV file. A button and not a link: who took it is kept."""
    known, now = lists(), timezone.now()
    wanted = chosen(known, request.POST.get("list", ""))
    if wanted is None:
        return _page(request, "", problem=_("There is no list yet."), status=409)
    slug = request.POST.get("segment", "").replace("\x00", "")
    try:
        rule = segments.find(slug, wanted).rule if slug else {}
        lines = export_lines(wanted, rule, now=now)
        first = next(lines)
    except SubscribersError as error:
        return _page(request, wanted.slug, problem=str(error), status=409)
    what = f"The segment {slug}" if slug else "Everybody"
    membership.note_export(wanted, what, now=now, by=request.user.get_username())
    answer = StreamingHttpResponse(_pieces(first, lines), content_type="text/csv; charset=utf-8")
    name = f"{slug or wanted.slug}-{now:%Y-%m-%d}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return private(answer)  # type: ignore[arg-type] # it only sets headers


def _pieces(first: str, lines: Iterator[str]) -> Iterator[str]:
    """Some hundred lines at a time: each piece is a system call and a chunk of HTTP."""
    held, size = [first], len(first)
    for one in lines:
        held.append(one)
        size += len(one)
        if size > 64_000:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


def _page(request: HttpRequest, slug: str, *, problem: str = "", status: int = 200) -> HttpResponseBase:
    known, now = lists(), timezone.now()
    wanted = chosen(known, slug)
    context: dict[str, Any] = {"lists": known, "list": wanted, "problem": problem, "query": text(request, "q")}
    if wanted is None:
        return show(request, "index", context, status=status)
    state = text(request, "state", 20)
    state = state if state in CHIPS else ""
    context |= _people(request, wanted, state, context["query"])
    found = listing.counts(wanted)
    everybody = sum(number for name, number in found.items() if name != listing.SUPPRESSED)
    context["chips"] = [
        (name, words, everybody if not name else found[name], _address(wanted, state=name))
        for name, words in CHIPS.items()
    ]
    context |= {"everybody": everybody, "active": found["active"], "state": state}
    # The plot stands over the first page; who searches or turns pages should not wait for it again.
    first = not (state or context["query"] or context["newest"])
    context |= _growth(wanted, now, found["active"]) if first else {"curve": ""}
    context["segments"] = list(Segment.objects.filter(mailing_list=wanted).order_by("name"))
    return show(request, "index", context, status=status)


def _people(request: HttpRequest, mailing_list: MailingList, state: str, query: str) -> dict[str, Any]:
    after = number(request, "after")
    if query:
        found = listing.find(mailing_list, query, whole=not sees(request), after=after)
    else:
        found = listing.page(mailing_list, state, after=after)
    kept = {"list": mailing_list.slug, "q": query} if query else {"list": mailing_list.slug, "state": state}
    return {
        "rows": [_row(request, row, query) for row in found.rows],
        "older": _address(mailing_list, **kept, after=str(found.last)) if found.last is not None else "",
        "newest": _address(mailing_list, **kept) if after is not None else "",
    }


def _row(request: HttpRequest, row: Subscription, query: str) -> dict[str, Any]:
    may_see = sees(request)
    where = reverse("subscriber", args=[row.subscriber_id])
    return {
        "address": shown(request, row.subscriber),
        "name": row.subscriber.name if may_see else "",
        # Without the right a person is opened by their whole address only: numbers can be counted through.
        "url": where if may_see else f"{where}?{urlencode({'q': query})}" if query else "",
        "state": row.state,
        "word": CHIPS.get(row.state, row.state),
        "suppressed": getattr(row, "suppressed", "") or "",
        "joined": day(row.joined_at),
        "topics": ", ".join(row.topics),
        "until": day(row.paused_until),
    }


def _address(mailing_list: MailingList, **values: str) -> str:
    kept = {name: value for name, value in {"list": mailing_list.slug, **values}.items() if value}
    return f"{reverse('subscribers')}?{urlencode(kept)}"


def _growth(mailing_list: MailingList, now: datetime, active: int) -> dict[str, Any]:
    found = listing.growth(mailing_list.pk, now, active=active)
    weeks = [now - timedelta(weeks=number) for number in reversed(range(listing.WEEKS))]
    readers = found.readers
    return {
        "weeks": list(zip(map(_short, weeks), readers, found.joined, found.left, strict=True)),
        "curve": line([float(one) for one in readers], *PLOT),
        "came": sum(found.joined),
        "gone": sum(found.left),
        "bars": _bars(found),
    }


def _bars(found: listing.Growth) -> list[tuple[float, float, float]]:
    """For each week (x, height of who came, height of who left) in a plot of 600 by 2 x 40, away from its middle."""
    most = max([*found.joined, *found.left, 1])
    step = PLOT[0] / listing.WEEKS

    def high(value: int) -> float:
        return round(max(value / most * 38, 2.0), 1) if value else 0.0

    pairs = enumerate(zip(found.joined, found.left, strict=True))
    return [(round(place * step + step * 0.2, 1), high(came), high(gone)) for place, (came, gone) in pairs]


def _short(at: datetime) -> str:
    return short_day(at)
