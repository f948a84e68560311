"""Adding, pausing and removing sources, the first newsletter, its design: through `apply`, as magazine.toml goes too.

So what is refused there is refused here, and `dump` writes what was done here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from newsletter.config.toml import write
from newsletter.core.errors import ConfigError, SourceError
from newsletter.core.sentence import sentence
from newsletter.flow import designs
from newsletter.flow.apply import apply_text, change_in_studio, note_removed
from newsletter.flow.gather import SourceReport, gather
from newsletter.flow.sourcing.trying import name_of, slug_from
from newsletter.ledger import issues
from newsletter.models import Account, Event, Magazine, Newsletter, Source
from newsletter.sources.fetch import Fetcher
from subscribers.models import MailingList

PICTURE_SECONDS = 8.0
FIRST_TIME = "08:00"
_NO_DOMAIN = "example.org"


@transaction.atomic
def add(
    newsletter: Newsletter, fields: Mapping[str, Any], *, now: datetime, by: str, home: Path | None = None
) -> Source:
    """Add a source to `newsletter`; `fields` as magazine.toml has them: kind, location, name; slug may be missing.

    One that was removed and is at the same place comes back, with all that is known of it. Raises `SourceError` when it
    is there already, or when a field can't be.
    """
    issues.lock_newsletter(newsletter.pk)  # two presses at once
    values = dict(fields)
    same = Source.objects.filter(kind=values["kind"], location=values["location"]).order_by("pk").first()
    if same is not None and same.removed_at is None:
        raise SourceError(
            sentence("“{name}” is read from there already.", name=same.name), hint=sentence("Look for it in the list.")
        )
    values["slug"] = same.slug if same is not None else values.get("slug") or free_slug(values["name"])
    _apply({"sources": [values]}, now=now, home=home)
    source = Source.objects.get(slug=values["slug"])
    _name(source, newsletter, now, by, home)
    _tell("source added", f"{source.name} was added ({source.kind}).", now, by, newsletter)
    return source


@transaction.atomic
def begin(name: str, fields: Mapping[str, Any], *, now: datetime, by: str, home: Path | None = None) -> Source:
    """The magazine's first newsletter, made of one source: everything else as magazine.toml has it by default, for
    Thursdays at 08:00, with an outbox that mails nobody. Raises `SourceError` when there is one, or for a wrong name.
    """
    if Newsletter.objects.exists():
        raise SourceError(sentence("There is a newsletter already."), hint=sentence("Add the source to it."))
    values = dict(fields) | {"slug": fields.get("slug") or free_slug(fields["name"])}
    mailing_list = MailingList.objects.order_by("pk").first()
    account = Account.objects.order_by("pk").first()
    data: dict[str, Any] = {"sources": [values]}
    if not Magazine.objects.exists():
        data["magazine"] = {"slug": slug_from(name, "magazine"), "name": name, "url": _site(values["location"])}
    if mailing_list is None:
        data["lists"] = [{"slug": "weekly", "name": name}]
    if account is None:
        data["accounts"] = [{"name": "main", "kind": "outbox"}]
    data["newsletters"] = [
        {
            "slug": "weekly",
            "name": name,
            "list": mailing_list.slug if mailing_list else "weekly",
            "account": account.name if account else "main",
            "sources": [values["slug"]],
            "from_name": name,
            "from_address": sender_at(values["location"]),
            "send_time": FIRST_TIME,
        }
    ]
    _apply(data, now=now, home=home)
    newsletter = Newsletter.objects.get(slug="weekly")
    _tell("newsletter begun", f"{newsletter.name} was made, of {values['name']}.", now, by, newsletter)
    return Source.objects.get(slug=values["slug"])


@transaction.atomic
def put_into(source: Source, newsletter: Newsletter, *, now: datetime, by: str, home: Path | None = None) -> None:
    """Let a newsletter that names its sources take from this one too; one that names none does so anyway."""
    issues.lock_newsletter(newsletter.pk)
    if _name(source, newsletter, now, by, home):
        _tell("source added", f"{source.name} was added to {newsletter.name}.", now, by, newsletter)


@transaction.atomic
def set_enabled(source: Source, enabled: bool, *, now: datetime, by: str, home: Path | None = None) -> None:
    """Pause a source, or go on with it. What came from it waits and runs as before."""
    if change_in_studio("sources", source.slug, {"enabled": enabled}, now=now, by=by, home=home):
        verb = "is read again" if enabled else "was paused"
        _tell("source resumed" if enabled else "source paused", f"{source.name} {verb}.", now, by)


def mark_of_rubrics(source: Source) -> str:
    """A mark of the words that tell the rubrics of a source: who saves over others than these is told so."""
    return sha256(repr(source.rubric_map).encode()).hexdigest()[:16]


@transaction.atomic
def map_rubrics(
    source: Source, pairs: Sequence[Sequence[str]], seen: str, *, now: datetime, by: str, home: Path | None = None
) -> bool:
    """Let words tell rubrics, as `rubric_map` has them: the first pair that fits wins. It counts from the next reading.
    Returns whether anything changed. Raises `SourceError` where the pairs are not those of the mark `seen` any more,
    and `KeyRefusedError` for what magazine.toml may not say either.
    """
    if mark_of_rubrics(Source.objects.select_for_update(no_key=True).get(pk=source.pk)) != seen:
        raise SourceError(
            sentence("Somebody changed these words meanwhile."), hint=sentence("Look at them, and save again.")
        )
    words = {"rubric_map": [list(pair) for pair in pairs]}
    if not change_in_studio("sources", source.slug, words, now=now, by=by, home=home):
        return False
    _tell("source mapped", f"{source.name}: the words that tell its rubrics were changed.", now, by)
    return True


@transaction.atomic
def remove(source: Source, typed: str, *, now: datetime, by: str) -> None:
    """Read the source no more and take nothing new from it. What ran, and what an issue holds, stays; what waited goes
    back to where it came from. Raises `SourceError` unless its short name was typed.
    """
    if typed.strip() != source.slug:
        raise SourceError(
            sentence("That is not its short name."), hint=sentence("Type {slug} to remove it.", slug=source.slug)
        )
    if Source.objects.filter(pk=source.pk, removed_at=None).update(removed_at=now, enabled=False):
        for newsletter in source.newsletters.order_by("pk"):
            left = newsletter.sources.exclude(pk=source.pk).order_by("slug").values_list("slug", flat=True)
            change_in_studio("newsletters", newsletter.slug, {"sources": list(left)}, now=now, by=by)
        note_removed("sources", source.slug, now=now, by=by)
        _tell("source removed", f"{source.name} was removed. What was placed stays.", now, by)


@transaction.atomic
def choose_design(newsletter: Newsletter, design: str, *, now: datetime, by: str) -> None:
    """Make `design` the look of the newsletter, also where it is that already: then it was meant. Raises `SourceError`
    for one that there is not, `DesignError` for one that can't make the letter.
    """
    if design not in designs.names():
        raise SourceError(sentence("There is no such design."), hint=sentence("Choose one of those shown."))
    if design != newsletter.design:
        designs.choose(newsletter, design, now=now, by=by)
    _tell("design chosen", f"{newsletter.name} looks like {design} now.", now, by, newsletter)


def read_now(source: Source, *, now: datetime, fetcher: Fetcher, media_folder: Path) -> SourceReport:
    """Gather one source while somebody waits: pictures that take too long come with the next gather."""
    report = gather(
        now=now, sources=[source], fetcher=fetcher, media_folder=media_folder, picture_seconds=PICTURE_SECONDS
    )
    return report.sources[0]


def free_slug(name: str) -> str:
    """A short name that no source has, from what it is called."""
    wanted = slug_from(name)
    taken = set(Source.objects.filter(slug__startswith=wanted[:40]).values_list("slug", flat=True))
    number, found = 1, wanted
    while found in taken:
        number += 1
        found = f"{wanted[:40].rstrip('-')}-{number}"
    return found


def sender_at(location: str) -> str:
    """The sender's address that a newsletter made of this place begins with."""
    host = name_of(location).removeprefix("www.")
    return f"newsletter@{host if '.' in host and not host.replace('.', '').isdecimal() else _NO_DOMAIN}"


