"""Sign-up forms: what they took, their code for a site, how they look, and whether they are open."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from newsletter.core.errors import NewsletterError
from newsletter.core.rubrics import RUBRICS
from newsletter.core.sentence import together
from newsletter.flow import membership
from newsletter.flow.people import Role
from newsletter.models import Newsletter, Signup, SignupForm
from newsletter.web.headers import private
from newsletter.web.public.embedding import address_of, embed_code
from newsletter.web.studio.access import allowed
from newsletter.web.studio.subscribers.showing import show
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy, rubric

STATES = {"done": gettext_lazy("answered"), "waiting": gettext_lazy("waiting"), "dropped": gettext_lazy("dropped")}
LOOKED_AT = 1_000
"""Of the latest sign-ups is told on which pages they were made."""
_PREVIEW = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; sandbox"
)
_TEXTS = ("heading", "sub", "button", "consent")


@allowed(Role.EDITOR)
@require_safe
def index(request: HttpRequest) -> HttpResponseBase:
    """Every form."""
    rows = list(SignupForm.objects.select_related("newsletter").order_by("newsletter__name", "slug"))
    found: dict[int, dict[str, int]] = {row.pk: dict.fromkeys(STATES, 0) for row in rows}
    for form, state, number in Signup.objects.values_list("form", "state").annotate(number=Count("pk")).order_by():
        found[form][state] = number
    base = settings.NEWSLETTER.base_url
    context = {"rows": [(row, found[row.pk], address_of(row, base)) for row in rows]}
    return show(request, "forms", context)


@allowed(Role.EDITOR)
@require_safe
def page(request: HttpRequest, form: str) -> HttpResponseBase:
    """One form."""
    return _page(request, _find(form))


@allowed(Role.EDITOR)
@require_safe
def preview(request: HttpRequest, form: str) -> HttpResponseBase:
    """The code as a page of somebody's site would show it, in a frame that can do nothing."""
    row = _find(form)
    code = embed_code(row, row.newsletter.language, base_url=settings.NEWSLETTER.base_url)
    context = {"code": code, "language": row.newsletter.language}
    response = render(request, "studio/subscribers/form_preview.html", context, using="jinja2")
    response.headers["Content-Security-Policy"] = _PREVIEW
    return private(response)


@allowed(Role.ADMIN)
@require_POST
def turn(request: HttpRequest, form: str) -> HttpResponseBase:
    """Open it, or close it."""
    row = _find(form)
    wanted = request.POST.get("open") == "1"
    membership.open_form(row, wanted, now=timezone.now(), by=request.user.get_username())
    return private(HttpResponseRedirect(reverse("form", args=[row.slug])))


@allowed(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """Make one."""
    return _edited(request, None)


@allowed(Role.ADMIN)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, form: str) -> HttpResponseBase:
    """Change its words, its topics, and the sites that carry it."""
    return _edited(request, _find(form))


def _find(slug: str) -> SignupForm:
    row = SignupForm.objects.select_related("newsletter__magazine").filter(slug=slug).first()
    if row is None:
        raise Http404("There is no such form.")
    return row


def _page(request: HttpRequest, row: SignupForm) -> HttpResponse:
    base, language = settings.NEWSLETTER.base_url, row.newsletter.language
    counted = dict(row.signups.values_list("state").annotate(number=Count("pk")).order_by())
    pages = Counter(page.partition("?")[0] for page in
                    row.signups.order_by("-pk").values_list("page", flat=True)[:LOOKED_AT] if page)  # fmt: skip
    address = address_of(row, base)
    context = {
        "form": row,
        "counts": [(words, counted.get(state, 0)) for state, words in STATES.items()],
        "pages": pages.most_common(8),
        "codes": (
            ("plain", _("Plain HTML"), _("Works everywhere, also without a script."),
             embed_code(row, language, base_url=base)),
            ("script", _("With a script"), _("The same, and hints while one types; the page does not change."),
             embed_code(row, language, base_url=base, script=True)),
            ("link", _("A link"), _("Leads to the form’s own page."), address),
        ),
        "address": address,
        "topics": [rubric(topic) for topic in row.topics],
    }  # fmt: skip
    return show(request, "form", context)


def _edited(request: HttpRequest, row: SignupForm | None) -> HttpResponseBase:
    if request.method != "POST":
        return _form_page(request, row)
    slug = row.slug if row else request.POST.get("slug", "").strip()
    if row is None and SignupForm.objects.filter(slug=slug).exists():
        return _form_page(request, row, problem=_('There is a form "%(name)s" already.') % {"name": slug}, status=409)
    values: dict[str, Any] = {name: _one_text(request.POST.get(name, "")) for name in _TEXTS}
    values |= {
        "slug": slug,
        "ask_name": bool(request.POST.get("ask_name")),
        "topics": [topic for topic in request.POST.getlist("topics") if topic in RUBRICS],
        "origins": [site for site in request.POST.get("origins", "").split() if site],
    }
    if row is None:
        values["newsletter"] = request.POST.get("newsletter", "")
    try:
        membership.save_form(values, now=timezone.now(), by=request.user.get_username())
    except NewsletterError as error:
        return _form_page(request, row, problem=together(error.message, error.hint), status=422)
    return private(HttpResponseRedirect(reverse("form", args=[slug])))


def _one_text(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _form_page(request: HttpRequest, row: SignupForm | None, *, problem: str = "", status: int = 200) -> HttpResponse:
    posted = request.method == "POST"

    def value(name: str) -> str:
        return request.POST.get(name, "") if posted else str(getattr(row, name, "") or "") if row else ""

    context = {
        "form": row,
        "values": {name: value(name) for name in ("slug", *_TEXTS)},
        "ask_name": bool(request.POST.get("ask_name")) if posted else bool(row and row.ask_name),
        "chosen": request.POST.getlist("topics") if posted else row.topics if row else [],
        "origins": request.POST.get("origins", "") if posted else "\n".join(row.origins) if row else "",
        "newsletters": list(Newsletter.objects.order_by("name")),
        "newsletter": request.POST.get("newsletter", ""),
        "topics": [(key, rubric(key)) for key in RUBRICS],
        "problem": problem,
    }
    return show(request, "form_edit", context, status=status)
