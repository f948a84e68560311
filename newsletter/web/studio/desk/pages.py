"""The desk's pages: everything works by links and plain forms; `desk.js` only makes it quicker."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from newsletter.core.checks import Level, Row
from newsletter.core.errors import NewsletterError, StaleError
from newsletter.flow import issue as flow
from newsletter.flow.compile import checks, ignore, mind, preview
from newsletter.flow.compile.freezing import weigh
from newsletter.flow.compile.trying import tried
from newsletter.flow.people import Role
from newsletter.ledger.issues import OPEN
from newsletter.models import Issue
from newsletter.web.headers import LETTER_EDITED, LETTER_FRAMED, NOTICE_FRAMED, private
from newsletter.web.links import keys
from newsletter.web.studio import issues as looks
from newsletter.web.studio.access import allowed, may
from newsletter.web.studio.desk import inspector, pointing, saving, seeing
from newsletter.web.studio.desk.outline import outline, placements, tray
from newsletter.web.studio.finding import find
from newsletter.web.studio.framing import framed
from newsletter.web.studio.people import Readers
from newsletter.web.studio.words import gettext as _
from subscribers.errors import SubscribersError

CLIPPED = 102_400
"""Bytes of HTML past which Gmail cuts a letter off."""

INBOXES = (("Gmail", 70, 60), ("Apple Mail", 60, 90), ("Outlook", 55, 50), ("Phone", 38, 60))
"""(mail program, characters of a subject, characters of preview text that its list shows), rounded."""

_PERSONAL = ("at", "view", "as", "q")
_POINTED = ("at", "text", "link", "picture")


@allowed(Role.EDITOR)
@require_safe
def page(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """The issue to work on: outline, letter, words, checks."""
    return _page(request, find(newsletter, slot))


@allowed(Role.EDITOR)
@require_safe
def letter(request: HttpRequest, newsletter: str, slot: str) -> HttpResponseBase:
    """The same letter as in the issue page's frame, for a frame that the desk's script may look into (ADR 19); in the
    view without pictures under a policy that loads none.
    """
    response = looks.letter(request, newsletter, slot)
    if response.headers.get("Content-Security-Policy") == NOTICE_FRAMED:
        response = _with_cards(request, find(newsletter, slot)) or response
    if not isinstance(response, HttpResponse) or response.headers.get("Content-Security-Policy") != LETTER_FRAMED:
        return response
    view = request.GET.get("view", "")
    response.content = seeing.looked(response.content.decode(), seeing.kind_of(view)).encode()
    policy = LETTER_EDITED.replace("img-src 'self'", "img-src 'none'") if view == "bare" else LETTER_EDITED
    response.headers["Content-Security-Policy"] = policy
    return response


@allowed(Role.EDITOR)
@require_safe
def pointed(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """From what was pressed in the letter to the field that it comes from; to the desk as it was for anything else."""
    asked = {name: request.GET.get(name, "").replace("\x00", "")[: inspector.LENGTH] for name in _POINTED}
    issue = find(newsletter, slot)
    try:
        found = pointing.field_at(issue, text=asked["text"], link=asked["link"], picture=asked["picture"])
    except NewsletterError:
        found = None
    at, field = found or (asked["at"] or "issue", "")
    kept = {name: value for name in _PERSONAL if name != "at" and (value := request.GET.get(name, ""))}
    place = f"#{'picture' if field == 'picture' else f'f-{field}'}" if field else ""
    return private(
        HttpResponseRedirect(f"{reverse('desk', args=[newsletter, slot])}?{urlencode({'at': at, **kept})}{place}")
    )


def _with_cards(request: HttpRequest, issue: Issue) -> HttpResponse | None:
    """What can be shown of a letter that can't be made, with a red card for each block that can't; None for nothing."""
    try:
        shown = tried(issue, Readers(request, issue).chosen, words={}, edits={}, keys=keys(), now=timezone.now())
    except NewsletterError:
        return None
    return framed(shown.rendered.html)


@allowed(Role.EDITOR)
@require_POST
def words(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """Save what was typed. Where others wrote meanwhile: both, side by side, and nothing typed is lost (409)."""
    issue = _to_edit(request, newsletter, slot)
    at = request.POST.get("at", "issue")
    try:
        saving.words(issue, at, request.POST, now=timezone.now(), by=request.user.get_username())
    except StaleError as error:
        return _page(request, find(newsletter, slot), problem=str(error), theirs=error.theirs, status=409)
    except NewsletterError as error:
        return _page(request, find(newsletter, slot), problem=str(error), status=409)
    return _back(request, newsletter, slot, at, "words")


@allowed(Role.EDITOR)
@require_POST
def order(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """Move, pin, leave out or add one review."""
    issue = _to_edit(request, newsletter, slot)
    try:
        said = saving.order(issue, request.POST, now=timezone.now(), by=request.user.get_username())
    except NewsletterError as error:
        return _page(request, find(newsletter, slot), problem=str(error), status=409)
    return _back(request, newsletter, slot, request.POST.get("at", "issue"), "outline", said=said)


@allowed(Role.EDITOR)
@require_POST
def picture(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """Crop a review's picture around a point, put one's own in its place, or go back to the source's."""
    issue = _to_edit(request, newsletter, slot)
    now, by = timezone.now(), request.user.get_username()
    file, folder = request.FILES.get("file"), Path(settings.NEWSLETTER.media_folder)
    try:
        saving.picture(
            issue, request.POST, file if isinstance(file, UploadedFile) else None, folder=folder, now=now, by=by
        )
    except StaleError:
        told = _("Somebody else changed this picture meanwhile. It is shown as it is now.")
        return _page(request, find(newsletter, slot), problem=told, typed={}, status=409)
    except NewsletterError as error:
        return _page(request, find(newsletter, slot), problem=str(error), typed={}, status=409)
    return _back(request, newsletter, slot, request.POST.get("at", "issue"), "picture")


