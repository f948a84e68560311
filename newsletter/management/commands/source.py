"""`newsletter source add|check`: a place to gather from, tried before it counts."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from argparse import ArgumentParser
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter.config.toml import nearest
from newsletter.core.errors import SourceError
from newsletter.core.prose import folded, without_controls
from newsletter.flow.apply.readers import Refused, check_location, language, slug, timezone
from newsletter.flow.gather.telling import entry_warnings
from newsletter.management.arguments import newsletter_from
from newsletter.models import Source
from newsletter.sources.base import Gathered, SourceSpec

# A web address may be any of these; the first that brings entries is what it is.
_WEB_KINDS = ("feed", "wordpress", "page")
_KINDS = (*_WEB_KINDS, "folder", "paste")
# Of a paste; its reader refuses long before, but counts letters.
_MOST_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Tried:
    """What one try of a source gave: `error` is "" when it could be read."""

    slug: str
    kind: str
    location: str
    entries: int = 0
    titles: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


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
        kinds = (options["kind"],) if options["kind"] else _kinds(location)
        try:
            fields = {"language": language(options["language"]), "timezone": timezone(options["timezone"])}
            for kind in kinds:
                if kind not in _KINDS:
                    raise Refused(f'There is no kind "{kind}" to add', nearest(kind, _KINDS))
                check_location(kind, location)
            # What a paste is called is known when it has been read.
            name = options["slug"] or ("" if paste else _slug_from(_name_from(location)))
            if name:
                _need_free(name)
            tried = _first_that_reads(where, kinds, location, fields)
            if tried.error:
                raise CommandError(f"{where}: {tried.error} Nothing was added.")
            title = tried.titles[0] if paste else _name_from(location)
            if not name:
                name = _slug_from(title)
                _need_free(name)
        except Refused as refused:
            raise CommandError(f"{refused} {refused.hint}".strip(), returncode=2) from refused
        tried = replace(tried, slug=name)
        if not options["dry_run"]:
            source = Source.objects.create(
                **fields, slug=name, name=options["name"] or title[:200], kind=tried.kind, location=location
            )
            newsletter.sources.add(source)
        self._show([tried], as_json=options["json"])
        if not options["json"]:
            done = "Nothing was added (dry run)." if options["dry_run"] else f"Added to {newsletter.slug} as {name}."
            self.stdout.write(f"{done} Next: newsletter gather")

    def _check(self, options: dict[str, Any]) -> None:
        sources = list(Source.objects.order_by("slug"))
        known = [source.slug for source in sources]
        for wanted in options["slugs"]:
            if wanted not in known:
                raise CommandError(f'There is no source "{wanted}". {nearest(wanted, known)}', returncode=2)
        chosen = [one for one in sources if (one.slug in options["slugs"] if options["slugs"] else one.enabled)]
        tried = [
            _try(
                SourceSpec(
                    name=one.slug,
                    kind=one.kind,
                    location=one.location,
                    language=one.language,
                    timezone=one.timezone,
                    rubric_map=tuple((pattern, rubric) for pattern, rubric in one.rubric_map),
                )
            )
            for one in chosen
        ]
        self._show(tried, as_json=options["json"])
        if any(one.error for one in tried):
            sys.exit(3)

    def _show(self, tried: list[Tried], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"sources": [one.as_json() for one in tried]}, indent=2, ensure_ascii=False))
            return
        for one in tried:
            self.stdout.write(f"{one.slug} ({one.kind}): {one.error or f'{one.entries} entries'}")
            for title in one.titles:
                self.stdout.write(f"  {title}")
            for warning in one.warnings:
                self.stdout.write(f"  warning: {warning}")
        if not tried:
            self.stdout.write("There is no enabled source. Add one: newsletter source add ADDRESS")


def _need_free(name: str) -> None:
    """Raises `Refused` for what is no short name, `CommandError` for one that is taken."""
    taken = Source.objects.filter(slug=slug(name)).first()
    if taken is not None:
        what = taken.name if taken.kind == Source.Kind.PASTE else taken.location
        raise CommandError(f'There is a source "{name}" already: {what}. Choose another --slug.')


def _first_that_reads(name: str, kinds: tuple[str, ...], location: str, fields: dict[str, str]) -> Tried:
    """The first kind that brings entries; else the first that can be read at all; else why the first can't."""
    tried = [
        one
        for kind in kinds
        if (one := _try(SourceSpec(name=name, kind=kind, location=location, language=fields["language"],
                                   timezone=fields["timezone"])))
    ]  # fmt: skip
    readable = [one for one in tried if not one.error]
    return next((one for one in readable if one.entries), readable[0] if readable else tried[0])


def _try(spec: SourceSpec) -> Tried:
    # Imported here: `source --help` need not load every parser.
    from newsletter.flow.week import fetcher_from
    from newsletter.sources import build

    try:
        found: Gathered = build(spec.kind, fetcher_from(settings.NEWSLETTER)).gather(spec)
    except SourceError as error:
        return Tried(spec.name, spec.kind, spec.location, error=f"{error.message} {error.hint}".strip())
    return Tried(
        spec.name,
        spec.kind,
        spec.location,
        entries=len(found.entries),
        titles=tuple(entry.title for entry in found.entries[:5]),
        warnings=(*found.warnings, *entry_warnings(spec.kind, found.entries)),
    )


def _location(text: str) -> str:
    """An address as it is, a folder as its whole path."""
    return text if "://" in text else str(Path(text).expanduser().resolve())


def _kinds(location: str) -> tuple[str, ...]:
    return _WEB_KINDS if "://" in location else ("folder",)


def _name_from(location: str) -> str:
    return urlsplit(location).hostname or Path(location).name if "://" in location else Path(location).name


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


def _slug_from(name: str) -> str:
    """ "www.lantern.example" is "lantern-example"."""
    words = re.findall(r"[a-z0-9]+", folded(name.removeprefix("www.")))
    return "-".join(words)[:50].strip("-") or "source"
