"""`make prove ARGS=lists`: a long import in flat memory, then a segment's count and pages over a million people.

Each step is a process of its own, so that its peak memory is that of one run: `python -m tests.benchmarks.lists` starts
them all. Bars: import of 200,000 rows under 300 MB; the count over those and over 1,000,000 within 1 s on SQLite and
2 s on PostgreSQL; pages by the covering index. Medians of five.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROWS, PEOPLE = 200_000, 1_000_000
MOST_MEMORY = 300  # MB
MOST_SECONDS = {"sqlite": 1.0, "postgresql": 2.0}
NOW = datetime(2026, 11, 3, 17, 0, tzinfo=UTC)
CONSENT = "Signed up at the old service with double opt-in."
RULE: dict[str, Any] = {"state": ["active"], "language": ["en"], "joined": {"within_days": 900}}
CITY: dict[str, Any] = {"state": ["active"], "attributes": {"city": {"is": "köln"}, "visits": {"at_least": 5}}}
ALONE: dict[str, Any] = {"state": ["unsubscribed"]}
HEADER = "Email Address,First Name,Last Name,language,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LEID,EUID,TAGS\n"


def write_file(path: Path) -> None:
    """An export as Mailchimp writes it, seeded: every hundredth row can't be read."""
    draw = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for number in range(ROWS):
            at = NOW - timedelta(days=draw.randrange(1, 1800), seconds=draw.randrange(86_400))
            address = f"reader{number}@{draw.choice(('a', 'b', 'c'))}.example.org" if number % 100 else "no address"
            times = f"{at:%Y-%m-%d %H:%M:%S},203.0.113.7,{at:%Y-%m-%d %H:%M:%S},203.0.113.7"
            tags = '"""Press"",""Fair"""'
            file.write(
                f"{address},Ana,Quill,{draw.choice(('en', 'en-GB', 'de', ''))},{times},{number},e{number},{tags}\n"
            )


def write_workbook(path: Path) -> None:
    """The same number of rows as a spreadsheet keeps them."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["email", "name", "language"])
    for number in range(ROWS):
        sheet.append([f"reader{number}@example.org" if number % 100 else "no address", f"Ana {number}", "en"])
    book.save(path)


def bring_in(path: Path, *, dry_run: bool = False) -> bool:
    """Import the file, dry or for good; print rows a second and the peak of memory."""
    from subscribers.csv_io import Differences, import_file
    from tests.factories import make_list

    with path.open("rb") as file, tempfile.TemporaryFile("w", newline="") as out:
        began = time.monotonic()
        report = import_file(
            file, make_list(), name=path.name, wording=CONSENT, now=NOW, differences=Differences(out),
            dry_run=dry_run,
        )  # fmt: skip
        seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    right = report.rows == ROWS and report.added == ROWS * 99 // 100 and report.refused == ROWS // 100
    print(
        f"  import of {path.name}{' (dry run)' if report.dry_run else ''}: {report.rows:,} rows in {seconds:.1f} s: "
        f"{report.rows / seconds:,.0f} rows/s; added {report.added:,}, refused {report.refused:,}; "
        f"peak memory {peak:.0f} MB (bar {MOST_MEMORY})",
        flush=True,
    )
    return right and peak < MOST_MEMORY


def fill() -> None:
    """People until there are a million, of whom 70 % are active, straight into the tables."""
    from subscribers.models import Subscriber, Subscription
    from tests.factories import make_list

    weekly, other = make_list().pk, make_list("other").pk
    already = Subscription.objects.filter(mailing_list=weekly).count()
    first = (Subscriber.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    draw = random.Random(2)

    def people() -> Iterator[dict[str, Any]]:
        for number in range(first, first + PEOPLE - already):
            attributes = json.dumps({"city": draw.choice(("Köln", "Wien")), "visits": draw.randrange(10)})
            shown = {"address": f"p{number}@example.org", "address_key": f"p{number}@example.org"}
            language = draw.choice(("en", "en-GB", "de", "fr"))
            yield {**shown, "id": number, "language": language, "attributes": attributes, "created_at": NOW}

    def memberships() -> Iterator[dict[str, Any]]:
        for number in range(first, first + PEOPLE - already):
            at = NOW - timedelta(days=draw.randrange(1, 1800))
            state = "active" if draw.random() < 0.7 else "unsubscribed"
            dates = {"joined_at": at, "confirmed_at": at, "state_at": at}
            for mailing_list in (weekly, other) if number % 5 == 0 else (weekly,):
                yield {**dates, "subscriber": number, "mailing_list": mailing_list, "state": state, "topics": "[]"}

    insert(Subscriber, people())
    insert(Subscription, memberships())


def insert(model: Any, rows: Iterator[dict[str, Any]]) -> None:
    """Rows below the models: COPY on PostgreSQL, executemany on SQLite. What a row does not say has its default."""
    from django.db import connection, transaction

    fields = [field for field in model._meta.concrete_fields if field.name != "id" or model.__name__ == "Subscriber"]
    defaults = {field.name: None if field.null else field.get_default() for field in fields}
    names = ", ".join(field.column for field in fields)
    lines = ([{**defaults, **row}[field.name] for field in fields] for row in rows)
    table = model._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for line in lines:
                    copy.write_row(line)
        else:
            shown = ([f"{cell:%Y-%m-%d %H:%M:%S}" if isinstance(cell, datetime) else cell for cell in line]
                     for line in lines)  # fmt: skip
            places = ", ".join("?" * len(fields))
            # Below Django's cursor, which would hold all of them.
            connection.connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", shown)


def settle() -> None:
    """What both databases do by themselves in a while: know their tables."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def count(people: str) -> bool:
    """Five counts of a segment, a count of a plain one, and a walk by pages; with their plans."""
    from django.db import connection

    from subscribers import segments
    from subscribers.segments.reading import PAGE, end_of_page
    from tests.factories import make_list

    weekly, right = make_list(), True
    for what, rule in (("state, language, date", RULE), ("an attribute", CITY), ("state alone", ALONE)):
        seconds, found = timed(lambda rule=rule: segments.count(weekly, rule, now=NOW))
        bar = MOST_SECONDS[connection.vendor]
        right &= seconds <= bar
        print(f"  count over {people} ({what}): {found:,} in {seconds:.3f} s (bar {bar:g} s)", flush=True)
        steps = plan(segments.queryset(weekly, rule, now=NOW).values("pk"))
        print(steps)
        right &= rule is not ALONE or bool(re.search("(COVERING|Index Only).*subscription_audience", steps))
    began, taken = time.monotonic(), 0
    for page in segments.pages(weekly, RULE, now=NOW):
        taken += len(page)
    seconds = time.monotonic() - began
    print(f"  pages of {PAGE:,} over {people}: {taken:,} numbers in {seconds:.2f} s", flush=True)
    walk = plan(end_of_page(weekly, "active", 1000, PAGE))
    print(walk)
    right &= taken == segments.count(weekly, RULE, now=NOW) and "subscription_audience" in walk
    return right and not any(word in walk for word in ("Sort", "TEMP B-TREE"))


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """The median of five runs, and the answer."""
    seconds, answer = [], 0
    for _ in range(5):
        began = time.monotonic()
        answer = work()
        seconds.append(time.monotonic() - began)
    return statistics.median(seconds), answer


