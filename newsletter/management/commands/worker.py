"""`newsletter worker`: go on with whatever is being sent, in as many processes as the machine has cores for."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections

from newsletter.core.errors import NewsletterError
from newsletter.flow import deliver as flow
from newsletter.management.arguments import clock
from newsletter.management.doctor import require_new_database

log = logging.getLogger(__name__)

# How often an idle worker looks for something to send.
LOOK_SECONDS = 1.0
# A worker that dies at once is begun again more and more slowly.
SHORTEST_LIFE, LONGEST_PAUSE = 10.0, 30.0
MOST = 64


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "Deliver issues that are being sent, until SIGTERM or Ctrl-C; any number may run, on any number of machines. "
        "It begins no issue: `week` or `serve` does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--processes", type=int, default=1, help="how many at once (a core each)")
        parser.add_argument("--once", action="store_true", help="end when there is nothing left to send now")
        parser.add_argument("--supervised", action="store_true", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        require_new_database()
        if not 1 <= options["processes"] <= MOST:
            raise CommandError(f"--processes takes a number from 1 to {MOST}.", returncode=2)
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        if options["processes"] > 1:
            code = supervise(options["processes"], once=options["once"], stopping=stopping)
            if code:
                sys.exit(code)
        else:
            work(_asked(stopping, supervised=options["supervised"]), stopping.wait, once=options["once"])


def _asked(stopping: threading.Event, *, supervised: bool) -> Callable[[], bool]:
    """Whether to stop. One of several also stops when the process that began it is gone: nobody could stop it then."""
    parent = os.getppid()
    return lambda: stopping.is_set() or (supervised and os.getppid() != parent)


def work(stopping: Callable[[], bool], wait: Callable[[float], object], *, once: bool) -> None:
    """Deliver what is being sent, issue by issue, and look again after a second."""

    def sleep(seconds: float) -> None:
        wait(seconds)

    installation = flow.Installation.of(settings.NEWSLETTER, os.environ)
    while not stopping():
        busy = False
        for issue in flow.unfinished(clock()):
            if stopping():
                return
            try:
                outcome = flow.deliver(issue, clock=clock, installation=installation, stopping=stopping, sleep=sleep)
                busy = busy or outcome.sent_now > 0
            except NewsletterError as error:
                # One issue's trouble is not the others'.
                log.warning("%s/%s: %s", issue.newsletter.slug, issue.slot, error)
        close_old_connections()
        if once and not busy:
            return
        if not busy:
            wait(LOOK_SECONDS)


def supervise(processes: int, *, once: bool, stopping: threading.Event) -> int:
    """Keep so many workers running; returns the exit code. A worker that dies is begun anew: what it had claimed is
    taken over by its journal.
    """
    home = settings.NEWSLETTER.home
    command = [sys.executable, "-m", "newsletter", *(["--home", str(home)] if home else []), "worker", "--supervised"]
    if once:
        command.append("--once")
    running = {number: _begin(command) for number in range(processes)}
    pauses = dict.fromkeys(running, 1.0)
    due: dict[int, float] = {}
    failed = 0
    while running or due:
        if stopping.wait(0.2):
            break
        for number, (process, began) in list(running.items()):
            code = process.poll()
            if code is None:
                continue
            del running[number]
            if once and code == 0:
                continue
            lived = time.monotonic() - began
            pauses[number] = 1.0 if lived > SHORTEST_LIFE else min(2 * pauses[number], LONGEST_PAUSE)
            log.warning("worker %d ended with %d after %.0f s", number + 1, code, lived)
            if once:
                failed = 1
            else:
                due[number] = time.monotonic() + pauses[number]
        for number, at in list(due.items()):
            if time.monotonic() >= at:
                del due[number]
                running[number] = _begin(command)
    for process, _ in running.values():
        process.terminate()
    for process, _ in running.values():
        process.wait()
    return failed


def _begin(command: list[str]) -> tuple[subprocess.Popen[bytes], float]:
    # In a session of its own, so that Ctrl-C reaches it through us alone, once.
    return subprocess.Popen(command, start_new_session=True), time.monotonic()
