"""The queue for SQLite's write lock: whoever has to wait gets it, and what can't be waited for is said at once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from pytest_django.plugin import DjangoDbBlocker

from newsletter.project.settings import database
from newsletter.project.sqlite.base import patiently

WRITERS, ROUNDS = 6, 20


@pytest.fixture
def handler(tmp_path: Path, django_db_blocker: DjangoDbBlocker) -> Iterator[ConnectionHandler]:
    """Connections to one file, one for each thread; not the tests' own database."""
    handler = ConnectionHandler({"default": database(f"sqlite:///{tmp_path / 'one.sqlite3'}")})
    with django_db_blocker.unblock():
        with handler["default"].cursor() as cursor:
            cursor.execute("CREATE TABLE said (who INTEGER, what INTEGER)")
        yield handler
        handler["default"].close()


def test_many_writers_at_once_all_get_their_turn(handler: ConnectionHandler) -> None:
    faults: list[Exception] = []

    def write(who: int) -> None:
        try:
            with closing(handler["default"]) as own, own.cursor() as cursor:
                for what in range(ROUNDS):
                    cursor.execute("BEGIN IMMEDIATE")
                    cursor.execute("INSERT INTO said VALUES (%s, %s)", [who, what])
                    cursor.execute("COMMIT")
                    cursor.executemany("INSERT INTO said VALUES (%s, %s)", [(who, -what)])
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(who,)) for who in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert faults == []
    assert _count(handler["default"]) == 2 * WRITERS * ROUNDS


def test_a_statement_waits_until_another_connection_lets_go(handler: ConnectionHandler, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "one.sqlite3", check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        later = threading.Timer(0.3, other.rollback)
        later.start()
        with handler["default"].cursor() as cursor:
            cursor.execute("INSERT INTO said VALUES (1, 1)")
        later.join()
    assert _count(handler["default"]) == 1


def test_it_gives_up_in_the_end(handler: ConnectionHandler, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "one.sqlite3")) as other:
        other.execute("BEGIN IMMEDIATE")
        late = sqlite3.connect(tmp_path / "one.sqlite3", timeout=0)
        with closing(late), pytest.raises(sqlite3.OperationalError, match="locked"):
            patiently(lambda: late.execute("INSERT INTO said VALUES (1, 1)"), seconds=0.05)


def test_an_old_snapshot_is_not_waited_for(handler: ConnectionHandler, tmp_path: Path) -> None:
    with handler["default"].cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM said")
        with closing(sqlite3.connect(tmp_path / "one.sqlite3")) as other, other:
            other.execute("INSERT INTO said VALUES (1, 1)")
        with pytest.raises(OperationalError, match="locked"):
            cursor.execute("INSERT INTO said VALUES (2, 2)")
        cursor.execute("ROLLBACK")


def test_any_other_fault_is_told_at_once(handler: ConnectionHandler) -> None:
    with handler["default"].cursor() as cursor, pytest.raises(OperationalError, match="no such table"):
        cursor.execute("SELECT * FROM nowhere")


def _count(connection: BaseDatabaseWrapper) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM said")
        return int(cursor.fetchone()[0])
