"""Bytes from a server, cut into replies (RFC 5321 4.2): lines in any pieces, several lines to a reply, and a bound."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_SHOWN = 500
# RFC 5321 4.5.3.1.5 allows 512 octets a line. What is far beyond is no reply, and would fill the memory.
LONGEST_REPLY = 65536
GARBAGE = -1
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Reply:
    """`code` is GARBAGE when the bytes were no reply; `lines` are the texts without codes."""

    code: int
    lines: tuple[str, ...]

    @property
    def words(self) -> str:
        """Code and text in one line, fit to be shown; the enhanced status (RFC 3463) is in it."""
        text = " ".join(self.lines)
        return clean(f"{self.code} {text}" if self.code > 0 else text)

    @property
    def refusal(self) -> bool:
        """A no that leaves both sides agreed on where they are: not a 421, after which the server closes (3.8)."""
        return 400 <= self.code < 600 and self.code != 421


class Parser:
    """Feed it what came; it gives the replies that are whole."""

    def __init__(self) -> None:
        self._rest = b""
        self._code = 0
        self._lines: list[str] = []
        self._size = 0
        self.inside = False
        """Whether part of a reply is here already."""

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that `data` completes. After one of code GARBAGE nothing more may be asked of this parser."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        found = []
        for line in lines:
            self._size += len(line)
            reply = self._line(line.rstrip(b"\r"))
            if reply is not None:
                found.append(reply)
                self._code, self._lines, self._size = 0, [], 0
                if reply.code == GARBAGE:
                    self.inside = bool(self._rest)
                    return found
        if self._size + len(self._rest) > LONGEST_REPLY:
            found.append(Reply(GARBAGE, ("A reply without end.",)))
            self._rest = b""
        self.inside = bool(self._rest or self._lines)
        return found

    def _line(self, line: bytes) -> Reply | None:
        digits, mark = line[:3], line[3:4]
        if len(digits) < 3 or not digits.isdigit() or mark not in (b" ", b"-", b"") or digits[:1] not in b"2345":
            return Reply(GARBAGE, (line[:LONGEST_SHOWN].decode("utf-8", "replace"),))
        code = int(digits)
        if self._lines and code != self._code:
            return Reply(GARBAGE, (f"One reply with two codes, {self._code} and {code}.",))
        text = line[4:].decode("utf-8", "replace")
        if mark == b"-":
            if len(self._lines) > 1000:
                return Reply(GARBAGE, ("A reply without end.",))
            self._code = code
            self._lines.append(text)
            return None
        return Reply(code, (*self._lines, text))


def clean(text: str) -> str:
    """One line, without control characters and half characters, at most 500 characters."""
    return _CONTROL.sub(" ", text).encode("utf-8", "replace").decode().strip()[:LONGEST_SHOWN]
