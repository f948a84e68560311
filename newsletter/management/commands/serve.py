"""`newsletter serve`: pages, clock and delivery in one process."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from newsletter.core.errors import ConfigError
from newsletter.management.doctor import require_new_database
from newsletter.web.server import Server


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Serve the pages and run the week: everything in one process, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default=settings.NEWSLETTER.bind, help="the address to listen on")
        parser.add_argument("--port", type=int, default=settings.NEWSLETTER.port, help="the port; 0 takes any free one")
        parser.add_argument("--no-clock", action="store_true", help="pages only: cron runs the week")

    def handle(self, *args: Any, **options: Any) -> None:
        require_new_database()
        if not settings.SECRET_KEY:
            raise ConfigError("There is no secret key, so nobody could log in.", hint="Type: newsletter doctor")
        # The worker is forked from this process and must not share its connections.
        connections.close_all()
        Server(
            settings.NEWSLETTER,
            bind=options["bind"],
            port=options["port"],
            ready=self._ready,
            with_clock=not options["no_clock"],
        ).run()

    def _ready(self, address: str) -> None:
        self.stdout.write(f"Serving {settings.NEWSLETTER.base_url} on {address}")
        self.stdout.flush()
