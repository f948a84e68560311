"""The page behind the link in a confirmation. Opened it changes nothing; its button subscribes."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from newsletter.core.words import day_and_time
from newsletter.flow import signup
from newsletter.flow.signup import Client, Confirmation, Standing
from newsletter.models import Issue, IssueState, Newsletter
from newsletter.web.headers import for_readers
from newsletter.web.links import keys
from newsletter.web.public.showing import language_of, show
from newsletter.web.public.signup import client_address
from subscribers.address import masked


@csrf_exempt
def page(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST confirms; again as often as one likes."""
    if request.method not in ("GET", "HEAD", "POST"):
        return for_readers(HttpResponseNotAllowed(["GET", "HEAD", "POST"]))
    now = timezone.now()
    link = signup.read_link(token, keys=keys(), now=now)
    language = _language(request, link)
    just_now = False
    if request.method == "POST":
        with translation.override(language):
            wording = _("Yes, subscribe me")
        client = Client.of(client_address(request), request.headers.get("User-Agent", ""), keys())
        proof = {"network": client.network, "agent": client.agent}
        just_now = signup.confirm(link, now=now, wording=wording, evidence=proof)
        link = signup.read_link(token, keys=keys(), now=now)
    return _shown(request, link, token, language, now, just_now=just_now)


@csrf_exempt
def again(request: HttpRequest, token: str) -> HttpResponse:
    """An expired link asks for a new one. The page says the same whether one goes out or went out today."""
    if request.method != "POST":
        return for_readers(HttpResponseNotAllowed(["POST"]))
    now = timezone.now()
    link = signup.read_link(token, keys=keys(), now=now)
    language = _language(request, link)
    if link.standing is not Standing.EXPIRED:
        return _shown(request, link, token, language, now)
    signup.ask_again(link, keys=keys(), base_url=settings.NEWSLETTER.base_url, now=now)
    return show(request, "public/confirm.html", {"kind": "asked", "token": token, "address": "", "next_issue": ""},
                language=language, newsletter=link.newsletter)  # fmt: skip


def _shown(
    request: HttpRequest, link: Confirmation, token: str, language: str, now: datetime, *, just_now: bool = False
) -> HttpResponse:
    kind = "just_now" if just_now else str(link.standing)
    context = {
        "kind": kind,
        "token": token,
        "address": masked(link.subscription.subscriber.address) if link.subscription else "",
        "next_issue": _next_issue(link.newsletter, language, now) if link.newsletter else "",
    }
    status = 404 if link.standing is Standing.UNKNOWN else 200
    return show(request, "public/confirm.html", context, language=language, newsletter=link.newsletter, status=status)


def _language(request: HttpRequest, link: Confirmation) -> str:
    own = link.subscription.subscriber.language if link.subscription else ""
    return language_of(request, own, link.newsletter.language if link.newsletter else "")


def _next_issue(newsletter: Newsletter, language: str, now: datetime) -> str:
    """When the next issue comes, in words; "" when none is planned."""
    upcoming = Issue.objects.filter(
        newsletter=newsletter, state__in=(IssueState.DRAFT, IssueState.APPROVED), slot_at__gt=now
    )
    slot_at = upcoming.order_by("slot_at").values_list("slot_at", flat=True).first()
    return day_and_time(slot_at.astimezone(ZoneInfo(newsletter.timezone)), language) if slot_at else ""
