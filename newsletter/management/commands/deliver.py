"""`newsletter deliver ISSUE`: send an approved issue, or go on with it; pause, resume, stop, settle."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from newsletter.core.errors import IssueError
from newsletter.flow import deliver as flow
from newsletter.flow.report import report
from newsletter.ledger.issues import due_at
from newsletter.management.arguments import add_by, clock, issue_from, issue_name, somebody
from newsletter.management.showing import moment
from newsletter.models import Issue, IssueState

HELD = 3


class Command(BaseCommand):
    help = "Send an approved issue to everybody it is for, once. Interrupt it at any time: the same command goes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("issue", nargs="?", default="", help="weekly/2026-11-26, 2026-11-26, next (default), last")
        verbs = parser.add_mutually_exclusive_group()
        verbs.add_argument("--dry-run", action="store_true", help="say what would be sent, when and to how many")
        verbs.add_argument("--resume", action="store_true", help="go on with a paused issue: finish the rest")
        verbs.add_argument("--pause", action="store_true", help="stop after the message on the wire, until --resume")
        verbs.add_argument("--stop", action="store_true", help="exclude the rest; the issue is sent")
        verbs.add_argument(
            "--settle-uncertain",
            choices=("resend", "leave"),
            help="decide what may have arrived: send it once more (same Message-ID), or leave it",
        )
        parser.add_argument("--now", action="store_true", help="do not wait for the issue's slot")
        parser.add_argument("--confirm", action="store_true", help="send although another issue went out just before")
        add_by(parser)
        parser.add_argument("--json", action="store_true", help="the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        issue = issue_from(options["issue"] or ("last" if options["settle_uncertain"] else "next"))
        by = somebody(options["by"])
        if options["dry_run"]:
            self.stdout.write(flow.would_send(issue, clock()))
        elif options["pause"]:
            flow.pause(issue, clock(), by=by)
            self._tell(issue, options["json"])
        elif options["stop"]:
            installation = flow.Installation.of(settings.NEWSLETTER, os.environ)
            flow.stop(issue, clock(), by=by, journal=installation.read_journal)
            self._tell(issue, options["json"])
        elif options["settle_uncertain"] == "leave":
            flow.settle_uncertain(issue, clock(), resend=False, by=by)
            self._tell(issue, options["json"])
        else:
            if options["settle_uncertain"] == "resend":
                flow.settle_uncertain(issue, clock(), resend=True, by=by)
                issue.refresh_from_db()
            self._begin(issue, options, by)
            outcome = self._send(issue)
            self._tell(issue, options["json"], outcome)

    def _begin(self, issue: Issue, options: dict[str, Any], by: str) -> None:
        """approved → sending, or paused → sending when asked for. An issue that is sending or sent stays so."""
        if issue.state == IssueState.PAUSED:
            if not options["resume"]:
                raise CommandError(
                    f"{issue_name(issue)} is paused: {issue.paused_reason} Finish the rest with --resume.",
                    returncode=HELD,
                )
            flow.resume(issue, clock(), by=by)
        elif issue.state == IssueState.APPROVED:
            if options["now"]:
                # Typed where a send can be watched and interrupted; a minute that somebody else was given still counts.
                if issue.hurried_from is None:
                    _hurry(issue, by, confirmed=options["confirm"])
            elif clock() < due_at(issue):
                raise IssueError(
                    f"The issue goes out {moment(due_at(issue), issue.newsletter.timezone)}.",
                    where=issue_name(issue),
                    hint="`newsletter week` sends it then; to send it at once, add --now.",
                )
            installation = flow.Installation.of(settings.NEWSLETTER, os.environ)
            flow.start(issue, clock(), confirmed=options["confirm"], installation=installation)
        elif issue.state not in (IssueState.SENDING, IssueState.SENT):
            raise IssueError(
                f"The issue is {issue.state}: nothing to send.",
                where=issue_name(issue),
                hint=f"Approve it first: newsletter approve {issue_name(issue)}"
                if issue.state == IssueState.DRAFT
                else "",
            )

    def _send(self, issue: Issue) -> flow.DeliveryOutcome:
        installation = flow.Installation.of(settings.NEWSLETTER, os.environ)
        with _interruptible() as stopping, _bar(issue_name(issue)) as progress:
            return flow.deliver(issue, clock=clock, installation=installation, progress=progress, stopping=stopping)

    def _tell(self, issue: Issue, as_json: bool, outcome: flow.DeliveryOutcome | None = None) -> None:
        """Print the report; exit code 3 when a person should look."""
        found = report(issue)
        if as_json:
            self.stdout.write(json.dumps(found.as_dict(), indent=2, ensure_ascii=False))
        else:
            self.stdout.write(found.sentence)
        if found.clean:
            return
        name = issue_name(issue)
        if found.counts.undecided:
            advice = (
                f"{found.counts.undecided} may have arrived: newsletter deliver {name} --settle-uncertain resend|leave"
            )
        elif found.state == IssueState.PAUSED and found.counts.complete:
            advice = f"Throw it away, its reviews wait: newsletter issue discard {name} --reason WHY"
        elif found.state == IssueState.PAUSED:
            advice = f"Finish the rest: newsletter deliver {name} --resume"
        elif outcome is not None and outcome.allowed_at is not None and found.state == IssueState.SENDING:
            when = moment(outcome.allowed_at, issue.newsletter.timezone)
            advice = f"The account's allowance is used up; the rest goes from {when}: `newsletter week` does it."
        elif found.next_try is not None:
            when = moment(found.next_try, issue.newsletter.timezone)
            advice = f"{found.counts.waiting} are tried again from {when}; `newsletter week` does it."
        elif found.state == IssueState.SENDING:
            advice = f"Go on: newsletter deliver {name}"
        else:
            advice = f"Who and why: newsletter report {name}"
        raise CommandError(advice, returncode=HELD)


def _hurry(issue: Issue, by: str, *, confirmed: bool) -> None:
    try:
        flow.send_now(issue, clock(), by=by, confirmed=confirmed, wait=timedelta())
    except IssueError:
        # Several workers are told the same at the same moment: whoever comes second joins the send.
        issue.refresh_from_db(fields=["state"])
        if issue.state not in (IssueState.SENDING, IssueState.PAUSED, IssueState.SENT):
            raise


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """SIGINT and SIGTERM let the message on the wire finish; a second one ends the process where it stands."""
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        for each in before:
            signal.signal(each, before[each])

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, ask)
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _bar(name: str) -> Iterator[Callable[[flow.Tally], None] | None]:
    """A bar on stderr while a terminal looks on; nothing otherwise."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (
        TextColumn(name),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[rest]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=None, rest="", pace="")
        begun: list[tuple[float, int]] = []

        def tell(tally: flow.Tally) -> None:
            parts = ((tally.failed, "failed"), (tally.uncertain, "uncertain"), (tally.waiting, "waiting"))
            rest = ", ".join(f"{number} {word}" for number, word in parts if number)
            now = time.monotonic()
            # Of this run, from its first look on: what others have sent before says nothing about the pace.
            first_at, first = (begun or [(now, tally.decided)])[0]
            begun[:] = [(first_at, first)]
            pace = f"{(tally.decided - first) / (now - first_at):,.0f}/s" if now > first_at else ""
            shown.update(task, total=tally.total, completed=tally.decided, rest=rest, pace=pace)

        yield tell
