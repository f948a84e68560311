"""`newsletter worker`: several processes share one send, and end when told to."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.homes import REPOSITORY, Home, make_home

# On PostgreSQL the processes use the tests' database, which is emptied after each test.
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

APPROVED = """
import sys
from datetime import UTC, datetime
from newsletter.flow import deliver
from newsletter.models import Issue
from tests.factories import make_account, make_newsletter
from tests.sending import make_approved
port = int(sys.argv[1])
settings = {"host": "127.0.0.1", "port": port, "hello": "sender.test"}
series = make_newsletter(account=make_account(name="relay", kind="smtp", settings=settings))
deliver.start(make_approved(300, newsletter=series), datetime.now(UTC))
"""


@pytest.fixture
def server(tmp_path: Path):
    journal = tmp_path / "taken.ndjson"
    journal.touch()
    command = [sys.executable, str(REPOSITORY / "tests/acceptance/smtp_journal.py"), str(journal), "400"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    yield int(process.stdout.readline()), journal
    process.kill()
    process.communicate()


def begun(tmp_path: Path, port: int) -> Home:
    home = make_home(tmp_path)
    home.python(APPROVED, str(port))
    return home


def test_two_processes_send_one_issue_once(tmp_path: Path, server: tuple[int, Path]) -> None:
    port, journal = server
    home = begun(tmp_path, port)
    home.run("worker", "--processes", "2", "--once")
    taken = journal.read_text().splitlines()
    assert len(taken) == 300 == len(set(taken))
    assert home.ask("m.Issue.objects.get().state") == "sent"


def test_a_worker_leaves_on_sigterm_with_nothing_in_doubt_and_a_later_one_goes_on(
    tmp_path: Path, server: tuple[int, Path]
) -> None:
    port, journal = server
    home = begun(tmp_path, port)
    worker = home.start("worker", "--processes", "2")
    until = time.monotonic() + 60
    while journal.read_bytes().count(b"\n") < 50:
        assert worker.poll() is None and time.monotonic() < until
        time.sleep(0.01)
    worker.send_signal(signal.SIGTERM)
    out, err = worker.communicate(timeout=60)
    assert worker.returncode == 0, out + err
    assert home.ask("m.Delivery.objects.filter(state='uncertain').count()") == 0
    assert home.ask("m.Batch.objects.filter(state='claimed').count()") == 0
    home.run("worker", "--once")
    assert journal.read_bytes().count(b"\n") == 300
    assert home.ask("m.Issue.objects.get().state") == "sent"


def test_a_number_of_processes_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    assert "1 to 64" in home.run("worker", "--processes", "0", code=2).stderr
