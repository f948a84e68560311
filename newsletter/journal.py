"""The in-flight journal: what a sender has on the wire, in a file that outlives a kill -9 of its process.

Between the claim of some deliveries and their settling in the database each of them has one byte in a mapped file:
untouched, on the wire, accepted or otherwise answered. The byte is stored before the first octet that could complete
the message leaves, and again after its answer. The page belongs to the operating system, so the death of the process
loses nothing; `msync` (`strict`) makes it outlive a power cut as well. Answers that are more than a yes are also
appended to a second file, with their words.

One folder of the home holds two files for each worker, named after it; `read` is what the next worker asks about a dead
one. A journal that can't be trusted is said to be none: everything claimed is in doubt then, by name.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

UNTOUCHED, ON_THE_WIRE, ACCEPTED, ANSWERED = range(4)
"""The values of one byte. Zero is what a fresh page holds, so a claim that was never entered is untouched."""

MOST = 1000
"""Deliveries in one claim at most."""
SLOTS = 16
"""Claims that one worker may hold at a time."""

_MAGIC = b"newsletter journal 1"
# The mark of the boot it was written in, and whether it is strict.
_FILE_HEAD = struct.Struct(f"<{len(_MAGIC)}s16sB")
# Claim's kind and number, fence, how many deliveries.
_SLOT_HEAD = struct.Struct("<cQQH")
_SLOT = _SLOT_HEAD.size + MOST * 9
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a dead worker's journal says of one delivery: a byte's value, and for `ANSWERED` what was written of it."""

    state: int
    words: dict[str, Any] | None = None


