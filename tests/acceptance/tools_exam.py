"""`tests/tools/crash_exam.py`, which knows nothing of this product, put to it: its commands are made here.

    python -m tests.acceptance.tools_exam [--seeds 3]

Two senders, 40 kills -9, a server that fails on purpose and is killed too, 2,000 subscribers of whom every tenth is
greylisted. The script prints its verdict as JSON; what it calls `exam_valid` counts kills inside the send.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
ISSUE = "2026-11-05"
FAULTS = "tempfail_rcpt:0.01,tempfail_data:0.005,drop_mid_data:0.003,drop_after_data:0.003"
# Slow enough for every kill to fall inside the send.
SLOW = {"FAULTS": f"slow:1,{FAULTS}", "SLOW_S": "0.05"}


def seed(home: Path) -> None:
    """SEED_CMD: an approved issue for the addresses in $LIST_FILE, through the server on $SMTP_PORT."""
    subprocess.run([sys.executable, "-m", "newsletter", "init", str(home)], check=True, stdout=subprocess.DEVNULL)
    _django(home)
    from datetime import UTC, datetime

    from newsletter.flow import deliver
    from tests.factories import make_account, make_newsletter
    from tests.sending import make_approved

    settings = {"host": "127.0.0.1", "port": int(os.environ["SMTP_PORT"]), "hello": "sender.test", "connections": 4}
    series = make_newsletter(account=make_account(name="relay", kind="smtp", settings=settings))
    people = Path(os.environ["LIST_FILE"]).read_text(encoding="utf-8").split()
    # Mixed, as lists are: a hundred refusals in a row at the beginning would rightly pause any send.
    Random(1).shuffle(people)
    deliver.start(make_approved(people, newsletter=series), datetime.now(UTC))


def uncertain(home: Path) -> None:
    """UNCERTAIN_CMD: who is in doubt, one a line."""
    _django(home)
    from newsletter.models import DeliveryState, Issue
    from tests.sending import addresses

    print("\n".join(addresses(Issue.objects.get(), DeliveryState.UNCERTAIN)))


def status(home: Path) -> None:
    """STATUS_CMD: how far it is. Pauses before a next try are brought forward: the exam is about kills."""
    _django(home)
    from datetime import UTC, datetime

    from newsletter.flow.report import counts
    from newsletter.models import Issue, IssueState, Retry

    now = datetime.now(UTC)
    Retry.objects.filter(owner="", due_at__gt=now).update(due_at=now)
    issue = Issue.objects.get()
    found = counts(issue)
    state = "done" if issue.state == IssueState.SENT and found.complete else issue.state
    print(json.dumps({"state": state, "sent": found.accepted, "failed": found.failed, "pending": found.pending}))


def _django(home: Path) -> None:
    os.environ |= {"NEWSLETTER_HOME": str(home), "DJANGO_SETTINGS_MODULE": "newsletter.project.settings"}
    import django

    django.setup()


def hold(seeds: int) -> int:
    """One exam a seed; returns how many failed."""
    own = f"{sys.executable} -m tests.acceptance.tools_exam"
    failed = 0
    for number in range(1, seeds + 1):
        environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SEED_CMD": f"{own} --as seed",
            "RUN_CMD": f"exec {sys.executable} -m newsletter --home $WORK/home worker",
            "UNCERTAIN_CMD": f"{own} --as uncertain",
            "STATUS_CMD": f"{own} --as status",
            "SEED": str(number), "WORKERS": "2", "WINDOW": "4", "STOP_SINK": "1", **SLOW,
        }  # fmt: skip
        environ.pop("DATABASE_URL", None)
        program = str(ROOT / "tests/tools/crash_exam.py")
        done = subprocess.run([sys.executable, program], env=environ, text=True, capture_output=True, check=False)
        # Where it worked is of no use to anybody, and differs from run to run.
        print("\n".join(line for line in done.stdout.splitlines() if '"work"' not in line), done.stderr, flush=True)
        failed += bool(done.returncode)
    print(f"{seeds - failed} of {seeds} exams passed")
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--as", dest="role", choices=("seed", "uncertain", "status"), help="for the script itself")
    options = parser.parse_args()
    if options.role is None:
        return hold(options.seeds)
    {"seed": seed, "uncertain": uncertain, "status": status}[options.role](Path(os.environ["WORK"]) / "home")
    return 0


if __name__ == "__main__":
    sys.exit(main())
