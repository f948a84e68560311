"""The gallery of designs, and the editor of one newsletter's values. A preview is a look: it saves nothing.

Small frames show the compiled letter itself, as the first page's covers do (ADR 15).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from newsletter.core.colors import is_color
from newsletter.core.designlint.tokens import NIGHT, Pair
from newsletter.core.errors import DesignError, NewsletterError
from newsletter.flow import designs
from newsletter.flow.deliver.control import spoken_time
from newsletter.flow.designs import Worn
from newsletter.flow.people import Role
from newsletter.models import Newsletter
from newsletter.web.headers import private
from newsletter.web.studio.access import allowed, may
from newsletter.web.studio.framing import framed, unframed
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy

TOKEN = "t-"
"""How the fields of tokens begin, in forms and in a preview's address."""
_LONGEST = 300
_SAID = {
    "chosen": gettext_lazy("Chosen. The next issue wears it; an approval that stood is void."),
    "saved": gettext_lazy("Saved. The next issue wears it; an approval that stood is void."),
    "same": gettext_lazy("Nothing was different, so nothing changed."),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One token in the form: `value` is what stands in its field, `kind` what it takes."""

    name: str
    value: str
    own: str
    kind: str
    problem: str = ""

    @property
    def words(self) -> str:
        return self.name.replace("_", " ")

    @property
    def changed(self) -> bool:
        return self.value.casefold() != self.own.casefold()


@allowed(Role.EDITOR)
@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """Every design in the newsletter's own reviews."""
    return _gallery(request, request.GET.get("newsletter", ""))


@allowed(Role.APPROVER)
@require_POST
def choose(request: HttpRequest, newsletter: str) -> HttpResponse:
    """Wear another design, or (with `back`) what was worn before, its values included."""
    row = get_object_or_404(Newsletter, slug=newsletter)
    now, by = timezone.now(), request.user.get_username()
    try:
        was = designs.before(row) if "back" in request.POST else None
        if "back" in request.POST and was is None:
            raise DesignError(_("There is nothing to go back to any more."), hint=_("Choose a design below."))
        name, tokens = (was.design, was.tokens) if was else (request.POST.get("design", "")[:100], None)
        changes = designs.choose(row, name, now=now, by=by, tokens=tokens)
    except NewsletterError as error:
        return _gallery(request, newsletter, problem=error, status=409)
    said = "chosen" if changes else "same"
    return private(HttpResponseRedirect(f"{reverse('designs')}?{urlencode({'newsletter': newsletter, 'said': said})}"))


@allowed(Role.EDITOR)
@require_safe
def look(request: HttpRequest, newsletter: str, design: str) -> HttpResponse:
    """The letter in `design`, for small frames: with the values of the address, else with those that are kept."""
    row = get_object_or_404(Newsletter, slug=newsletter)
    try:
        html = designs.look(row, _worn(request, row, design))
    except NewsletterError as error:
        return unframed(request, error)
    return framed(html)


@allowed(Role.EDITOR)
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest, newsletter: str) -> HttpResponse:
    """The values of the newsletter's design, as they are kept or as typed, and what they come to. Nothing is saved:
    POST is the button "Preview", whose form may hold more than an address can, and what no address should.
    """
    return _tokens(request, get_object_or_404(Newsletter, slug=newsletter))


@allowed(Role.APPROVER)
@require_POST
def save(request: HttpRequest, newsletter: str) -> HttpResponse:
    """Keep the values as typed, or (with `own`) the design's own."""
    row = get_object_or_404(Newsletter, slug=newsletter)
    typed = {} if "own" in request.POST else _typed(request)
    try:
        changes = designs.set_tokens(row, typed, now=timezone.now(), by=request.user.get_username())
    except NewsletterError as error:
        return _tokens(request, row, problem=error, status=409)
    said = "saved" if changes else "same"
    return private(HttpResponseRedirect(f"{reverse('design-tokens', args=[newsletter])}?{urlencode({'said': said})}"))


