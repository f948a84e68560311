"""What a send promises while nothing is on fire: real workers, a real SMTP server that writes down what it took.

    python -m tests.acceptance.steady [pauses poison limited crowd restart takeover]

pauses    an editor pauses and resumes at random, and nobody is lost or doubled
poison    one in a hundred can't be mailed, and fails alone with a reason
limited   a server that takes 50 a second and refuses what is above: used well, and hardly ever asked in vain
crowd     four processes with twenty connections each share one issue, twenty times over
restart   kill -9, and how long until the next worker's first message
takeover  kill -9 on a machine that is gone with its journal: how long until another worker has its batch
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.acceptance.crash import own_database
from tests.acceptance.leaving import environment
from tests.homes import REPOSITORY, Home, copy_home

BEGIN = """
import json, random, sys
from datetime import UTC, datetime
from newsletter.flow import deliver
from subscribers.models import Subscriber
from tests.factories import make_account, make_newsletter
from tests.sending import make_approved
port, people, poison, connections = (int(each) for each in sys.argv[1:])
settings = {"host": "127.0.0.1", "port": port, "hello": "sender.test", "connections": connections}
series = make_newsletter(account=make_account(name="relay", kind="smtp", settings=settings))
bad = [f"hard{n}@box.test" if n % 2 else f"{'x' * 65}{n}@box.test" for n in range(poison)]
everybody = [*(f"r{n}@box.test" for n in range(people - poison)), *bad]
random.Random(1).shuffle(everybody)
issue = make_approved(everybody, newsletter=series)
odd = ("a\\r\\nBcc: x@y.test", "\\x07\\u2028", "\\U0001f600" * 75)
for number, name in enumerate(odd if poison else ()):
    Subscriber.objects.filter(address=f"r{number}@box.test").update(name=name)
deliver.start(issue, datetime.now(UTC))
"""

PAUSE = """
import random, sys, time
from datetime import UTC, datetime
from pathlib import Path
from newsletter.flow import deliver
from newsletter.models import Issue, IssueState
times, people, journal = int(sys.argv[1]), int(sys.argv[3]), Path(sys.argv[4])
chance = random.Random(int(sys.argv[2]))
inside = 0
for number in range(times):
    # Each at a place of its own, so that all of them fall inside the send.
    while journal.read_bytes().count(b"\\n") < people * (number + 1) // (times + 2):
        time.sleep(0.002)
    deliver.pause(Issue.objects.get(), datetime.now(UTC), by="Mara")
    time.sleep(chance.uniform(0, 0.3))
    inside += journal.read_bytes().count(b"\\n") < people
    deliver.resume(Issue.objects.get(), datetime.now(UTC), by="Mara")
print(inside)
"""

MOVED_AWAY = """
from newsletter.models import Batch, Retry
for kind in (Batch, Retry):
    for row in kind.objects.exclude(owner=""):
        kind.objects.filter(pk=row.pk).update(owner="elsewhere-00000000" + row.owner[row.owner.index(":"):])
"""


@dataclass(slots=True)
class Found:
    """What one run came to: `figures` to print, `faults` that must not be."""

    figures: dict[str, object] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def must(self, true: bool, words: str) -> None:
        if not true:
            self.faults.append(words)


@contextmanager
def server(journal: Path, rate: float = 0.0, limit: float = 0.0) -> Iterator[int]:
    """The port of a server that answers up to `rate` messages a second and refuses what is over `limit` a second."""
    command = [
        sys.executable,
        str(REPOSITORY / "tests/acceptance/smtp_journal.py"),
        str(journal),
        f"{rate}",
        f"{limit}",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def lines(journal: Path) -> list[dict[str, object]]:
    """What the server has written down; a line that is being written is not there yet."""
    return [json.loads(line) for line in journal.read_bytes().split(b"\n")[:-1]]


def taken(journal: Path) -> list[dict[str, object]]:
    return [line for line in lines(journal) if "refused" not in line]


def wait_for(true: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise SystemExit(f"Waited {seconds:g} s in vain: {what}.")
        time.sleep(0.01)


@contextmanager
def workers(home: Home, processes: int = 1) -> Iterator[subprocess.Popen[str]]:
    """`newsletter worker` until the end of the block, then told to leave."""
    process = home.start("worker", "--processes", str(processes), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=90)


def judge(home: Home, journal: Path, people: int, poison: int = 0) -> Found:
    """Against the server's own book: each of the good once, each of the bad failed, the issue sent."""
    found = Found()
    times = Counter(str(line["rcpt"]) for line in taken(journal))
    doubled = sorted(who for who, number in times.items() if number > 1)
    states = Counter(home.ask("list(m.Delivery.objects.values_list('state', flat=True))"))
    found.figures |= {"taken": len(times), "doubled": len(doubled), "lost": people - poison - len(times)}
    found.figures |= dict(sorted(states.items()))
    found.must(not doubled, f"doubled: {doubled[:5]}")
    found.must(len(times) == people - poison, "lost somebody")
    found.must(states == Counter({"accepted": people - poison, "failed": poison}) - Counter(), "states do not add up")
    found.must(home.ask("m.Issue.objects.get().state") == "sent", "the issue is not sent")
    return found


