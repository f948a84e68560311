"""One-click unsubscribe (RFC 8058) and its page.

POST stops the mail, at once, whatever the body: multipart, urlencoded, empty or broken; no cookie, no log-in, no CSRF
token, no redirect, always 200, and again as often as it likes. Everything else (GET, HEAD, OPTIONS) changes nothing:
link scanners open every link of a mail, some with JavaScript on. So the page has one button, and the button is a POST.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, timedelta
from functools import wraps
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from newsletter.core.tokens import UNSUBSCRIBE, read_token
from newsletter.core.words import long_date
from newsletter.flow.signup.confirming import newsletter_of
from newsletter.models import Newsletter
from newsletter.web.headers import for_readers
from newsletter.web.links import keys
from newsletter.web.public.showing import EVERY, language_of, show
from subscribers import consent, preferences
from subscribers.address import masked
from subscribers.models import Frequency, Subscription, SubscriptionState

PAUSE = timedelta(days=30)
REASONS = ("too often", "not for me", "never asked", "another address", "other")
"""What may be said on leaving, as it is kept."""

View = Callable[[HttpRequest, Subscription], HttpResponse]


def _by_token(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
    """Find the subscription. A token that we did not make is one and the same 404, however it is wrong; one that we did
    make for a person who is gone is a friendly 200, also years later.
    """

    @csrf_exempt
    @wraps(view)
    def found(request: HttpRequest, token: str) -> HttpResponse:
        number = read_token(keys(), UNSUBSCRIBE, token)
        if number is None:
            return _answer(request, "unknown", status=404)
        rows = Subscription.objects.select_related("subscriber", "mailing_list")
        subscription = rows.filter(pk=number).first()
        if subscription is None:
            return _answer(request, "gone")
        return view(request, subscription)

    return found


@_by_token
def page(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    """GET asks, POST does."""
    if request.method == "POST":
        consent.unsubscribe(subscription, now=timezone.now(), origin=_origin(request))
        return _state(request, subscription)
    if request.method in ("GET", "HEAD"):
        return _state(request, subscription)
    return _not_allowed(["GET", "HEAD", "POST"])


@_by_token
def undo(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    """Take it back, with the same link, while that is open. An address of its own: no one-click body can mean it."""
    if request.method != "POST":
        return _not_allowed(["POST"])
    with translation.override(_language(request, subscription)):
        text = _("Undo")
    consent.resubscribe(subscription, now=timezone.now(), origin=f"{consent.LINK} undo", wording=text)
    return _state(request, subscription, undone=True)


@_by_token
def pause(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    """A month without mail, in place of none at all."""
    if request.method != "POST":
        return _not_allowed(["POST"])
    now = timezone.now()
    # This link may be anybody's by now: it makes a pause longer, never shorter.
    if subscription.paused_until is None or subscription.paused_until < now + PAUSE:
        preferences.pause(subscription, until=now + PAUSE, now=now, origin=f"{consent.LINK} page")
    return _state(request, subscription)


@_by_token
def fewer(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    """One issue a month, in place of none at all."""
    if request.method != "POST":
        return _not_allowed(["POST"])
    wanted = dataclasses.replace(preferences.choices_of(subscription), frequency=Frequency.MONTHLY)
    preferences.choose(subscription, wanted, now=timezone.now(), origin=f"{consent.LINK} page")
    return _state(request, subscription, fewer=True)


@_by_token
def reason(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    """Why, if they like to say. It changes nothing, and is kept with the unsubscribe that it explains."""
    if request.method != "POST":
        return _not_allowed(["POST"])
    word = request.POST.get("reason", "")
    if word in REASONS:
        consent.explain(subscription, word)
    return _state(request, subscription, thanked=word in REASONS)


def _state(
    request: HttpRequest,
    subscription: Subscription,
    *,
    undone: bool = False,
    fewer: bool = False,
    thanked: bool = False,
) -> HttpResponse:
    """The page of the state as it is now: asked, done, paused, fewer or back."""
    subscription.refresh_from_db()
    stopped = subscription.state == SubscriptionState.UNSUBSCRIBED
    paused = subscription.state == SubscriptionState.PAUSED
    kind = "done" if stopped else "back" if undone else "paused" if paused else "fewer" if fewer else "ask"
    can_undo = stopped and consent.can_resubscribe(subscription, now=timezone.now())
    return _answer(request, kind, subscription=subscription, can_undo=can_undo, thanked=thanked)


def _answer(
    request: HttpRequest,
    kind: str,
    *,
    subscription: Subscription | None = None,
    can_undo: bool = False,
    thanked: bool = False,
    status: int = 200,
) -> HttpResponse:
    newsletter = newsletter_of(subscription) if subscription else None
    language = _language(request, subscription)
    back = ""
    if subscription is not None and subscription.paused_until is not None:
        zone = ZoneInfo(newsletter.timezone) if newsletter else UTC
        back = long_date(subscription.paused_until.astimezone(zone).date(), language)
    context = {
        "kind": kind,
        "name": _name(subscription) if subscription else "",
        "address": masked(subscription.subscriber.address) if subscription else "",
        "monthly": subscription is not None and subscription.frequency == Frequency.MONTHLY,
        "back": back,
        "can_undo": can_undo,
        "can_explain": kind == "done" and not thanked,
        "thanked": thanked,
        "token": request.path.split("/")[2],
    }
    return show(request, "public/unsubscribe.html", context, language=language, newsletter=newsletter, status=status)


def _not_allowed(methods: list[str]) -> HttpResponse:
    return for_readers(HttpResponseNotAllowed(methods))


def _name(subscription: Subscription) -> str:
    """What the reader knows it by: the newsletter's name, where exactly one goes to this list."""
    names = list(Newsletter.objects.filter(mailing_list=subscription.mailing_list).values_list("name", flat=True)[:2])
    return names[0] if len(names) == 1 else subscription.mailing_list.name


def _language(request: HttpRequest, subscription: Subscription | None) -> str:
    if subscription is None:
        return language_of(request, spoken=EVERY)
    newsletter = newsletter_of(subscription)
    own = subscription.subscriber.language
    return language_of(request, own, newsletter.language if newsletter else "", spoken=EVERY)


def _origin(request: HttpRequest) -> str:
    """Who pressed: the mailbox's own button or ours. Only a note; an unreadable body is a one-click like any other."""
    try:
        by_page = "from_page" in request.POST
    except Exception:  # a broken or over-large body must never keep anybody subscribed
        by_page = False
    return f"{consent.LINK} page" if by_page else f"{consent.LINK} one-click"
