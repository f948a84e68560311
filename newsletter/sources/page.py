"""One article at its address: structured data, head and body of the page, in the order of who is believed."""

from __future__ import annotations

import logging
import re

from newsletter.core.content import EntryContent, PictureRef
from newsletter.core.entry import Found, make_entry
from newsletter.core.errors import ContentError, SourceError
from newsletter.core.jsonld import read_page_data
from newsletter.core.markup import shown_address
from newsletter.core.page import read_page
from newsletter.core.prose import count_words, without_controls
from newsletter.core.sentence import sentence
from newsletter.core.titles import without_site
from newsletter.sources.base import Gathered, SourceSpec
from newsletter.sources.feed import settings_of, unchanged
from newsletter.sources.fetch import Fetched, Fetcher

logger = logging.getLogger(__name__)

_META_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_FEW_WORDS = 40


class PageSource:
    """The page of one article."""

    kind = "page"

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    def gather(self, spec: SourceSpec) -> Gathered:
        """Fetch and read the page. Raises `FetchError` when it can't be had, `SourceError` when no article is on it."""
        answer = self._fetcher.get(
            spec.location,
            etag=spec.etag,
            last_modified=spec.last_modified,
            accept="text/html, application/xhtml+xml, */*;q=0.5",
        )
        if answer.unchanged:
            return unchanged(spec, answer)
        if answer.media_type and not re.search(r"html|xml|text/plain", answer.media_type):
            raise SourceError(
                sentence("This is not a web page but {media_type}.", media_type=answer.media_type), where=answer.url
            )
        try:
            entry = read_article(decoded(answer), answer.url, spec)
        except ContentError as error:
            raise SourceError(error.message, where=answer.url, hint=error.hint) from error
        return Gathered(
            entries=(entry,),
            etag=answer.etag,
            last_modified=answer.last_modified,
            raw_hash=answer.sha256,
            final_url=answer.permanent_url,
        )


def decoded(answer: Fetched) -> str:
    """The page's text: by byte order mark, header, its own meta, else UTF-8 and at last Windows-1252."""
    body = answer.body
    named = _META_CHARSET.search(body[:4096])
    for charset in (
        "utf-8-sig" if body.startswith(b"\xef\xbb\xbf") else "",
        answer.charset,
        named[1].decode("ascii") if named else "",
        "utf-8",
    ):
        try:
            if charset:
                return body.decode(charset)
        except (LookupError, UnicodeDecodeError):
            continue
    return body.decode("cp1252", "replace")


def read_article(markup: str, url: str, spec: SourceSpec) -> EntryContent:
    """The article of a page. Raises `ContentError` when no article can be found on it."""
    found = found_in(markup, url)
    entry = make_entry(found, settings_of(spec))
    if not entry.body_text:
        raise ContentError(sentence("No article can be found on this page."), hint=sentence("Paste the text instead."))
    return entry


def found_in(markup: str, url: str) -> Found:
    """Everything that the page says of its article."""
    markup = without_controls(markup)
    head, story = read_page(markup, url)
    data = read_page_data(markup, (url, head.canonical))
    publisher = data.publisher or head.site
    bodies = [("page", story)]
    if count_words(re.sub(r"<[^>]*>", " ", story)) < _FEW_WORDS:
        bodies.insert(0, ("trafilatura", _extracted(markup, url)))
    titles = [("json-ld", data.headline), *head.titles]
    warnings = data.warnings
    if head.refused:
        warnings += (
            f"the canonical address {shown_address(head.refused)} is not used: it is no web address, or has a login",
        )
    return Found(
        titles=tuple((origin, without_site(title, publisher)) for origin, title in titles if title),
        url=head.canonical or url,
        guid=head.canonical or url,
        base_url=url,
        bylines=(("json-ld", ", ".join(data.authors)), *head.authors),
        deks=(("json-ld", data.description), ("meta description", head.description)),
        bodies=tuple(bodies),
        dates=(("json-ld", data.published), *head.dates),
        updates=(("json-ld", data.modified), ("article:modified_time", head.modified)),
        languages=(("html lang", head.language), ("json-ld", data.language)),
        pictures=(("json-ld", PictureRef(data.picture)),) if data.picture else (),
        last_pictures=(("og:image", PictureRef(head.picture)),) if head.picture else (),
        categories=tuple(tag for tag in (data.section, *head.tags) if tag),
        publisher=publisher,
        rating=("json-ld", data.rating) if data.rating else None,
        work=("json-ld", data.work) if data.work else None,
        event_date=data.event_date,
        warnings=warnings,
    )


def _extracted(markup: str, url: str) -> str:
    """The article by trafilatura, for pages whose own structure tells nothing; "" when it finds none either."""
    import trafilatura  # half a second and 40 MB: only for the pages that need it

    # It calls a page without an article an error; ours says which page and what to do.
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    try:
        return (
            trafilatura.extract(
                markup, url=url or None, output_format="html", include_comments=False, include_links=True
            )
            or ""
        )
    except Exception as error:  # a foreign page, a foreign parser: the page counts as unreadable
        logger.info("trafilatura gave up on %s: %s", url, error)
        return ""
