"""Saved rules over the people of a list, each with how many it takes at this moment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from newsletter.core.errors import NewsletterError
from newsletter.core.sentence import together
from newsletter.flow import membership
from newsletter.flow.apply.readers import Refused
from newsletter.flow.people import Role
from newsletter.web.headers import private
from newsletter.web.studio.access import allowed, may
from newsletter.web.studio.subscribers.showing import chosen, lists, show
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy, ngettext, said
from subscribers import segments
from subscribers.errors import SegmentError, SubscribersError
from subscribers.models import Segment
from subscribers.segments.placing import place_of

LONGEST = 100_000
EXAMPLES = (
    (gettext_lazy("Who took a letter lately"), '{"state": ["active"], "accepted": {"within_days": 90}}'),
    (gettext_lazy("Readers in German"), '{"language": ["de"]}'),
    (gettext_lazy("Follows books or films"), '{"topics": ["book", "movie"]}'),
    (gettext_lazy("New this month"), '{"joined": {"within_days": 30}}'),
    (gettext_lazy("At one of two domains"), '{"any": [{"domain": ["example.org"]}, {"domain": ["*.example.com"]}]}'),
)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A mistake in a typed rule: what it is, and the text around it."""

    message: str
    line: int = 0
    before: str = ""
    there: str = ""
    after: str = ""


@allowed(Role.EDITOR)
@require_safe
def index(request: HttpRequest) -> HttpResponseBase:
    """The segments. Their numbers come one by one, by script, or with `count`: each walks over its list."""
    rows = Segment.objects.select_related("mailing_list").order_by("name", "slug")
    wanted = request.GET.get("count", "")
    shown = [
        {
            "slug": row.slug,
            "name": row.name,
            "list": row.mailing_list,
            "rule": json.dumps(row.rule, indent=2, ensure_ascii=False),
            "people": _count(row) if row.slug == wanted else None,
        }
        for row in rows
    ]
    done = _("Deleted.") if request.GET.get("deleted") else ""
    context = {"rows": shown, "lists": lists(), "may_change": may(request, Role.APPROVER), "done": done}
    return show(request, "segments", context)


@allowed(Role.EDITOR)
@require_safe
def count(request: HttpRequest, segment: str) -> HttpResponseBase:
    """How many a segment takes now, in words, for the script of the list."""
    row = _find(segment)
    people = _count(row)
    said = ngettext("<b>%(number)s</b> person now", "<b>%(number)s</b> people now", people)
    return private(JsonResponse({"said": said % {"number": f"{people:,}"}}))


# Counting a rule that one types oneself tells who is on the list (a domain, a name): so it takes the right to see them.
@allowed(Role.APPROVER)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """Make one."""
    return _edited(request, None)


@allowed(Role.APPROVER)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, segment: str) -> HttpResponseBase:
    """Change one; or only count what is typed."""
    return _edited(request, _find(segment))


@allowed(Role.APPROVER)
@require_POST
def delete(request: HttpRequest, segment: str) -> HttpResponseBase:
    """Forget one; refused while a newsletter goes to it."""
    row = _find(segment)
    try:
        membership.delete_segment(row, now=timezone.now(), by=request.user.get_username())
    except NewsletterError as error:
        return _page(request, row, problem=str(error), status=409)
    return private(HttpResponseRedirect(f"{reverse('segments')}?deleted=1"))


def read_rule(text: str) -> tuple[dict[str, Any], Wrong | None]:
    """The typed rule, or what is wrong with it and where."""
    if len(text) > LONGEST:
        return {}, Wrong(
            _("The rule has %(number)s letters; at most %(most)s are read.")
            % {"number": f"{len(text):,}", "most": f"{LONGEST:,}"}
        )
    try:
        rule = json.loads(text)
    except json.JSONDecodeError as error:
        at = min(error.pos, len(text))
        return {}, _wrong(
            text, _("This is not JSON: %(why)s.") % {"why": error.msg.lower()}, (at, min(at + 1, len(text)))
        )
    except (ValueError, RecursionError):
        return {}, Wrong(_("This is not JSON that can be read: a number is too long, or it is nested too deeply."))
    try:
        segments.parse(rule)
    except SegmentError as error:
        return {}, _wrong(text, str(error), place_of(text, str(error)))
    return rule, None


