"""What every page of settings has: its newsletter, its forms, the parts beside it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from newsletter.core.errors import NewsletterError
from newsletter.models import Newsletter
from newsletter.web.headers import private
from newsletter.web.studio.settings.forms import Form
from newsletter.web.studio.words import gettext_lazy

METHODS = ["GET", "HEAD", "POST"]
PARTS = {
    "identity": gettext_lazy("Identity"),
    "sending": gettext_lazy("Sending"),
    "dns": gettext_lazy("DNS"),
    "schedule": gettext_lazy("Schedule"),
}
_SAID = {"saved": gettext_lazy("Saved."), "same": gettext_lazy("Nothing was different, so nothing changed.")}


def find(newsletter: str) -> Newsletter:
    """The newsletter of an address, with what its settings need. Raises `Http404`."""
    return get_object_or_404(Newsletter.objects.select_related("magazine", "account", "mailing_list"), slug=newsletter)


def handle(request: HttpRequest, forms: list[Form]) -> HttpResponse | int:
    """Save the form that was sent: where to go on then, or the status of the page that shows what is wrong."""
    if request.method != "POST":
        return 200
    sent = next((form for form in forms if form.name == request.POST.get("form")), None)
    if sent is None:
        return 400
    sent.take(request.POST)
    try:
        changes = sent.save(request.POST.get("seen", ""), now=timezone.now(), by=request.user.get_username())
    except NewsletterError:
        return 409
    said = {"said": "saved" if changes else "same", "form": sent.name}
    return private(HttpResponseRedirect(f"{request.path}?{urlencode(said)}"))


def show(
    request: HttpRequest, part: str, newsletter: Newsletter, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """The page of one part of one newsletter's settings."""
    others = Newsletter.objects.order_by("name").values_list("slug", "name")
    context = {
        "newsletter": newsletter,
        "part": part,
        "parts": [(key, words, reverse(f"settings-{key}", args=[newsletter.slug])) for key, words in PARTS.items()],
        "others": [(name, reverse(f"settings-{part}", args=[slug]), slug == newsletter.slug) for slug, name in others],
        "said": _SAID.get(request.GET.get("said", ""), ""),
        "said_of": request.GET.get("form", ""),
        **context,
    }
    return render_part(request, part, context, status=status)


def render_part(request: HttpRequest, part: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page of settings, kept nowhere."""
    return private(render(request, f"studio/settings/{part}.html", context, status=status, using="jinja2"))
