"""`newsletter housekeeping`: reminders and retention. For cron, once a day or oftener."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from newsletter.flow.housekeeping import housekeep
from newsletter.management.arguments import clock
from newsletter.management.doctor import require_new_database


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Remind those who have not confirmed, forget those who never did, and delete what is kept no longer. `serve` "
        "does it every hour by itself."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="what was done, as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        require_new_database()
        kept = housekeep(settings.NEWSLETTER, settings.NEWSLETTER.token_keys, clock())
        if options["json"]:
            self.stdout.write(json.dumps(asdict(kept)))
            return
        words = (
            (kept.reminded, "reminded to confirm"),
            (kept.retired, "never confirmed and forgotten"),
            (kept.resumed, "back from a pause"),
            (kept.erased, "erased, as they had asked"),
            (kept.asked, "quiet readers asked whether they still want it"),
            (kept.quiet, "quiet readers paused"),
            (kept.forms, "old forms deleted"),
            (kept.mails, "old service mails deleted"),
            (kept.uploads, "files of subscribers thrown away"),
            (kept.proofs, "proofs without their network now"),
        )
        for number, what in words:
            if number:
                self.stdout.write(f"{number} {what}")