def _wrong(text: str, message: str, place: tuple[int, int] | None) -> Wrong:
    if place is None:
        return Wrong(message)
    begin, end = place
    end = min(end, begin + 200)
    start = max(text.rfind("\n", 0, begin) + 1, begin - 80)
    stop = text.find("\n", end)
    stop = min(len(text) if stop < 0 else stop, end + 80)
    return Wrong(message, text.count("\n", 0, begin) + 1, text[start:begin], text[begin:end] or "␣", text[end:stop])


def _edited(request: HttpRequest, row: Segment | None) -> HttpResponseBase:
    if request.method != "POST":
        return _page(request, row)
    typed = request.POST.get("rule", "").replace("\r\n", "\n")
    rule, wrong = read_rule(typed)
    if wrong is not None:
        return _page(request, row, wrong=wrong, status=422)
    known = lists()
    wanted = row.mailing_list if row else chosen(known, request.POST.get("list", ""))
    if wanted is None:
        return _page(request, row, problem=_("There is no list yet."), status=409)
    now = timezone.now()
    if request.POST.get("do") == "count":
        return _page(request, row, counted=segments.count(wanted, rule, now=now))
    if row is not None and request.POST.get("mark", "") != _mark(row):
        words = _(
            "Somebody else changed this segment meanwhile. Its rule as it is now stands below yours; "
            "save again to replace it."
        )
        return _page(request, row, problem=words, theirs=True, status=409)
    name = row.slug if row else request.POST.get("slug", "").strip()
    title = " ".join(request.POST.get("name", "").replace("\x00", "").split())[:200]
    try:
        if row is None and Segment.objects.filter(slug=name).exists():
            raise SegmentError(_('There is a segment "%(name)s" already.') % {"name": name})
        membership.save_segment(name, wanted, rule=rule, title=title, now=now, by=request.user.get_username())
    except Refused as error:
        problem = _("The short name %(problem)s") % {"problem": said(together(str(error), error.hint))}
        return _page(request, row, problem=problem, status=422)
    except SubscribersError as error:
        return _page(request, row, problem=str(error), status=409)
    return private(HttpResponseRedirect(f"{reverse('segments')}?count={name}"))


def _page(request: HttpRequest, row: Segment | None, **context: Any) -> HttpResponse:
    status, typed = context.pop("status", 200), request.POST if request.method == "POST" else {}
    users, drafts = membership.users_of(row) if row else ([], [])
    stored = json.dumps(row.rule, indent=2, ensure_ascii=False) if row else '{\n  "state": ["active"]\n}'
    filled: dict[str, Any] = {
        "row": row,
        "lists": lists(),
        "mark": _mark(row) if row else "",
        "stored": stored,
        "rule": typed.get("rule", stored).replace("\x00", "�")[: LONGEST * 2],
        "name": typed.get("name", row.name if row else ""),
        "slug": typed.get("slug", ""),
        "wanted": typed.get("list", ""),
        "examples": EXAMPLES,
        "users": users,
        "drafts": drafts,
        "wrong": None,
        "counted": None,
        "theirs": False,
    }
    return show(request, "segment", {**filled, **context}, status=status)


def _find(slug: str) -> Segment:
    row = Segment.objects.select_related("mailing_list").filter(slug=slug).first()
    if row is None:
        raise Http404("There is no such segment.")
    return row


def _count(row: Segment) -> int:
    return segments.count(row.mailing_list, row.rule, now=timezone.now())


def _mark(row: Segment) -> str:
    """Changes with the rule: what somebody edited is what is replaced."""
    return sha256(json.dumps([row.name, row.rule], sort_keys=True).encode()).hexdigest()[:16]
