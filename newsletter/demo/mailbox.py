"""The demo's mail server: takes every message but those for one address, and keeps each as one file."""

from __future__ import annotations

import logging
import os
import re
from hashlib import sha256
from pathlib import Path
from types import TracebackType

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

logger = logging.getLogger(__name__)

_MESSAGE_ID = re.compile(rb"^message-id:[ \t\r\n]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)


class MailServer:
    """SMTP on (host, port) that writes what it accepts into `folder`. A context manager: started on entry.

    Recipients in `refused` (lower case) get 550 5.1.1. A message counts as accepted only when its file is complete.
    """

    def __init__(self, folder: Path, *, host: str = "127.0.0.1", port: int, refused: frozenset[str]) -> None:
        """Nothing is bound yet."""
        folder.mkdir(parents=True, exist_ok=True)
        self.host, self.port = host, port
        self._controller = Controller(
            _Keeper(folder, refused),
            hostname=host,
            port=port,
            enable_SMTPUTF8=True,
            server_hostname="mail.example.test",
        )

    def __enter__(self) -> MailServer:
        """Raises OSError when the port is taken."""
        self._controller.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._controller.stop()


class _Keeper:
    """aiosmtpd's handler: its method names are that library's."""

    def __init__(self, folder: Path, refused: frozenset[str]) -> None:
        self._folder, self._refused = folder, refused

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.lower() in self._refused:
            return f"550 5.1.1 <{address}>: there is no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        kept = [keep(self._folder, recipient, content) for recipient in envelope.rcpt_tos]
        return f"250 2.0.0 Ok: kept as {kept[0].name}"


def keep(folder: Path, recipient: str, message: bytes) -> Path:
    """Write one message for one recipient; the same message a second time becomes a second file, for all to see.

    The name is made of the recipient and the Message-ID, so two runs that send the same give the same names.
    """
    found = _MESSAGE_ID.search(message)
    identity = found.group(1).strip() if found else message
    stem = re.sub(r"[^a-z0-9.+-]+", "_", recipient.lower())[:80].strip("._")
    stem = f"{stem}.{sha256(identity + recipient.encode()).hexdigest()[:10]}"
    file, again = folder / f"{stem}.eml", 1
    while file.exists():
        again += 1
        file = folder / f"{stem}.again-{again}.eml"
    partial = folder / f".{file.name}.partial"
    with partial.open("wb") as out:
        out.write(message)
        out.flush()
        # The answer 250 is a promise: the message must outlive a power cut from here on (RFC 5321 section 6.1).
        os.fsync(out.fileno())
    partial.replace(file)
    return file


def messages(folder: Path) -> list[Path]:
    """The files of a mailbox, in the order in which they came."""
    return sorted(folder.glob("[!.]*.eml"), key=lambda file: (file.stat().st_mtime_ns, file.name))
