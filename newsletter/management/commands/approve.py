"""`newsletter approve ISSUE --by NAME`: freeze an issue as it is and let it go out at its slot."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from newsletter.flow.issue import approve
from newsletter.management.arguments import clock, issue_from, issue_name
from newsletter.management.showing import moment


class Command(BaseCommand):
    help = "Approve a draft exactly as it is now. Any later edit voids the approval."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("issue", nargs="?", default="next", help="weekly/2026-11-26, 2026-11-26, next (default)")
        parser.add_argument("--by", required=True, metavar="NAME", help="who approves; it is kept")
        parser.add_argument("--json", action="store_true", help="the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        issue = approve(issue_from(options["issue"]), options["by"], now=clock())
        assert issue.freeze is not None
        if options["json"]:
            values = {"issue": issue_name(issue), "state": issue.state, "fingerprint": issue.freeze.fingerprint}
            self.stdout.write(json.dumps({**values, "slot_at": issue.slot_at}, indent=2, default=str))
            return
        self.stdout.write(f"{issue_name(issue)} is approved by {options['by']} (fingerprint {issue.freeze}).")
        self.stdout.write(f"It goes out {moment(issue.slot_at, issue.newsletter.timezone)}.")
