"""`make prove ARGS=lists-studio`: every list page of the studio with 500 issues and 200,000 subscribers, on SQLite.

A home is made and filled below the models, `newsletter serve` runs as a process of its own, and each page is asked for
over loopback by one person who is logged in. Exit code 1 when a page's median is over 300 ms.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
ISSUES, PEOPLE, SUPPRESSED, EVIDENCE, EVENTS = 500, 200_000, 4_000, 5_000, 20_000
MOST = 0.3
"""Seconds, the median of each page."""
ASKED = 25
PAGES = (
    ("home", "/studio/"),
    ("home, a search", "/studio/?newsletter=weekly&q=paper"),
    ("subscribers", "/studio/subscribers/"),
    ("subscribers, unsubscribed", "/studio/subscribers/?state=unsubscribed"),
    ("subscribers, suppressed", "/studio/subscribers/?state=suppressed"),
    ("subscribers, far back", "/studio/subscribers/?after={middle}"),
    ("subscribers, search that finds many", "/studio/subscribers/?q=reader1"),
    ("subscribers, search that finds one", "/studio/subscribers/?q=reader199999"),
    ("subscribers, search that finds nobody", "/studio/subscribers/?q=nobody.like.this"),
    ("one person", "/studio/subscribers/{person}/"),
    ("segments", "/studio/subscribers/segments/"),
    ("bounces", "/studio/subscribers/bounces/"),
    ("sign-up forms", "/studio/subscribers/forms/"),
    ("the log", "/studio/audit/"),
    ("the log, everything", "/studio/audit/?clock=1"),
    ("outcome of an issue for 140,000", "/studio/weekly/{slot}/outcome"),
)
SEGMENTS: dict[str, dict[str, Any]] = {
    "active": {"state": ["active"]},
    "german": {"language": ["de"]},
    "new": {"joined": {"within_days": 90}},
    "films": {"topics": ["movie"]},
    "quiet": {"state": ["active"], "accepted": {"given": False}},
    "press": {"domain": ["press.example.org", "*.press.example.org"]},
}


def fill(issues: int = ISSUES, people: int = PEOPLE) -> dict[str, str]:
    """Everything into the database of the home; returns what the addresses of `PAGES` need."""
    from newsletter.models import Delivery, Event, Evidence, Issue, Newsletter, SignupForm
    from subscribers import segments
    from subscribers.models import ConsentEvent, MailingList, Subscriber, Subscription, Suppression
    from tests.benchmarks.lists import insert, settle

    now = datetime.now(UTC).replace(microsecond=0)
    weekly, series, draw = MailingList.objects.get(), Newsletter.objects.get(), random.Random(3)
    states = ["active"] * 14 + ["unsubscribed"] * 4 + ["pending", "paused"]

    def persons() -> Iterator[dict[str, Any]]:
        for number in range(1, people + 1):
            shown = f"reader{number}@{draw.choice(('a', 'b', 'press'))}.example.org"
            language = draw.choice(("en", "de", "fr"))
            yield {"id": number, "address": shown, "address_key": shown, "language": language, "attributes": "{}",
                   "name": f"Reader {number}", "created_at": now}  # fmt: skip

    def memberships() -> Iterator[dict[str, Any]]:
        for number in range(1, people + 1):
            at = now - timedelta(days=draw.randrange(1, 1800), seconds=draw.randrange(86_400))
            state, topics = draw.choice(states), draw.choice(("[]", '["movie"]', '["book", "movie"]'))
            yield {"subscriber": number, "mailing_list": weekly.pk, "state": state, "topics": topics,
                   "joined_at": at, "confirmed_at": at, "state_at": at + (now - at) / draw.randrange(1, 9)}  # fmt: skip

    def proofs() -> Iterator[dict[str, Any]]:
        for number, key in joined:
            yield {"subscription": number, "address_key": key, "list_slug": weekly.slug, "kind": "confirmed",
                   "at": now - timedelta(days=30), "origin": "form weekly", "evidence": "{}"}  # fmt: skip

    insert(Subscriber, persons())
    insert(Subscription, memberships())
    # Read before: PostgreSQL's COPY has the connection to itself.
    joined = list(Subscription.objects.values_list("pk", "subscriber__address_key"))
    insert(ConsentEvent, proofs())
    keys = Subscriber.objects.order_by("pk").values_list("address_key", flat=True)[: people // 50 * 2 : 2]
    Suppression.objects.bulk_create(
        Suppression(address_key=key, reason="bounce", at=now, evidence="hard bounce") for key in keys[:SUPPRESSED]
    )
    begin = now - timedelta(weeks=issues + 1)
    html = f"<html><body>{'<p>A film about a river, and what it carries away.</p>' * 1200}</body></html>"
    Issue.objects.bulk_create(
        Issue(
            newsletter=series, slot=f"{begin + timedelta(weeks=number):%Y-%m-%d}", number=number, state="sent",
            slot_at=begin + timedelta(weeks=number), cutoff_at=begin + timedelta(weeks=number), created_at=begin,
            started_at=begin + timedelta(weeks=number), finished_at=begin + timedelta(weeks=number, minutes=9),
            subject=f"Paper Boat {number}, and six others", public_html=html, audience_count=people * 7 // 10,
        )
        for number in range(1, issues + 1)
    )  # fmt: skip
    last = Issue.objects.filter(state="sent").latest("slot_at")
    active = list(
        Subscription.objects.filter(state="active").values_list("pk", "subscriber__address")[: people * 7 // 10]
    )

    def deliveries() -> Iterator[dict[str, Any]]:
        for place, (number, shown) in enumerate(active):
            failed = place % 400 == 0
            yield {"issue": last.pk, "subscription": number, "address": shown,
                   "state": "failed" if failed else "accepted",
                   "reason": "refused (address): 550 5.1.1 no such mailbox" if failed else "",
                   "at": last.slot_at + timedelta(seconds=place // 300)}  # fmt: skip

    insert(Delivery, deliveries())
    Issue.objects.filter(pk=last.pk).update(audience_count=len(active))
    Evidence.objects.bulk_create(
        Evidence(
            event=f"made:{place}", issue=last, subscription_id=number, kind="bounce", about="address", hard=True,
            status="5.1.1", diagnostic="550 5.1.1 no such mailbox", reporter="mail (dsn)", at=now,
            decision="suppressed",
        )
        for place, (number, _) in enumerate(active[:EVIDENCE])
    )  # fmt: skip
    Event.objects.bulk_create(
        Event(
            newsletter=series, at=begin + timedelta(hours=number), kind="edited: note" if number % 50 else "approved",
            text=f"Act {number}.", by=draw.choice(("", "mara", "otto", "edda")),
        )
        for number in range(EVENTS)
    )  # fmt: skip
    for slug, rule in SEGMENTS.items():
        segments.save(slug, weekly, rule=rule, name=slug.title())
    SignupForm.objects.create(slug="weekly", newsletter=series)
    settle()
    middle = Subscription.objects.order_by("pk").values_list("pk", flat=True)[people // 3]
    return {"middle": str(middle), "person": "1", "slot": last.slot, "cookie": _log_in()}


def _log_in() -> str:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore

    user = User.objects.create_superuser("mara")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)


def measure(server: str, values: dict[str, str], asked: int = ASKED) -> bool:
    """Ask for each page, and print the median and the 95th percentile."""
    right = True
    where = urlsplit(server)
    line = http.client.HTTPConnection(where.hostname or "", where.port)
    print(f"  {'page':<40} {'median':>8} {'p95':>8} {'kB':>6}")
    for name, pattern in PAGES:
        path, seconds, size = pattern.format(**values), [], 0
        for number in range(asked + 2):
            began = time.monotonic()
            line.request("GET", path, headers={"Cookie": f"sessionid={values['cookie']}"})
            answer = line.getresponse()
            size = len(answer.read())
            if number >= 2:  # the first ones compile templates
                seconds.append(time.monotonic() - began)
            if answer.status != 200:
                print(f"  {name}: {answer.status}")
                return False
        median, high = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
        right &= median < MOST
        over = "" if median < MOST else "  OVER"
        print(f"  {name:<40} {median * 1000:>5.0f} ms {high * 1000:>5.0f} ms {size // 1000:>6}{over}", flush=True)
    return right


def main() -> int:
    """With "fill": fill the home of the environment, and print what the pages need. Else the whole run."""
    if sys.argv[1:] == ["fill"]:
        import django

        django.setup()
        print(json.dumps(fill()))
        return 0
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    from tests.homes import PLAIN, SET_THE_TABLE, copy_home, magazine_toml, publish

    with tempfile.TemporaryDirectory(dir=os.environ.get("STUDIO_LISTS_FOLDER")) as name:
        folder, now = Path(name), datetime.now(UTC)
        kept = {key: os.environ[key] for key in PLAIN if key in os.environ}
        environ = {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore", "XDG_DATA_HOME": str(folder / "none")}
        home = copy_home(folder / "home", environ)
        for number in range(12):
            publish(folder / "desk", f"Paper Boat {number}", f"{now - timedelta(days=2):%Y-%m-%d}")
        home.run("apply", "-", stdin=magazine_toml(folder / "desk", slot=now + timedelta(days=1)))
        home.python(SET_THE_TABLE, now.isoformat(), "0")
        began = time.monotonic()
        filling = {
            **environ,
            "NEWSLETTER_HOME": str(home.path),
            "DJANGO_SETTINGS_MODULE": "newsletter.project.settings",
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.studio_lists", "fill"], cwd=ROOT, env=filling, text=True,
            stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
        values = json.loads(done.stdout)
        print(f"{ISSUES:,} issues and {PEOPLE:,} subscribers on SQLite, made in {time.monotonic() - began:.0f} s")
        process = home.start("serve", "--port", "0", "--no-clock")
        try:
            assert process.stdout is not None
            found = re.search(r" on (http://\S+)/\n", process.stdout.readline())
            right = found is not None and measure(found[1], values)
        finally:
            process.terminate()
            process.communicate(timeout=60)
    print("every page's median within 300 ms" if right else "NOT every page within 300 ms")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
