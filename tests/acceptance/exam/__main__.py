"""The exam: one home, one approved issue, two senders, one server, and a seeded executioner."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

from tests.acceptance.crash import ISSUE, own_database
from tests.acceptance.exam.senders import ROOT, Senders
from tests.acceptance.exam.verdict import ASK, RESEND, Event, Exam, Ledger, judge, read_log

FAULTS = (
    "tempfail_rcpt=0.01",
    "tempfail_data=0.005",
    "rate_limit=0.003",
    "slow=0.005",
    "drop_mid=0.002",
    "drop_after=0.002",
    "busy=0.003",
)
HARD_EVERY = 100


class Room:
    """Where the exam is held."""

    def __init__(self, folder: Path, wanted: argparse.Namespace) -> None:
        self.folder, self.wanted = folder, wanted
        self.log, self.output = folder / "server.ndjson", folder / "senders.log"
        self.random = Random(wanted.seed)
        self.good = frozenset(f"r{number}@box.test" for number in range(wanted.people))
        self.hard = frozenset(f"hard{number}@box.test" for number in range(wanted.people // HARD_EVERY))
        self._lives, self.port = 0, 0
        self.log.touch()
        self._server = self._started()

    def _started(self) -> subprocess.Popen[str]:
        """A server, on the port of the one before it. Each life rolls its own dice."""
        self._lives += 1
        command = [sys.executable, "-m", "tests.acceptance.exam.server", str(self.log), str(self.port)]
        command += [str(self.wanted.rate), str(self.wanted.seed * 1000 + self._lives), *FAULTS]
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert server.stdout is not None
        self.port = int(server.stdout.readline())
        return server

    def kill_server(self) -> float:
        at = time.time()
        self._server.kill()
        self._server.communicate()
        return at

    def seed(self) -> None:
        """A home with its readers and an issue that is due."""
        home = self.folder / "home"
        command = [sys.executable, "-m", "newsletter", "init", str(home)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        os.environ["NEWSLETTER_HOME"] = str(home)
        os.environ["DJANGO_SETTINGS_MODULE"] = "newsletter.project.settings"
        import django

        django.setup()
        from newsletter.models import Account
        from tests.factories import make_account, make_newsletter
        from tests.sending import make_approved

        way_out = {
            "host": "127.0.0.1",
            "port": self.port,
            "hello": "sender.test",
            "connections": self.wanted.connections,
            "on_uncertain": self.wanted.mode,
        }
        series = make_newsletter(account=make_account(name="relay", kind=Account.Kind.SMTP, settings=way_out))
        people = sorted(self.good | self.hard)
        # Mixed, as lists are: a hundred refusals in a row at the beginning would rightly pause any send.
        Random(self.wanted.seed).shuffle(people)
        make_approved(people, newsletter=series, slot_at=datetime.now(UTC) - timedelta(minutes=1))

    def events(self) -> list[Event]:
        with self.log.open("rb") as stream:
            return read_log(stream)

    def taken(self) -> int:
        return self.log.read_bytes().count(b'"taken"')

    def ledger(self) -> Ledger:
        from newsletter.flow.report import counts
        from newsletter.models import DeliveryState, Issue, IssueState
        from tests.sending import addresses

        issue = Issue.objects.get()
        accepted, failed, uncertain = (
            frozenset(addresses(issue, state))
            for state in (DeliveryState.ACCEPTED, DeliveryState.FAILED, DeliveryState.UNCERTAIN)
        )
        complete = counts(issue).complete and issue.state == IssueState.SENT
        return Ledger(accepted, failed, uncertain, complete)

    def sent(self) -> bool:
        from newsletter.models import Issue, IssueState

        return Issue.objects.get().state == IssueState.SENT

    def hasten(self) -> None:
        """Let the pauses before the next try be over: the exam is about kills, not about patience.

        Only what lies ahead is moved: a time moved on again and again would be later than the clock of every claim.
        """
        from newsletter.models import Retry

        now = datetime.now(UTC)
        Retry.objects.filter(owner="", due_at__gt=now).update(due_at=now)

    def hold(self) -> tuple[Exam, float]:
        """Kill at so many places of the send, evenly spread; then let it end."""
        senders = Senders(ISSUE, self.wanted.workers, self.port, self.output)
        kills: list[float] = []
        server_kills: list[float] = []
        began = time.monotonic()
        try:
            every = self.wanted.server_every
            for number in range(1, self.wanted.kills + 1):
                self._until(senders, lambda place=number: self.taken() >= self._place(place))
                if number % every == 0:
                    server_kills.append(self.kill_server())
                    self._server = self._started()
                else:
                    kills.append(senders.kill(self.random))
            self._until(senders, self.sent)
        finally:
            senders.end()
        exam = Exam(
            self.wanted.mode,
            self.good,
            self.hard,
            self.wanted.connections,
            self.wanted.workers,
            tuple(kills),
            tuple(server_kills),
        )
        return exam, time.monotonic() - began

    def _place(self, number: int) -> int:
        """The taken messages at which kill `number` falls. A tenth is left for the end: what is in doubt when nobody
        resends it is never taken, and a place beyond the last message would be waited for in vain.
        """
        return self.wanted.people * 9 * number // (10 * self.wanted.kills)

    def _until(self, senders: Senders, done: Callable[[], bool]) -> None:
        """Keep the senders going until then. A send that stands still for two minutes has failed."""
        before, since = -1, time.monotonic()
        while not done():
            senders.keep()
            self.hasten()
            time.sleep(0.02)
            if (now := self.taken()) != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > 120:
                raise SystemExit(f"Nothing was taken for two minutes, after {now}.\n{self.output.read_text()[-2000:]}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.acceptance.exam", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--server-every", type=int, default=10, help="each so-manieth kill is the server's")
    parser.add_argument("--rate", type=float, default=100.0, help="messages a second that the server takes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mode", choices=(ASK, RESEND), default=ASK)
    parser.add_argument("--seeds", type=int, default=0, help="hold it with seeds 1 to so many, in both modes")
    wanted = parser.parse_args()
    return hold_all(wanted.seeds) if wanted.seeds else hold_one(wanted)


def hold_all(seeds: int) -> int:
    """The long form, one process each: Django has one home."""
    failed = 0
    for seed in range(1, seeds + 1):
        for mode in (ASK, RESEND):
            command = [sys.executable, "-m", "tests.acceptance.exam", f"--seed={seed}", f"--mode={mode}"]
            failed += bool(subprocess.run(command, cwd=ROOT, check=False).returncode)
            print(flush=True)
    print(f"{seeds * 2 - failed} of {seeds * 2} exams passed")
    return 1 if failed else 0


def hold_one(wanted: argparse.Namespace) -> int:
    """Hold the exam and print its verdict."""
    with tempfile.TemporaryDirectory(prefix="newsletter-exam-") as folder, own_database():
        room = Room(Path(folder), wanted)
        try:
            room.seed()
            exam, seconds = room.hold()
        finally:
            room.kill_server()
        events = room.events()
        verdict = judge(exam, events, room.ledger())
        times = [event.at for event in events if event.kind == "taken"]
        longest = max((two - one for one, two in pairwise(times)), default=0.0)
    print(f"mode {wanted.mode}, seed {wanted.seed}, {wanted.workers} senders of {wanted.connections} connections")
    for name, number in verdict.counts.items():
        print(f"{name:<45} {number:>7}")
    for name, who in verdict.faults.items():
        print(f"{name:<45} {len(who):>7}{'  ' + ', '.join(who[:5]) if who else ''}")
    print(f"{'longest time without a message, seconds':<45} {longest:>7.1f}")
    print(f"{'seconds':<45} {seconds:>7.0f}")
    print("PASSED" if verdict.passed else "FAILED" if verdict.valid else "DOES NOT COUNT: kills outside the send")
    return 0 if verdict.passed else 1


if __name__ == "__main__":
    sys.exit(main())
