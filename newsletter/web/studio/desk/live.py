"""While somebody works at the desk: the letter with what is typed, before it is saved; and the checks, after it was."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from newsletter.core.errors import NewsletterError
from newsletter.flow.compile.trying import tried
from newsletter.flow.people import Role
from newsletter.web.display import as_served_here
from newsletter.web.headers import private
from newsletter.web.links import keys
from newsletter.web.studio.access import allowed
from newsletter.web.studio.desk import saving, seeing
from newsletter.web.studio.finding import find
from newsletter.web.studio.people import Readers
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import said


@allowed(Role.EDITOR)
@require_POST
def attempt(request: HttpRequest, newsletter: str, slot: str) -> HttpResponse:
    """The letter as it would be with what stands in the form of words: JSON, with the kinds of `look` that were asked
    for. Writes nothing. What can't be made is said in `problem`; a look at the letter is no failure of the page.
    """
    issue = find(newsletter, slot)
    if not seeing.may_edit(request.user, issue):
        raise PermissionDenied(_("Changing this issue needs the right to do so."))
    try:
        words, edits = saving.tried_words(issue, request.POST.get("at", "issue"), request.POST)
        reader, kinds = Readers(request, issue).chosen, set(request.POST.getlist("look"))
        letter = tried(
            issue, reader, words=words, edits=edits, keys=keys(), now=timezone.now(), with_text="text" in kinds
        )
    except NewsletterError as error:
        return private(JsonResponse({"problem": said(str(error))}))
    shown = letter.rendered
    problem = _("This letter can’t go out: %(fault)s") % {"fault": said(str(letter.fault))} if letter.fault else ""
    answer: dict[str, Any] = {"subject": shown.subject, "line": letter.content.issue.preview_text, "problem": problem}
    for kind in kinds:
        if kind == "text":
            answer[kind] = shown.text
        elif kind in seeing.KINDS:
            answer[kind] = as_served_here(seeing.looked(shown.html, kind), settings.NEWSLETTER.base_url)
    return private(JsonResponse(answer))
