"""`newsletter source add|check`: a place to gather from, tried before it counts."""

from __future__ import annotations

import contextlib
import json
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter.config.toml import nearest
from newsletter.core.prose import without_controls
from newsletter.flow.apply.readers import Refused, check_location, language, slug, timezone
from newsletter.flow.gather import spec_of
from newsletter.flow.sourcing import Tried, add, find, name_of, slug_from, try_source
from newsletter.flow.week import fetcher_from
from newsletter.management.arguments import clock, newsletter_from, somebody
from newsletter.models import Source
from newsletter.sources.base import SourceSpec

_KINDS = ("feed", "wordpress", "page", "folder", "paste")
# Of a paste; its reader refuses long before, but counts letters.
_MOST_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One try of one source, as it is shown."""

    slug: str
    tried: Tried

    def as_json(self) -> dict[str, Any]:
        return {
            "slug": self.slug,
            "kind": self.tried.kind,
            "location": self.tried.location,
            "entries": len(self.tried.entries),
            "titles": self.titles,
            "warnings": self.tried.warnings,
            "error": self.tried.error,
        }

    @property
    def titles(self) -> list[str]:
        return [entry.title for entry in self.tried.entries[:5]]


class Command(BaseCommand):
    help = "Add a place to gather from, or check those there are. Neither keeps a review: that is gather's."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="add|check")
        add = verbs.add_parser("add", help="try an address, a folder or a pasted text, then add it")
        add.add_argument(
            "location",
            help="the address of a feed, site or page; a folder; with --kind paste a text file (- is standard input)",
        )
        add.add_argument(
            "--kind",
            default="",
            help="feed, wordpress, page, folder or paste (default: found out by trying, but paste)",
        )
        add.add_argument("--slug", default="", help="its short name (default: from the address, or a paste's title)")
        add.add_argument("--name", default="", help="what editors see (default: the host, the folder, or the title)")
        add.add_argument("--language", default="", help="its language when a review does not say its own")
        add.add_argument("--timezone", default="UTC", help="the zone of its dates without one")
        add.add_argument("--newsletter", default="", help="the newsletter it is for (default: the only one there is)")
        add.add_argument("--dry-run", action="store_true", help="try it, and add nothing")
        add.add_argument("--json", action="store_true", help="the outcome as JSON")
        check = verbs.add_parser("check", help="read sources once and say what came, changing nothing")
        check.add_argument("slugs", nargs="*", metavar="SLUG", help="which (default: every enabled one)")
        check.add_argument("--json", action="store_true", help="the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "add":
            self._add(options)
        else:
            self._check(options)

    def _add(self, options: dict[str, Any]) -> None:
        newsletter = newsletter_from(options["newsletter"])
        paste = options["kind"] == "paste"
        location = _pasted(options["location"]) if paste else _location(options["location"])
        where = _file_name(options["location"]) if paste else location
        kind = options["kind"] or ("" if "://" in location else "folder")
        try:
            fields = {"language": language(options["language"]), "timezone": timezone(options["timezone"])}
            if kind and kind not in _KINDS:
                raise Refused(f'There is no kind "{kind}" to add', nearest(kind, _KINDS))
            check_location(kind or "page", location)
            # What a paste is called is known when it has been read.
            name = options["slug"] or ("" if paste else slug_from(name_of(location)))
            if name:
                _need_free(name)
            tried = _tried(where, kind, location, fields)
            if tried.error:
                raise CommandError(f"{where}: {tried.error} Nothing was added.")
            title = tried.entries[0].title if paste else name_of(location)
            if not name:
                name = slug_from(title)
                _need_free(name)
        except Refused as refused:
            raise CommandError(f"{refused} {refused.hint}".strip(), returncode=2) from refused
        if not options["dry_run"]:
            fields |= {"slug": name, "name": options["name"] or title[:200]}
            fields |= {"kind": tried.kind, "location": tried.location}
            add(newsletter, fields, now=clock(), by=somebody(""), home=settings.NEWSLETTER.home)
        self._show([Row(name, tried)], as_json=options["json"])
        if not options["json"]:
            done = "Nothing was added (dry run)." if options["dry_run"] else f"Added to {newsletter.slug} as {name}."
            self.stdout.write(f"{done} Next: newsletter gather")

    def _check(self, options: dict[str, Any]) -> None:
        sources = list(Source.objects.filter(removed_at=None).order_by("slug"))
        known = [source.slug for source in sources]
        for wanted in options["slugs"]:
            if wanted not in known:
                raise CommandError(f'There is no source "{wanted}". {nearest(wanted, known)}', returncode=2)
        chosen = [one for one in sources if (one.slug in options["slugs"] if options["slugs"] else one.enabled)]
        fetcher = fetcher_from(settings.NEWSLETTER)
        # As if it was never read: "unchanged" would say nothing about what is there.
        rows = [Row(one.slug, try_source(replace(spec_of(one), etag="", last_modified=""), fetcher)) for one in chosen]
        self._show(rows, as_json=options["json"])
        if any(row.tried.error for row in rows):
            sys.exit(3)

    def _show(self, rows: list[Row], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"sources": [one.as_json() for one in rows]}, indent=2, ensure_ascii=False))
            return
        for one in rows:
            self.stdout.write(
                f"{one.slug} ({one.tried.kind}): {one.tried.error or f'{len(one.tried.entries)} entries'}"
            )
            for title in one.titles:
                self.stdout.write(f"  {title}")
            for warning in one.tried.warnings:
                self.stdout.write(f"  warning: {warning}")
        if not rows:
            self.stdout.write("There is no enabled source. Add one: newsletter source add ADDRESS")


def _tried(where: str, kind: str, location: str, fields: Mapping[str, str]) -> Tried:
    """One try: by its kind, or with whatever is found at a web address."""
    fetcher = fetcher_from(settings.NEWSLETTER)
    speaks, zone = fields["language"], fields["timezone"]
    if kind:
        return try_source(SourceSpec(where, kind, location, speaks, zone), fetcher)
    return find(location, fetcher, language=speaks, timezone=zone).tried


def _need_free(name: str) -> None:
    """Raises `Refused` for what is no short name, `CommandError` for one that is taken."""
    taken = Source.objects.filter(slug=slug(name), removed_at=None).first()
    if taken is not None:
        what = taken.name if taken.kind == Source.Kind.PASTE else taken.location
        raise CommandError(f'There is a source "{name}" already: {what}. Choose another --slug.')


def _location(text: str) -> str:
    """An address as it is, a folder as its whole path."""
    return text if "://" in text else str(Path(text).expanduser().resolve())


def _file_name(typed: str) -> str:
    return "standard input" if typed == "-" else typed


def _pasted(typed: str) -> str:
    """The text of a file, or of standard input for "-", as a source keeps it."""
    try:
        with contextlib.nullcontext(sys.stdin.buffer) if typed == "-" else Path(typed).expanduser().open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise CommandError(f"{_file_name(typed)}: The text is too long. Paste one review at a time.")
        text = raw.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise CommandError(f"{typed}: There is no such file.", returncode=2) from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{_file_name(typed)}: The text is not UTF-8. Save it as UTF-8.") from error
    except OSError as error:
        raise CommandError(f"{typed}: The file can't be read: {error.strerror}.") from error
    # As `apply` takes it from magazine.toml, so that `dump` can be applied again.
    text = without_controls(text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    return text.strip()
