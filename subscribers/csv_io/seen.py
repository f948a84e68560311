"""Who was in the earlier rows of a file: a dry run has to tell what a real one would, without the database's memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import astuple, dataclass
from types import TracebackType

from subscribers.csv_io.rows import Row, Wish


@dataclass(frozen=True, slots=True)
class Seen:
    """An address that an earlier row of this file named, and what those rows did to it."""

    on_list: bool = False
    unsubscribed: bool = False
    suppressed: bool = False

    def after(self, row: Row, fate: str, *, was_on_list: bool) -> Seen:
        """What is so once this row is applied."""
        stopped = fate == "stopped"
        joins = fate == "added" or (stopped and (row.wish == Wish.UNSUBSCRIBED or row.subscription is not None))
        on_list = self.on_list or was_on_list or joins
        # A complaint ends the subscription too, where there is one.
        ended = stopped and on_list and row.wish in (Wish.UNSUBSCRIBED, Wish.COMPLAINT)
        return Seen(
            on_list=on_list,
            unsubscribed=self.unsubscribed or ended or (stopped and row.subscription == Wish.UNSUBSCRIBED),
            suppressed=self.suppressed or (stopped and row.suppresses),
        )


class SeenAddresses:
    """A table of them in a temporary file of SQLite's own: a million addresses take disk, not memory."""

    def __init__(self) -> None:
        # "" is a private file that SQLite removes; it is only written to when the cache is full.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA cache_size = -4000")
        self._database.execute("CREATE TABLE seen (address TEXT PRIMARY KEY, a, b, c) WITHOUT ROWID")

    def __enter__(self) -> SeenAddresses:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def among(self, addresses: Collection[str]) -> dict[str, Seen]:
        """Those of a chunk's addresses that were named before."""
        places = ",".join("?" * len(addresses))
        found = self._database.execute(f"SELECT * FROM seen WHERE address IN ({places})", list(addresses))
        return {address: Seen(bool(a), bool(b), bool(c)) for address, a, b, c in found}

    def keep(self, seen: Mapping[str, Seen]) -> None:
        """Remember a chunk's."""
        rows = [(address, *astuple(one)) for address, one in seen.items()]
        self._database.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)", rows)
