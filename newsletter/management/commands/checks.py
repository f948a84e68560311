"""`newsletter checks ISSUE`: what speaks against an issue before it goes out."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from newsletter.core.checks import Level
from newsletter.flow.compile import checks
from newsletter.management.arguments import clock, issue_from, issue_name


class Command(BaseCommand):
    help = "Say what speaks against an issue before it goes out. Exit code 3 when something blocks it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("issue", nargs="?", default="next", help="weekly/2026-11-26, 2026-11-26, next (default)")
        parser.add_argument("--json", action="store_true", help="the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        issue = issue_from(options["issue"])
        rows = checks(issue, clock())
        count = {level: sum(row.level is level for row in rows) for level in Level}
        if options["json"]:
            found = [{"level": row.level, "text": row.text, "where": row.where, "hint": row.hint} for row in rows]
            values = {"issue": issue_name(issue), "blocking": count[Level.BLOCK], "warnings": count[Level.WARN]}
            self.stdout.write(json.dumps({**values, "findings": found}, indent=2, ensure_ascii=False))
        else:
            for row in rows:
                self.stdout.write(f"{row.level:<12} {row}")
            self.stdout.write(f"{issue_name(issue)}: {count[Level.BLOCK]} blocking, {count[Level.WARN]} to look at.")
        if count[Level.BLOCK]:
            sys.exit(3)
