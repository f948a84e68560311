"""A wire that writes down what goes over it, for a person who looks for the fault. Never the message, never a login."""

from __future__ import annotations

import selectors
import ssl

from newsletter.providers.dialogue import HIDDEN, Dialogue, Side
from newsletter.providers.smtp.wire import Address, Wire

_END = b"\r\n.\r\n"


class ListeningWire(Wire):
    """One connection's lines, as its socket sends and reads them."""

    def __init__(self, selector: selectors.BaseSelector, owner: object, dialogue: Dialogue) -> None:
        super().__init__(selector, owner)
        self._dialogue = dialogue
        self._heard = b""
        self._login = False  # what we say is a login, until the server has answered it
        self._text = False  # what we say is the message, until its final dot

    def connect(self, family: int, address: Address) -> None:
        self._dialogue.note(f"Connecting to {address[0]}, port {address[1]}.")
        super().connect(family, address)

    def connected(self) -> None:
        super().connected()
        self._dialogue.note("Connected.")

    def handshake(self) -> bool:
        done = super().handshake()
        if done and isinstance(self.sock, ssl.SSLSocket):
            self._dialogue.note(f"Encrypted from here on: {self.sock.version()}.")
        return done

    def write(self, parts: list[bytes]) -> None:
        self._we(b"".join(parts))
        super().write(parts)

    def read(self) -> bytes | None:
        data = super().read()
        if data:
            self._they(data)
        elif data is not None:
            self._dialogue.note("The server closed the connection.")
        return data

    def _we(self, said: bytes) -> None:
        if self._text:
            # The line end in front, which makes the dot of an empty text one too, stands for the last one of the text.
            body, _, said = (b"\r\n" + said).partition(_END)
            self._text = False
            self._dialogue.add(Side.WE, f"(the message, {len(body):,} octets)")
            self._dialogue.add(Side.WE, ".")
        for line in said.splitlines():
            words = line.split()
            if self._login:
                self._dialogue.add(Side.WE, HIDDEN)
            elif words and words[0].upper() == b"AUTH":
                self._login = True
                self._dialogue.add(
                    Side.WE, f"AUTH {_shown(b''.join(words[1:2]))} {HIDDEN if words[2:] else ''}".strip()
                )
            else:
                self._dialogue.add(Side.WE, _shown(line))

    def _they(self, data: bytes) -> None:
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            words = line.rstrip(b"\r")
            if self._login and words[:3] == b"334":
                # A challenge may repeat what was said; nobody needs it.
                words = b"334"
            self._dialogue.add(Side.THEY, _shown(words))
            if words[3:4] == b"-":
                continue
            if words[:3] == b"354":
                self._text = True
            elif words[:3] != b"334":
                self._login = False


def _shown(line: bytes) -> str:
    return line.decode("utf-8", "replace")
