"""Any address, and what there is to read behind it: a feed, a WordPress site, a page; found, tried, and explained."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from newsletter.core.discovery import Offer, Offers, feed_name, guesses, offers_of
from newsletter.core.errors import FetchError, SourceError
from newsletter.core.sentence import sentence, together
from newsletter.flow.sourcing.trying import Tried, name_of, try_source
from newsletter.sources.base import SourceSpec
from newsletter.sources.feed import ACCEPT
from newsletter.sources.fetch import Fetched, Fetcher
from newsletter.sources.guard import check_url
from newsletter.sources.page import decoded

SECONDS = 25.0
"""After this long no further way is tried; the one that is under way ends with its own deadline."""

LONGEST = 2000
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(?!\d)", re.IGNORECASE)
_NOTHING = sentence("Nothing to read was found there: no feed, no WordPress site, no article.")
_LOGIN = sentence("This page asks for a log-in. Only what everybody may read can be gathered.")


@dataclass(frozen=True, slots=True)
class Found:
    """What is behind an address: the way that reads best with what it gave, why it was taken, what the site calls
    itself, and the other ways that there are. `tried.error` says that there is none, in plain words.
    """

    tried: Tried
    why: str = ""
    name: str = ""
    others: tuple[Offer, ...] = ()


def web_address(text: str) -> tuple[str, bool]:
    """The address that somebody typed, and whether its scheme was guessed. Raises `SourceError` for none."""
    text = text.strip()
    if not text:
        raise SourceError(sentence("There is no address."), hint=sentence("Type one, like lantern.example.org."))
    if len(text) > LONGEST:
        raise SourceError(sentence("The address is longer than {longest} characters.", longest=f"{LONGEST:,}"))
    if re.search(r"[\x00-\x20\x7f\\]", text):
        raise SourceError(
            sentence("An address has no spaces in it."), hint=sentence("Type one, like lantern.example.org.")
        )
    text = text[5:] if text.lower().startswith("feed:") else text
    guessed = "://" not in text
    if guessed and _SCHEME.match(text):
        raise SourceError(sentence("Only web addresses can be read."), hint=sentence("They begin with https://"))
    url = f"https://{text.removeprefix('//')}" if guessed else text
    check_url(url)
    return url, guessed


def find(
    address: str,
    fetcher: Fetcher,
    *,
    language: str = "",
    timezone: str = "UTC",
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Look at what lies at a typed address, and try the ways to read it, the best first, for some `seconds`.

    In that order: the address as a feed; what the page there names, WordPress before feeds; where feeds lie on most
    sites; the page itself as an article. Each address is asked for once. What goes wrong is said in `tried.error`.
    """
    ends = clock() + seconds
    try:
        url, guessed = web_address(address)
    except SourceError as error:
        return Found(Tried("", address, error=together(error.message, error.hint)))
    memory = _Remembering(fetcher)
    spec = SourceSpec(name=name_of(url), kind="feed", location=url, language=language, timezone=timezone)
    try:
        asked, first = _look(memory, url, or_http=guessed)
    except FetchError as error:
        return Found(Tried("", url, error=together(error.message, error.hint)))
    spec = replace(spec, location=first.permanent_url or asked)
    memory.know(spec.location, first)
    as_feed = try_source(spec, memory)
    if not as_feed.error:
        return Found(
            as_feed, sentence("This address is a feed."), feed_name(decoded(first)) or name_of(as_feed.location)
        )
    is_page = bool(re.search(r"html|^$", first.media_type))
    page = offers_of(decoded(first), first.url) if is_page else Offers()
    alone = Offer("page", spec.location, sentence("This one page, as an article."))
    ways = [*page.offers]
    if not page.offers:
        ways.append(Offer("wordpress", spec.location, sentence("WordPress answers here with its posts.")))
        ways += guesses(first.url) if is_page else ()
    best: tuple[Tried, Offer] | None = None
    for way in (*ways, alone) if is_page else ways:
        if clock() > ends:
            break
        tried = try_source(replace(spec, kind=way.kind, location=way.location), memory)
        if not tried.error and (best is None or (tried.entries and not best[0].entries)):
            best = tried, way
        if tried.entries:
            break
    if best is None:
        why = _LOGIN if page.login else _NOTHING if is_page else as_feed.error
        return Found(Tried("", spec.location, error=why))
    others = tuple(way for way in (*page.offers, alone) if is_page and way != best[1])
    return Found(best[0], best[1].why, page.name or name_of(best[0].location), others)


def _look(fetcher: Fetcher, url: str, *, or_http: bool) -> tuple[str, Fetched]:
    """The first look, and the address that was asked: a site that can't be reached by https is asked by http, when the
    scheme was our own guess.
    """
    try:
        return url, fetcher.get(url, accept=ACCEPT)
    except FetchError as error:
        if not or_http or error.status is not None:
            raise
        plain = url.replace("https:", "http:", 1)
        try:
            return plain, fetcher.get(plain, accept=ACCEPT)
        except FetchError:
            raise error from None


class _Remembering(Fetcher):
    """A fetcher that asks for each address once: the ways to read a site look at the same page several times."""

    def __init__(self, fetcher: Fetcher) -> None:
        """Works through `fetcher`, its guard, its bounds and its patience."""
        super().__init__(allow=fetcher.allow)
        self._inner = fetcher
        self._answers: dict[str, Fetched] = {}

    def know(self, url: str, answer: Fetched) -> None:
        """What was found at `url` by another way."""
        self._answers[url] = answer

    def get(
        self, url: str, *, etag: str = "", last_modified: str = "", accept: str = "*/*", max_bytes: int | None = None
    ) -> Fetched:
        """The answer, remembered; there is nothing to be unchanged from."""
        if url not in self._answers:
            self._answers[url] = self._inner.get(url, accept=accept, max_bytes=max_bytes)
        return self._answers[url]
