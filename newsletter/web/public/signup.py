"""Sign-up: a page of our own, and the same form on any site, as plain HTML or with a script.

Whatever the address, the answer is the same page, with the same status, after the same work: one row is written and
nothing is looked up. No cookie, no log-in, no CSRF token: there is nothing here that a session could add to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from newsletter.core.rubrics import label
from newsletter.core.tokens import read_token, token
from newsletter.core.typos import meant
from newsletter.flow import signup
from newsletter.flow.signup import Client, Copy, Limited
from newsletter.models import SignupForm
from newsletter.web.headers import for_readers, private
from newsletter.web.links import keys
from newsletter.web.public.showing import language_of, show
from subscribers import address
from subscribers.errors import AddressError

SOONEST, LATEST = timedelta(seconds=2), timedelta(hours=24)
"""How long a person takes over a form, at least and at most."""
TRAP = "company"
"""A field that no person sees: whoever fills it in is a program."""
MOST_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Entered:
    """What a form came with. `stamp` says when it was shown; "" on a static page that can't know."""

    address: str = ""
    name: str = ""
    topics: tuple[str, ...] = ()
    stamp: str = ""
    trap: str = ""
    sure: bool = False
    page: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, Any], topics: Iterable[str]) -> Entered:
        """From a form's fields or a JSON object; anything but text counts as nothing."""

        def text(key: str) -> str:
            value = fields.get(key, "")
            return value.strip() if isinstance(value, str) else ""

        return cls(
            text("instead") or text("address"), text("name"), tuple(str(topic) for topic in topics), text("stamp"),
            text(TRAP), bool(fields.get("sure")), text("page"),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it: done, or what to say and where. `suggestion` is an address that may have been meant."""

    done: bool
    message: str = ""
    field: str = ""
    suggestion: str = ""
    status: int = 200


View = Callable[[HttpRequest, SignupForm], HttpResponse]


def _by_slug(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
    @csrf_exempt
    @wraps(view)
    def found(request: HttpRequest, form: str) -> HttpResponse:
        row = SignupForm.objects.select_related("newsletter__magazine", "newsletter__mailing_list").filter(slug=form)
        known = row.first()
        if known is None:
            return show(request, "public/missing.html", {}, language=language_of(request), status=404)
        return view(request, known)

    return found


@_by_slug
def page(request: HttpRequest, form: SignupForm) -> HttpResponse:
    """GET shows the form, POST takes it."""
    language = language_of(request, request.POST.get("lang", "") if request.method == "POST" else "",
                           form.newsletter.language)  # fmt: skip
    if request.method in ("GET", "HEAD"):
        return _shown(request, form, Entered(), None, language)
    if request.method != "POST":
        return for_readers(HttpResponseNotAllowed(["GET", "HEAD", "POST"]))
    entered = Entered.of(request.POST, request.POST.getlist("topics"))
    with translation.override(language):
        answer = _taken(request, form, entered, language)
    if answer.done:
        return show(request, "public/signup_sent.html", {"form": form, "page": _back(form, entered)},
                    language=language, newsletter=form.newsletter)  # fmt: skip
    return _shown(request, form, entered, answer, language)


@_by_slug
def endpoint(request: HttpRequest, form: SignupForm) -> HttpResponse:
    """The same as JSON, for a script on a site that the form allows: GET gives texts and a stamp, POST takes it."""
    language = language_of(request, form.newsletter.language)
    with translation.override(language):
        if request.method == "OPTIONS":
            response = HttpResponse(status=204)
            response.headers["Access-Control-Allow-Methods"] = "GET, POST"
            response.headers["Access-Control-Allow-Headers"] = "Content-Type"
            response.headers["Access-Control-Max-Age"] = "600"
        elif request.method in ("GET", "HEAD"):
            response = JsonResponse(_described(form, language))
        elif request.method == "POST":
            response = _json_answer(request, form, language)
        else:
            response = HttpResponseNotAllowed(["GET", "HEAD", "POST", "OPTIONS"])
    origin = request.headers.get("Origin", "")
    if origin in form.origins:
        response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Vary"] = "Origin, Accept-Language"
    return private(response)


@_by_slug
def script(request: HttpRequest, form: SignupForm) -> HttpResponse:
    """The script that builds the form on a magazine's own page. It asks nobody but us, and keeps nothing."""
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    where = _absolute("signup-json", form)
    response = render(request, "public/signup.js", {"where": where, "trap": TRAP, "slug": form.slug}, using="jinja2",
                      content_type="text/javascript; charset=utf-8")  # fmt: skip
    response.headers["Cache-Control"] = "public, max-age=300"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


# --- what was handed in ----------------------------------------------------------------------------------------------


def _taken(request: HttpRequest, form: SignupForm, entered: Entered, language: str) -> Answer:
    if not form.is_open:
        return Answer(False, _("This form is closed for now."), status=410)
    if entered.trap:
        return Answer(True)  # a program: it is told what everybody is told
    if (answer := _stamped(request, form, entered)) is not None:
        return answer
    try:
        found = address.parse(entered.address)
    except AddressError:
        words = _("That doesn’t look like an email address. Example: name@example.org")
        return Answer(False, words, "address", status=422)
    local, _at, domain = found.shown.rpartition("@")
    better = meant(domain)
    if better and not entered.sure:
        return Answer(False, _("Did you mean this?"), "address", f"{local}@{better}", status=422)
    try:
        signup.receive(
            form,
            found,
            now=timezone.now(),
            client=Client.of(client_address(request), request.headers.get("User-Agent", ""), keys()),
            copy=signup.copy_of(form),
            per_client=settings.NEWSLETTER.signup_per_client,
            name=entered.name,
            topics=entered.topics,
            language=language,
            page=entered.page or request.headers.get("Referer", ""),
        )
    except Limited:
        return Answer(False, _("Too many tries. Wait a few minutes."), status=429)
    return Answer(True)


def _stamped(request: HttpRequest, form: SignupForm, entered: Entered) -> Answer | None:
    """None when a person can have filled it in: shown two seconds ago at least and a day at most, or on a static page
    of a site that may carry it.
    """
    if not entered.stamp and request.headers.get("Origin", "") in form.origins:
        return None
    shown_at = read_token(keys(), _purpose(form), entered.stamp) if entered.stamp else None
    if shown_at is not None and SOONEST <= timezone.now() - datetime.fromtimestamp(shown_at, UTC) <= LATEST:
        return None
    words = _("One more press, please: that went too fast, or the page had been open for too long.")
    return Answer(False, words, status=422)


def _stamp(form: SignupForm) -> str:
    return token(keys(), _purpose(form), int(timezone.now().timestamp()))


def _stamp_after(form: SignupForm, entered: Entered, answer: Answer | None) -> str:
    """The stamp that goes on: who mends an address has been seen already, and may press as fast as they like."""
    return entered.stamp if answer is not None and answer.field and entered.stamp else _stamp(form)


def _purpose(form: SignupForm) -> str:
    return f"form {form.pk}"


def client_address(request: HttpRequest) -> str:
    """Who asks: the last address of the header that the trusted proxy sets, else whoever connects."""
    name = settings.NEWSLETTER.client_header
    if name:
        return request.headers.get(name, "").rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


# --- what is shown ---------------------------------------------------------------------------------------------------


def _shown(
    request: HttpRequest, form: SignupForm, entered: Entered, answer: Answer | None, language: str
) -> HttpResponse:
    with translation.override(language):
        copy: Copy = signup.copy_of(form)
        context = {
            "form": form,
            "copy": copy,
            "entered": entered,
            "answer": answer,
            "stamp": _stamp_after(form, entered, answer),
            "trap": TRAP,
            "topics": [(topic, label(topic, language)) for topic in form.topics],
            "privacy": _absolute_privacy(form),
        }
    status = answer.status if answer else 200
    if not form.is_open:
        status = 410 if answer else 200
    return show(request, "public/signup.html", context, language=language, newsletter=form.newsletter, status=status)


def _described(form: SignupForm, language: str) -> dict[str, Any]:
    copy = signup.copy_of(form)
    return {
        "open": form.is_open,
        "language": language,
        "heading": copy.heading,
        "sub": copy.sub,
        "button": copy.button,
        "consent": copy.consent,
        "ask_name": form.ask_name,
        "topics": [{"key": topic, "label": label(topic, language)} for topic in form.topics],
        "stamp": _stamp(form),
        "words": {
            "address": _("Email address"),
            "name": _("First name"),
            "topics": _("Topics"),
            "optional": _("optional"),
            "privacy": _("Privacy"),
            "use": _("Use {address}"),
            "failed": _("That didn’t reach us. Check your connection and press again."),
        },
        "privacy": _absolute_privacy(form),
    }


def _json_answer(request: HttpRequest, form: SignupForm, language: str) -> HttpResponse:
    try:
        if len(request.body) > MOST_BYTES:
            raise ValueError
        fields = json.loads(request.body)
        topics = fields.get("topics", [])
        entered = Entered.of(fields, topics if isinstance(topics, list) else [])
    except (ValueError, AttributeError):
        return JsonResponse({"ok": False, "message": _("This is not a form that we know.")}, status=400)
    answer = _taken(request, form, entered, language)
    if answer.done:
        return JsonResponse({"ok": True, "message": sent_words(form)})
    body = {"ok": False, "message": answer.message, "field": answer.field, "suggestion": answer.suggestion}
    return JsonResponse(body | {"stamp": _stamp_after(form, entered, answer)}, status=answer.status)


def sent_words(form: SignupForm) -> str:
    """The one answer, whatever the address."""
    words = _("Check your inbox. If this address can receive {newsletter}, a confirmation is on its way.")
    return words.format(newsletter=form.newsletter.name)


def _back(form: SignupForm, entered: Entered) -> str:
    """The page that one came from, when it is one of the form's own sites: no other address is ever linked."""
    return entered.page if any(entered.page.startswith(f"{origin}/") for origin in form.origins) else ""


def _absolute_privacy(form: SignupForm) -> str:
    """The magazine's own privacy page, else ours."""
    ours = f"{settings.NEWSLETTER.base_url.rstrip('/')}{reverse('privacy', args=[form.newsletter.slug])}"
    return form.newsletter.magazine.privacy_url or ours


def _absolute(name: str, form: SignupForm) -> str:
    return f"{settings.NEWSLETTER.base_url.rstrip('/')}{reverse(name, args=[form.slug])}"
