"""Mail by our own encoder: headers that no value can break out of, bodies cut so that letters join as bytes.

The standard library's `email` package folds List-Unsubscribe into an encoded-word (RFC 2369 forbids it), takes 88 µs
for a header, and can't encode a body in pieces. Here a piece of body is quoted-printable (RFC 2045 section 6.7) that
begins and ends at a line start or soft break: it encodes the same in any letter, whatever stands before or after.

Each body is its own relaxed-canonical form (RFC 6376 section 3.4.4): no run of blanks, no tab, no blank at the end of a
line, one line end after the last line. So DKIM's body hash is the plain SHA-256 of the bytes on the wire.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

import idna

from newsletter.core.errors import ConfigError
from newsletter.core.reader import UNMAILABLE
from newsletter.core.sentence import sentence

LINE = 76
"""Characters in an encoded line, without CRLF (RFC 2045 section 6.7, rule 5; RFC 2047 section 2)."""

SOFT_BREAK = b"=\r\n"

_PLAIN_HOLE = re.compile(r"(?![ .]|From |.*  )[ !#-%(-;?-\[\]-~]{1,150}").fullmatch
_SPECIAL = re.compile(rb"[^\n -<>-~]")
_BLANK = re.compile(rb"(?<= ) | (?=\n|\Z)")
"""What relaxed canonicalisation would take away: each further blank of a run, and a blank at the end of a line."""

_ESCAPES = {bytes([byte]): b"=%02X" % byte for byte in range(256)}
_BREAKS = re.compile(f"[\t\n{UNMAILABLE}]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LOCAL_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s<>()\[\]:;,"\\@]+')
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_MAILTO = re.compile(r"mailto:[!#-;=?-~]+")
_HTTPS = re.compile(r"https://[!#-;=?-~]+")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address with its display name, as in From and To. Any text is safe here."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Headers:
    """The header values of one message. Any text is safe in any of them; encoding and folding happen here.

    `message_id` is `<left@domain>`; `date` is aware; `list_id` is `Words <label.domain>`; `list_unsubscribe` is one
    https address without brackets, or ""; `list_unsubscribe_post` and `list_unsubscribe_mail` (a mailto address, as a
    second way) go out only with it; `extra` are further names and values, each of which can be anything but a header
    named here.
    """

    from_: Mailbox
    to: Mailbox
    message_id: str
    date: datetime
    reply_to: Mailbox | None = None
    list_id: str = ""
    list_unsubscribe: str = ""
    list_unsubscribe_post: str = "List-Unsubscribe=One-Click"
    list_unsubscribe_mail: str = ""
    extra: tuple[tuple[str, str], ...] = ()


# --- headers ---------------------------------------------------------------------------------------------------------


def one_line(value: str) -> str:
    """The value with each run of controls, line ends and non-characters as one space, and no blanks around it."""
    if value.isascii() and value.isprintable():
        return value.strip()
    return _BREAKS.sub(" ", value).strip()


def encoded_words(text: str, start: int) -> str:
    """The text as base64 encoded-words (RFC 2047), each of whole characters, one a line of at most 76; the first
    line already holds `start` characters.
    """
    data = text.encode("utf-8")
    words: list[str] = []
    room = max(min((LINE - start - 12) // 4 * 3, 45), 4)
    while True:
        cut = room
        while cut < len(data) and data[cut] & 0xC0 == 0x80:
            # Inside a character: its first byte is further left.
            cut -= 1
        words.append(f"=?utf-8?B?{b64encode(data[:cut]).decode('ascii')}?=")
        data, room = data[cut:], 45
        if not data:
            return "\r\n ".join(words)


def unstructured(name: str, value: str) -> bytes:
    """One header of free text: ASCII as it is, folded at spaces; anything else as encoded-words; b"" for blank text."""
    value = one_line(value)
    lead = f"{name}: "
    if not value:
        return b""
    if value.isascii() and len(value) <= LINE - len(lead) and "=?" not in value:
        return f"{lead}{value}\r\n".encode("ascii")
    if not value.isascii() or "=?" in value or max(map(len, value.split(" "))) > LINE - len(lead):
        return f"{lead}{encoded_words(value, len(lead))}\r\n".encode("ascii")
    lines, line = [], lead
    for number, word in enumerate(value.split(" ")):
        if number and len(line) + 1 + len(word) > LINE and line.strip() and word:
            lines.append(line)
            line = f" {word}"
        else:
            line += f" {word}" if number else word
    return ("\r\n".join([*lines, line]) + "\r\n").encode("ascii")


def subject_line(words: str) -> bytes:
    """The Subject header, which every message has."""
    return unstructured("Subject", words) or b"Subject:\r\n"


def mailbox(name: str, box: Mailbox) -> bytes:
    """One address header. A display name that is not plain words is quoted, or encoded when long or not ASCII."""
    lead = f"{name}: "
    if len(box.name) + len(box.address) <= LINE - 20 and _simple(box.address):
        if _plain_name(box.name):
            return f"{lead}{box.name} <{box.address}>\r\n".encode("ascii")
        if not box.name:
            return f"{lead}{box.address}\r\n".encode("ascii")
    address = address_for_header(box.address)
    words = one_line(box.name)
    if not words:
        return f"{lead}{address}\r\n".encode()
    if not words.isascii() or "=?" in words or len(words) > LINE - len(lead) - 4:
        words = encoded_words(words, len(lead))
    elif not _ATOMS.fullmatch(words):
        quoted = words.replace("\\", "\\\\").replace('"', '\\"')
        words = f'"{quoted}"'
        if len(words) > LINE - len(lead):
            words = encoded_words(one_line(box.name), len(lead))
    used = len(words) - words.rfind("\n") - 1 + (0 if "\n" in words else len(lead))
    gap = " " if used + len(address) + 3 <= LINE else "\r\n "
    return f"{lead}{words}{gap}<{address}>\r\n".encode()


def around_address(name: str, words: str) -> tuple[bytes, bytes, int]:
    """What stands before and after the address in `mailbox(name, Mailbox(address, words))`, and for how long an
    address at most: of those that `is_plain` takes.
    """
    before, stand_in, after = mailbox(name, Mailbox("a@a", words)).rpartition(b"a@a")
    assert stand_in
    line = len(before) - before.rfind(b"\n") - 1
    return before, after, min(LINE - 20 - len(words), LINE - line - len(after.rstrip()))


is_plain = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]*@[A-Za-z0-9.-]+").fullmatch
"""Whether an address stands as it is in any header, and in any hole (`fast_hole`) once it is shorter than a line."""


def address_for_header(address: str) -> str:
    """The address as it may stand in From and To: the domain as A-labels (RFC 5890), nothing that could end it.

    A local part outside ASCII stays: it needs SMTPUTF8, which is the transport's to decide.
    """
    if address.isascii() and address.isprintable() and _simple(address):
        return address
    local, _, domain = _BREAKS.sub("", address).rpartition("@")
    if not _LOCAL_PART.fullmatch(local):
        local = re.sub(r'[\s<>()\[\]:;,"\\@]', "", local)
    domain = re.sub(r'[\s<>()\[\]:;,"\\]', "", domain)
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:
            domain = domain.encode("ascii", "ignore").decode("ascii")
    return f"{local}@{domain}"


_plain_name = re.compile(r"[A-Za-z0-9!#$%&'*+/^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/^_`{|}~-]+)*").fullmatch
_simple = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+").fullmatch


def list_unsubscribe(url: str, post: str, mail: str = "") -> bytes:
    """List-Unsubscribe and List-Unsubscribe-Post (RFC 2369, RFC 8058): one https address on one line, as it is, and
    behind it the mailto address `mail`, for programs that only write.

    Raises `ConfigError` for anything but an https address: an encoded or folded one would be no button at all. So it
    does for another `mail`, and for a line that would have to be folded.
    """
    if not url:
        return b""
    if not _HTTPS.fullmatch(url) or len(url) > 900:
        raise ConfigError(
            sentence("the unsubscribe address is not one https address."),
            where="List-Unsubscribe",
            hint=sentence("Set the public address of this installation to an https one."),
        )
    if mail and (not _MAILTO.fullmatch(mail) or len(url) + len(mail) > 900):
        raise ConfigError(sentence("the unsubscribe address is not one mailto address."), where="List-Unsubscribe")
    second = f", <{mail}>" if mail else ""
    lines = f"List-Unsubscribe: <{url}>{second}\r\n".encode("ascii")
    return lines + unstructured("List-Unsubscribe-Post", post)


@lru_cache(maxsize=64)
def _shared(
    from_: Mailbox, reply_to: Mailbox | None, date: datetime, list_id: str, extra: tuple[tuple[str, str], ...]
) -> bytes:
    """The headers that a whole issue has in common."""
    lines = [mailbox("From", from_)]
    if reply_to:
        lines.append(mailbox("Reply-To", reply_to))
    lines.append(unstructured("Date", format_datetime(date)))
    if list_id:
        lines.append(_list_id(list_id))
    for name, value in extra:
        if not _HEADER_NAME.fullmatch(name):
            raise ConfigError(
                sentence("{name} is not the name of a header.", name=repr(one_line(name))), where="headers"
            )
        lines.append(unstructured(name, value))
    lines.append(b"MIME-Version: 1.0\r\n")
    return b"".join(lines)


def _list_id(value: str) -> bytes:
    words, _, label = one_line(value).rpartition("<")
    label = re.sub(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]", "", label)
    # A phrase and an angle: the same shape as a mailbox, so the same quoting (RFC 2919 section 3).
    shape = mailbox("List-Id", Mailbox("x@x", words.strip()) if words.strip() else Mailbox("<x@x>", "x"))
    if not words.strip():
        return f"List-Id: <{label}>\r\n".encode("ascii")
    return shape.replace(b"<x@x>", f"<{label}>".encode("ascii"))


def head(headers: Headers, subject: bytes, boundary: str) -> bytes:
    """All headers of a message and the empty line; `subject` is a finished header line (`subject_line`)."""
    before, after = around_subject(headers, boundary)
    return b"".join((before, subject, after))


def around_subject(headers: Headers, boundary: str) -> tuple[bytes, bytes]:
    """The headers before the subject, and those after it with the empty line. Raises `ConfigError`."""
    message_id = f"Message-ID: {one_line(headers.message_id)}\r\n".encode("ascii", "ignore")
    unsubscribe = list_unsubscribe(
        headers.list_unsubscribe, headers.list_unsubscribe_post, headers.list_unsubscribe_mail
    )
    return common(headers) + mailbox("To", headers.to), message_id + unsubscribe + content_type(boundary)


def common(headers: Headers) -> bytes:
    """The headers that every copy of an issue has in common and begins with. Raises `ConfigError`."""
    return _shared(headers.from_, headers.reply_to, headers.date, headers.list_id, headers.extra)


def content_type(boundary: str) -> bytes:
    """The last header, and the empty line."""
    return f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'.encode("ascii")


TEXT_ONLY = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
"""In place of `content_type`, for who wants no HTML: the text part is the whole body then."""


# --- bodies ----------------------------------------------------------------------------------------------------------


def opening(boundary: str, kind: str, *, first: bool = False) -> bytes:
    """What stands before a part of `kind` ("plain" or "html")."""
    before = "" if first else "\r\n"
    return (
        f"{before}--{boundary}\r\n"
        f"Content-Type: text/{kind}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    ).encode("ascii")


def closing(boundary: str) -> bytes:
    """What ends the message."""
    return f"\r\n--{boundary}--\r\n".encode("ascii")


def piece(text: str) -> bytes:
    """A piece of body as quoted-printable: CRLF, lines of at most 76 characters, none that begins with a full stop or
    `From `, no two blanks in a row and none at the end of a line. It begins at a line start and ends at one, or at a
    soft break where the text does not end a line.
    """
    return _encoded(_special(text.encode("utf-8")), 1)


def text_body(text: str) -> bytes:
    """The body of a message of text alone, as quoted-printable: no empty line at its end (RFC 6376 section 3.4.4)."""
    words = text.rstrip("\n")
    return piece(f"{words}\n") if words else b""


def piece_around(texts: Sequence[str], width: int) -> list[bytes]:
    """`piece` of texts with a value of `width` characters (1 to 75) between each two, cut at those values.

    The lines are wrapped as if each value stood there, and never within one: any letters, digits, `-` and `_` of that
    width can be put in as they are.
    """
    stand_in = b"\0" * width
    return _encoded(stand_in.join([_special(text.encode("utf-8")) for text in texts]), width).split(stand_in)


def hole(text: str) -> bytes:
    """`piece` for a reader's value: most are one or two short plain lines."""
    return fast_hole(text) or piece(text)


