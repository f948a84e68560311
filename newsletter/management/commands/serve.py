"""`newsletter serve`: pages, clock and delivery in one command."""

from __future__ import annotations

import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from newsletter.core.errors import ConfigError
from newsletter.management.arguments import clock
from newsletter.management.doctor import require_new_database
from newsletter.web.server import Server
from newsletter.web.studio.login import login_link


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Serve the pages and run the week: everything in one command, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default=settings.NEWSLETTER.bind, help="the address to listen on")
        parser.add_argument("--port", type=int, default=settings.NEWSLETTER.port, help="the port; 0 takes any free one")
        parser.add_argument("--no-clock", action="store_true", help="pages only: cron runs the week")

    def handle(self, *args: Any, **options: Any) -> None:
        require_new_database()
        if not settings.SECRET_KEY:
            raise ConfigError("There is no secret key, so nobody could log in.", hint="Type: newsletter doctor")
        require_free(options["bind"], options["port"])
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
        user = first_account()
        if user is not None:
            self.stdout.write(f"Nobody can log in yet. This link does, once, as {user.username}:")
            self.stdout.write(f"  {login_link(user, address, clock())}")
            connections.close_all()
        self.stdout.flush()


def require_free(bind: str, port: int) -> None:
    """Raises `ConfigError` when nothing can listen there: gunicorn itself would try for five seconds, then log; and
    `CommandError` for a number that is no port.
    """
    if not 0 <= port <= 65535:
        raise CommandError(f"{port} is no port: they go from 1 to 65535, and 0 takes any free one.", returncode=2)
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As gunicorn does, so that a port that was just given up is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except OSError as error:
            raise ConfigError(
                f"Nothing can listen on {bind} port {port}: {error.strerror}.", hint="Give another: --port PORT"
            ) from error


def first_account() -> User | None:
    """The account "admin", made when nobody has ever logged in or has a password to; else None.

    It has no password: the one-time link is the only way in until its owner sets one.
    """
    users = User.objects.filter(is_active=True)
    if any(user.last_login or user.has_usable_password() for user in users):
        return None
    user, made = User.objects.get_or_create(username="admin", defaults={"is_staff": True, "is_superuser": True})
    if made:
        user.set_unusable_password()
        user.save()
    return user if user.is_active else None
