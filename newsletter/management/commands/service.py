"""`newsletter service`: the mails that readers' own acts asked for. For cron, where no `serve` runs."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from newsletter.flow import readers, service
from newsletter.flow.deliver import Installation
from newsletter.management.arguments import clock
from newsletter.management.doctor import require_new_database


class Command(BaseCommand):
    requires_system_checks = ()  # every minute, from cron
    help = (
        "Work off sign-up forms and send the service mails that are due: confirmations, welcomes, links. "
        "`week` does it too, but not while it "
        "sends an issue. Exit codes: 0 done or nothing to do, 3 an account could not send."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="what was done, as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        require_new_database()
        installation = Installation.of(settings.NEWSLETTER, os.environ)
        composer = service.Composer(installation.keys)
        _, outcome = readers.serve(settings.NEWSLETTER, installation, composer, clock=clock)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(outcome)))
        elif outcome.handled:
            named = asdict(outcome)
            counts = (f"{named[name]} {name}" for name in ("accepted", "failed", "excluded", "uncertain", "waiting"))
            self.stdout.write(f"Service mails: {', '.join(counts)}.")
        if outcome.trouble:
            self.stderr.write(outcome.trouble)
            sys.exit(3)
