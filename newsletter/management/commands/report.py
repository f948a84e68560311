"""`newsletter report ISSUE`: what became of an issue, with names behind each number."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter.flow.report import Report, names, report
from newsletter.management.arguments import issue_from
from newsletter.models import DeliveryState

HELD = 3


class Command(BaseCommand):
    help = (
        "What became of an issue: counts that add up, and the names behind each. Exit code 3 when a person should look."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "issue", nargs="?", default="last", help="weekly/2026-11-26, 2026-11-26, next, last (default)"
        )
        parser.add_argument("--names", choices=DeliveryState.values, help="only the addresses in one state, one a line")
        parser.add_argument("--json", action="store_true", help="the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        issue = issue_from(options["issue"])
        if options["names"]:
            for named in names(issue, DeliveryState(options["names"])):
                self.stdout.write(f"{named.address or '(erased)'}\t{named.reason}".rstrip())
            return
        found = report(issue)
        if options["json"]:
            self.stdout.write(json.dumps(found.as_dict(), indent=2, ensure_ascii=False))
        else:
            for line in lines(found):
                self.stdout.write(line)
        if found.started_at is not None and not found.clean:
            raise CommandError(f"{found.issue}: {found.label}.", returncode=HELD)


def lines(found: Report) -> list[str]:
    """The report for people: the sentence, the counts, and for each reason how many and who."""
    counts = found.counts
    shown = [f"{found.issue}: {found.subject or 'no subject'}", found.sentence]
    if found.started_at is None:
        return shown
    parts = ("accepted", "failed", "excluded", "uncertain", "pending", "claimed")
    shown.append(f"frozen {counts.frozen:,} = " + " + ".join(f"{part} {getattr(counts, part):,}" for part in parts))
    for state in ("failed", "excluded", "uncertain"):
        people = found.names[state]
        if not people:
            continue
        shown.append(f"{state}:")
        shown += [f"  {number:,} {reason}" for reason, number in found.reasons.get(state, {}).items()]
        shown += [f"    {named.address or '(erased)'}" for named in people[:20]]
        if len(people) > 20:
            shown.append(f"    and {len(people) - 20:,} more: newsletter report {found.issue} --names {state}")
    return shown
