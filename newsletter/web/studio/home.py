"""The studio's first page: the weeks as covers, the next issue, what is in trouble; and what plans the weeks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from newsletter.core.errors import IssueError, NewsletterError
from newsletter.core.saying import Standing, button, label, short_label, what_next
from newsletter.flow import issue as issue_flow
from newsletter.flow import overview
from newsletter.flow.compile import preview
from newsletter.flow.deliver.control import spoken_time
from newsletter.flow.deliver.timing import local_time
from newsletter.flow.people import Role
from newsletter.flow.sourcing import steps
from newsletter.ledger import issues as ledger
from newsletter.models import Issue, IssueState, Newsletter
from newsletter.web.headers import private
from newsletter.web.links import keys
from newsletter.web.studio import notices
from newsletter.web.studio.access import allowed, may
from newsletter.web.studio.finding import find
from newsletter.web.studio.framing import framed, uncovered
from newsletter.web.studio.plots import line
from newsletter.web.studio.spans import clock_time, span
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import numbered

LISTED = 25
SPARK = (240.0, 56.0)
_MOST_PAGES = 100_000


@dataclass(frozen=True, slots=True)
class Listed:
    """One issue in words: how it is called, when, and the label of its state."""

    issue: Issue
    when: str
    word: str

    @property
    def title(self) -> str:
        """Its subject, or what it is as long as nobody wrote one."""
        return self.issue.subject or numbered(self.issue.newsletter.name, self.issue.number)


@allowed(Role.EDITOR)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What comes next, what has been, and how it goes."""
    return _page(request, request.GET.get("newsletter", ""))


