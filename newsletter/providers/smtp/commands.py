"""What a server offers, and the commands of one message in the words it understands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from newsletter.core.errors import ProviderError
from newsletter.core.sentence import sentence
from newsletter.providers.base import Outcome, Outgoing, SendResult
from newsletter.providers.envelope import BadAddressError, mailbox
from newsletter.providers.smtp.replies import Reply

TOO_LARGE = 552  # RFC 5321 4.2.3, RFC 1870: about this message, not about us
# Enhanced status codes of a message, not of its sender: too long (5.2.3, 5.3.4), its content (5.6.x).
_OF_THE_PROTOCOL = re.compile(r"(?<![\d.])[45]\.5\.\d{1,3}(?![\d.])")
_OF_THE_MESSAGE = re.compile(r"\b5\.(?:2\.3|3\.4|6\.\d{1,3})\b")
_LINE_START_DOT = re.compile(rb"(?m)^\.")
_NOT_XTEXT = re.compile(r"[^!-*,-<>-~]")


@dataclass(frozen=True, slots=True)
class Offer:
    """The extensions of an EHLO reply (RFC 5321 4.1.1.1)."""

    pipelining: bool = False
    starttls: bool = False
    eight_bit: bool = False
    utf8: bool = False
    dsn: bool = False
    size: int | None = None  # the largest message in octets; 0 is no limit, None is not offered
    auth: frozenset[str] = frozenset()

    @classmethod
    def of(cls, reply: Reply) -> Offer:
        """The first line of the reply is the server's name."""
        words = [line.replace("AUTH=", "AUTH ", 1).upper().split() for line in reply.lines[1:]]
        found = {word[0]: word[1:] for word in words if word}
        auth = frozenset(name for word in words if word and word[0] == "AUTH" for name in word[1:])
        size = found.get("SIZE")
        limit = int(size[0]) if size and size[0].isascii() and size[0].isdigit() and len(size[0]) < 20 else 0
        return cls(
            pipelining="PIPELINING" in found,
            starttls="STARTTLS" in found,
            eight_bit="8BITMIME" in found,
            utf8="SMTPUTF8" in found,
            dsn="DSN" in found,
            size=None if size is None else limit,
            auth=auth,
        )


class Envelope(NamedTuple):
    """The commands of one message, each with its CRLF."""

    mail: str
    rcpt: str

    @property
    def group(self) -> bytes:
        """All three commands in one piece (RFC 2920 3.1)."""
        return f"{self.mail}{self.rcpt}DATA\r\n".encode()


DATA = b"DATA\r\n"


def envelope(outgoing: Outgoing, offer: Offer, dsn: bool) -> Envelope | SendResult:
    """The commands, or the REFUSED of a message that this server could never take: asked for nothing then.

    SMTPUTF8 is asked for only when an address or a header needs it (RFC 6531 3.1): many servers refuse the mere word.
    Raises `ProviderError` for a sender that can't stand in a command: that is our fault, not the reader's.
    """
    try:
        sender = _sender(outgoing.sender)
    except BadAddressError as error:
        raise ProviderError(
            sentence("{sender} can't be an envelope sender: {error}", sender=outgoing.sender, error=error),
            permanent=True,
        ) from error
    try:
        path = mailbox(outgoing.recipient)
    except BadAddressError as error:
        return SendResult(Outcome.REFUSED, code=553, reply=f"Not sent: {error}")
    plain_path = path.isascii()
    plain = plain_path and sender.isascii()
    more = notify = ""
    if offer.size is not None:
        size = sum(map(len, outgoing.parts))
        if 0 < offer.size < size:
            return _never(f"the message has {size} octets and the server takes {offer.size}.")
        more = f" SIZE={size}"
    if not (plain and outgoing.wire_form):
        message = outgoing.message
        eight_bit = not message.isascii()
        if not plain or (eight_bit and not message.partition(b"\r\n\r\n")[0].isascii()):
            if not offer.utf8:
                return _never("the address needs SMTPUTF8 and the mail server does not offer it.")
            more += " SMTPUTF8"
            eight_bit = True
        if eight_bit:
            if not offer.eight_bit:
                return _never("the message needs 8BITMIME and the mail server does not offer it.")
            more += " BODY=8BITMIME"
    if dsn and offer.dsn:
        # RFC 3461 4: the headers are enough of the letter; ENVID brings our own number back.
        more += f" RET=HDRS ENVID={outgoing.key}"
        notify = f" NOTIFY=FAILURE ORCPT=rfc822;{xtext(path)}" if plain_path else " NOTIFY=FAILURE"
    return Envelope(f"MAIL FROM:<{sender}>{more}\r\n", f"RCPT TO:<{path}>{notify}\r\n")


# Without a return path all letters of a list have the same one.
_sender = lru_cache(maxsize=64)(mailbox)


def body(outgoing: Outgoing) -> list[bytes]:
    """The message as it goes over the wire, in pieces, the last of which ends it: joining them would be a copy more."""
    parts = outgoing.parts if outgoing.wire_form else [_LINE_START_DOT.sub(b"..", outgoing.message)]
    return [*parts, b".\r\n" if parts[-1].endswith(b"\r\n") else b"\r\n.\r\n"]


def xtext(text: str) -> str:
    """RFC 3461 4: every printable ASCII character but + and = stands for itself."""
    return _NOT_XTEXT.sub(lambda found: "".join(f"+{octet:02X}" for octet in found[0].encode()), text)


def about_the_message(reply: Reply) -> bool:
    """Whether a final no to MAIL FROM is this message's alone: too large, or its content. Any other is about us: going
    on would fail the whole list.
    """
    return reply.code == TOO_LARGE or _OF_THE_MESSAGE.search(reply.words) is not None


def out_of_step(reply: Reply) -> bool:
    """Whether a no to MAIL FROM speaks of the order of commands (503, or x.5.y of RFC 3463 3.6), and so of nothing that
    MAIL FROM could have got wrong.
    """
    return reply.code == 503 or _OF_THE_PROTOCOL.search(reply.words) is not None


def _never(why: str) -> SendResult:
    return SendResult(Outcome.REFUSED, code=554, reply=f"Not sent: {why}")
