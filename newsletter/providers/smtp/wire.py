"""One socket that never waits, plain or encrypted, and what of its output has not left yet."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import ssl
from typing import Any

READ, BOTH = selectors.EVENT_READ, selectors.EVENT_READ | selectors.EVENT_WRITE
# Larger than any letter: a whole one fits in one write.
SEND_BUFFER = 1 << 20
CHUNK = 8192
MOST_AT_ONCE = 1 << 20
_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

Address = tuple[Any, ...]


class Wire:
    """Every method but `close` may raise `OSError` (`ssl.SSLError` is one): the connection is lost then."""

    def __init__(self, selector: selectors.BaseSelector, owner: object) -> None:
        """`owner` is what the selector gives back for this socket's events."""
        self._selector = selector
        self._owner = owner
        self.sock: socket.socket | None = None
        self._secure = False
        self.waiting: memoryview | None = None
        """What the operating system has not taken yet."""
        self._mask = 0

    @property
    def unsent(self) -> int:
        """How many octets the operating system has not taken yet. An encrypted record counts once it is whole: half of
        one can't be read by anybody.
        """
        return 0 if self.waiting is None else len(self.waiting)

    def connect(self, family: int, address: Address) -> None:
        """Begin to connect; writable means that it is decided."""
        sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock = sock
        sock.setblocking(False)
        # The final dot is a small packet behind a large one: never let it wait for an acknowledgement.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._selector.register(sock, BOTH, self._owner)
        self._mask = BOTH
        with contextlib.suppress(BlockingIOError):
            sock.connect(address)

    def connected(self) -> None:
        """Raises what became of the connecting when it failed."""
        assert self.sock is not None
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        self._watch(READ)

    def encrypt(self, context: ssl.SSLContext, host: str) -> None:
        """Wrap the socket; `handshake` then goes on until it says that it is done."""
        assert self.sock is not None
        self._selector.unregister(self.sock)
        self.sock = context.wrap_socket(self.sock, server_hostname=host, do_handshake_on_connect=False)
        self._selector.register(self.sock, BOTH, self._owner)
        self._mask = BOTH
        self._secure = True

    def handshake(self) -> bool:
        """One step; True when done. Raises `ssl.SSLCertVerificationError` too."""
        assert isinstance(self.sock, ssl.SSLSocket)
        try:
            self.sock.do_handshake()
        except ssl.SSLWantReadError:
            self._watch(READ)
            return False
        except ssl.SSLWantWriteError:
            self._watch(BOTH)
            return False
        self._watch(READ)
        return True

    def write(self, parts: list[bytes]) -> None:
        """Hand over as much as fits; the rest goes with `flush`. Not to be called while something is unsent."""
        sock = self.sock
        assert sock is not None and self.waiting is None
        if self._secure:
            self.waiting = memoryview(b"".join(parts))
            self.flush()
            return
        try:
            sent = sock.sendmsg(parts)
        except BlockingIOError:
            sent = 0
        if sent < sum(map(len, parts)):
            self.waiting = memoryview(b"".join(parts))[sent:]
            self._watch(BOTH)

    def flush(self) -> None:
        """Go on with what is unsent."""
        assert self.sock is not None
        while self.waiting:
            try:
                sent = self.sock.send(self.waiting)
            except _LATER:
                self._watch(BOTH)
                return
            self.waiting = self.waiting[sent:]
        self.waiting = None
        self._watch(READ)

    def read(self) -> bytes | None:
        """What has come; None when nothing has yet. b"" is the end."""
        sock = self.sock
        assert sock is not None
        try:
            data = sock.recv(CHUNK)
            # OpenSSL may hold decrypted bytes that the selector does not see.
            while self._secure and data and len(data) < MOST_AT_ONCE and sock.pending():  # type: ignore[attr-defined]
                data += sock.recv(CHUNK)
        except _LATER:
            return None
        return data

    def close(self) -> None:
        """Never raises, and may be called twice."""
        sock, self.sock = self.sock, None
        if sock is None:
            return
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(sock)
        with contextlib.suppress(OSError):
            sock.close()

    def _watch(self, mask: int) -> None:
        if mask != self._mask:
            assert self.sock is not None
            self._selector.modify(self.sock, mask, self._owner)
            self._mask = mask
