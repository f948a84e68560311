"""`newsletter approve ISSUE`: freeze an issue as it is and let it go out at its slot."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from newsletter.flow.issue import approve
from newsletter.ledger.issues import due_at
from newsletter.management.arguments import add_by, clock, issue_from, issue_name, somebody
from newsletter.management.showing import moment


class Command(BaseCommand):
    help = "Approve a draft exactly as it is now. Any later edit voids the approval."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("issue", nargs="?", default="next", help="weekly/2026-11-26, 2026-11-26, next (default)")
        parser.add_argument("--fingerprint", metavar="HEX", help="only if it is still what preview --json named")
        add_by(parser)
        parser.add_argument("--json", action="store_true", help="the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        by = somebody(options["by"])
        issue = approve(issue_from(options["issue"]), by, now=clock(), expected=options["fingerprint"])
        assert issue.freeze is not None
        if options["json"]:
            values = {"issue": issue_name(issue), "state": issue.state, "fingerprint": issue.freeze.fingerprint}
            self.stdout.write(
                json.dumps({**values, "slot_at": issue.slot_at, "send_at": due_at(issue)}, indent=2, default=str)
            )
            return
        self.stdout.write(f"{issue_name(issue)} is approved by {by} (fingerprint {issue.freeze}).")
        self.stdout.write(f"It goes out {moment(due_at(issue), issue.newsletter.timezone)}.")
