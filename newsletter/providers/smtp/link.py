"""A connection up to the point where it may send: connected, encrypted, logged in; and its clock."""

from __future__ import annotations

import math
import socket
import ssl
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator, Iterable
from enum import Enum, auto
from typing import TYPE_CHECKING

from newsletter.core.errors import ProviderError
from newsletter.providers.smtp.commands import Offer
from newsletter.providers.smtp.opening import HANDSHAKE, opening, reason, trouble
from newsletter.providers.smtp.replies import Parser, Reply
from newsletter.providers.smtp.settings import GREETING_SECONDS
from newsletter.providers.smtp.wire import Address

if TYPE_CHECKING:
    from newsletter.providers.smtp.engine import Engine

# Another address of the same host may answer where this one is silent.
CONNECT_SECONDS = 30.0


class Ask(Enum):
    """What a reply is awaited for."""

    OPENING = auto()
    RSET = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    DOT = auto()
    LONE_DOT = auto()  # ends a DATA that was let in although no recipient was


class Fault(Enum):
    """How a connection ended, for whoever decides about the next one."""

    OPENING = auto()  # it never came so far that it could send, or took no message from the start
    FRESH = auto()  # it ended within its first message
    WORN = auto()  # it had served: closing it is the server's good right


class Link(ABC):
    """One connection of an engine; what it carries is its subclass's matter."""

    def __init__(self, engine: Engine, addresses: Iterable[tuple[int, Address]]) -> None:
        """`addresses` are (family, address) of the host, tried in turn."""
        self._engine = engine
        self._settings = engine.settings
        self._wire = engine.wire(self)
        self._addresses = list(addresses)
        self._parser = Parser()
        self._script: Generator[bytes | None, Reply, Offer] | None = None
        self._connecting = self._shaking = False
        self._offer = Offer()
        self._expect: deque[Ask] = deque()
        self._surplus = False  # behind the reply being heard there is more already
        self._dead = False
        self.ready = False
        self.idle_since = 0.0
        self.deadline = math.inf

    def begin(self) -> None:
        """Connect to the first of the addresses that are left."""
        family, address = self._addresses.pop(0)
        self._wire = self._engine.wire(self)
        self._connecting = True
        limit = self._settings.timeout if not self._addresses else min(self._settings.timeout, CONNECT_SECONDS)
        self._wait(min(limit, GREETING_SECONDS))
        try:
            self._wire.connect(family, address)
        except OSError as error:
            self._unconnected(error)

    def abandon(self) -> None:
        """Close without a word to anybody: the process is on its way out."""
        self._dead = True
        self._wire.close()

    def event(self) -> None:
        """The selector has seen something."""
        if self._dead:
            return
        try:
            if self._connecting:
                self._wire.connected()
                self._connecting = False
                self._script = opening(self._settings, self._settings.hello or _own_name(self._wire.sock))
                self._step(None)
            elif self._shaking:
                self._shake()
            else:
                if self._wire.waiting is not None:
                    self._wire.flush()
                    self._restart_clock()
                self._read()
        except ssl.SSLCertVerificationError as error:
            words = error.verify_message or reason(error)
            self._end(trouble(self._settings, "has a certificate that can't be trusted", words, permanent=True))
        except OSError as error:
            if self._connecting:
                self._unconnected(error)
            else:
                self._end(reason(error))

    def timed_out(self) -> None:
        """The deadline has passed."""
        if self._connecting:
            self._unconnected(TimeoutError())
        else:
            self._end("timed out")

    def _unconnected(self, error: OSError) -> None:
        self._wire.close()
        if self._addresses:
            self.begin()
        else:
            self._end(reason(error))

    def _step(self, reply: Reply | None) -> None:
        """One step of the opening. Nothing else is asked meanwhile."""
        assert self._script is not None
        try:
            command = next(self._script) if reply is None else self._script.send(reply)
            if command == HANDSHAKE and command is not None:
                self._encrypt()
                return
        except StopIteration as end:
            self._script, self._offer = None, end.value
            self.ready, self.deadline, self.idle_since = True, math.inf, time.monotonic()
            self._engine.look = True
            return
        except ProviderError as error:
            self._end(error)
            return
        self._expect.append(Ask.OPENING)
        self._wait(min(self._settings.timeout, GREETING_SECONDS))
        if command is not None:
            self._wire.write([command])

    def _encrypt(self) -> None:
        if self._surplus:
            # Words in the clear behind the yes to STARTTLS: somebody on the way slips commands in (RFC 3207 4.2).
            words = "it went on in the clear after STARTTLS"
            self._end(trouble(self._settings, "can't be trusted", words, permanent=True))
            return
        self._wire.encrypt(self._engine.context, self._settings.host)
        self._shaking = True
        self._wait(min(self._settings.timeout, GREETING_SECONDS))
        self._shake()

    def _shake(self) -> None:
        if not self._wire.handshake():
            return
        self._shaking = False
        # The script begins with the handshake or goes on behind it; in both cases it asks next.
        self._step(Reply(0, ()))

    def _wait(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds
        self._engine.check_at = min(self._engine.check_at, self.deadline)

    @abstractmethod
    def _read(self) -> None: ...

    @abstractmethod
    def _restart_clock(self) -> None: ...

    @abstractmethod
    def _end(self, why: ProviderError | str) -> None: ...


def _own_name(sock: socket.socket | None) -> str:
    """What we greet with: the host's name when it is a full one, else the address (RFC 5321 4.1.3)."""
    name = socket.gethostname()
    if "." in name and name.isascii() and name.isprintable() and " " not in name:
        return name
    assert sock is not None
    address = str(sock.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