def send(home: Home, journal: Path, people: int, processes: int, seconds: float) -> float:
    """Let workers finish it; returns how long that took."""
    began = time.monotonic()
    with workers(home, processes):
        wait_for(lambda: home.ask("m.Issue.objects.get().state") == "sent", seconds, "the end of the send")
    return time.monotonic() - began


def begin(home: Home, port: int, people: int, poison: int = 0, connections: int = 4) -> None:
    home.python(BEGIN, str(port), str(people), str(poison), str(connections))


def pauses(
    home: Home, journal: Path, *, people: int = 5000, times: int = 50, seed: int = 1, rate: float = 250
) -> Found:
    with server(journal, rate=rate) as port:
        begin(home, port, people)
        with workers(home, 2):
            inside = home.python(PAUSE, str(times), str(seed), str(people), str(journal)).strip()
            wait_for(lambda: home.ask("m.Issue.objects.get().state") == "sent", 300, "the end of the send")
    found = judge(home, journal, people)
    found.figures["paused and resumed inside the send"] = f"{inside} times"
    found.must(inside == str(times), "a pause fell outside the send")
    return found


def poison(home: Home, journal: Path, *, people: int = 10_000) -> Found:
    bad = people // 100
    with server(journal) as port:
        begin(home, port, people, bad)
        send(home, journal, people, 2, 300)
    found = judge(home, journal, people, bad)
    silent = home.ask("m.Delivery.objects.filter(state='failed', reason='').count()")
    found.figures["failed without a reason"] = silent
    found.must(silent == 0, "a failure has no reason")
    return found


