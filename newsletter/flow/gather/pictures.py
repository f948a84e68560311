"""The pictures of what was gathered, fetched through the same guarded fetcher; a picture never holds a review up."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Q, QuerySet

from newsletter import media
from newsletter.config.home import template_folders
from newsletter.core.content import from_json, lead_picture
from newsletter.core.errors import DesignError, NewsletterError
from newsletter.core.prose import plain
from newsletter.flow.compile.designs import picture_width
from newsletter.models import Entry, Issue, IssueState, Newsletter, Picture
from newsletter.sources.fetch import Fetcher

logger = logging.getLogger(__name__)

TRY_AGAIN_AFTER = timedelta(minutes=50)
TRY_FOR = timedelta(days=3)
_LONGEST = 2000


def fetch_pictures(
    entry_ids: Iterable[int], fetcher: Fetcher, folder: Path, now: datetime, *, seconds: float | None = None
) -> tuple[int, int]:
    """Store the lead picture of each entry as wide as the widest design that may show it wants it, and those of
    sponsors and of the print magazine; try those again that failed lately. Returns (stored, failed).

    After `seconds` no further one is begun: it counts as one to be tried again at the next gather.
    """
    ends = None if seconds is None else time.monotonic() + seconds
    inserts: dict[str, set[int]] = {url: set() for url in _inserts()}
    wanted = {**inserts, **_leads(Entry.objects.filter(pk__in=list(entry_ids)))}
    known = set(Picture.objects.filter(source_url__in=wanted).values_list("source_url", flat=True))
    failed = Picture.objects.exclude(error="").filter(fetched_at__lt=now - TRY_AGAIN_AFTER)
    recent = {**inserts, **_leads(Entry.objects.filter(first_seen_at__gt=now - TRY_FOR))}
    again = list(failed.filter(source_url__in=recent).order_by("pk").values_list("source_url", flat=True))
    stored = errors = 0
    # Known only when there is something to fetch: most polls bring nothing.
    widths: dict[int, int] = {}
    for url in dict.fromkeys([*(url for url in wanted if url not in known), *again]):
        if ends is not None and time.monotonic() >= ends:
            _put_off(url, now)
            continue
        asked = {*wanted.get(url, ()), *recent.get(url, ())}
        for source in asked - widths.keys():
            widths[source] = _width(source)
        if _fetch(url, fetcher, folder, now, max((widths[each] for each in asked), default=media.WIDTH)):
            stored += 1
        else:
            errors += 1
    return stored, errors


def _put_off(url: str, now: datetime) -> None:
    if len(url) <= _LONGEST:
        long_ago = now - TRY_AGAIN_AFTER - timedelta(minutes=1)
        values = {"fetched_at": long_ago, "error": "Its turn comes with the next gather."}
        Picture.objects.get_or_create(source_url=url, defaults=values)


def _inserts() -> list[str]:
    """The pictures that inserts show, but those that are ours already."""
    own = f"{str(settings.NEWSLETTER.base_url).rstrip('/')}/media/"
    booked = Newsletter.objects.values_list("print_promo", "sponsors")
    open_issues = Issue.objects.filter(state__in=(IssueState.DRAFT, IssueState.APPROVED)).exclude(blocks={})
    tables = [table for promo, sponsors in booked for table in (promo, *sponsors)]
    tables += [issue.blocks.get(block) or {} for issue in open_issues for block in ("sponsor", "promo")]
    return [url for table in tables if (url := plain(str(table.get("picture") or ""))) and not url.startswith(own)]


def _leads(entries: QuerySet[Entry]) -> dict[str, set[int]]:
    """The address of each lead picture, with the sources whose entries show it."""
    leads: dict[str, set[int]] = {}
    for content, source in entries.order_by("pk").values_list("content", "source_id"):
        if picture := lead_picture(from_json(content)):
            leads.setdefault(picture.url, set()).add(source)
    return leads


def _width(source_id: int) -> int:
    """The widest that a design of the newsletters made of this source wants its pictures, in pixels; 2,400 at most."""
    newsletters = Newsletter.objects.filter(Q(sources=source_id) | Q(sources=None))
    widths = []
    for name in sorted(set(newsletters.values_list("design", flat=True))):
        try:
            widths.append(picture_width(name, template_folders(settings.NEWSLETTER.home), media.WIDTH))
        except DesignError as error:
            # The checks say so before an approval; the picture is stored meanwhile.
            logger.warning("The width of the design's pictures can't be read: %s", error)
    return min(max(widths, default=media.WIDTH), 2 * media.WIDTH)


def _fetch(url: str, fetcher: Fetcher, folder: Path, now: datetime, width: int) -> bool:
    if len(url) > _LONGEST:
        logger.warning("A picture's address is longer than %d characters: left out.", _LONGEST)
        return False
    values: dict[str, object] = {"fetched_at": now, "error": ""}
    try:
        stored = media.store_picture(url, fetcher=fetcher, folder=folder, width=width, now=now)
    except NewsletterError as error:
        values["error"] = str(error)
    except OSError as error:
        # A full disk is no reason to lose the reviews: they run without their pictures.
        logger.exception("A picture could not be stored")
        values["error"] = f"The picture could not be stored: {error.strerror or type(error).__name__}"
    else:
        values |= stored.columns()
    Picture.objects.update_or_create(source_url=url, defaults=values)
    return not values["error"]
