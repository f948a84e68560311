"""A small IMAP server (RFC 3501) for one user and one folder, over TLS on loopback: what a poller says to one."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType


class ImapServer:
    """`mails` by UID; `kept` is the other folder; `heard` every command. `break_at` closes the line at that command."""

    def __init__(self, certificate: Path, *, starttls: bool = False, uidplus: bool = True) -> None:
        self.mails: dict[int, bytes] = {}
        self.deleted: set[int] = set()
        self.kept: list[bytes] = []
        self.heard: list[str] = []
        self.break_at = ""
        self.starttls, self.uidplus = starttls, uidplus
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    talk = Conversation(outer, self.request)
                    try:
                        talk.run()
                    finally:
                        talk.close()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def add(self, *messages: bytes) -> None:
        for message in messages:
            self.mails[max(self.mails, default=100) + 1] = message

    def __enter__(self) -> ImapServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class Conversation:
    """One connection."""

    def __init__(self, server: ImapServer, line: object) -> None:
        self.server, self.line = server, line
        if not server.starttls:
            self.line = server.context.wrap_socket(line, server_side=True)  # type: ignore[arg-type]
        self.file = self.line.makefile("rwb")  # type: ignore[attr-defined]

    def say(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        self.file.write(data + b"\r\n")
        self.file.flush()

    def close(self) -> None:
        with suppress(OSError):
            self.file.close()
        self.line.close()  # type: ignore[attr-defined]

    def run(self) -> None:
        self.say("* OK ready")
        while raw := self.file.readline():
            tag, _, command = raw.decode().strip().partition(" ")
            self.server.heard.append(command)
            if self.server.break_at and self.server.break_at in command.upper():
                return
            if self.answer(tag, command):
                return

    def answer(self, tag: str, command: str) -> bool:
        verb = command.upper()
        mails, deleted = self.server.mails, self.server.deleted
        if verb == "CAPABILITY":
            more = " UIDPLUS" if self.server.uidplus else ""
            self.say(f"* CAPABILITY IMAP4rev1 STARTTLS{more}")
        elif verb == "STARTTLS":
            self.say(f"{tag} OK go")
            self.line = self.server.context.wrap_socket(self.line, server_side=True)  # type: ignore[arg-type]
            self.file.close()
            self.file = self.line.makefile("rwb")
            return False
        elif verb.startswith("LOGIN"):
            if command.split(" ", 1)[1].replace('"', "") != "bounces secret":
                self.say(f"{tag} NO [AUTHENTICATIONFAILED] no")
                return False
        elif verb.startswith("SELECT"):
            if '"INBOX"' not in command:
                self.say(f"{tag} NO no such folder")
                return False
            self.say(f"* {len(mails)} EXISTS")
        elif verb.startswith("UID SEARCH"):
            self.say("* SEARCH " + " ".join(str(uid) for uid in sorted(mails) if uid not in deleted))
        elif match := re.match(r"UID FETCH (\d+)", verb):
            data = mails[int(match[1])]
            self.say(f"* 1 FETCH (UID {match[1]} BODY[]<0> {{{len(data)}}}".encode() + b"\r\n" + data + b")")
        elif match := re.match(r"UID COPY (\d+)", verb):
            self.server.kept.append(mails[int(match[1])])
        elif match := re.match(r"UID STORE (\d+)", verb):
            deleted.add(int(match[1]))
        elif verb.startswith(("EXPUNGE", "UID EXPUNGE")):
            for uid in deleted:
                mails.pop(uid, None)
            deleted.clear()
        elif verb == "LOGOUT":
            self.say("* BYE")
            self.say(f"{tag} OK bye")
            return True
        self.say(f"{tag} OK done")
        return False