@allowed(Role.EDITOR)
@require_POST
def undo(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """Take one's last edit back, or do it again. Where somebody changed the same since: both, side by side (409)."""
    issue = _to_edit(request, newsletter, slot)
    verb = flow.redo if request.POST.get("does") == "redo" else flow.undo
    try:
        done = verb(issue, now=timezone.now(), by=request.user.get_username())
    except NewsletterError as error:
        return _page(request, find(newsletter, slot), problem=str(error), status=409)
    if done.is_refused:
        return _page(
            request, find(newsletter, slot), problem=done.text, at=done.at, typed=done.ours, theirs=done.theirs,
            status=409,
        )  # fmt: skip
    return _back(request, newsletter, slot, done.at, "words", said=done.text)


@allowed(Role.EDITOR)
@require_POST
def ignore_check(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """Ignore one finding this time, or mind it again; kept with the name of who did it."""
    issue = _to_edit(request, newsletter, slot)
    now, by = timezone.now(), request.user.get_username()
    verb = mind if request.POST.get("does") == "mind" else ignore
    try:
        found = checks(issue, now, ask_dns=False)
        verb(issue, found, request.POST.get("code", ""), by=by, now=now, mark=request.POST.get("mark", "-"))
    except NewsletterError as error:
        return _page(request, find(newsletter, slot), problem=str(error), status=409)
    return _back(request, newsletter, slot, request.POST.get("at", "issue"), "checks")


def _page(
    request: HttpRequest,
    issue: Issue,
    *,
    problem: str = "",
    at: str = "",
    typed: Mapping[str, str] | None = None,
    theirs: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The desk. After a problem `typed` is what was typed (or what the request says), `theirs` what stands instead."""
    now = timezone.now()
    asked = request.POST if request.method == "POST" else request.GET
    readers = Readers(request, issue)
    view = seeing.view_of(asked.get("view", "desktop"), asked.get("left", ""), asked.get("right", ""))
    # The desk's script has the letter by another way, and looks at the checks when nobody types.
    in_short = request.headers.get("X-Requested-With") == "desk"
    if typed is None:
        typed = {name: value for name, value in asked.items() if isinstance(value, str)} if problem else {}
    panel, missing = _panel(issue, at or asked.get("at", "issue"), typed, theirs or {})
    undo, redo = flow.next_steps(issue, request.user.get_username())
    zone = ZoneInfo(issue.newsletter.timezone)
    context: dict[str, Any] = {
        "issue": issue,
        "skin": static("desk.css"),
        "views": seeing.VIEWS,
        "aside": seeing.ASIDE,
        "view": view,
        "in_short": in_short,
        "may_approve": may(request, Role.APPROVER) and issue.state in OPEN,
        "undo": undo,
        "redo": redo,
        "readers": readers,
        "problem": problem or missing,
        "said": request.GET.get("said", "")[:300],
        "saved_at": f"{now.astimezone(zone):%H:%M}",
        "may_edit": seeing.may_edit(request.user, issue) and issue.state in OPEN,
        "outline": outline(issue),
        "tray": tray(issue),
        "panel": panel,
        "inboxes": INBOXES,
        **({"letter": None, "broken": None} if in_short else _letter(issue, readers, now)),
        "checks": [] if in_short else _checks(issue, now),
    }
    context["href"] = _href(issue, view.name, readers)
    return private(render(request, "studio/desk/page.html", context, status=status, using="jinja2"))


def _panel(issue: Issue, at: str, typed: Mapping[str, str], theirs: Mapping[str, str]) -> tuple[inspector.Panel, str]:
    """What is chosen; the issue's own words, with a word why, when it is not there any more."""
    if at == "correction":
        return inspector.of_corrections(issue, typed), ""
    if at in saving.BLOCKS:
        return inspector.of_block(issue, at, typed, theirs), ""
    if at != "issue" and any(f"review-{row.review_id}" == at for row in placements(issue)):
        return inspector.of_review(saving.placed(issue, at), typed, theirs), ""
    gone = "" if at == "issue" else _("What was chosen is not in the issue any more.")
    return inspector.of_issue(issue, typed, theirs), gone


def _letter(issue: Issue, readers: Readers, now: datetime) -> dict[str, Any]:
    """The compiled letter and what its parts weigh; of one that can't be made, why, and what can be shown of it."""
    found: dict[str, Any] = {"broken": None, "letter": None, "sender": "", "inbox_line": "", "size": 0, "weights": ()}
    found["clipped"] = CLIPPED
    try:
        shown = preview(issue, readers.chosen, keys=keys(), now=now, links=False)
        found |= {
            "letter": shown.rendered,
            "sender": shown.inputs.sender.from_name,
            "inbox_line": shown.inputs.content.issue.preview_text,
            "size": len(shown.rendered.html.encode()),
            "weights": weigh(shown.inputs),
        }
    except NewsletterError as error:
        found["broken"] = error
        with suppress(NewsletterError):
            part = tried(issue, readers.chosen, words={}, edits={}, keys=keys(), now=now)
            found |= {"letter": part.rendered, "inbox_line": part.content.issue.preview_text}
    return found


def _checks(issue: Issue, now: datetime) -> list[Row]:
    try:
        return checks(issue, now, ask_dns=False) if issue.state in OPEN else []
    except SubscribersError as error:
        hint = _("Mend it in magazine.toml, then: newsletter apply")
        return [Row(Level.BLOCK, str(error), "audience", hint, code="audience-broken", anchor="audience")]


def _href(issue: Issue, view: str, readers: Readers) -> Any:
    """Makes addresses of this page: what is not named stays as it is."""
    here = reverse("desk", args=[issue.newsletter.slug, issue.slot])

    def href(at: str, looked: str = view) -> str:
        chosen = f"&{readers.chosen_query}" if readers.chosen_query else ""
        return f"{here}?{urlencode({'at': at, 'view': looked})}{chosen}"

    return href


def _back(request: HttpRequest, newsletter: str, slot: str, at: str, place: str, *, said: str = "") -> HttpResponse:
    """To the page that the form stood on, at the same place of it."""
    kept = {name: value for name in _PERSONAL if name != "at" and (value := request.POST.get(name, ""))}
    kept = {"at": at, **kept, **({"said": said} if said else {})}
    return private(HttpResponseRedirect(f"{reverse('desk', args=[newsletter, slot])}?{urlencode(kept)}#{place}"))


def _to_edit(request: HttpRequest, newsletter: str, slot: str) -> Issue:
    issue = find(newsletter, slot)
    if not seeing.may_edit(request.user, issue):
        raise PermissionDenied(_("Changing this issue needs the right to do so."))
    return issue
