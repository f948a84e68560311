"""Signing up in a rush, over real HTTP, while a send goes on: how long it takes, and whether anybody is lost.

One `newsletter serve` is web server, clock and sender at once: it sends an issue limited to `--mails` a second, works
off the forms and mails the confirmations. Forms come in at a fixed pace whatever the answers do, each from
an address of the internet of its own, told by a trusted proxy's header; a time is taken from the moment at which a form
was due, so that a slow answer can't hide behind those that wait for it. Afterwards five kinds of address take turns.

    python -m tests.acceptance.joining [--rate 150] [--seconds 120] [--mails 50] [--turns 200]
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from tests.acceptance.leaving import environment, pages, sink
from tests.homes import Home, copy_home

SITE = "https://magazine.example.org"
CLIENTS = 64
STATES = ("new", "pending", "active", "unsubscribed", "suppressed")

BEGIN = """
import sys
from datetime import UTC, datetime
from newsletter.flow import deliver
from newsletter.models import SignupForm
from subscribers.models import Subscription, Suppression
from tests.factories import make_account, make_newsletter, make_subscription
from tests.sending import make_approved
port, people, rate = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
settings = {"host": "127.0.0.1", "port": port, "hello": "sender.test", "per_second": rate}
series = make_newsletter(account=make_account(name="relay", kind="smtp", settings=settings))
now = datetime.now(UTC)
deliver.start(make_approved(people, newsletter=series), now)
origins = ["https://magazine.example.org"]
SignupForm.objects.create(slug="weekly", newsletter=series, origins=origins, mails_per_hour=10**6)
for state in ("pending", "active", "unsubscribed"):
    for number in range(int(sys.argv[4])):
        make_subscription(f"{state}{number}@box.test", series.mailing_list, state=state)
for number in range(int(sys.argv[4])):
    Suppression.objects.create(address_key=f"suppressed{number}@box.test", reason="bounce", at=now)
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """One form: whether it was late in being sent does not matter, `seconds` counts from when it was due."""

    status: int
    seconds: float
    body: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What came of the rush (`answers`), of the turns by state, and what the database holds of them."""

    answers: list[Answered]
    turns: dict[str, list[Answered]]
    rows: int
    accepted_mails: int
    sending: bool  # whether the issue was still going out when the rush ended


def join(home: Home, folder: Path, *, rate: float, seconds: float, mails: float, turns: int) -> Result:
    """Hand in `rate` forms a second for `seconds` beside a send of `mails` a second; then `turns` rounds of states."""
    journal = folder / "taken.ndjson"
    journal.touch()
    number = int(rate * seconds)
    with sink(journal) as port:
        people = int(mails * (seconds + 60))
        home.python(BEGIN, str(port), str(people), str(mails), str(turns))
        with pages(home, folder) as address:
            host = urlsplit(address).netloc
            _wait_for_mail(journal)
            answers = _rush(host, number, rate)
            state = home.ask("m.Issue.objects.get(slot='2026-11-05').state")
            by_state: dict[str, list[Answered]] = {name: [] for name in STATES}
            for turn in range(turns):
                for place, name in enumerate(STATES):
                    client = f"10.{64 + place}.{turn // 250}.{turn % 250}"
                    by_state[name].append(_hand_in(host, f"{name}{turn}@box.test", client, time.monotonic()))
        rows = home.ask("m.Signup.objects.count()")
        accepted = home.ask("m.ServiceMail.objects.filter(state='accepted').count()")
    return Result(answers, by_state, int(rows), int(accepted), state == "sending")


def _wait_for_mail(journal: Path) -> None:
    until = time.monotonic() + 60
    while not journal.stat().st_size:
        assert time.monotonic() < until, "The send did not begin."
        time.sleep(0.05)


def _rush(host: str, number: int, rate: float) -> list[Answered]:
    begin = time.monotonic() + 0.5
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda index: _due(host, index, begin + index / rate), range(number)))


def _due(host: str, index: int, due: float) -> Answered:
    pause = due - time.monotonic()
    if pause > 0:
        threading.Event().wait(pause)
    client = f"10.{index // 62500 % 64}.{index // 250 % 250}.{index % 250 + 1}"
    return _hand_in(host, f"reader{index}@rush.test", client, due)


def _hand_in(host: str, address: str, client: str, due: float) -> Answered:
    body = urlencode({"address": address, "company": "", "lang": "en"})
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Origin": SITE,
        "X-Forwarded-For": f"1.2.3.4, {client}",
    }
    connection = http.client.HTTPConnection(host, timeout=60)
    try:
        connection.request("POST", "/s/weekly", body, headers)
        answer = connection.getresponse()
        return Answered(answer.status, time.monotonic() - due, answer.read())
    except OSError:
        return Answered(0, time.monotonic() - due, b"")
    finally:
        connection.close()


def make(folder: Path) -> Home:
    """A home whose proxy is trusted, and whose ceiling lets a rush through."""
    own = {
        "NEWSLETTER_WEB_CLIENT_HEADER": "X-Forwarded-For",
        "NEWSLETTER_SIGNUP_MAILS_PER_HOUR": "10000000",
        "NEWSLETTER_SIGNUP_LOOK_UP": "false",
    }
    return copy_home(folder / "home", environment(folder) | own)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rate", type=float, default=150)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--mails", type=float, default=50)
    parser.add_argument("--turns", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="newsletter-joining-") as name:
        folder = Path(name)
        found = join(make(folder), folder, **vars(options))
    times = sorted(answer.seconds * 1000 for answer in found.answers)
    codes: dict[int, int] = {}
    for answer in found.answers:
        codes[answer.status] = codes.get(answer.status, 0) + 1
    middle, last = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(f"{len(times)} forms at {options.rate:g}/s beside a send of {options.mails:g}/s: {json.dumps(codes)}")
    print(
        f"p50 {middle:.0f} ms, p99 {last:.0f} ms, longest {times[-1]:.0f} ms; still sending at the end: {found.sending}"
    )
    asked = codes.get(200, 0) + sum(answer.status == 200 for each in found.turns.values() for answer in each)
    print(f"accepted forms {asked}, rows {found.rows}, service mails taken meanwhile {found.accepted_mails}")
    medians = {name: statistics.median(one.seconds for one in each) * 1000 for name, each in found.turns.items()}
    spread = max(medians.values()) - min(medians.values())
    spoken = ", ".join(f"{name} {value:.1f}" for name, value in medians.items())
    print(f"medians by state, ms: {spoken}; apart {spread:.1f}")
    same = len({answer.body for each in found.turns.values() for answer in each}) == 1
    print(f"bodies equal byte for byte: {same}")
    good = set(codes) == {200} and found.rows == asked and last < 300 and found.sending and same and spread < 5
    print("within the bars" if good else "NOT within the bars: p99 < 300 ms, no error, a row each, medians within 5 ms")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
