"""The product sends its issue: from the freeze of the audience to the last settled row. Run in a home.

    product PORT CONNECTIONS [--processes N] [--count-database]

The clock runs around `start` and `deliver` alone; Python's start and imports are outside, the compiler's work inside.
With several processes each has its connections and its compiler, as those of `newsletter worker --processes N` have.
Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import time
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import django
import jinja2.ext  # noqa: F401 (else imported by the first letter)

import newsletter.providers.smtp  # noqa: F401 (else imported by the first send)

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections as connections_to_database  # noqa: E402

from newsletter.flow import deliver as sending  # noqa: E402
from newsletter.flow.report import counts  # noqa: E402
from newsletter.models import Account, Issue  # noqa: E402
from tests.benchmarks.send.database import Spent, counted  # noqa: E402


def clock() -> datetime:
    return datetime.now(UTC)


def used() -> float:
    """Seconds of CPU of this process and of those that it started and that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def peak_memory() -> int:
    """Bytes: the most that this process ever held."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def deliver_by_several(issue: Issue, installation: sending.Installation, processes: int) -> None:
    """Fork so many senders of one issue and wait for them; `counts` says afterwards what they did."""
    connections_to_database.close_all()
    children = []
    for _ in range(processes):
        child = os.fork()
        if not child:
            sending.deliver(issue, clock=clock, installation=installation)
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def main(port: int, connections: int, processes: int, count_database: bool) -> None:
    way_out = {"host": "127.0.0.1", "port": port, "connections": connections}
    Account.objects.update(kind=Account.Kind.SMTP, settings=way_out)
    issue = Issue.objects.select_related("newsletter__account").get()
    installation = sending.Installation.of(settings.NEWSLETTER, os.environ)
    before = peak_memory()
    with counted() if count_database else nullcontext(Spent()) as spent:
        cpu, began = used(), time.perf_counter()
        sending.start(issue, clock(), confirmed=True)
        if processes == 1:
            sending.deliver(issue, clock=clock, installation=installation)
        else:
            deliver_by_several(issue, installation, processes)
        seconds, cpu = time.perf_counter() - began, used() - cpu
    done = counts(issue)
    issue.refresh_from_db()
    if issue.state != "sent" or done.accepted != done.frozen:
        raise SystemExit(f"The issue is {issue.state} ({issue.reason}), {done.accepted} of {done.frozen} accepted.")
    found = {"messages": done.frozen, "seconds": seconds, "cpu": cpu, "memory": peak_memory(), "before": before}
    print(json.dumps(found | {"database_cpu": spent.cpu, "database_wall": spent.wall, "calls": spent.calls}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("connections", type=int)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--count-database", action="store_true")
    main(**vars(parser.parse_args()))