def _site(location: str) -> str:
    if not name_of(location):
        return ""
    parts = urlsplit(location)
    return f"{parts.scheme}://{parts.netloc}/"


def _named_with(newsletter: Newsletter, slug: str) -> list[str] | None:
    """The sources that the newsletter names, and `slug`; None for one that takes from every source there is."""
    named = sorted(newsletter.sources.values_list("slug", flat=True))
    if not named and Source.objects.filter(removed_at=None).exclude(slug=slug).exists():
        return None
    return sorted({*named, slug})


def _name(source: Source, newsletter: Newsletter, now: datetime, by: str, home: Path | None) -> bool:
    """Add `source` to those that the newsletter names, as somebody's choice that no older file takes back unseen."""
    named = _named_with(newsletter, source.slug)
    if named is None:
        return False
    return bool(change_in_studio("newsletters", newsletter.slug, {"sources": named}, now=now, by=by, home=home))


def _apply(data: Mapping[str, Any], *, now: datetime, home: Path | None) -> None:
    """Make rows that there are not yet, or bring back one that was removed."""
    try:
        apply_text(write(data), now=now, file="here", home=home, over_studio=True)
    except ConfigError as error:
        # Where it stands in a text that nobody saw helps nobody.
        raise SourceError(error.message, hint=error.hint) from error


def _tell(kind: str, text: str, now: datetime, by: str, newsletter: Newsletter | None = None) -> None:
    Event.objects.create(at=now, kind=kind, text=text, by=by, newsletter=newsletter)