def plan(rows: Any) -> str:
    """What the database would do, one step a line."""
    from django.db import connection

    sql, params = rows.query.sql_with_params()
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN (COSTS OFF)"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}", params)
        return "\n".join(f"      {row[-1]}" for row in cursor.fetchall())


def main() -> int:
    """Without a step: every step on both databases, each in a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("step", nargs="?", choices=["all", "migrate", "import", "count", "million"])
    parser.add_argument("--file", default="members.csv")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.step is None:
        return both()
    if options.step == "all":
        return in_turn(options.folder)
    import django

    django.setup()
    match options.step:
        case "migrate":
            from django.core.management import call_command

            call_command("migrate", verbosity=0)
            return 0
        case "import":
            return 0 if bring_in(options.folder / options.file, dry_run=options.dry_run) else 1
        case "count":
            settle()
            return 0 if count(f"{ROWS * 99 // 100:,}") else 1
        case _:
            fill()
            settle()
            return 0 if count(f"{PEOPLE:,}") else 1


def in_turn(folder: Path) -> int:
    """Every step on the database that DATABASE_URL names."""
    failed = 0
    dry = ["import", "--dry-run"]
    for step in (["migrate"], dry, [*dry, "--file", "members.xlsx"], ["import"], ["count"], ["million"]):
        failed |= subprocess.call(
            [sys.executable, "-m", "tests.benchmarks.lists", *step, "--folder", str(folder)], cwd=ROOT
        )
    return failed


def both() -> int:
    failed = 0
    os.environ.update(DJANGO_SETTINGS_MODULE="newsletter.project.settings", NEWSLETTER_SECRET_KEY="for this run alone")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_file(folder / "members.csv")
        write_workbook(folder / "members.xlsx")
        every = [sys.executable, "-m", "tests.benchmarks.lists", "all", "--folder", str(folder)]
        print("SQLite", flush=True)
        url = f"sqlite:///{folder / 'lists.sqlite3'}"
        failed |= subprocess.call(every, cwd=ROOT, env={**os.environ, "DATABASE_URL": url})
        print("PostgreSQL", flush=True)
        server = [sys.executable, "-W", "ignore", "tests/with_postgres.py", "--durable"]
        failed |= subprocess.call([*server, *every], cwd=ROOT)
    print("all within the bars" if not failed else "NOT within the bars", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
