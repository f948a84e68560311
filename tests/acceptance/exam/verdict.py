"""The judge: what the server took, what the sender heard of it, and what the ledger says. Values in, values out."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

ASK, RESEND = "ask", "resend"


@dataclass(frozen=True)
class Event:
    """One line of the server's log."""

    kind: str
    at: float
    copy: str = ""
    recipient: str = ""
    message_id: str = ""


@dataclass(frozen=True)
class Ledger:
    """Who is in which final state, by address; `complete` when the counts add up and the issue is sent."""

    accepted: frozenset[str]
    failed: frozenset[str]
    uncertain: frozenset[str]
    complete: bool


@dataclass(frozen=True)
class Exam:
    """What was done. `wanted` can be reached, `hard` are refused for good. Kills are times, as the log's."""

    mode: str
    wanted: frozenset[str]
    hard: frozenset[str]
    connections: int
    workers: int
    kills: tuple[float, ...]
    server_kills: tuple[float, ...]


@dataclass
class Verdict:
    """Counts to print, and what is wrong with names."""

    counts: dict[str, int] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    valid: bool = True

    @property
    def passed(self) -> bool:
        return self.valid and not any(self.faults.values())


def read_log(lines: Iterable[bytes]) -> list[Event]:
    """The events of the log. The last line may be half written."""
    found = []
    for line in lines:
        if line.endswith(b"\n"):
            row = json.loads(line)
            found.append(Event(row["event"], row["t"], row["copy"], row["rcpt"], row["mid"]))
    return found


def judge(exam: Exam, events: list[Event], ledger: Ledger) -> Verdict:
    """Nobody lost outside the named, nobody twice (mode "resend": twice only with a cause, under one Message-ID), no
    more in doubt than was on the wire, and nothing called accepted or failed that was not.

    A copy has a cause when the sender never heard the answers to the earlier ones: it was killed, or the server was, or
    the line was cut. The exam counts only when nine kills of ten fell between the first and the last message taken.
    """
    copies: dict[str, list[Event]] = defaultdict(list)
    heard = {event.copy for event in events if event.kind == "heard"}
    for event in events:
        if event.kind == "taken":
            copies[event.recipient].append(event)
    cuts = sum(event.kind == "cut" for event in events)
    doubled = {address: each for address, each in copies.items() if len(each) > 1}
    causeless = [address for address, each in doubled.items() if any(copy.copy in heard for copy in each[:-1])]
    # What was on the wire at each kill of a sender, of the server (all senders lose theirs), and at each cut.
    wire = exam.connections * (len(exam.kills) + exam.workers * len(exam.server_kills)) + cuts
    more_than_wire = sorted(ledger.uncertain)[wire:] if exam.mode == ASK else sorted(doubled)[wire:]
    verdict = Verdict()
    verdict.faults = {
        "lost: not taken, not named uncertain": sorted(exam.wanted - set(copies) - ledger.uncertain),
        "doubled": sorted(doubled) if exam.mode == ASK else [],
        "doubled without a cause": sorted(causeless),
        "doubled under another Message-ID": sorted(
            address for address, each in doubled.items() if len({copy.message_id for copy in each}) > 1
        ),
        "more in doubt than was on the wire": more_than_wire,
        "still in doubt although to be resent": sorted(ledger.uncertain) if exam.mode == RESEND else [],
        "called accepted, but never taken": sorted(ledger.accepted - set(copies)),
        "called failed, but taken": sorted(ledger.failed & set(copies)),
        "refused for good, but not called failed": sorted(exam.hard - ledger.failed),
        "not asked for": sorted(set(copies) - exam.wanted),
        "not complete": [] if ledger.complete else ["the issue"],
    }
    times = sorted(event.at for event in events if event.kind == "taken")
    everything = (*exam.kills, *exam.server_kills)
    inside = sum(bool(times) and times[0] < at < times[-1] for at in everything)
    verdict.valid = bool(times) and inside >= 0.9 * len(everything)
    verdict.counts = {
        "readers": len(exam.wanted) + len(exam.hard),
        "kills of a sender": len(exam.kills),
        "kills of the server": len(exam.server_kills),
        "of all kills inside the send": inside,
        "lines cut by the server": cuts,
        "taken by the server": len(times),
        "in doubt, by name": len(ledger.uncertain),
        "of them taken": len(ledger.uncertain & set(copies)),
        "most that was on the wire": wire,
        "doubled": len(doubled),
    }
    return verdict
