"""The preference centre, and behind a fresh link one's data, address and erasure. GET changes nothing anywhere here."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from newsletter.core.rubrics import label
from newsletter.core.tokens import ADDRESS, DATA, PREFERENCES
from newsletter.core.words import long_date
from newsletter.flow import preferences as flow
from newsletter.flow.issue.facts import our_sources
from newsletter.flow.preferences import Link
from newsletter.flow.signup.confirming import newsletter_of
from newsletter.models import Entry, Newsletter
from newsletter.web.headers import for_readers, private
from newsletter.web.links import keys
from newsletter.web.public.showing import language_of, show
from subscribers import address, erasure
from subscribers import preferences as choices
from subscribers.address import masked
from subscribers.errors import AddressError
from subscribers.models import Frequency, Subscription

PAUSES = {"2w": timedelta(days=14), "1m": timedelta(days=30), "3m": timedelta(days=91)}
ORIGIN = "preferences page"

View = Callable[[HttpRequest, Link, str], HttpResponse]


def behind(purpose: str, *methods: str) -> Callable[[View], Callable[[HttpRequest, str], HttpResponse]]:
    """A view behind a link of this purpose. What is not ours is one 404, however it is wrong; what has aged offers a
    fresh one.
    """

    def decorate(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
        @csrf_exempt
        @wraps(view)
        def found(request: HttpRequest, token: str) -> HttpResponse:
            if request.method not in methods:
                return for_readers(HttpResponseNotAllowed(methods))
            link = flow.read_link(purpose, token, keys=keys(), now=timezone.now())
            if link.subscription is None:
                return show(request, "public/link.html", {"kind": "unknown"}, language=language_of(request), status=404)
            if link.expired:
                return _stale(request, link.subscription, purpose, token)
            return view(request, link, token)

        return found

    return decorate


# --- what a letter's link opens --------------------------------------------------------------------------------------


@behind(PREFERENCES, "GET", "HEAD", "POST")
def page(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    """GET shows the choices, POST stores them and says what the next issue will be."""
    row = link.subscription
    assert row is not None
    saved = False
    if request.method == "POST":
        offered = _offered(row, newsletter_of(row))
        asked = [topic for topic in request.POST.getlist("topics") if topic in offered]
        language = request.POST.get("language", "")
        frequency = request.POST.get("frequency", "")
        before = choices.choices_of(row)
        choices.choose(
            row,
            choices.Choices(
                # All of them is no choice: topics to come belong to it as well. None of them is no wish for all.
                topics=() if set(asked) == set(offered) else tuple(asked) or before.topics,
                frequency=frequency if frequency in Frequency.values else before.frequency,
                language=language if language in settings.COMPLETE_LANGUAGES else before.language,
                plain_text=request.POST.get("format") == "text",
                name=before.name,
            ),
            now=timezone.now(),
            origin=ORIGIN,
        )
        saved = True
    return _centre(request, row, token, saved="saved" if saved else "")


@behind(PREFERENCES, "POST")
def pause(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    """No mail for a while; it comes back by itself."""
    row = link.subscription
    assert row is not None
    length = PAUSES.get(request.POST.get("length", ""))
    now = timezone.now()
    if length is not None:
        choices.pause(row, until=now + length, now=now, origin=ORIGIN)
    return _centre(request, row, token, saved="paused" if length else "")


@behind(PREFERENCES, "POST")
def resume(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    """Back before its time."""
    row = link.subscription
    assert row is not None
    choices.resume(row, now=timezone.now(), origin=ORIGIN)
    return _centre(request, row, token, saved="resumed")


@csrf_exempt
def fresh(request: HttpRequest, token: str) -> HttpResponse:
    """Mail a link: a new one for a stale one, or the one to the data. The page is the same whatever came of it."""
    if request.method != "POST":
        return for_readers(HttpResponseNotAllowed(["POST"]))
    now = timezone.now()
    link = flow.read_link(PREFERENCES, token, keys=keys(), now=now)
    if link.subscription is None:
        link = flow.read_link(DATA, token, keys=keys(), now=now)
    language = language_for(request, link.subscription)
    newsletter = newsletter_of(link.subscription) if link.subscription else None
    if link.subscription is not None:
        purpose = DATA if request.POST.get("what") == "data" else PREFERENCES
        flow.send_link(link.subscription, purpose, keys=keys(), base_url=settings.NEWSLETTER.base_url, now=now)
    return show(request, "public/link.html", {"kind": "sent"}, language=language, newsletter=newsletter)


def _centre(request: HttpRequest, subscription: Subscription, token: str, *, saved: str = "") -> HttpResponse:
    row = Subscription.objects.select_related("subscriber", "mailing_list").get(pk=subscription.pk)
    newsletter = newsletter_of(row)
    language = language_for(request, row)
    with translation.override(language):
        topics = _offered(row, newsletter)
        titles, number = flow.next_titles(newsletter, row.topics) if newsletter else ([], 0)
        context = {
            "token": token,
            "saved": saved,
            "address": masked(row.subscriber.address),
            "state": row.state,
            "chosen": choices.choices_of(row),
            "topics": [(topic, label(topic, language)) for topic in topics],
            "languages": [each for each in settings.LANGUAGES if each[0] in settings.COMPLETE_LANGUAGES],
            "spoken": language,
            "back": _day(row.paused_until, newsletter, language) if row.paused_until else "",
            "titles": titles,
            "more": number - len(titles),
            "total": number,
        }
    return show(request, "public/preferences.html", context, language=language, newsletter=newsletter)


def _offered(subscription: Subscription, newsletter: Newsletter | None) -> list[str]:
    """The topics to choose from: what the newsletter has, and what they chose when it still had that."""
    found = [topic for topic, _count in _topics(newsletter)]
    return [*found, *(topic for topic in subscription.topics if topic not in found)]


def _topics(newsletter: Newsletter | None) -> list[tuple[str, int]]:
    """The rubrics that this newsletter's sources bring, the most frequent first: what there is to choose from."""
    entries = Entry.objects.all()
    if newsletter is not None:
        entries = entries.filter(our_sources(newsletter))
    counts: dict[str, int] = {}
    for rubric in entries.order_by("-pk").values_list("content__rubric", flat=True)[:2000]:
        if rubric:
            counts[rubric] = counts.get(rubric, 0) + 1
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


