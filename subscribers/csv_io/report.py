"""What an import came to: counts that add up, and why a row did not do what it asked for."""

from __future__ import annotations

import csv
import dataclasses
from dataclasses import dataclass, field
from typing import Any, TextIO

from subscribers.csv_io.cells import guard

MOST_PROBLEMS = 10_000  # kept one by one; the counts go on
COUNTS = ("added", "stopped", "already", "kept_out", "refused")
_HEADER = ("file", "line", "email", "outcome", "before", "after", "reason")


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that did not do what it asked for (`refused`, `kept out`), or did so with a remark (`warning`).

    `file` is the table's name where there are several.
    """

    line: int
    kind: str
    reason: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row's line in the list of differences: what it came to, and the person's state on the list around it."""

    line: int
    address: str
    outcome: str
    before: str = ""
    after: str = ""
    reason: str = ""


@dataclass(slots=True)
class TableRead:
    """One table as it was understood: whose export, which columns mean what, which were left aside."""

    name: str
    service: str = ""
    encoding: str = ""
    delimiter: str = ""
    columns: list[str] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)
    proof: list[str] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ImportReport:
    """`rows` is always added + stopped + already + kept_out + refused.

    added     on the list now, in the state that the row named
    stopped   was unsubscribed or suppressed, as the row said
    already   on the list already, or named by an earlier line: nothing was changed
    kept_out  unsubscribed or suppressed, and left so
    refused   could not be read
    """

    file: str
    list_slug: str
    dry_run: bool
    tables: list[TableRead] = field(default_factory=list)
    rows: int = 0
    added: int = 0
    stopped: int = 0
    already: int = 0
    kept_out: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)
    problems_left_off: int = 0
    warnings: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain data, for `--json`."""
        return dataclasses.asdict(self)

    def note(self, line: int, kind: str, reason: str) -> None:
        """Keep one problem of the table at hand, as long as there is room."""
        if len(self.problems) < MOST_PROBLEMS:
            file = self.tables[-1].name if self.tables and self.tables[-1].name != self.file else ""
            self.problems.append(Problem(line, kind, reason, file))
        else:
            self.problems_left_off += 1


class Differences:
    """Writes one line of CSV for each row of the file, as it is decided: nothing of a large file is held."""

    def __init__(self, file: TextIO) -> None:
        """`file` is opened with newline="" by whoever closes it."""
        self._writer = csv.writer(file, lineterminator="\r\n")
        self._writer.writerow(_HEADER)

    def write(self, name: str, outcomes: list[Outcome]) -> None:
        """The rows of one chunk of the table `name`."""
        for one in outcomes:
            cells = (name, str(one.line), one.address, one.outcome, one.before, one.after, one.reason)
            self._writer.writerow([guard(cell) for cell in cells])
