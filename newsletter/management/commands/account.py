"""`newsletter account test ADDRESS`: what "Send me a test now" does in the studio, for a terminal."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from newsletter.flow.deliver import Installation
from newsletter.flow.trying import Tried, try_account
from newsletter.management.arguments import add_by, clock, newsletter_from, somebody
from newsletter.providers.dialogue import Side

_SIGNS = {Side.WE: "-> ", Side.THEY: "<- ", Side.NOTE: "   "}


class Command(BaseCommand):
    help = (
        "Mail a few words through a newsletter's account, signed as its letters are, to see whether they leave. When "
        "they don't, all that was said on the way is printed, without secrets. Exit code 1 when the mail was not taken."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="test")
        test = verbs.add_parser("test", help="mail a few words to one address")
        test.add_argument("address", metavar="ADDRESS", help="where they go")
        test.add_argument("--newsletter", default="", metavar="SLUG", help="whose account (default: the only one's)")
        test.add_argument("--dialogue", action="store_true", help="print what was said also when it was taken")
        test.add_argument("--json", action="store_true", help="the outcome and all that was said, as JSON")
        add_by(test)

    def handle(self, *args: Any, **options: Any) -> None:
        tried = try_account(
            newsletter_from(options["newsletter"]),
            options["address"],
            now=clock(),
            by=somebody(options["by"]),
            installation=Installation.of(settings.NEWSLETTER, os.environ),
        )
        if options["json"]:
            self.stdout.write(json.dumps(dataclasses.asdict(tried), indent=2))
        else:
            self._say(tried, whole=options["dialogue"])
        if tried.problem:
            sys.exit(1)

    def _say(self, tried: Tried, *, whole: bool) -> None:
        if tried.problem or whole:
            for line in tried.lines:
                self.stdout.write(f"{_SIGNS[line.side]}{line.text}")
        if tried.problem:
            said = f"The test to {tried.to} through {tried.account} did not leave. {tried.problem} {tried.hint}"
        else:
            said = f"The test to {tried.to} was taken by {tried.account}: {tried.reply}"
        self.stdout.write(said.strip())
