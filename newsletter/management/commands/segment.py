"""`newsletter segment list|show|count|save|delete`: saved conditions over the people of a list."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter.core.errors import NewsletterError
from newsletter.flow import membership
from newsletter.flow.apply.readers import Refused, slug
from newsletter.management.arguments import add_by, clock, list_from, somebody
from subscribers import segments
from subscribers.errors import SubscribersError
from subscribers.models import Segment

_LONGEST_RULE = 1_000_000


class Command(BaseCommand):
    help = "Keep conditions over the people of a list under a name, for audiences and exports."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|show|count|save|delete")
        every = verbs.add_parser("list", help="name the segments, with how many each takes at this moment")
        every.add_argument("--json", action="store_true", help="the segments as JSON")
        show = verbs.add_parser("show", help="print a segment's rule as JSON, which save reads")
        show.add_argument("slug", help="which")
        count = verbs.add_parser("count", help="say how many a segment, or a rule, takes at this moment")
        count.add_argument("slug", nargs="?", default="", help="which (or --rule)")
        count.add_argument("--json", action="store_true", help="the count as JSON")
        save = verbs.add_parser("save", help="create a segment, or change one")
        save.add_argument("slug", help="its short name")
        save.add_argument("--name", default="", help="what editors see (default: its short name)")
        for verb in (count, save):
            verb.add_argument(
                "--rule", required=verb is save, default="", metavar="JSON", help="the rule; @FILE reads it, - is stdin"
            )
            verb.add_argument("--list", default="", dest="list_slug", metavar="SLUG", help="whose (default: the only)")
        delete = verbs.add_parser("delete", help="forget a segment; refused while a newsletter goes to it")
        delete.add_argument("slug", help="which")
        for verb in (save, delete):
            add_by(verb)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except (SubscribersError, Refused) as error:
            raise CommandError(f"{error} {getattr(error, 'hint', '')}".strip(), returncode=2) from error

    def _list(self, options: dict[str, Any]) -> None:
        now = clock()
        found = [
            {
                "slug": row.slug,
                "list": row.mailing_list.slug,
                "name": row.name,
                "people": segments.count(row.mailing_list, row.rule, now=now),
            }
            for row in Segment.objects.select_related("mailing_list").order_by("slug")
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"segments": found}, indent=2, ensure_ascii=False))
            return
        for row in found:
            self.stdout.write(f"{row['slug']} ({row['list']}): {row['people']:,} people. {row['name']}")
        if not found:
            self.stdout.write("There is no segment yet. Save one: newsletter segment save NAME --rule JSON")

    def _show(self, options: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(segments.find(options["slug"]).rule, indent=2, ensure_ascii=False))

    def _count(self, options: dict[str, Any]) -> None:
        if bool(options["slug"]) == bool(options["rule"]):
            raise CommandError("Say which: a segment's name, or --rule JSON.", returncode=2)
        if options["slug"]:
            row = segments.find(options["slug"])
            mailing_list, rule = row.mailing_list, row.rule
        else:
            mailing_list, rule = list_from(options["list_slug"]), _rule(options["rule"])
        people = segments.count(mailing_list, rule, now=clock())
        if options["json"]:
            self.stdout.write(json.dumps({"list": mailing_list.slug, "people": people}))
        else:
            self.stdout.write(f"{people:,} people of {mailing_list.slug}")

    def _save(self, options: dict[str, Any]) -> None:
        name, mailing_list = slug(options["slug"]), list_from(options["list_slug"])
        row, new = membership.save_segment(
            name, mailing_list, rule=_rule(options["rule"]), title=options["name"], now=clock(),
            by=somebody(options["by"]),
        )  # fmt: skip
        people = segments.count(mailing_list, row.rule, now=clock())
        self.stdout.write(f"{name}: {'saved' if new else 'changed'}; {people:,} people of {mailing_list.slug}")

    def _delete(self, options: dict[str, Any]) -> None:
        row = segments.find(options["slug"])
        try:
            membership.delete_segment(row, now=clock(), by=somebody(options["by"]))
        except NewsletterError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{row.slug}: deleted")


def _rule(typed: str) -> dict[str, Any]:
    """The JSON typed, or in a file. Raises `CommandError` with line and column."""
    name, text = "--rule", typed
    try:
        if typed == "-":
            name, text = "standard input", sys.stdin.read(_LONGEST_RULE)
        elif typed.startswith("@"):
            name = typed[1:]
            with Path(name).open(encoding="utf-8-sig") as file:
                text = file.read(_LONGEST_RULE)
        rule = json.loads(text)
    except OSError as error:
        raise CommandError(f"{name} can't be read: {error.strerror}.", returncode=2) from error
    except json.JSONDecodeError as error:
        where = f"{name}: line {error.lineno}, column {error.colno}"
        raise CommandError(f"{where}: this is not JSON: {error.msg}.", returncode=2) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise CommandError(f"{name} can't be read: it is not a rule in JSON.", returncode=2) from error
    segments.parse(rule)
    return dict(rule)
