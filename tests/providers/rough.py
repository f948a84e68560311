"""An SMTP server in threads that misbehaves where it is told to: by a script, or by a seed at random points."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

CLOSE, RESET = "close", "reset"
HANG = "hang"
EHLO = ("rough.test", "PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")

# What to say in place of the usual answer: text (may hold several lines), CLOSE, RESET, HANG, or None for the usual.
Answer = Callable[[int, str, int], "str | None"]


class RoughServer:
    """`answer(connection, verb, number)` decides: the connection's number and how often it has heard this verb, both
    from 1. Verbs: "220" (the greeting), EHLO, MAIL, RCPT, DATA, RSET, QUIT, "BODY" (in the middle of the text), "."
    (the text is there), "after" (it is taken, the answer not sent yet), "gap" (the answer is sent).

    `accepted` counts recipients of texts that it took, `heard` is every command by connection.
    """

    def __init__(
        self, answer: Answer = lambda *_: None, *, ehlo: tuple[str, ...] = EHLO, tls: ssl.SSLContext | None = None
    ) -> None:
        self.answer = answer
        self.ehlo = ehlo
        self.tls = tls
        self.accepted: Counter[str] = Counter()
        self.texts: list[bytes] = []
        self.heard: dict[int, list[str]] = {}
        self.split: random.Random | None = None
        self.now = self.most = 0
        self.ahead = 0  # commands that came before the one ahead of them was answered
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._stopped = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> RoughServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            number += 1
            self.heard[number] = []
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with self._lock:
            self._open.add(connection)
            self.now += 1
            self.most = max(self.most, self.now)
        talk = _Talk(self, connection, number)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            talk.run()
        except (OSError, EOFError):
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
                self.now -= 1
            talk.connection.close()
            connection.close()


class _Talk:
    """One connection."""

    def __init__(self, server: RoughServer, connection: socket.socket, number: int) -> None:
        self.server, self.connection, self.number = server, connection, number
        self.plain = connection
        self.buffer = b""
        self.times: Counter[str] = Counter()
        self.recipient = ""
        self.mail = False
        self.held = b""

    def run(self) -> None:
        self.reply("220", "220 rough.test")
        while True:
            line = self.line()
            self.server.heard[self.number].append(line)
            self.server.ahead += bool(self.buffer)
            verb = line.partition(" ")[0].upper()
            getattr(self, f"on_{verb.lower()}", self.on_other)(line)

    def on_ehlo(self, line: str) -> None:
        words = list(self.server.ehlo)
        self.reply("EHLO", "\r\n".join([*(f"250-{word}" for word in words[:-1]), f"250 {words[-1]}"]))

    def on_mail(self, line: str) -> None:
        said = self.reply("MAIL", "503 5.5.1 nested MAIL" if self.mail else "250 2.1.0 ok")
        self.mail, self.recipient = self.mail or said.startswith("250"), "" if not self.mail else self.recipient

    def on_rcpt(self, line: str) -> None:
        said = self.reply("RCPT", "250 2.1.5 ok" if self.mail else "503 5.5.1 MAIL first")
        if said.startswith("25"):
            self.recipient = line.partition("<")[2].partition(">")[0]

    def on_data(self, line: str) -> None:
        said = self.reply("DATA", "354 go on" if self.recipient else "554 5.5.1 no valid recipients")
        if not said.startswith("354"):
            return
        text = b""
        while not (text.endswith(b"\r\n.\r\n") or text == b".\r\n"):
            text += self.line_bytes()
            if len(text) > 300 and (words := self.ask("BODY")) is not None:
                self.say(words)
                raise EOFError
        self.server.texts.append(text)
        answer = self.ask(".")
        recipient, self.recipient, self.mail = self.recipient, "", False
        if answer is None and recipient:
            with self.server._lock:
                self.server.accepted[recipient] += 1
            answer = self.ask("after")
        self.say(answer or ("250 2.0.0 taken" if recipient else "554 5.5.1 no valid recipients"))
        self.say(self.ask("gap"))

    def on_rset(self, line: str) -> None:
        self.mail, self.recipient = False, ""
        self.reply("RSET", "250 2.0.0 ok")

    def on_starttls(self, line: str) -> None:
        self.say(self.ask("STARTTLS") or "220 go on")
        assert self.server.tls is not None
        self.connection = self.server.tls.wrap_socket(self.plain, server_side=True)
        self.buffer = b""

    def on_quit(self, line: str) -> None:
        self.reply("QUIT", "221 bye")
        raise EOFError

    def on_other(self, line: str) -> None:
        self.reply(line.partition(" ")[0].upper(), "500 what?")

    def reply(self, verb: str, usual: str) -> str:
        said = self.ask(verb) or usual
        self.say(said)
        return said

    def ask(self, verb: str) -> str | None:
        self.times[verb] += 1
        return self.server.answer(self.number, verb, self.times[verb])

    def say(self, text: str | None) -> None:
        if text is None:
            return
        if text in (CLOSE, RESET, HANG) and self.held:
            self.connection.sendall(self.held)
            self.held = b""
        if text in (CLOSE, RESET):
            if text == RESET:
                self.plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise EOFError
        if text == HANG:
            self.server._stopped.wait(30)
            raise EOFError
        data = text.encode() + (b"" if text.endswith("\r") else b"\r\n")
        # Cut after its first line, a surplus answer would be taken for the next one: no client can tell then.
        surplus = text.startswith("354") and "\r\n" in text
        if self.server.split is not None and len(data) > 1 and not surplus and self.server.split.random() < 0.1:
            cut = self.server.split.randrange(1, len(data))
            self.connection.sendall(data[:cut])
            time.sleep(0.001)
            data = data[cut:]
        if self.server.split is None and text.startswith("250 ") and b"\n" in self.buffer:
            # The next command is here already: one write answers the group (RFC 2920 section 3.2).
            self.held += data
            return
        data, self.held = self.held + data, b""
        self.connection.sendall(data)

    def line(self) -> str:
        return self.line_bytes().decode("utf-8", "replace").strip()

    def line_bytes(self) -> bytes:
        while b"\n" not in self.buffer:
            data: Any = self.connection.recv(65536)
            if not data:
                raise EOFError
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line + b"\n"


FAULTS: dict[str, tuple[str, ...]] = {
    "220": ("421 4.3.2 too many", CLOSE, "gibberish", "220-hello\r\n220 again"),
    "EHLO": (CLOSE, "451 4.3.0 later", "421 4.3.2 no"),
    "MAIL": (CLOSE, RESET, "421 4.7.0 enough", "451 4.3.0 later", "552 5.3.4 too big", "gibberish", "250-a\r\n250 b"),
    "RCPT": (
        CLOSE, RESET, "421 4.7.0 enough", "450 4.2.1 later", "550 5.1.1 nobody", "452-4.2.2 box\r\n452 4.2.2 full",
        "354 what", "250-2.1.5 a\r\n250 2.1.5 b", "x" * 70000,
    ),
    "DATA": (
        CLOSE, "421 4.3.2 no", "451 4.3.0 no", "554 5.7.1 no", "250 what", "354 go on\r\n250 and more", "354 go on\r",
    ),
    "BODY": (CLOSE, RESET, "421 4.3.2 no", "554 5.7.1 spam"),
    ".": (CLOSE, "421 4.3.2 no", "451 4.3.0 later", "554 5.7.1 spam"),
    "after": (CLOSE, RESET, "25", "gibberish", "2500 what", "250-never\r\nending"),
    "gap": (CLOSE, RESET, "421 4.3.2 enough of you"),
    "RSET": (CLOSE, "421 4.3.2 no", "500 no"),
}  # fmt: skip


def at_random(seed: int, share: float) -> Answer:
    """A fault at `share` of all points, one of those of the point; the text's points are asked line by line."""
    chance = random.Random(seed)
    lock = threading.Lock()

    def answer(connection: int, verb: str, number: int) -> str | None:
        with lock:
            if verb not in FAULTS or chance.random() >= (share / 10 if verb == "BODY" else share):
                return None
            return chance.choice(FAULTS[verb])

    return answer
