"""A mail taken apart from its bytes, whatever they are: nothing raises, and everything is bounded.

The standard library's parser calls itself once per nesting, keeps what it is given however large, and its newer header
classes raise on malformed ones. Bounces are written by the whole world's mail servers, and the mailbox that takes them
is open to everybody, so here a mail has a size, a depth and a number of parts at which reading simply ends.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

LARGEST = 1_000_000
"""Octets that are read of one mail. Reports stand in front, and what they return may be cut."""

DEEPEST = 8
"""Parts within parts."""

MOST_PARTS = 60
MOST_HEADERS = 400
LONGEST_HEADER = 4_000

_LINE_END = re.compile(rb"\r\n|\r|\n")
_FIELD = re.compile(r"([!-9;-~]+)[ \t]*:[ \t]*(.*)", re.DOTALL)
_PARAMETER = re.compile(r";\s*([A-Za-z0-9_*-]{1,60})\s*=\s*(?:\"([^\"]{0,300})\"|([^\s;\"]{1,300}))")
_ENCODED_WORD = re.compile(r"=\?([A-Za-z0-9_-]{1,40})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?\s]{0,2000})\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(=\?)")


class Headers:
    """Header fields by lower-case name, decoded, each on one line. A field that is missing is ""."""

    __slots__ = ("_fields",)

    def __init__(self, fields: list[tuple[str, str]] | None = None) -> None:
        self._fields = fields or []

    def get(self, name: str) -> str:
        """The first field with this name."""
        return next((value for key, value in self._fields if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every field with this name, from the top."""
        return [value for key, value in self._fields if key == name]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __bool__(self) -> bool:
        return bool(self._fields)


@dataclass(slots=True)
class Part:
    """One part: its fields, its type ("text/plain"), its text where it is text, and the parts within it."""

    headers: Headers
    type: str
    parameters: dict[str, str]
    body: bytes
    parts: list[Part] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The body as words, transfer encoding and charset undone as far as they can be; line ends are "\\n"."""
        return decoded(self.unwrapped(), self.parameters.get("charset", ""))

    def unwrapped(self) -> bytes:
        """The body with its transfer encoding undone as far as it can be."""
        match self.headers.get("content-transfer-encoding").strip().lower():
            case "quoted-printable":
                try:
                    return quopri.decodestring(self.body)
                except (ValueError, binascii.Error):
                    return self.body
            case "base64":
                letters = re.sub(rb"[^A-Za-z0-9+/]", b"", self.body)
                # A cut one loses its last group, not all of it.
                try:
                    return binascii.a2b_base64(letters[: len(letters) // 4 * 4])
                except (ValueError, binascii.Error):
                    return self.body
            case _:
                return self.body

    def walk(self) -> Iterator[Part]:
        """This part and all within, in the order of the mail."""
        yield self
        for part in self.parts:
            yield from part.walk()


def parse(message: bytes) -> Part:
    """The mail as parts. Never raises; what is too large, too deep or too many is left as text or left out."""
    data = _LINE_END.sub(b"\n", message[:LARGEST])
    if data.startswith(b"From "):
        # The line that some delivery programs put in front of a piped message.
        data = data.partition(b"\n")[2]
    return _parse(data.lstrip(b"\n"), 0, [MOST_PARTS], "text/plain")


def readable(message: bytes) -> str:
    """All that a person could find in the mail: the mail as it stands, and the text of each part decoded."""
    return "\n".join([decoded(message, ""), *(part.text for part in parse(message).walk())])


def decoded(data: bytes, charset: str) -> str:
    """Octets as words: the charset they name, else UTF-8, else Latin-1."""
    for name in (charset.strip().strip("\"'"), "utf-8"):
        try:
            text = data.decode(name or "utf-8")
        except (LookupError, ValueError):
            continue
        return text.replace("\r\n", "\n").replace("\r", "\n")
    return data.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")


def fields(block: bytes) -> tuple[Headers, bytes]:
    """The fields at the beginning of `block` (line ends are \\n), and what follows the empty line after them."""
    found: list[list[str]] = []
    at = 0
    while at < len(block):
        end = block.find(b"\n", at)
        end = len(block) if end < 0 else end
        line = block[at:end]
        if not line.strip():
            at = end + 1
            break
        text = decoded(line[:LONGEST_HEADER], "")
        if text[0] in " \t":
            if found and len(found[-1][1]) < LONGEST_HEADER:
                found[-1][1] += f" {text.strip()}"
        elif match := _FIELD.fullmatch(text):
            if len(found) < MOST_HEADERS:
                found.append([match[1].lower(), match[2].strip()])
        else:
            # No field at all: the body has begun without an empty line.
            break
        at = end + 1
    return Headers([(name, words(value)) for name, value in found]), block[at:]


def words(value: str) -> str:
    """A field's value with its encoded-words read (RFC 2047); one that can't be is left as it stands."""
    if "=?" not in value:
        return value
    return _ENCODED_WORD.sub(_word, _BETWEEN_WORDS.sub(r"\1\2", value))


def _word(match: re.Match[str]) -> str:
    charset, how, text = match[1], match[2], match[3]
    try:
        if how in "qQ":
            raw = quopri.decodestring(text.replace("_", " ").encode("ascii", "replace"), header=True)
        else:
            raw = binascii.a2b_base64(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return match[0]
    return decoded(raw, charset).replace("\n", " ")


def content_type(value: str, default: str) -> tuple[str, dict[str, str]]:
    """Type and parameters, both in lower case but for the parameters' values."""
    kind = value.partition(";")[0].strip().lower()
    if not re.fullmatch(r"[a-z0-9.+-]{1,40}/[a-z0-9.+-]{1,80}", kind):
        kind = default
    found = {match[1].lower(): match[2] if match[2] is not None else match[3] for match in _PARAMETER.finditer(value)}
    return kind, found


def _parse(data: bytes, depth: int, left: list[int], default: str) -> Part:
    headers, body = fields(data)
    kind, parameters = content_type(headers.get("content-type"), default)
    part = Part(headers, kind, parameters, body)
    left[0] -= 1
    if depth >= DEEPEST or left[0] <= 0:
        return part
    if kind.startswith("multipart/"):
        inner = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        for piece in _pieces(body, parameters.get("boundary", ""), left[0]):
            if left[0] <= 0:
                break
            part.parts.append(_parse(piece, depth + 1, left, inner))
    elif kind in ("message/rfc822", "message/global", "message/news"):
        part.parts.append(_parse(part.unwrapped().lstrip(b"\n"), depth + 1, left, "text/plain"))
    return part


def _pieces(body: bytes, boundary: str, most: int) -> list[bytes]:
    """What stands between the boundary lines; a last one that nothing closes counts, as after a cut."""
    mark = boundary.encode("utf-8", "replace").strip()
    if not mark:
        return []
    line = re.compile(rb"^--" + re.escape(mark) + rb"(--)?[ \t]*$", re.MULTILINE)
    found: list[bytes] = []
    begin: int | None = None
    for match in line.finditer(body):
        if begin is not None:
            found.append(body[begin : max(begin, match.start() - 1)])
        begin = match.end() + 1
        if match[1] or len(found) >= most:
            return found
    if begin is not None:
        found.append(body[begin:])
    return found
