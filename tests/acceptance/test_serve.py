"""`newsletter serve` as a real process: it listens, answers, runs the week, and leaves when it is told to."""

from __future__ import annotations

import os
import re
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

import pytest

from tests.homes import Home, due_home, make_home

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


QUEUE = """
from datetime import UTC, datetime
from newsletter.flow import service
from newsletter.flow.service import Kind
from newsletter.models import Newsletter
service.queue(Kind.ALREADY, newsletter=Newsletter.objects.get(), address="late@example.org", now=datetime.now(UTC))
"""


class Serving:
    """A server that runs inside a `with`, and must leave with exit code 0 when it is told to."""

    def __init__(self, home: Home, *options: str) -> None:
        self._out, self._err = home.path.parent / "serve.out", home.path.parent / "serve.err"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = home.start("serve", "--port", "0", *options, stdout=out, stderr=err)
        deadline = time.monotonic() + 60
        while not (found := re.search(r" on (http://\S+)/\n", self.said)) and self.process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert found, self.errors
        self.address = found[1]

    @property
    def said(self) -> str:
        return self._out.read_text()

    @property
    def errors(self) -> str:
        return self._err.read_text()

    @property
    def children(self) -> list[int]:
        """Its processes: the clock, which is the first to be started, and the pages."""
        number = self.process.pid
        return sorted(int(each) for each in Path(f"/proc/{number}/task/{number}/children").read_text().split())

    def __enter__(self) -> Serving:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=90) == 0, self.errors
        assert "Traceback" not in self.errors, self.errors

    def get(self, path: str) -> tuple[int, str, str]:
        """Status, Content-Security-Policy and body of a page."""
        try:
            with urllib.request.urlopen(self.address + path, timeout=30) as answer:
                return answer.status, answer.headers["Content-Security-Policy"], answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers["Content-Security-Policy"], error.read().decode()


def test_serve_answers_runs_the_week_and_leaves_on_sigterm(tmp_path: Path) -> None:
    home = due_home(tmp_path, readers=10)
    with Serving(home) as serving:
        status, policy, _ = serving.get("/nothing-here")
        assert status == 404
        assert "default-src 'none'" in policy
        deadline = time.monotonic() + 120
        while len(home.messages()) < 10 and time.monotonic() < deadline:
            time.sleep(0.5)
        assert len(home.messages()) == 10
    assert home.ask("list(m.Issue.objects.filter(state='sent').values_list('slot', flat=True))") != []
    # The clock and cron agree on what is left to do: nothing.
    assert home.run("week").stdout == ""


def test_where_nobody_can_log_in_a_link_is_printed_that_works_once(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    with Serving(home, "--no-clock") as serving:
        serving.get("/nothing-here")
    link = re.search(rf"{re.escape(serving.address)}(/\S+)", serving.said)
    assert link, serving.said
    assert home.ask("list(m.Issue.objects.all())") == []
    with Serving(home, "--no-clock") as again:
        status, _, body = again.get(link[1])
        assert status == 200
        assert "admin" in body
    home.python("from django.contrib.auth.models import User; u = User.objects.get(); u.set_password('x'); u.save()")
    with Serving(home, "--no-clock") as known:
        assert known.get(link[1])[0] == 404
    assert "log in" not in known.said


def test_a_clock_that_dies_is_started_anew_beside_the_pages(tmp_path: Path) -> None:
    home = due_home(tmp_path, readers=3)
    with Serving(home) as serving:
        deadline = time.monotonic() + 120
        while len(home.messages()) < 3 and time.monotonic() < deadline:
            time.sleep(0.2)
        clock, pages = serving.children
        os.kill(clock, signal.SIGKILL)
        home.python(QUEUE)
        while len(home.messages()) < 4 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert len(home.messages()) == 4
        assert serving.get("/nothing-here")[0] == 404
        assert pages in serving.children
        assert clock not in serving.children


def test_a_port_that_is_taken_is_said_in_words(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    with Serving(home, "--no-clock") as serving:
        other = home.run("serve", "--port", serving.address.rpartition(":")[2], code=None)
        assert other.returncode == 1
        assert "Address already in use. Give another: --port PORT" in other.stderr
