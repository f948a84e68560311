"""Django's SQLite backend with a short queue for the write lock.

SQLite has one writer at a time, and whoever finds it busy sleeps up to a tenth of a second a try
(`sqlite3_busy_timeout`): one who comes back quickly finds the lock free each time, and one who sleeps can miss every
gap for seconds. Here a statement that finds it busy is tried again every millisecond, and of all the threads of a
process only one does so while the others stand behind it.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from django.db.backends.sqlite3 import base

T = TypeVar("T")

PAUSE = 0.001
SECONDS = 30.0
"""Until it is an error after all: longer than any transaction of ours."""

_turn = threading.Lock()


class Cursor(base.SQLiteCursorWrapper):
    """Tries again what found the database locked. Inside a transaction nothing does: BEGIN IMMEDIATE took the lock."""

    def execute(self, query: str, params: Any = None) -> Any:
        return patiently(lambda: super(Cursor, self).execute(query, params))

    def executemany(self, query: str, param_list: Iterable[Any]) -> Any:
        rows = list(param_list)
        return patiently(lambda: super(Cursor, self).executemany(query, rows))


class DatabaseWrapper(base.DatabaseWrapper):
    """Its cursors wait as `Cursor` does; `OPTIONS["timeout"]` counts until the connection is made."""

    def get_new_connection(self, conn_params: Any) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.execute("PRAGMA busy_timeout = 0")
        return connection

    def create_cursor(self, name: Any = None) -> Any:
        return self.connection.cursor(factory=Cursor)


def patiently(run: Callable[[], T], seconds: float = SECONDS) -> T:
    """What `run` returns, as soon as it does not find the database locked.

    Raises its `sqlite3.OperationalError` when it still does after `seconds`, and any other error at once.
    """
    try:
        return run()
    except sqlite3.OperationalError as error:
        if not _busy(error):
            raise
    until = time.monotonic() + seconds
    with _turn:
        while True:
            try:
                return run()
            except sqlite3.OperationalError as error:
                if not _busy(error) or time.monotonic() > until:
                    raise
            time.sleep(PAUSE)


def _busy(error: sqlite3.OperationalError) -> bool:
    # An old snapshot never becomes a new one by waiting: that transaction has to begin anew.
    code = error.sqlite_errorcode
    return code & 0xFF == sqlite3.SQLITE_BUSY and code != sqlite3.SQLITE_BUSY_SNAPSHOT