@allowed(Role.EDITOR)
@require_safe
def cover(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """The letter as a picture of itself, for small frames: what went out as it was stored, else as it would go out."""
    issue = find(newsletter, slot)
    html = issue.public_html
    if not html:
        try:
            html = preview(issue, None, keys=keys(), now=timezone.now(), links=False).rendered.html
        except NewsletterError:
            return uncovered(request)
    response = framed(html)
    if issue.state == IssueState.SENT and issue.public_html:
        # It never changes again, and a strip of them is looked at all day.
        response.headers["Cache-Control"] = "private, max-age=3600"
    return response


@allowed(Role.APPROVER)
@require_POST
def plan(request: HttpRequest, newsletter: str, verb: str) -> HttpResponse:
    """Move a slot, set a week off or take that back, make a special issue, bring a missed one back."""
    if verb not in _VERBS:
        raise Http404
    row = get_object_or_404(Newsletter, slug=newsletter)
    try:
        where = _VERBS[verb](request, row, timezone.now(), request.user.get_username())
    except NewsletterError as error:
        return _page(request, newsletter, problem=str(error), status=409)
    return private(HttpResponseRedirect(where or f"{reverse('studio')}?{urlencode({'newsletter': newsletter})}"))


def _page(request: HttpRequest, chosen: str, *, problem: str = "", status: int = 200) -> HttpResponse:
    now = timezone.now()
    newsletters = list(Newsletter.objects.select_related("mailing_list").order_by("name"))
    shown = next((row for row in newsletters if row.slug == chosen), _liveliest(newsletters))
    query = request.GET.get("q", "").strip()[:100].replace("\x00", "")
    context: dict[str, Any] = {
        "newsletters": newsletters,
        "shown": shown,
        "problem": problem,
        "typed": request.POST if request.method == "POST" else {},
        "query": query,
        "may_approve": may(request, Role.APPROVER),
        "may_set_up": may(request, Role.ADMIN),
        "steps": steps(),
        "next": None,
        "weeks": [],
        "before": [],
        "empty": True,
        "missed": None,
        "coming": [],
    }
    coming: list[Issue] = []
    if shown is not None:
        undecided = Issue.objects.filter(newsletter=shown).exclude(state__in=overview.ENDED).defer("public_html")
        coming = list(undecided.select_related("newsletter").order_by("slot_at", "pk")[:LISTED])
        context |= _hero(shown, now) | _strip(request, shown, now) | _list(request, shown, query)
        context["coming"] = [_listed(row) for row in coming if context["next"] is None or row.pk != context["next"].pk]
        context["trays"] = overview.trays(shown, now)
        context |= _growth(shown, now)
        context["special_at"] = clock_time(now + timedelta(days=2), shown.timezone)
        context["empty"] = not (coming or context["found"] or query)
    context |= notices.of_all(coming)
    return private(render(request, "studio/home.html", context, status=status, using="jinja2"))


def _liveliest(newsletters: list[Newsletter]) -> Newsletter | None:
    """The newsletter whose turn comes first, so that nobody has to choose on most days."""
    coming = Issue.objects.exclude(state__in=overview.ENDED).order_by("slot_at", "pk")
    pk = coming.values_list("newsletter", flat=True).first()
    return next((row for row in newsletters if row.pk == pk), newsletters[0] if newsletters else None)


def _hero(newsletter: Newsletter, now: datetime) -> dict[str, Any]:
    issue = overview.next_issue(newsletter)
    missed = overview.missed_issue(newsletter, now)
    found: dict[str, Any] = {"missed": missed, "missed_when": "", "next": issue}
    if missed is not None:
        found["missed_when"] = spoken_time(missed.slot_at, newsletter.timezone)
    if issue is None:
        return found
    stands = overview.standing(issue, now, look=True)
    due = ledger.due_at(issue)
    return found | {
        "stands": stands,
        "word": label(stands),
        "sentence": what_next(stands),
        "button": button(stands),
        "target": _target(issue, stands),
        "title": issue.subject or numbered(newsletter.name, issue.number),
        "when": spoken_time(due, newsletter.timezone),
        "left": span(due - now) if due > now and issue.started_at is None else "",
        "cutoff": spoken_time(issue.cutoff_at, newsletter.timezone),
        "move_at": clock_time(max(issue.slot_at, now + timedelta(hours=1)), newsletter.timezone),
        "is_open": issue.state in ledger.OPEN,
    }


def _target(issue: Issue, stands: Standing) -> str:
    """Where the one button leads."""
    if issue.state == IssueState.SENT:
        name = "issue-outcome"
    elif issue.started_at is not None or stands.undo:
        name = "issue-send"
    else:
        name = "desk" if stands.blockers else "issue"
    return reverse(name, args=[issue.newsletter.slug, issue.slot])


def _strip(request: HttpRequest, newsletter: Newsletter, now: datetime) -> dict[str, Any]:
    start = _day(request.GET.get("from", ""))
    weeks = overview.strip(newsletter, now, start=start)
    first = start or now.date() - timedelta(weeks=overview.BACK)
    base = {"newsletter": newsletter.slug}
    return {
        "weeks": [(week, _word(week), spoken_time(week.at, newsletter.timezone)) for week in weeks],
        "earlier": "?" + urlencode({**base, "from": (first - timedelta(weeks=overview.WEEKS)).isoformat()}),
        "later": "?" + urlencode({**base, "from": (first + timedelta(weeks=overview.WEEKS)).isoformat()}),
        "today": "?" + urlencode(base) if start else "",
    }


def _list(request: HttpRequest, newsletter: Newsletter, query: str) -> dict[str, Any]:
    text = request.GET.get("page", "")
    page = int(text) if text.isascii() and text.isdecimal() and 0 < int(text[:9]) < _MOST_PAGES else 1
    rows, number = overview.search(newsletter, query, most=LISTED, skip=(page - 1) * LISTED)
    again = {"newsletter": newsletter.slug, **({"q": query} if query else {})}
    return {
        "before": [_listed(row) for row in rows],
        "found": number,
        "newer": "?" + urlencode({**again, "page": page - 1}) if page > 1 else "",
        "older": "?" + urlencode({**again, "page": page + 1}) if page * LISTED < number else "",
    }


def _growth(newsletter: Newsletter, now: datetime) -> dict[str, Any]:
    found = overview.growth(newsletter, now)
    return {
        "growth": found,
        "spark": line([float(number) for number in found.readers], *SPARK),
        "joined": sum(found.joined),
        "gone": sum(found.left),
    }


def _listed(issue: Issue) -> Listed:
    when = spoken_time(ledger.due_at(issue), issue.newsletter.timezone)
    return Listed(issue, when, short_label(issue.state, issue.held_reason))


def _word(week: overview.Week) -> str:
    if week.issue is not None:
        return _listed(week.issue).word
    return "off" if week.off else "planned" if week.ahead else "no issue"


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None


# --- one function a verb; each returns where to go on, or "" for this page --------------------------------------------


def _issue_of(request: HttpRequest, newsletter: Newsletter) -> Issue:
    return get_object_or_404(Issue.objects.select_related("newsletter"), newsletter=newsletter,
                             slot=request.POST.get("slot", ""))  # fmt: skip


def _move(request: HttpRequest, newsletter: Newsletter, now: datetime, by: str) -> str:
    at = local_time(request.POST.get("at", ""), newsletter.timezone)
    issue_flow.move_slot(_issue_of(request, newsletter), at, now=now, by=by)
    return ""


def _slot_day(request: HttpRequest) -> date:
    day = _day(request.POST.get("day", ""))
    if day is None:
        raise IssueError(_("That is no date."), hint=_("Choose a week in the calendar."))
    return day


def _off(request: HttpRequest, newsletter: Newsletter, now: datetime, by: str) -> str:
    issue_flow.week_off(newsletter, _slot_day(request), request.POST.get("reason", "").strip()[:200], now=now, by=by)
    return ""


def _on(request: HttpRequest, newsletter: Newsletter, now: datetime, by: str) -> str:
    issue_flow.take_week_off_back(newsletter, _slot_day(request), now=now, by=by)
    return ""


def _special(request: HttpRequest, newsletter: Newsletter, now: datetime, by: str) -> str:
    at = local_time(request.POST.get("at", ""), newsletter.timezone)
    made = issue_flow.make_special(newsletter, request.POST.get("name", ""), at, now=now, by=by)
    return reverse("issue", args=[newsletter.slug, made.slot])


def _revive(request: HttpRequest, newsletter: Newsletter, now: datetime, by: str) -> str:
    row = issue_flow.revive(_issue_of(request, newsletter), now=now, by=by)
    return reverse("issue", args=[newsletter.slug, row.slot])


_VERBS: dict[str, Callable[[HttpRequest, Newsletter, datetime, str], str]] = {
    "move": _move,
    "off": _off,
    "on": _on,
    "special": _special,
    "revive": _revive,
}
