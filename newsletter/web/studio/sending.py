"""The send panel of one issue: approve, choose when, test, watch, pause, stop, settle.

Every button calls the flow's own function, the one that the commands call; this page only words and shows.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from newsletter.core.asking import asks_number
from newsletter.core.errors import IssueError, NewsletterError
from newsletter.flow import deliver as flow
from newsletter.flow import issue as issue_flow
from newsletter.flow.compile import frozen, known_blockers, subject_of, subject_suggestions
from newsletter.flow.deliver.control import spoken_time
from newsletter.flow.deliver.timing import Typed, local_time, require_number, undo_left
from newsletter.flow.people import Role
from newsletter.flow.progress import progress
from newsletter.flow.testing import last_tests, read_addresses, send_tests
from newsletter.ledger import issues
from newsletter.models import Issue, IssueState
from newsletter.web.headers import private
from newsletter.web.studio.access import allowed, denied, may
from newsletter.web.studio.bars import bars
from newsletter.web.studio.finding import find
from newsletter.web.studio.people import Readers
from newsletter.web.studio.spans import clock_time, span
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy, numbered

STOP_PATIENCE = 10.0
"""Seconds that "stop" waits for the answers of what is on the wire: somebody sits in front of the page."""


@allowed(Role.EDITOR)
@require_safe
def page(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """When, to how many, and the buttons; while it is being sent, how it goes."""
    return _page(request, find(newsletter, slot))


@allowed(Role.EDITOR)
@require_safe
def live(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """The part of the page that changes by itself, alone: what the page's script, or htmx, asks for."""
    context = {"request": request, **_context(request, find(newsletter, slot), timezone.now())}
    return private(render(request, "studio/sending_live.html", context, using="jinja2"))


@allowed(Role.EDITOR)
@require_POST
def act(request: HttpRequest, newsletter: str, slot: str, verb: str) -> HttpResponse:
    """One press. What could not be done is said on the page itself, with what was typed still there."""
    if verb not in _VERBS:
        raise Http404
    if verb != "test" and not may(request, Role.APPROVER):
        return denied(request, Role.APPROVER)
    issue = find(newsletter, slot)
    try:
        said = _VERBS[verb](request, issue, timezone.now(), request.user.get_username())
    except NewsletterError as error:
        return _page(request, find(newsletter, slot), problem=str(error), status=409)
    where = reverse("issue-send", args=[newsletter, slot])
    return private(HttpResponseRedirect(f"{where}?said={quote(said)}" if said else where))


def _page(request: HttpRequest, issue: Issue, *, problem: str = "", status: int = 200) -> HttpResponse:
    now = timezone.now()
    context = {
        **_context(request, issue, now),
        "problem": problem,
        "said": _SAID.get(request.GET.get("said", ""), ""),
        "typed": request.POST if request.method == "POST" else {},
        "readers": Readers(request, issue),
        "tests": [(row, spoken_time(row.at, issue.newsletter.timezone)) for row in last_tests(issue)],
        "default_address": getattr(request.user, "email", ""),
    }
    return private(render(request, "studio/sending.html", context, status=status, using="jinja2"))


def _title(issue: Issue) -> str:
    """Its subject, or the one that it would go out with, as long as nobody wrote one."""
    suggested = next(iter(subject_suggestions(issue)), "") if issue.state == IssueState.DRAFT else ""
    return subject_of(issue) or suggested or numbered(issue.newsletter.name, issue.number)


def _context(request: HttpRequest, issue: Issue, now: datetime) -> dict[str, Any]:
    zone = issue.newsletter.timezone
    due = issues.due_at(issue)
    context: dict[str, Any] = {
        "issue": issue,
        "title": _title(issue),
        "may_approve": may(request, Role.APPROVER),
        "when": spoken_time(due, zone),
        "due": due,
        "left": span(due - now),
        "overdue": due <= now,
        "slot_when": spoken_time(issue.slot_at, zone),
        "undo_left": undo_left(issue, now),
        "local_due": clock_time(max(due, now + timedelta(hours=1)), zone),
        "zone": zone,
        "reach": None,
        "progress": None,
        "against": (),
        "fingerprint": "",
        "near": None,
        "asks": False,
    }
    if issue.started_at is not None:
        found = progress(issue, now)
        context |= {"progress": found, "bars": bars(found.counts),
                    "until": spoken_time(found.until, zone) if found.until else "",
                    "until_left": span(found.until - now) if found.until else "",
                    "next_try": spoken_time(found.next_try, zone) if found.next_try else ""}  # fmt: skip
    elif issue.state in issues.OPEN:
        context |= _before(issue, now, due)
    return context


def _before(issue: Issue, now: datetime, due: datetime) -> dict[str, Any]:
    """Whom it would go to, and what stands against it."""
    found: dict[str, Any] = {"near": issues.went_out_near(issue, max(due, now))}
    try:
        found["reach"] = reach = flow.reach(issue, now)
        found["asks"] = asks_number(reach.people)
        if issue.state == IssueState.DRAFT:
            found["against"] = known_blockers(issue, now)
            found["fingerprint"] = frozen(issue).fingerprint
        elif issue.freeze is not None:
            found["fingerprint"] = issue.freeze.fingerprint
    except NewsletterError as error:
        found["against"] = (str(error),)
    return found