def fast_hole(text: str) -> bytes | None:
    """The hole of a plain text that no step on its way would change: no character that HTML escapes, that MJML needs
    normalised or that quoted-printable encodes. None for all others.
    """
    if _PLAIN_HOLE(text) is None:
        return None
    if len(text) < LINE:
        return text.encode("ascii") + SOFT_BREAK
    # The second line must not begin with a full stop or `From `.
    return None if text[LINE - 1] in ".F" else f"{text[: LINE - 1]}=\r\n{text[LINE - 1 :]}=\r\n".encode("ascii")


def _special(data: bytes) -> bytes:
    return _SPECIAL.sub(lambda match: _ESCAPES[match[0]], data)


def _encoded(data: bytes, width: int) -> bytes:
    if not data:
        return b""
    lines = _BLANK.sub(b"=20", data).split(b"\n")
    out: list[bytes] = []
    for line in lines[:-1]:
        out.append(_wrapped(line, LINE, width))
        out.append(b"\r\n")
    if lines[-1]:
        out.append(_wrapped(lines[-1], LINE - 1, width))
        out.append(SOFT_BREAK)
    return b"".join(out)


def _wrapped(line: bytes, last: int, width: int) -> bytes:
    """One encoded line cut by soft breaks into lines of at most 75 characters and the `=`; the last one of `last`."""
    rows: list[bytes] = []
    while True:
        if line.startswith(b"."):
            line = b"=2E" + line[1:]
        elif line.startswith(b"From "):
            line = b"=46" + line[1:]
        if len(line) <= last:
            rows.append(line)
            return b"=\r\n".join(rows)
        cut = LINE - 1
        # Never through an escape of three characters, nor through a stand-in.
        if line[cut - 1 : cut] == b"=":
            cut -= 1
        elif line[cut - 2 : cut - 1] == b"=":
            cut -= 2
        elif line[cut - 1] == line[cut] == 0:
            cut -= (cut - len(line[:cut].rstrip(b"\0"))) % width
        rows.append(line[:cut])
        line = line[cut:]


def whole(headers: Headers, subject: str, text: str, html: str, boundary: str) -> bytes:
    """A message from finished texts."""
    return head(headers, subject_line(subject), boundary) + whole_body(text, html, boundary)


def whole_body(text: str, html: str, boundary: str) -> bytes:
    """What follows the headers (multipart/alternative, the plain one first: RFC 2046 section 5.1.4)."""
    return b"".join(
        (
            opening(boundary, "plain", first=True),
            piece(text),
            opening(boundary, "html"),
            piece(html),
            closing(boundary),
        )
    )
