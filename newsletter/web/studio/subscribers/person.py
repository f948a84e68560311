"""One subscriber: their story, and what somebody here can do for them."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from newsletter.core.errors import NewsletterError
from newsletter.flow import membership
from newsletter.flow.membership.timeline import SHOWN
from newsletter.flow.people import Role
from newsletter.flow.preferences import data_of
from newsletter.web.headers import private
from newsletter.web.studio.access import allowed
from newsletter.web.studio.subscribers.showing import day, minute, sees, show, shown, text
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy
from subscribers import address, suppression
from subscribers.models import Subscriber, Suppression

_STATES = {
    "pending": gettext_lazy("Pending"),
    "active": gettext_lazy("Active"),
    "paused": gettext_lazy("Paused"),
    "unsubscribed": gettext_lazy("Unsubscribed"),
}


@allowed(Role.EDITOR)
@require_safe
def page(request: HttpRequest, person: int) -> HttpResponseBase:
    """What happened. Who may not see addresses opens a person by typing theirs (`q`), and nobody else."""
    row = _find(person)
    if not sees(request) and address.key(text(request, "q")) != row.address_key:
        raise Http404("There is no such subscriber.")
    return _page(request, row)


@allowed(Role.ADMIN)
@require_POST
def unsubscribe(request: HttpRequest, person: int) -> HttpResponseBase:
    """Stop one list, at once, because the person asked."""
    row = _find(person)
    wanted = request.POST.get("subscription", "")
    subscription = next((one for one in _subscriptions(row) if str(one.pk) == wanted), None)
    if subscription is None:
        return _page(request, row, problem=_("That is no subscription of theirs. Look at it as it is now."), status=409)
    membership.unsubscribe(subscription, now=timezone.now(), by=request.user.get_username())
    return private(HttpResponseRedirect(reverse("subscriber", args=[row.pk])))


@allowed(Role.ADMIN)
@require_POST
def let_in(request: HttpRequest, person: int) -> HttpResponseBase:
    """This bounce was wrong."""
    row = _find(person)
    reason = request.POST.get("reason", "").replace("\x00", "")
    try:
        membership.let_in_again(row, reason=reason, now=timezone.now(), by=request.user.get_username())
    except NewsletterError as error:
        return _page(request, row, problem=str(error), status=400)
    back = "bounces" if request.POST.get("back") == "bounces" else ""
    return private(HttpResponseRedirect(reverse(back) if back else reverse("subscriber", args=[row.pk])))


@allowed(Role.ADMIN)
@require_POST
def erase(request: HttpRequest, person: int) -> HttpResponseBase:
    """For good, when the word was typed."""
    row = _find(person)
    typed = request.POST.get("typed", "")
    try:
        home = settings.NEWSLETTER.home
        membership.erase(row, typed=typed, now=timezone.now(), by=request.user.get_username(), home=home)
    except NewsletterError as error:
        return _page(request, row, problem=str(error), status=400)
    return private(HttpResponseRedirect(f"{reverse('subscribers')}?erased=1"))


@allowed(Role.ADMIN)
@require_POST
def data(request: HttpRequest, person: int) -> HttpResponseBase:
    """Everything that is kept about them, as a file: what they may ask for."""
    row = _find(person)
    now = timezone.now()
    membership.note_data(row, now=now, by=request.user.get_username())
    body = json.dumps(data_of(row), indent=2, ensure_ascii=False)
    answer = HttpResponse(body, content_type="application/json; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="subscriber-{row.pk}.json"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return private(answer)


def _find(number: int) -> Subscriber:
    row = Subscriber.objects.filter(pk=number).first() if number < 2**63 else None
    if row is None:
        raise Http404("There is no such subscriber.")
    return row


def _subscriptions(person: Subscriber) -> list[Any]:
    return list(person.subscriptions.select_related("mailing_list", "subscriber").order_by("mailing_list__name"))


def _page(request: HttpRequest, person: Subscriber, *, problem: str = "", status: int = 200) -> HttpResponse:
    may_see = sees(request)
    moments = membership.timeline(person)
    everything = request.GET.get("all") == "1"
    context = {
        "person": person,
        "address": shown(request, person),
        "name": person.name if may_see else "",
        "subscriptions": [_subscription(one) for one in _subscriptions(person)],
        "suppressed": suppression.reasons([person.address_key]).get(person.address_key, ""),
        "suppression": Suppression.objects.filter(address_key=person.address_key).first(),
        "erase_at": minute(person.erase_at),
        "moments": [(one, minute(one.at)) for one in (moments if everything else moments[:SHOWN])],
        "more": 0 if everything else max(0, len(moments) - SHOWN),
        "query": text(request, "q"),
        "typed": request.POST if request.method == "POST" else {},
        "word": membership.ERASE,
        "problem": problem,
    }
    return show(request, "person", context, status=status)


def _subscription(row: Any) -> dict[str, Any]:
    return {
        "pk": row.pk,
        "list": row.mailing_list.name,
        "state": row.state,
        "word": _STATES.get(row.state, row.state.capitalize()),
        "since": day(row.state_at),
        "joined": day(row.joined_at),
        "confirmed": day(row.confirmed_at),
        "accepted": day(row.last_accepted_at),
        "topics": ", ".join(row.topics) or _("all topics"),
        "frequency": {"weekly": _("every issue"), "monthly": _("the first issue of a month")}.get(
            row.frequency, row.frequency
        ),
        "until": day(row.paused_until),
    }
