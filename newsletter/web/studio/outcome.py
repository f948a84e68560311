"""What became of a send: its shape over time and its reasons as pictures first, then tables, then every row as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from newsletter.core.reasons import plain
from newsletter.flow.compile import subject_of
from newsletter.flow.deliver.control import spoken_time
from newsletter.flow.people import Role
from newsletter.flow.progress import by_minute, progress
from newsletter.models import Delivery, Issue, IssueState
from newsletter.web.headers import private
from newsletter.web.studio.access import allowed
from newsletter.web.studio.bars import bars
from newsletter.web.studio.finding import find
from newsletter.web.studio.plots import bars_of, columns
from newsletter.web.studio.spans import span
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import numbered
from subscribers.csv_io.cells import guard

BEFORE = 8
"""Issues before this one that it is compared with."""
NAMES = 200
"""Names on the page; the CSV has all of them."""
_NAMED = ("failed", "uncertain", "excluded")


@allowed(Role.EDITOR)
@require_safe
def page(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """The outcome. An issue that was never begun has none: 404."""
    issue = _begun(newsletter, slot)
    now = timezone.now()
    found = progress(issue, now)
    zone = issue.newsletter.timezone
    minutes = by_minute(issue)
    steps = [(_clock(one.at, zone), one.accepted, one.failed) for one in minutes]
    sees = request.user.has_perm("subscribers.view_subscriber")
    shown = request.GET.get("show", "")
    context: dict[str, Any] = {
        "issue": issue,
        "title": subject_of(issue) or numbered(issue.newsletter.name, issue.number),
        "progress": found,
        "bars": bars(found.counts),
        "columns": columns(steps),
        "steps": steps,
        "busiest": max((accepted + failed for _, accepted, failed in steps), default=0),
        "took": span(issue.finished_at - issue.started_at) if issue.finished_at and issue.started_at else "",
        "began": spoken_time(issue.started_at, zone) if issue.started_at else "",
        "reasons": {name: bars_of(found.reasons[name]) for name in _NAMED if found.reasons[name]},
        "others": _others(issue),
        "sees_addresses": sees,
        "show": shown if shown in _NAMED else "",
        "names": _names(issue, shown) if sees and shown in _NAMED else [],
        "most_names": NAMES,
    }
    return private(render(request, "studio/outcome.html", context, using="jinja2"))


@allowed(Role.APPROVER)
@require_safe
def download(request: HttpRequest, newsletter: str, slot: str) -> HttpResponseBase:
    """Every delivery as CSV: address, state, group, reason, time. A cell that begins like a formula is made text."""
    issue = _begun(newsletter, slot)
    answer = StreamingHttpResponse(_lines(issue), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{issue.newsletter.slug}-{issue.slot}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _begun(newsletter: str, slot: str) -> Issue:
    issue = find(newsletter, slot)
    if issue.started_at is None:
        raise Http404("Nothing of this issue was sent.")
    return issue


def _others(issue: Issue) -> list[tuple[Issue, int, bool]]:
    """The issues before this one and itself, oldest first, with how many of a hundred got it."""
    rows = Issue.objects.filter(
        newsletter=issue.newsletter_id, state__in=(IssueState.SENT, IssueState.SENDING), started_at__isnull=False,
        slot_at__lte=issue.slot_at,
    )  # fmt: skip
    # Numbers first: to sort whole rows SQLite would read the letter of each.
    numbers = list(rows.order_by("-slot_at", "-pk").values_list("pk", flat=True)[:BEFORE])
    last = Issue.objects.filter(pk__in=numbers).defer("public_html").order_by("slot_at", "pk")
    return [(row, row.audience_count, row.pk == issue.pk) for row in last]


def _names(issue: Issue, state: str) -> list[tuple[str, str]]:
    rows = Delivery.objects.filter(issue=issue, state=state).order_by("pk")
    found = rows.values_list("address", "reason", "subscription")[:NAMES]
    # An erased person leaves a row and no name.
    return [(address if known is not None else _("(erased)"), reason) for address, reason, known in found]


def _lines(issue: Issue) -> Iterator[str]:
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\r\n")
    writer.writerow(["address", "state", "group", "reason", "at"])
    rows = Delivery.objects.filter(issue=issue).order_by("pk")
    for address, state, reason, at, known in rows.values_list(
        "address", "state", "reason", "at", "subscription"
    ).iterator(chunk_size=2000):
        shown = address if known is not None else ""
        group = plain(reason) if reason else ""
        writer.writerow([guard(shown), state, guard(group), guard(reason), at.isoformat(timespec="seconds")])
        if held.tell() > 64_000:
            yield held.getvalue()
            held.seek(0)
            held.truncate()
    yield held.getvalue()


def _clock(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"