def _gallery(
    request: HttpRequest, chosen: str, *, problem: NewsletterError | None = None, status: int = 200
) -> HttpResponse:
    newsletters = list(Newsletter.objects.order_by("name"))
    shown = next((row for row in newsletters if row.slug == chosen), newsletters[0] if newsletters else None)
    context: dict[str, Any] = {
        "newsletters": newsletters,
        "shown": shown,
        "problem": problem,
        "said": _SAID.get(request.GET.get("said", ""), ""),
        "may_change": may(request, Role.APPROVER),
        # The one that is worn stands first: the others are looked at beside it.
        "designs": sorted(designs.names(), key=lambda name: (shown is None or name != shown.design, name)),
        "issue": designs.sample_issue(shown) if shown else None,
        "before": None,
        "changed": 0,
    }
    if shown is not None:
        context["changed"] = len(shown.design_tokens)
        context["before"] = was = designs.before(shown)
        context["before_when"] = spoken_time(was.at, shown.timezone) if was else ""
    return private(render(request, "studio/designs/gallery.html", context, status=status, using="jinja2"))


def _tokens(
    request: HttpRequest, newsletter: Newsletter, *, problem: NewsletterError | None = None, status: int = 200
) -> HttpResponse:
    typed = _typed(request)
    field = getattr(problem, "field", "")
    try:
        found = _worn(request, newsletter, newsletter.design)
    except DesignError as error:
        # A value that can't stand anywhere: what is kept is judged, and what was typed stays in its field.
        problem, field, status = problem or error, error.field, status if problem else 400
        try:
            found = designs.worn(newsletter.design, kept=newsletter.design_tokens)
        except NewsletterError:
            found = None
    groups = _groups(found, typed, field, problem) if found else []
    look_at = reverse("design-look", args=[newsletter.slug, newsletter.design])
    query = urlencode({TOKEN + name: value for name, value in found.changed.items()}) if found else ""
    unsaved = bool(typed) and found is not None and found.changed != newsletter.design_tokens
    context = {
        "newsletter": newsletter,
        "groups": groups,
        "found": found,
        "faint": found.faint if found else (),
        "sides": _sides(found) if found else [],
        "advice": designs.advice(found) if found else [],
        "problem": problem,
        "said": _SAID.get(request.GET.get("said", ""), ""),
        "may_change": may(request, Role.APPROVER),
        "unsaved": unsaved,
        # With a value of its own even when nothing differs, or the kept ones would be shown.
        "look": f"{look_at}?{query or TOKEN}" if unsaved else look_at,
    }
    return private(render(request, "studio/designs/tokens.html", context, status=status, using="jinja2"))


def _worn(request: HttpRequest, newsletter: Newsletter, design: str) -> Worn:
    typed = _typed(request)
    if typed:
        return designs.worn(design, typed)
    return designs.worn(design, kept=newsletter.design_tokens if design == newsletter.design else None)


def _typed(request: HttpRequest) -> dict[str, str]:
    """The values of tokens in a form or an address, as typed."""
    sent = request.POST if request.method == "POST" else request.GET
    return {
        name.removeprefix(TOKEN): str(value)[:_LONGEST].replace("\x00", "")
        for name, value in sent.items()
        if name.startswith(TOKEN)
    }


def _groups(
    found: Worn, typed: Mapping[str, str], field: str, problem: NewsletterError | None
) -> list[tuple[str, list[Entry]]]:
    """The tokens by what they are for, in the design's order."""
    day, night, more = _("By day"), _("After dark"), _("Type and more")
    groups: dict[str, list[Entry]] = {day: [], night: [], more: []}
    for name, own in found.own.items():
        color = is_color(own)
        group = more if not color else night if name.startswith(NIGHT) else day
        kind = "color" if color else "yes" if isinstance(own, bool) else "text"
        said = str(problem.hint if name == field and problem else "")
        value = typed.get(name) or _shown(found.tokens[name])
        groups[group].append(Entry(name, value, _shown(own), kind, said))
    return [(name, entries) for name, entries in groups.items() if entries]


def _sides(found: Worn) -> list[tuple[str, list[Pair]]]:
    """What is read on what, by day and after dark, the hardest first."""
    pairs = sorted(found.pairs, key=lambda pair: pair.ratio)
    sides = [
        (_("By day"), [pair for pair in pairs if not pair.night]),
        (_("After dark"), [pair for pair in pairs if pair.night]),
    ]
    return [(title, rows) for title, rows in sides if rows]


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
