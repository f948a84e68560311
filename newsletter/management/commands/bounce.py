"""`newsletter bounce < message`: what came back, from a mail server's pipe; `--poll` empties mailboxes."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from newsletter.core.bounce.parts import LARGEST
from newsletter.flow import bounce
from newsletter.flow.deliver import Installation
from newsletter.management.arguments import clock
from newsletter.management.doctor import require_new_database

# What Postfix tells the programs it pipes to (local(8), and pipe(8) with --to ${original_recipient}).
_ENVELOPE = ("ORIGINAL_RECIPIENT", "RECIPIENT")


class Command(BaseCommand):
    requires_system_checks = ()  # for each mail
    help = (
        "Take in one mail from standard input, as a mail server pipes it: bounces, complaints, unsubscribe mails. "
        "Nothing is ever answered. Exit codes: 0 taken, also what was not understood (it is kept in bounced/aside of "
        "the home); 75 try again, for when the database is away. With --poll: 0, or 3 when a mailbox can't be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", default="", metavar="ADDRESS", help="the address that the mail was delivered to")
        parser.add_argument(
            "--poll", action="store_true", help="empty the mailboxes that newsletter.toml names instead"
        )
        parser.add_argument("--json", action="store_true", help="what was done, as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["poll"]:
            self._poll(options["json"])
            return
        try:
            self._take(options)
        except Exception as error:
            # Whatever it is: the mail server keeps the mail and comes again, and the log says why.
            self.stderr.write(f"newsletter: The mail was not taken: {error}")
            sys.exit(os.EX_TEMPFAIL)

    def _take(self, options: dict[str, Any]) -> None:
        require_new_database()
        installation = Installation.of(settings.NEWSLETTER, os.environ)
        message = sys.stdin.buffer.read(LARGEST)
        # To the end: whoever pipes would take a closed pipe for a failure.
        while sys.stdin.buffer.read(65_536):
            pass
        to = options["to"] or next((os.environ[name] for name in _ENVELOPE if os.environ.get(name)), "")
        home = settings.NEWSLETTER.need_home()
        taken = bounce.take(message, keys=installation.keys, now=clock(), home=home, envelope_to=to)
        if options["json"]:
            aside = str(taken.aside) if taken.aside else None
            self.stdout.write(json.dumps({"kind": taken.kind, "decision": taken.decision, "aside": aside}))
        else:
            self.stdout.write(f"{taken.kind}: {taken.decision}")

    def _poll(self, as_json: bool) -> None:
        require_new_database()
        installation = Installation.of(settings.NEWSLETTER, os.environ)
        polled = bounce.poll(settings.NEWSLETTER, installation.keys, clock=clock)
        if as_json:
            self.stdout.write(
                json.dumps({"kinds": dict(polled.kinds), "aside": polled.aside, "troubles": polled.troubles})
            )
        elif polled.mails:
            counts = ", ".join(f"{number:,} {kind}" for kind, number in sorted(polled.kinds.items()))
            self.stdout.write(f"{polled.mails:,} mails: {counts}; {polled.aside:,} kept aside.")
        for trouble in polled.troubles:
            self.stderr.write(trouble)
        if polled.troubles:
            sys.exit(3)