# --- what only a fresh mail's link opens -----------------------------------------------------------------------------


@behind(DATA, "GET", "HEAD")
def data(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    """One's data on a page, with what can be done about it."""
    return _data_page(request, link, token)


@behind(DATA, "GET", "HEAD")
def export(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    """The same as a file."""
    assert link.subscription is not None
    found = flow.data_of(link.subscription.subscriber)
    response = HttpResponse(json.dumps(found, indent=2, ensure_ascii=False), content_type="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return private(for_readers(response))


@behind(DATA, "POST")
def move(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    """Ask the new address. Whoever asks sees the same, whosever it is."""
    row = link.subscription
    assert row is not None
    typed = request.POST.get("address", "").strip()
    try:
        to = address.parse(typed)
    except AddressError:
        return _data_page(request, link, token, problem=typed or " ", status=422)
    flow.ask_to_move(row, to, keys=keys(), base_url=settings.NEWSLETTER.base_url, now=timezone.now())
    return _data_page(request, link, token, done="asked")


@behind(DATA, "POST")
def name(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    """Another name, or none."""
    row = link.subscription
    assert row is not None
    before = choices.choices_of(row)
    wanted = choices.Choices(
        before.topics, before.frequency, before.language, before.plain_text, request.POST.get("name", "").strip()
    )
    choices.choose(row, wanted, now=timezone.now(), origin=ORIGIN)
    return _data_page(request, link, token, done="name")


@behind(DATA, "POST")
def erase(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    """Everything goes in a day: the word must be typed, in the page's language."""
    row = link.subscription
    assert row is not None
    with translation.override(language_for(request, row)):
        words = {_("delete").casefold(), "delete"}
    if request.POST.get("word", "").strip().casefold() not in words:
        return _data_page(request, link, token, done="word", status=422)
    flow.ask_to_erase(row, keys=keys(), base_url=settings.NEWSLETTER.base_url, now=timezone.now())
    return _data_page(request, link, token, done="erasing")


@behind(DATA, "POST")
def keep(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    """Take the erasure back, in time."""
    row = link.subscription
    assert row is not None
    with translation.override(language_for(request, row)):
        wording = _("Keep my data after all")
    erasure.undo(row.subscriber, now=timezone.now(), wording=wording)
    return _data_page(request, link, token, done="kept")


def _data_page(
    request: HttpRequest, link: Link, token: str, *, done: str = "", problem: str = "", status: int = 200
) -> HttpResponse:
    assert link.subscription is not None
    row = Subscription.objects.select_related("subscriber", "mailing_list").get(pk=link.subscription.pk)
    newsletter, language = newsletter_of(row), language_for(request, row)
    person = row.subscriber
    context = {
        "token": token,
        "done": done,
        "problem": problem,
        "person": person,
        "facts": flow.data_of(person),
        "erase_on": _day(person.erase_at, newsletter, language) if person.erase_at else "",
    }
    return show(request, "public/data.html", context, language=language, newsletter=newsletter, status=status)


@behind(ADDRESS, "GET", "HEAD", "POST")
def moved(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    """The new address says yes, by a button."""
    row = link.subscription
    assert row is not None
    newsletter, language = newsletter_of(row), language_for(request, row)
    kind = "move"
    if request.method == "POST":
        kind = "moved" if flow.move(row, now=timezone.now()) else "taken"
    shown = masked(row.subscriber.new_address)
    return show(request, "public/link.html", {"kind": kind, "address": shown, "token": token},
                language=language, newsletter=newsletter)  # fmt: skip


# --- for all of them -------------------------------------------------------------------------------------------------


def _stale(request: HttpRequest, subscription: Subscription, purpose: str, token: str) -> HttpResponse:
    context = {"kind": "expired" if purpose != ADDRESS else "unknown", "token": token,
               "what": "data" if purpose == DATA else ""}  # fmt: skip
    return show(request, "public/link.html", context, language=language_for(request, subscription),
                newsletter=newsletter_of(subscription))  # fmt: skip


def language_for(request: HttpRequest, subscription: Subscription | None) -> str:
    """The language of a page for this subscriber, or for nobody in particular."""
    if subscription is None:
        return language_of(request)
    newsletter = newsletter_of(subscription)
    return language_of(request, subscription.subscriber.language, newsletter.language if newsletter else "")


def _day(moment: datetime, newsletter: Newsletter | None, language: str) -> str:
    zone = ZoneInfo(newsletter.timezone) if newsletter else timezone.get_current_timezone()
    return long_date(moment.astimezone(zone).date(), language)
