"""An SMTP server process that takes a limited number of messages a second and writes down each one before its 250.

    python tests/acceptance/smtp_journal.py JOURNAL [RATE [LIMIT]]

Prints its port on stdout. Each line of the journal is one accepted recipient as JSON: time, recipient, Message-ID.
Addresses beginning with "hard" are refused with 550, those beginning with "grey" once with 451. RATE is kept by
answering late; what is over LIMIT a second is refused with 451 and written down as refused.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

MESSAGE_ID = re.compile(rb"^Message-ID:\s*(\S+)", re.MULTILINE | re.IGNORECASE)


class Journal:
    """The handler: paced, and durable before it answers."""

    def __init__(self, file: Path, rate: float, limit: float) -> None:
        self.file = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self.pause = 1 / rate if rate else 0.0
        self.next_at = 0.0
        # A bucket that fills by `limit` a second and holds a second's worth, as mail servers count.
        self.limit, self.left, self.filled_at = limit, limit, time.monotonic()
        self.seen: set[str] = set()

    def write(self, line: dict[str, object]) -> None:
        os.write(self.file, json.dumps({"t": time.time(), **line}).encode() + b"\n")

    def has_room(self) -> bool:
        now = time.monotonic()
        self.left = min(self.limit, self.left + (now - self.filled_at) * self.limit)
        self.filled_at = now
        if not self.limit:
            return True
        if self.left < 1:
            return False
        self.left -= 1
        return True

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("hard"):
            return "550 5.1.1 no such user"
        if address.startswith("grey") and address not in self.seen:
            self.seen.add(address)
            return "451 4.7.1 greylisted, try later"
        if not self.has_room():
            self.write({"rcpt": address, "refused": True})
            return "451 4.7.28 too many messages, slow down"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        now = time.monotonic()
        self.next_at = max(self.next_at + self.pause, now)
        await asyncio.sleep(self.next_at - now)
        found = MESSAGE_ID.search(bytes(envelope.original_content or b""))
        mid = found[1].decode() if found else ""
        for recipient in envelope.rcpt_tos:
            self.write({"rcpt": recipient, "mid": mid})
        return "250 2.0.0 taken"


async def main(journal: Path, rate: float = 0.0, limit: float = 0.0) -> None:
    handler = Journal(journal, rate, limit)
    loop = asyncio.get_running_loop()

    def protocol() -> Any:
        return SMTP(handler, hostname="sink.test", enable_SMTPUTF8=True, loop=loop)

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *(float(each) for each in sys.argv[2:])))