class Journal:
    """The journal of one worker. Positions are handed out by `enter` and are valid until `leave`."""

    def __init__(self, folder: Path | None, owner: str, *, strict: bool = False) -> None:
        """Without a folder it lives in memory and nobody can read it afterwards. Raises `OSError` when the files can't
        be made: disk full, read-only.
        """
        self._strict = strict
        self._size = _FILE_HEAD.size + SLOTS * _SLOT
        self._answers = -1
        self.paths: tuple[Path, ...] = ()
        if folder is None:
            self._map: mmap.mmap = mmap.mmap(-1, self._size)
        else:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.paths = _paths(folder, owner)
            file = os.open(self.paths[0], os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                # Blocks, not a hole: a store into a mapped hole on a full disk kills the process (SIGBUS).
                os.posix_fallocate(file, 0, self._size)
                self._map = mmap.mmap(file, self._size)
            finally:
                os.close(file)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
            self._answers = os.open(self.paths[1], flags, 0o600)
        self._map[: _FILE_HEAD.size] = _FILE_HEAD.pack(_MAGIC, _boot() or b"", strict)
        self._free = list(range(SLOTS))
        if strict:
            self._map.flush()

    def enter(self, kind: str, number: int, fence: int, deliveries: Sequence[int]) -> int:
        """Make room for a claim, before anything of it leaves. Returns the position of its first delivery; the others
        follow in the order given. `kind` is one ASCII letter. Raises `IndexError` when `SLOTS` claims are held.
        """
        if len(deliveries) > MOST:
            raise ValueError(f"A claim of {len(deliveries)} deliveries does not fit: {MOST} at most.")
        at = _FILE_HEAD.size + self._free.pop() * _SLOT
        ids = at + _SLOT_HEAD.size + MOST
        # The head last: a half-written slot names no claim.
        self._map[at : at + _SLOT_HEAD.size] = bytes(_SLOT_HEAD.size)
        self._map[at + _SLOT_HEAD.size : ids] = bytes(MOST)
        self._map[ids : ids + 8 * len(deliveries)] = struct.pack(f"<{len(deliveries)}Q", *deliveries)
        self._map[at : at + _SLOT_HEAD.size] = _SLOT_HEAD.pack(kind.encode("ascii"), number, fence, len(deliveries))
        if self._strict:
            self._sync(at, _SLOT)
        return at + _SLOT_HEAD.size

    def leaving(self, position: int) -> None:
        """This delivery is on the wire from now on."""
        self._map[position] = ON_THE_WIRE
        if self._strict:
            self._sync(position, 1)

    def accepted(self, position: int) -> None:
        """The plain yes. It need not reach the disk at once: after a power cut this one is in doubt, not doubled."""
        self._map[position] = ACCEPTED

    def returned(self, position: int) -> None:
        """It certainly was not taken."""
        self._map[position] = UNTOUCHED

    def answered(self, position: int, delivery: int, words: dict[str, Any]) -> None:
        """Any other answer, with what the ledger needs to know of it (plain JSON values)."""
        if self._answers >= 0:
            line = json.dumps({"delivery": delivery, **words}) + "\n"
            # One write of one line: whole or not there. A full disk loses the words, never the send.
            with contextlib.suppress(OSError):
                os.write(self._answers, line.encode("utf-8", "replace"))
        self._map[position] = ANSWERED

    def leave(self, position: int) -> None:
        """The claim that `enter` made room for is settled."""
        at = position - _SLOT_HEAD.size
        self._map[at : at + _SLOT_HEAD.size] = bytes(_SLOT_HEAD.size)
        self._free.append((at - _FILE_HEAD.size) // _SLOT)

    def close(self, *, keep: bool = False) -> None:
        """Let go. The files go too, unless something is still claimed or `keep` is asked for."""
        if self._map.closed:
            return
        held = len(self._free) < SLOTS
        self._map.close()
        if self._answers >= 0:
            os.close(self._answers)
        if not held and not keep:
            for path in self.paths:
                path.unlink(missing_ok=True)

    def _sync(self, at: int, length: int) -> None:
        start = at - at % mmap.PAGESIZE
        self._map.flush(start, min(at + length, self._size) - start)


def read(folder: Path | None, owner: str, kind: str, number: int, fence: int) -> dict[int, Entry] | None:
    """What the journal of `owner` says of each delivery of its claims under these marks, the untouched included; None
    when there is no journal to be trusted.

    Once the machine has been down since, only a strict journal has certainly reached the disk before each message left.
    """
    if folder is None:
        return None
    path, answers = _paths(folder, owner)
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if len(data) != _FILE_HEAD.size + SLOTS * _SLOT:
        return None
    magic, boot, strict = _FILE_HEAD.unpack_from(data)
    if magic != _MAGIC or not (strict or boot == _boot()):
        return None
    found: dict[int, Entry] = {}
    words = _read_answers(answers)
    wanted = (kind.encode("ascii"), number, fence)
    for at in range(_FILE_HEAD.size, len(data), _SLOT):
        *marks, count = _SLOT_HEAD.unpack_from(data, at)
        if tuple(marks) != wanted:
            continue
        first = at + _SLOT_HEAD.size
        for delivery, state in zip(
            struct.unpack_from(f"<{count}Q", data, first + MOST), data[first : first + count], strict=True
        ):
            found[delivery] = Entry(state, words.get(delivery) if state == ANSWERED else None)
    return found


def forget(folder: Path | None, owner: str) -> None:
    """Remove the files of a worker of which nothing is claimed any more."""
    if folder is not None:
        for path in _paths(folder, owner):
            path.unlink(missing_ok=True)


def _boot() -> bytes | None:
    """A mark of this boot of the machine; None where the system has none: a journal of then is not trusted later."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return None
    return blake2b(text.encode("ascii"), digest_size=16).digest()


def _paths(folder: Path, owner: str) -> tuple[Path, Path]:
    stem = _UNSAFE.sub("_", owner)
    return folder / f"{stem}.journal", folder / f"{stem}.answers"


def _read_answers(path: Path) -> dict[int, dict[str, Any]]:
    """The last words about each delivery. A torn last line is not there."""
    found: dict[int, dict[str, Any]] = {}
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError:
        return found
    for line in lines:
        try:
            words = json.loads(line)
            found[int(words.pop("delivery"))] = words
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found
