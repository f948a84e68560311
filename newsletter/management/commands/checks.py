"""`newsletter checks ISSUE`: what speaks against an issue before it goes out."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from newsletter.core.checks import Level, Row
from newsletter.flow.answering import dead_links
from newsletter.flow.compile import checks, ignore, mind
from newsletter.flow.compile.ignoring import with_names
from newsletter.flow.week import fetcher_from
from newsletter.management.arguments import add_by, clock, issue_from, issue_name, somebody
from newsletter.models import Issue


class Command(BaseCommand):
    help = "Say what speaks against an issue before it goes out. Exit code 3 when something blocks it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("issue", nargs="?", default="next", help="weekly/2026-11-26, 2026-11-26, next (default)")
        parser.add_argument(
            "--ignore", action="append", default=[], metavar="CODE", help="ignore this finding this time"
        )
        parser.add_argument("--mind", action="append", default=[], metavar="CODE", help="ignore it no more")
        parser.add_argument("--links", action="store_true", help="ask whether each review's address still answers")
        add_by(parser)
        parser.add_argument("--json", action="store_true", help="the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        issue = issue_from(options["issue"])
        now = clock()
        rows = self._checks(issue, options, now)
        by = somebody(options["by"])
        for code in options["ignore"]:
            ignore(issue, rows, code, by=by, now=now)
        for code in options["mind"]:
            mind(issue, rows, code, by=by, now=now)
        if options["ignore"] or options["mind"]:
            rows = with_names(issue, rows)
        count = {level: sum(row.level is level and not row.ignored_by for row in rows) for level in Level}
        if options["json"]:
            names = ("level", "code", "text", "where", "hint", "anchor", "ignored_by")
            found = [{name: getattr(row, name) for name in names} for row in rows]
            values = {"issue": issue_name(issue), "blocking": count[Level.BLOCK], "warnings": count[Level.WARN]}
            self.stdout.write(json.dumps({**values, "findings": found}, indent=2, ensure_ascii=False))
        else:
            for row in rows:
                level = "ignored" if row.ignored_by else row.level
                by_whom = f" (ignored this time by {row.ignored_by})" if row.ignored_by else ""
                code = f"  [{row.code}]" if row.can_be_ignored else ""
                self.stdout.write(f"{level:<12} {row}{by_whom}{code}")
            self.stdout.write(f"{issue_name(issue)}: {count[Level.BLOCK]} blocking, {count[Level.WARN]} to look at.")
        if count[Level.BLOCK]:
            sys.exit(3)

    def _checks(self, issue: Issue, options: dict[str, Any], now: datetime) -> list[Row]:
        return checks(issue, now, dead=dead_links(fetcher_from(settings.NEWSLETTER)) if options["links"] else None)
