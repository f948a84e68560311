"""One-click unsubscribe (RFC 8058) and its page.

POST stops the mail, at once, whatever the body: multipart, urlencoded, empty or broken; no cookie, no log-in, no CSRF
token, no redirect, always 200, and again as often as it likes. Everything else (GET, HEAD, OPTIONS) changes nothing:
link scanners open every link of a mail, some with JavaScript on. So the page has one button, and the button is a POST.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from newsletter.core.tokens import UNSUBSCRIBE, read_token
from newsletter.core.words import dir_of
from newsletter.models import Newsletter
from newsletter.web.headers import for_readers
from newsletter.web.links import keys
from newsletter.web.public.words import words
from subscribers import consent
from subscribers.address import masked
from subscribers.models import Subscription, SubscriptionState

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
    text = words(_language(subscription))["undo"]
    consent.resubscribe(subscription, now=timezone.now(), origin=f"{consent.LINK} undo", wording=text)
    return _state(request, subscription, undone=True)


def _state(request: HttpRequest, subscription: Subscription, *, undone: bool = False) -> HttpResponse:
    """The page of the state as it is now: asked, done or back."""
    subscription.refresh_from_db()
    stopped = subscription.state == SubscriptionState.UNSUBSCRIBED
    kind = "done" if stopped else "back" if undone else "ask"
    can_undo = stopped and consent.can_resubscribe(subscription, now=timezone.now())
    return _answer(request, kind, subscription=subscription, can_undo=can_undo)


def _answer(
    request: HttpRequest,
    kind: str,
    *,
    subscription: Subscription | None = None,
    can_undo: bool = False,
    status: int = 200,
) -> HttpResponse:
    language = _language(subscription) if subscription else "en"
    facts = {
        "name": _name(subscription) if subscription else "",
        "address": masked(subscription.subscriber.address) if subscription else "",
    }
    context = {
        "language": language,
        "direction": dir_of(language),
        # Only our own sentences are formats; a name with braces in it is data.
        "words": {key: text.format(**facts) for key, text in words(language).items()},
        "kind": kind,
        "can_undo": can_undo,
        "magazine": facts["name"],
        "token": request.path.split("/")[2],
    }
    return for_readers(render(request, "public/unsubscribe.html", context, status=status, using="jinja2"))


def _not_allowed(methods: list[str]) -> HttpResponse:
    return for_readers(HttpResponseNotAllowed(methods))


def _name(subscription: Subscription) -> str:
    """What the reader knows it by: the newsletter's name, where exactly one goes to this list."""
    names = list(Newsletter.objects.filter(mailing_list=subscription.mailing_list).values_list("name", flat=True)[:2])
    return names[0] if len(names) == 1 else subscription.mailing_list.name


def _language(subscription: Subscription) -> str:
    if subscription.subscriber.language:
        return subscription.subscriber.language
    languages = Newsletter.objects.filter(mailing_list=subscription.mailing_list).values_list("language", flat=True)
    return languages.first() or "en"


def _origin(request: HttpRequest) -> str:
    """Who pressed: the mailbox's own button or ours. Only a note; an unreadable body is a one-click like any other."""
    try:
        by_page = "from_page" in request.POST
    except Exception:  # a broken or over-large body must never keep anybody subscribed
        by_page = False
    return f"{consent.LINK} page" if by_page else f"{consent.LINK} one-click"
