"""`newsletter doctor`: what is set up, what is missing, what to type."""

from __future__ import annotations

import dataclasses
import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from newsletter.config.load import current
from newsletter.flow.domain import Level
from newsletter.management.arguments import clock
from newsletter.management.doctor import examine


class Command(BaseCommand):
    help = "Say which home and settings won, what is missing and what to type. Exit code 3 when something is missing."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = examine(current(), now=clock())
        missing = sum(finding.level is Level.MISSING for finding in findings)
        if options["json"]:
            found = [dataclasses.asdict(finding) for finding in findings]
            self.stdout.write(json.dumps({"missing": missing, "findings": found}, indent=2))
        else:
            for finding in findings:
                self.stdout.write(f"{finding.level:7}  {finding.subject}: {finding.text}")
                if finding.fix:
                    self.stdout.write(f"         -> {finding.fix}")
            self.stdout.write(f"Missing: {missing}." if missing else "Nothing is missing.")
        if missing:
            sys.exit(3)
