"""`newsletter demo`: a made-up magazine's week, from feed to mailbox, on this machine alone."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from newsletter.demo.run import run_demo
from newsletter.management.arguments import clock


class Command(BaseCommand):
    help = "Run a made-up magazine's week on this machine: gather, issue, approve, deliver into a built-in mailbox."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dir", default="demo-home", metavar="DIR", help="the demo's own home (default: demo-home)"
        )
        parser.add_argument("--once", action="store_true", help="end after the report instead of serving the pages")
        parser.add_argument("--json", action="store_true", help="one object with what happened, and where it is")
        parser.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS", help="where the pages are served")
        parser.add_argument("--port", type=int, metavar="PORT", help="their port (default: 8000, or any free one)")

    def handle(self, *args: Any, **options: Any) -> None:
        code = run_demo(
            settings.NEWSLETTER,
            once=options["once"],
            as_json=options["json"],
            bind=options["bind"],
            port=options["port"],
            out=sys.stdout,
            clock=clock,
        )
        if code:
            sys.exit(code)
