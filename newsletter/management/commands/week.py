"""`newsletter week`: whatever is due now. What cron calls."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from newsletter.flow import run_week
from newsletter.flow.week import WeekReport, would_do
from newsletter.management.arguments import clock
from newsletter.management.doctor import require_new_database


class Command(BaseCommand):
    requires_system_checks = ()  # every minute, from cron: what is wrong shows in the report
    help = (
        "Gather, place, approve, send: whatever is due now. Safe from any number of crons at once. "
        "Exit codes: 0 done or nothing to do, 1 failed, 3 a person should look."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what is due, and do nothing")
        parser.add_argument("--json", action="store_true", help="what was done, as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        require_new_database()
        if options["dry_run"]:
            for line in would_do(clock()) or ["Nothing is due."]:
                self.stdout.write(line)
            return
        stopping = threading.Event()
        # Told to end (a timer's time-out, a shutdown): the message on the wire gets its answer, no further one begins.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        report = run_week(
            clock(),
            config=settings.NEWSLETTER,
            environ=os.environ,
            clock=clock,
            stopping=stopping.is_set,
            sleep=stopping.wait,
        )
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), indent=2, ensure_ascii=False))
        else:
            for line in sentences(report):
                self.stdout.write(line)
        if report.failed or report.needs_a_person:
            sys.exit(1 if report.failed else 3)


def sentences(report: WeekReport) -> list[str]:
    """The report for a person; nothing when nothing was due or all was told before, so that cron mails nobody."""
    lines = []
    for source in report.gathered.sources if report.gathered else ():
        if source.error:
            lines.append(f"{source.source}: {source.error}")
        elif source.new or source.changed:
            lines.append(f"{source.source}: {source.new} new, {source.changed} changed")
    lines += [f"{one.issue}: {one.action}. {one.reason}" for one in report.decided if one.news]
    for one in report.delivered:
        counts = f"{one.accepted} accepted, {one.failed} failed, {one.excluded} excluded, {one.uncertain} uncertain"
        waiting = f", {one.pending} to go" if one.pending else ""
        lines.append(f"{one.issue}: {one.state}, {counts} of {one.frozen}{waiting}. {one.paused_reason}".rstrip())
    lines += [f"{problem.where}: {problem.text}" for problem in report.problems]
    return lines