def limited(home: Home, journal: Path, *, people: int = 12_000, limit: float = 50, first: float = 60.0) -> Found:
    """The share of the allowed rate, and of tries refused, after the `first` seconds and while there is somebody to
    mail: the last of a hundred are those who were refused and wait for minutes.
    """
    with server(journal, limit=limit) as port:
        begin(home, port, people)
        send(home, journal, people, 1, 60 + 3 * people / limit)
    found = judge(home, journal, people)
    told = lines(journal)
    times = [float(str(line["t"])) for line in taken(journal)]
    start, end = times[0] + first, times[people * 99 // 100]
    later = [line for line in told if start <= float(str(line["t"])) < end]
    refused = sum("refused" in line for line in later)
    rate = (len(later) - refused) / (end - start)
    found.figures |= {
        "seconds looked at": round(end - start),
        "of the allowed rate": f"{rate / limit:.1%}",
        "tries refused": f"{refused / len(later):.1%}",
    }
    found.must(rate >= 0.9 * limit, "the allowed rate is not used")
    found.must(refused <= 0.05 * len(later), "too many tries in vain")
    return found


def crowd(home: Home, journal: Path, *, people: int = 5000) -> Found:
    with server(journal) as port:
        begin(home, port, people, connections=20)
        seconds = send(home, journal, people, 4, 300)
    found = judge(home, journal, people)
    found.figures["seconds"] = round(seconds, 1)
    return found


def restart(home: Home, journal: Path, *, people: int = 2000, times: int = 5, within: float = 10) -> Found:
    """The connection under way when the worker died is in doubt by name; everybody else gets it once, and the first of
    them `within` so many seconds.
    """
    longest = 0.0
    with server(journal, rate=100) as port:
        begin(home, port, people)
        for number in range(times):
            _kill_in_the_middle(home, journal, (number + 1) * people // (times + 2))
            at, before = time.monotonic(), len(taken(journal))
            with workers(home):
                wait_for(lambda before=before: len(taken(journal)) > before, 60, "the first message")  # type: ignore[misc]
                longest = max(longest, time.monotonic() - at)
        send(home, journal, people, 1, 120)
    found = Found({"kills": times, "longest from kill -9 to the next message, s": round(longest, 1)})
    found.must(longest <= within, f"slower than {within:g} s")
    return _doubted(found, home, journal, people, most=4 * times)


def takeover(home: Home, journal: Path, *, people: int = 2000) -> Found:
    """The dead worker's rows are in doubt by name, two batches at the most; everybody else gets it once."""
    with server(journal, rate=200) as port:
        begin(home, port, people)
        _kill_in_the_middle(home, journal, people // 10)
        at = time.monotonic()
        home.python(MOVED_AWAY)
        for file in (home.path / "journal").iterdir():
            file.unlink()
        with workers(home):
            held = "m.Batch.objects.filter(owner__startswith='elsewhere').exclude(state='done').count()"
            wait_for(lambda: home.ask(held) == 0, 120, "the takeover")
            seconds = time.monotonic() - at
            wait_for(lambda: home.ask("m.Issue.objects.get().state") == "sent", 120, "the end of the send")
    found = Found({"from kill -9 to the takeover, s": round(seconds, 1)})
    found.must(seconds <= 60, "slower than 60 s")
    return _doubted(found, home, journal, people, most=1000)


def _kill_in_the_middle(home: Home, journal: Path, place: int) -> None:
    with_output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = home.start("worker", **with_output)
    wait_for(lambda: len(taken(journal)) >= place, 60, "the middle of the send")
    process.kill()
    process.wait()


def _doubted(found: Found, home: Home, journal: Path, people: int, *, most: int) -> Found:
    times = Counter(str(line["rcpt"]) for line in taken(journal))
    named = set(home.ask("list(m.Delivery.objects.filter(state='uncertain').values_list('address', flat=True))"))
    everybody = {f"r{number}@box.test" for number in range(people)}
    lost, doubled = everybody - set(times) - named, [who for who, number in times.items() if number > 1]
    found.figures |= {"in doubt, by name": len(named), "lost outside the named": len(lost), "doubled": len(doubled)}
    found.must(not lost, f"lost: {sorted(lost)[:5]}")
    found.must(not doubled, f"doubled: {doubled[:5]}")
    found.must(len(named) <= most, f"more than {most} in doubt")
    return found


RUNS: dict[str, tuple[Callable[[Home, Path], Found], int]] = {
    "pauses": (pauses, 1), "poison": (poison, 1), "crowd": (crowd, 20), "restart": (restart, 1),
    "takeover": (takeover, 1), "limited": (limited, 1),
}  # fmt: skip
"""Each run, and how often."""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", nargs="*", metavar="RUN", help=f"of {', '.join(RUNS)}; all when none is named")
    failed = 0
    for name in parser.parse_args().runs or RUNS:
        run, times = RUNS[name]
        for _ in range(times):
            found = _held(run)
            print(name + ": " + ", ".join(f"{key} {value}" for key, value in found.figures.items()))
            print("  " + ("; ".join(found.faults) or "passed"), flush=True)
            failed += bool(found.faults)
    return 1 if failed else 0


def _held(run: Callable[[Home, Path], Found]) -> Found:
    """In a home of its own."""
    with tempfile.TemporaryDirectory(prefix="newsletter-steady-") as folder, own_database():
        journal = Path(folder) / "taken.ndjson"
        journal.touch()
        return run(_home(Path(folder)), journal)


def _home(folder: Path) -> Home:
    environ = environment(folder)
    url = os.environ.get("DATABASE_URL")
    home = copy_home(folder / "home", environ | ({"DATABASE_URL": url} if url else {}))
    if url:
        home.python("from django.core.management import call_command; call_command('migrate', verbosity=0)")
    return home


if __name__ == "__main__":
    sys.exit(main())
