"""`newsletter why ADDRESS-OR-TITLE`: rule by rule, why a review is in, out or waiting."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter.flow.issue import why
from newsletter.management.arguments import clock, newsletter_from


class Command(BaseCommand):
    help = "Tell, rule by rule, why a review is in an issue, out of it, or waiting."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("review", help="its address, its title, or a part of the title")
        parser.add_argument("--newsletter", default="", metavar="SLUG", help="needed when there are several")
        parser.add_argument("--json", action="store_true", help="the rules as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        found = why(options["review"], newsletter_from(options["newsletter"]), now=clock())
        if options["json"]:
            self.stdout.write(json.dumps([asdict(one) for one in found], indent=2, default=str))
            return
        if not found:
            raise CommandError(
                f"No review is known by “{options['review']}”. What was never gathered can't be in an issue: type"
                " newsletter gather, and look whether its source failed."
            )
        for one in found:
            self.stdout.write(f"{one.title}\n  {one.state.upper()}: {one.says}")
            for other in one.also_at:
                self.stdout.write(f"  Also at {other}")
            for rule in one.rules:
                self.stdout.write(f"  {'✓' if rule.passed else '✗'} {rule.rule}: {rule.text}")
