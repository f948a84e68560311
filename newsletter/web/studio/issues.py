"""The pages for editors: the list of issues, and one issue as its readers will see it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from newsletter.core.checks import Level, Row
from newsletter.core.errors import IssueError, NewsletterError
from newsletter.flow import issue as issue_flow
from newsletter.flow.compile import checks, preview
from newsletter.flow.deliver import would_send
from newsletter.flow.deliver.control import spoken_time
from newsletter.flow.notices import late_reviews
from newsletter.flow.people import Role
from newsletter.flow.report import report
from newsletter.ledger.placements import ACTIVE
from newsletter.models import Issue, IssueState, Placement
from newsletter.web.headers import private
from newsletter.web.links import keys
from newsletter.web.studio import notices
from newsletter.web.studio.access import allowed, may
from newsletter.web.studio.bars import bars
from newsletter.web.studio.finding import find
from newsletter.web.studio.framing import framed, unframed
from newsletter.web.studio.people import Readers
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy
from subscribers.errors import SubscribersError
from subscribers.models import Subscription

VIEWS = {
    "both": gettext_lazy("Desktop and phone"),
    "desktop": gettext_lazy("Desktop"),
    "phone": gettext_lazy("Phone"),
    "text": gettext_lazy("Plain text"),
}


@allowed(Role.EDITOR)
@require_safe
def page(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """One issue: the letter, what is to be said about it, and the button."""
    return _page(request, find(newsletter, slot))


@allowed(Role.EDITOR)
@require_safe
def letter(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """The compiled HTML itself, for the frames of `page`: no script can run in it, and it has an origin of its own."""
    issue = find(newsletter, slot)
    reader = Readers(request, issue).chosen
    try:
        html = preview(issue, reader, keys=keys(), now=timezone.now(), links=False).rendered.html
    except NewsletterError as error:
        return unframed(request, error)
    return framed(html)


@allowed(Role.APPROVER)
@require_POST
def approve(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """Approve precisely the letter that the page showed: its fingerprint comes along, and must still be right."""
    issue = find(newsletter, slot)
    try:
        shown = request.POST.get("fingerprint", "")
        issue_flow.approve(issue, request.user.get_username(), now=timezone.now(), expected=shown)
    except NewsletterError as error:
        return _page(request, find(newsletter, slot), problem=str(error), status=409)
    return private(HttpResponseRedirect(reverse("issue", args=[newsletter, slot])))


@allowed(Role.APPROVER)
@require_POST
def add(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """Add a review that came after the cutoff (R9); an approval is void by it, so it takes the right to approve."""
    issue = find(newsletter, slot)
    wanted = request.POST.get("review", "")
    try:
        review = next((row for row in late_reviews(issue) if str(row.pk) == wanted), None)
        if review is None:
            raise IssueError(
                _("This review does not wait for a place in this issue."), hint=_("Look at it as it is now.")
            )
        issue_flow.pin(review, issue.newsletter, issue, now=timezone.now(), by=request.user.get_username())
    except NewsletterError as error:
        return _page(request, find(newsletter, slot), problem=str(error), status=409)
    return private(HttpResponseRedirect(reverse("issue", args=[newsletter, slot])))


def _page(request: HttpRequest, issue: Issue, *, problem: str = "", status: int = 200) -> HttpResponse:
    now = timezone.now()
    readers = Readers(request, issue)
    view = request.GET.get("view", "both")
    context: dict[str, Any] = {
        "issue": issue,
        "when": _when(issue),
        "views": VIEWS,
        "view": view if view in VIEWS else "both",
        "readers": readers,
        "problem": problem,
        "may_approve": may(request, Role.APPROVER),
        "placements": _placements(issue),
        "report": None,
        "sentence": "",
        **_letter(issue, readers.chosen, now),
        **_checks(issue, now),
        **notices.of_issue(issue),
    }
    if issue.started_at is not None:
        context["report"] = report(issue)
        context["bars"] = bars(context["report"].counts)
    elif issue.state in (IssueState.DRAFT, IssueState.APPROVED):
        context["sentence"] = _sentence(issue, now)
    return private(render(request, "studio/issue.html", context, status=status, using="jinja2"))


def _letter(issue: Issue, reader: Subscription | None, now: datetime) -> dict[str, Any]:
    """Subject, preview text, text part and fingerprint; or why the letter can't be made."""
    try:
        shown = preview(issue, reader, keys=keys(), now=now, links=False)
    except NewsletterError as error:
        return {"letter": None, "broken": error, "fingerprint": "", "sender": "", "inbox_line": ""}
    inputs = shown.inputs
    return {
        "letter": shown.rendered,
        "broken": None,
        "fingerprint": inputs.fingerprint,
        "sender": inputs.sender.from_name,
        "inbox_line": inputs.content.issue.preview_text,
        "kilobytes": len(shown.rendered.html.encode()) // 1024 + 1,
    }


def _checks(issue: Issue, now: datetime) -> dict[str, Any]:
    """Findings, as long as they can still change anything."""
    try:
        found = checks(issue, now) if issue.state in (IssueState.DRAFT, IssueState.APPROVED) else []
    except SubscribersError as error:
        found = [Row(Level.BLOCK, str(error), "audience", _("Mend it in magazine.toml, then: newsletter apply"))]
    by_level = {level: [row for row in found if row.level is level and not row.ignored_by] for level in Level}
    return {"checks": by_level, "blocked": bool(by_level[Level.BLOCK])}


def _sentence(issue: Issue, now: datetime) -> str:
    try:
        return would_send(issue, now)
    except NewsletterError as error:
        return str(error)


def _placements(issue: Issue) -> list[Placement]:
    rows = Placement.objects.filter(issue=issue, state__in=ACTIVE).select_related("review__representative")
    return list(rows.order_by("kind", "position", "pk"))


def _when(issue: Issue) -> str:
    return spoken_time(issue.slot_at, issue.newsletter.timezone)
