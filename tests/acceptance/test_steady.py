"""The short twins of `make prove ARGS=steady`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance import steady
from tests.homes import Home, make_home

# On PostgreSQL the processes use the tests' database, which is emptied after each test.
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def room(tmp_path: Path) -> tuple[Home, Path]:
    journal = tmp_path / "taken.ndjson"
    journal.touch()
    return make_home(tmp_path), journal


def test_who_pauses_and_resumes_at_random_loses_and_doubles_nobody(room: tuple[Home, Path]) -> None:
    # So slow that the last pause falls inside the send on a busy machine too.
    assert steady.pauses(*room, people=400, times=5, seed=3, rate=80).faults == []


def test_one_in_a_hundred_is_poison_and_fails_alone_with_a_reason(room: tuple[Home, Path]) -> None:
    assert steady.poison(*room, people=600).faults == []


def test_four_processes_of_twenty_connections_share_one_issue(room: tuple[Home, Path]) -> None:
    assert steady.crowd(*room, people=1500).faults == []


def test_after_a_kill_the_next_worker_goes_on_within_seconds(room: tuple[Home, Path]) -> None:
    # How many seconds is for `make prove`: here a browser may have the machine meanwhile.
    assert steady.restart(*room, people=300, times=1, within=60).faults == []


def test_a_book_with_somebody_twice_or_not_at_all_is_found_out(room: tuple[Home, Path]) -> None:
    home, journal = room
    with steady.server(journal) as port:
        steady.begin(home, port, 20)
        steady.send(home, journal, 20, 1, 60)
    whole = journal.read_bytes().splitlines(keepends=True)
    assert steady.judge(home, journal, 20).faults == []
    journal.write_bytes(b"".join([*whole[1:], whole[-1]]))
    assert [fault.partition(":")[0] for fault in steady.judge(home, journal, 20).faults] == ["doubled", "lost somebody"]
