"""Leaving in the middle of a send, over real HTTP and real SMTP: nothing is accepted for whoever left, soon after.

Standards, row 15: no mail later than five seconds after the POST. A server process takes mail and writes down when, one
process of the product sends, another one serves the pages, and people who have not been mailed yet press one-click
unsubscribe, in both encodings of RFC 8058 section 3.2.

    python -m tests.acceptance.leaving [--people 3000] [--rate 100] [--leavers 200] [--seed 1]
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.homes import PLAIN, REPOSITORY, Home, copy_home

WITHIN = 5.0
"""Seconds after an unsubscribe was answered in which a message may still be accepted."""
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"
BODIES = (
    (FORM, "List-Unsubscribe=One-Click"),
    (MULTIPART, '--B\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--B--\r\n'),
)

BEGIN = """
import json, sys
from datetime import UTC, datetime
from newsletter.core.tokens import UNSUBSCRIBE, token
from newsletter.flow import deliver
from newsletter.web.links import keys
from subscribers.models import Subscription
from tests.factories import make_account, make_newsletter
from tests.sending import make_approved
port, people, rate = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
settings = {"host": "127.0.0.1", "port": port, "hello": "sender.test", "per_second": rate}
series = make_newsletter(account=make_account(name="relay", kind="smtp", settings=settings))
deliver.start(make_approved(people, newsletter=series), datetime.now(UTC))
rows = Subscription.objects.values_list("subscriber__address", "pk")
print(json.dumps({address: token(keys(), UNSUBSCRIBE, number) for address, number in rows}))
"""


@dataclass(frozen=True, slots=True)
class Result:
    """`left` says when each unsubscribe had its answer, `accepted` when each message was taken (seconds of the epoch),
    `states` how many deliveries ended in each state.
    """

    left: dict[str, float]
    accepted: dict[str, float]
    states: dict[str, int]

    @property
    def after(self) -> dict[str, float]:
        """Who got the issue after they had left, and how many seconds after."""
        return {who: self.accepted[who] - at for who, at in self.left.items() if self.accepted.get(who, 0) > at}

    @property
    def late(self) -> list[str]:
        """Who got it later than is allowed."""
        return sorted(who for who, seconds in self.after.items() if seconds > WITHIN)


def leave(home: Home, folder: Path, *, people: int, rate: float, leavers: int, seed: int) -> Result:
    """Send one issue to `people` at `rate` a second, and let `leavers` of those not mailed yet leave in the middle."""
    journal, chance = folder / "taken.ndjson", random.Random(seed)
    journal.touch()
    with sink(journal) as port:
        tokens: dict[str, str] = json.loads(home.python(BEGIN, str(port), str(people), str(rate)))
        with pages(home, folder, "--no-clock") as address:
            sender = home.start("worker", "--once")
            try:
                left = _press(sender, journal, tokens, address, leavers, chance)
                out, err = sender.communicate(timeout=120 + 3 * people / rate)
            finally:
                sender.kill()
                sender.wait()
    assert sender.returncode == 0, f"exit {sender.returncode}\n{out}\n{err}"
    accepted = dict(_taken(journal))
    states: dict[str, int] = {}
    for state in home.ask("list(m.Delivery.objects.values_list('state', flat=True))"):
        states[state] = states.get(state, 0) + 1
    return Result(left, accepted, states)


def _press(
    sender: subprocess.Popen[str], journal: Path, tokens: dict[str, str], address: str, leavers: int,
    chance: random.Random,
) -> dict[str, float]:  # fmt: skip
    """One after the other, each somebody whom no mail has reached at that moment."""
    until = time.monotonic() + 120
    while len(_taken(journal)) < len(tokens) // 4:
        assert sender.poll() is None and time.monotonic() < until, "The sender ended before anybody could leave."
        time.sleep(0.02)
    left: dict[str, float] = {}
    for number in range(leavers):
        got = dict(_taken(journal))
        waiting = sorted(who for who in tokens if who not in got and who not in left)
        who = chance.choice(waiting)
        status = _post(address, f"/u/{tokens[who]}", *BODIES[number % 2])
        left[who] = time.time()
        assert status == 200
    assert sender.poll() is None, "The send was over before everybody had left."
    return left


def _post(address: str, path: str, kind: str, body: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
    try:
        connection.request("POST", path, body, {"Content-Type": kind})
        return connection.getresponse().status
    finally:
        connection.close()


def _taken(journal: Path) -> list[tuple[str, float]]:
    """Who was accepted, and when. A line that is being written is not there yet."""
    lines = journal.read_bytes().split(b"\n")[:-1]
    return [(found["rcpt"], found["t"]) for found in map(json.loads, lines)]


@contextmanager
def sink(journal: Path) -> Iterator[int]:
    """The port of a server that takes mail and writes down when."""
    command = [sys.executable, str(REPOSITORY / "tests/acceptance/smtp_journal.py"), str(journal), "1000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


@contextmanager
def pages(home: Home, folder: Path, *options: str) -> Iterator[str]:
    """The address of the pages, served by a process of their own; with `--no-clock` it runs no week."""
    out, err = folder / "serve.out", folder / "serve.err"
    with out.open("w") as said, err.open("w") as complained:
        process = home.start("serve", "--port", "0", *options, stdout=said, stderr=complained)
    try:
        until = time.monotonic() + 60
        while not (found := re.search(r" on (http://\S+)", out.read_text())):
            assert process.poll() is None and time.monotonic() < until, err.read_text()
            time.sleep(0.05)
        yield found[1].rstrip("/")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--people", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--leavers", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="newsletter-leaving-") as name:
        folder = Path(name)
        home = copy_home(folder / "home", environment(folder))
        found = leave(home, folder, **vars(options))
    span = max(found.left.values()) - min(found.left.values())
    after = sorted(found.after.values())
    print(f"{options.people} people at {options.rate:g}/s; seed {options.seed}.")
    print(f"{len(found.left)} left within {span:.1f} s, in two encodings, none of them mailed yet when they pressed.")
    print(
        f"Accepted for them all the same: {len(after)}; the latest {after[-1] if after else 0:.2f} s after they left."
    )
    print(f"Accepted more than {WITHIN:g} s after: {len(found.late)}.")
    print("Deliveries: " + ", ".join(f"{number} {state}" for state, number in sorted(found.states.items())))
    return 1 if found.late else 0


def environment(folder: Path) -> dict[str, str]:
    """All that a home's processes see."""
    environ = {name: os.environ[name] for name in PLAIN if name in os.environ}
    environ |= {"PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": "ignore", "XDG_DATA_HOME": str(folder / "no-data")}
    return environ | {"NEWSLETTER_BASE_URL": "https://news.example.test"}


if __name__ == "__main__":
    sys.exit(main())
