"""The crash exam: kill -9 the sender in mid-send, again and again, then resume; count the lost and the doubled.

    python tests/acceptance/crash.py [--people 2000] [--kills 20] [--rate 200] [--seed 1]
    python tests/acceptance/crash.py --at-once 8
    python tests/with_postgres.py python tests/acceptance/crash.py

A real home, the real `newsletter deliver` command, a real SMTP server in a process of its own that writes down what it
takes before it answers. Each kill is asserted to fall between the first and the last acceptance. Judged by that journal
alone: nobody lost but those whom the ledger names as uncertain, nobody twice, at most one uncertain a connection and
kill. With
`--at-once` nothing is killed: so many senders begin together, and together they must be one send. Exit code 1 when a
promise is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parents[2]
ISSUE = "weekly/2026-11-05"
# Each may have one message on the wire when its process is killed.
CONNECTIONS = 4
sys.path.insert(0, str(ROOT))


@dataclass(frozen=True)
class Accepted:
    """One line of the server's journal."""

    at: float
    recipient: str
    message_id: str


@dataclass(frozen=True)
class Kill:
    """One kill -9: when, and how many messages the server had taken."""

    at: float
    accepted: int


class Exam:
    """One home, one server, one approved issue."""

    def __init__(self, folder: Path, people: int, rate: float) -> None:
        self.home, self.journal = folder / "home", folder / "journal.ndjson"
        self.people, self.rate = people, rate
        self.wanted = {f"r{n}@box.test" for n in range(people)}

    @contextmanager
    def ready(self) -> Iterator[None]:
        """A server that listens and an issue that is approved and due."""
        self.journal.touch()
        command = [sys.executable, str(ROOT / "tests/acceptance/smtp_journal.py"), str(self.journal), str(self.rate)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            self._seed(int(server.stdout.readline()))
            yield
        finally:
            server.kill()
            server.wait()
            server.stdout.close()  # type: ignore[union-attr]

    def _seed(self, port: int) -> None:
        self.newsletter("init", str(self.home), check=True)
        os.environ["NEWSLETTER_HOME"] = str(self.home)
        os.environ["DJANGO_SETTINGS_MODULE"] = "newsletter.project.settings"
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        from datetime import UTC, datetime, timedelta

        from newsletter.models import Account
        from tests.factories import make_account, make_newsletter
        from tests.sending import make_approved

        settings = {"host": "127.0.0.1", "port": port, "hello": "sender.test", "connections": CONNECTIONS}
        series = make_newsletter(account=make_account(name="relay", kind=Account.Kind.SMTP, settings=settings))
        make_approved(sorted(self.wanted), newsletter=series, slot_at=datetime.now(UTC) - timedelta(minutes=1))

    def newsletter(self, *arguments: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run the product's command to its end."""
        command = [sys.executable, "-m", "newsletter", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=check, timeout=600)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the product's command and let it run."""
        command = [sys.executable, "-m", "newsletter", *arguments]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def accepted(self) -> list[Accepted]:
        """What the server has taken so far. A line that is being written is not there yet."""
        lines = self.journal.read_bytes().split(b"\n")[:-1]
        return [Accepted(found["t"], found["rcpt"], found["mid"]) for found in map(json.loads, lines)]

    def count(self) -> int:
        return self.journal.read_bytes().count(b"\n")

    def kill_when(self, wanted: int, random_: random.Random) -> Kill:
        """Run the sender, and kill -9 it once the server has taken `wanted` messages, up to 20 ms later."""
        sender = self.begin("deliver", ISSUE)
        until = time.monotonic() + 120
        while self.count() < wanted:
            if sender.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"The sender ended by itself at {self.count()}: {sender.communicate()}")
            time.sleep(0.002)
        time.sleep(random_.uniform(0, 0.02))
        os.kill(sender.pid, signal.SIGKILL)
        at = time.time()
        sender.communicate()
        if sender.returncode != -signal.SIGKILL:
            raise SystemExit("The sender was not killed: it had ended before.")
        return Kill(at, self.count())

    def run(self, kills: int, seed: int) -> int:
        """The whole exam; prints its table and returns the exit code."""
        random_ = random.Random(seed)
        began = time.monotonic()
        done = []
        for number in range(1, kills + 1):
            # Spread over the send, leaving a rest for the last run, so that every kill is before the last acceptance.
            done.append(self.kill_when(self.people * number // (kills + 1), random_))
        last = self.newsletter("deliver", ISSUE)
        return self.judge(done, last, time.monotonic() - began)

    def run_at_once(self, senders: int) -> int:
        """Many senders of one issue that has not begun; what the slower ones leave, a last one finishes."""
        began = time.monotonic()
        running = [self.begin("deliver", ISSUE) for _ in range(senders)]
        for sender in running:
            output = sender.communicate(timeout=600)
            if sender.returncode not in (0, 3):
                raise SystemExit(f"A sender failed with {sender.returncode}: {output}")
        last = self.newsletter("deliver", ISSUE)
        return self.judge([], last, time.monotonic() - began)

    def judge(self, kills: list[Kill], last: subprocess.CompletedProcess[str], seconds: float) -> int:
        from newsletter.flow.report import report
        from newsletter.models import DeliveryState, Issue
        from tests.sending import addresses

        issue = Issue.objects.get()
        found, taken = report(issue), self.accepted()
        copies = Counter(each.recipient for each in taken)
        uncertain = set(addresses(issue, DeliveryState.UNCERTAIN))
        ours = set(addresses(issue, DeliveryState.ACCEPTED))
        first_at, last_at = taken[0].at, taken[-1].at
        print(f"{'kill':>5} {'s after the first acceptance':>29} {'taken by then':>14}")
        for number, kill in enumerate(kills, 1):
            print(f"{number:>5} {kill.at - first_at:>29.2f} {kill.accepted:>14}")
        faults = {
            "lost (not taken, not named uncertain)": self.wanted - set(copies) - uncertain,
            "doubled": {address for address, number in copies.items() if number > 1},
            "not asked for": set(copies) - self.wanted,
            "called accepted, but never taken": ours - set(copies),
            "kills outside the send": {str(kill.at) for kill in kills if not first_at < kill.at < last_at},
        }
        rows = [
            ("subscribers", len(self.wanted)),
            ("kills", len(kills)),
            ("taken by the server", len(taken)),
            ("uncertain, by name", len(uncertain)),
            ("of them taken", len(uncertain & set(copies))),
            *((name, len(who)) for name, who in faults.items()),
            ("seconds", round(seconds, 1)),
        ]
        print()
        for name, number in rows:
            print(f"{name:<40} {number:>8}")
        print(f"\n{found.sentence}")
        good = (
            not any(faults.values())
            and len(uncertain) <= CONNECTIONS * len(kills)
            and found.counts.complete
            and found.state == "sent"
            and last.returncode == (3 if uncertain else 0)
        )
        print("PASSED" if good else f"FAILED\n{last.stdout}{last.stderr}")
        return 0 if good else 1


@contextmanager
def own_database() -> Iterator[None]:
    """On PostgreSQL a database of this exam alone; otherwise the SQLite file of its home."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        os.environ.pop("DATABASE_URL", None)
        yield
        return
    import psycopg

    name = f"crash_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        os.environ["DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        try:
            yield
        finally:
            from django.db import connections

            connections.close_all()
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


def main() -> int:
    parser = argparse.ArgumentParser(description="kill -9 the sender in mid-send and count the lost and the doubled")
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=0, metavar="SENDERS")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="crash-") as folder, own_database():
        exam = Exam(Path(folder), wanted.people, wanted.rate)
        with exam.ready():
            if wanted.at_once:
                return exam.run_at_once(wanted.at_once)
            return exam.run(wanted.kills, wanted.seed)


if __name__ == "__main__":
    sys.exit(main())