# --- one function a button; each returns the key of what is said about it afterwards ----------------------------------


def _typed(request: HttpRequest) -> Typed:
    shown = request.POST.get("people", "")
    number = int(shown) if shown.isascii() and shown.isdecimal() and len(shown) < 12 else -1
    return Typed(request.POST.get("number", ""), number)


def _approve(request: HttpRequest, issue: Issue, now: datetime, by: str) -> str:
    require_number(issue, _typed(request), now)
    issue_flow.approve(issue, by, now=now, expected=request.POST.get("fingerprint", ""))
    return "approved"


def _now(request: HttpRequest, issue: Issue, now: datetime, by: str) -> str:
    flow.send_now(issue, now, by=by, confirmed="confirm" in request.POST, typed=_typed(request))
    return ""


def _at(request: HttpRequest, issue: Issue, now: datetime, by: str) -> str:
    at = local_time(request.POST.get("at", ""), issue.newsletter.timezone)
    flow.schedule(issue, at, now, by=by, confirmed="confirm" in request.POST, typed=_typed(request))
    return "scheduled"


def _slot(request: HttpRequest, issue: Issue, now: datetime, by: str) -> str:
    flow.schedule(issue, None, now, by=by, confirmed="confirm" in request.POST, typed=_typed(request))
    return "scheduled"


def _undo(request: HttpRequest, issue: Issue, now: datetime, by: str) -> str:
    flow.take_back(issue, now, by=by)
    return "undone"


def _unschedule(request: HttpRequest, issue: Issue, now: datetime, by: str) -> str:
    flow.unschedule(issue, now, by=by)
    return "unscheduled"


def _pause(request: HttpRequest, issue: Issue, now: datetime, by: str) -> str:
    flow.pause(issue, now, by=by)
    return "paused"


def _resume(request: HttpRequest, issue: Issue, now: datetime, by: str) -> str:
    flow.resume(issue, now, by=by)
    return "resumed"


def _stop(request: HttpRequest, issue: Issue, now: datetime, by: str) -> str:
    if "sure" not in request.POST:
        raise IssueError(_("Stopping can’t be undone."), hint=_("Tick the box first."))
    here = flow.Installation.of(settings.NEWSLETTER, os.environ)
    flow.stop(issue, now, by=by, journal=here.read_journal, patience=STOP_PATIENCE)
    return "stopped"


def _discard(request: HttpRequest, issue: Issue, now: datetime, by: str) -> str:
    if "sure" not in request.POST:
        raise IssueError(_("Throwing an issue away can’t be undone."), hint=_("Tick the box first."))
    issue_flow.discard(issue, f"Thrown away by {by}.", now=now, by=by)
    return "discarded"


def _resend(request: HttpRequest, issue: Issue, now: datetime, by: str) -> str:
    flow.settle_uncertain(issue, now, resend=True, by=by)
    return "settled"


def _leave(request: HttpRequest, issue: Issue, now: datetime, by: str) -> str:
    flow.settle_uncertain(issue, now, resend=False, by=by)
    return "settled"


def _test(request: HttpRequest, issue: Issue, now: datetime, by: str) -> str:
    here = flow.Installation.of(settings.NEWSLETTER, os.environ)
    addresses = read_addresses(request.POST.get("to", ""))
    reader = Readers(request, issue).chosen
    rows = send_tests(issue, addresses, now, by=by, installation=here, subscription=reader)
    refused = [f"{row.address}: {row.error}" for row in rows if row.error]
    if refused:
        raise IssueError(" ".join(refused), hint=_("The others were sent.") if len(refused) < len(rows) else "")
    return "tested"


_VERBS: dict[str, Callable[[HttpRequest, Issue, datetime, str], str]] = {
    "approve": _approve,
    "now": _now,
    "at": _at,
    "slot": _slot,
    "undo": _undo,
    "unschedule": _unschedule,
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
    "discard": _discard,
    "resend": _resend,
    "leave": _leave,
    "test": _test,
}
# Looked up, never printed from the address: a link can't put words into our mouth.
_SAID = {
    "approved": gettext_lazy("Approved. It goes out as said below, unless somebody edits it."),
    "scheduled": gettext_lazy("The time is set."),
    "undone": gettext_lazy("Taken back. Nothing has left."),
    "unscheduled": gettext_lazy("The approval is taken back: the issue is a draft again, and nothing has left."),
    "paused": gettext_lazy("Paused. Messages on the wire still get their answer; no further one leaves."),
    "resumed": gettext_lazy("Sending goes on."),
    "stopped": gettext_lazy("Stopped. Who was still waiting gets nothing of this issue."),
    "discarded": gettext_lazy("Thrown away. Its reviews wait for the next issue."),
    "settled": gettext_lazy("Decided."),
    "tested": gettext_lazy("The test is on its way."),
}
