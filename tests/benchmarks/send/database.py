"""What the database costs a sender: every call into the driver timed, whoever makes it and on whatever thread."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

CURSOR = ("execute", "executemany", "fetchone", "fetchmany", "fetchall")
CONNECTION = ("commit", "rollback")


@dataclass
class Spent:
    """Seconds inside the driver: CPU of the calling threads, and wall time (waits for locks, disks and servers too)."""

    cpu: float = 0.0
    wall: float = 0.0
    calls: int = 0


class _Meter:
    def __init__(self) -> None:
        self.spent, self._lock = Spent(), Lock()

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            cpu, wall = time.thread_time(), time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
                with self._lock:
                    self.spent.cpu += cpu
                    self.spent.wall += wall
                    self.spent.calls += 1

        return call


@contextmanager
def counted() -> Iterator[Spent]:
    """Time the drivers of both databases from here on, for connections that are opened from here on."""
    from django.db import connection, connections

    connections.close_all()
    meter = _Meter()
    if connection.vendor == "postgresql":
        import psycopg

        for kind, names in ((psycopg.Cursor, CURSOR), (psycopg.Connection, CONNECTION)):
            for name in names:
                setattr(kind, name, meter.timed(getattr(kind, name)))
    else:
        _time_sqlite(meter)
    yield meter.spent


def _time_sqlite(meter: _Meter) -> None:
    """SQLite's classes are C: every connection and every cursor becomes a subclass."""
    classes: dict[type, type] = {}

    def timed_class(base: type) -> type:
        if base not in classes:
            methods = {name: meter.timed(getattr(base, name)) for name in (*CURSOR, "__next__")}
            classes[base] = type(base.__name__, (base,), methods)
        return classes[base]

    class Connection(sqlite3.Connection):
        def cursor(self, factory: Any = sqlite3.Cursor) -> Any:
            return super().cursor(timed_class(factory))

    for name in CONNECTION:
        setattr(Connection, name, meter.timed(getattr(sqlite3.Connection, name)))
    proper = sqlite3.connect

    def connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        return proper(*args, **{"factory": Connection, **kwargs})

    from django.db.backends.sqlite3 import base

    base.Database.connect = sqlite3.connect = connect
