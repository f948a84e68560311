"""A mail server that fails on purpose, and writes down each message before the 250.

    python -m tests.acceptance.exam.server LOG PORT RATE SEED NAME=PROBABILITY ...

Faults, rolled for each chance: `tempfail_rcpt` (451), `tempfail_data` (452 after the final dot), `rate_limit` (451
4.7.28 at RCPT), `slow` (an answer a quarter of a second late), `drop_mid` (the line is cut while the text arrives),
`drop_after` (the message is taken, and the line is cut before the 250), `busy` (421 at MAIL). Addresses that begin with
"hard" get 550. RATE is messages a second, of all connections together.

LOG gets a line of JSON for each event, in one write, so that a kill -9 of this process leaves whole lines:
`taken` (before its answer), `heard` (the sender has read that answer, for it went on as only that answer allows), `cut`
(we ended a connection with a message under way). Prints its port.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from pathlib import Path
from random import Random

MESSAGE_ID = re.compile(rb"^Message-ID:\s*(\S+)", re.MULTILINE | re.IGNORECASE)
LATE = 0.25
LIMIT = 1 << 20
EXTENSIONS = ("sink.test", "PIPELINING", "SIZE 26214400", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8")


class _Cut(Exception):
    """The line is cut here."""


class Server:
    """What all connections share."""

    def __init__(self, log: Path, rate: float, seed: int, faults: dict[str, float]) -> None:
        self.log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self.faults, self.random = faults, Random(seed)
        self.pause, self.next_at = 1 / rate if rate else 0.0, 0.0
        self._copies = 0

    def note(self, event: str, copy: str = "", recipient: str = "", message_id: str = "") -> None:
        line = {"event": event, "t": time.time(), "copy": copy, "rcpt": recipient, "mid": message_id}
        os.write(self.log, json.dumps(line).encode() + b"\n")

    def taken(self, recipient: str, message_id: str) -> str:
        """Write it down; returns the name of this copy."""
        self._copies += 1
        copy = f"{os.getpid()}-{self._copies}"
        self.note("taken", copy, recipient, message_id)
        return copy

    def roll(self, fault: str) -> bool:
        return self.random.random() < self.faults.get(fault, 0.0)

    async def turn(self) -> None:
        """Wait for this message's place in the rate."""
        now = time.monotonic()
        self.next_at = max(self.next_at + self.pause, now)
        await asyncio.sleep(self.next_at - now)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Connection(self, reader, writer).run()
        except (_Cut, ConnectionError, asyncio.IncompleteReadError):
            pass  # cut by us, or the sender was killed
        finally:
            writer.transport.abort()


class _Connection:
    """One connection. `open` names the copies that were taken and answered, and are not yet known to be heard of."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.recipients: list[str] = []
        self.open: list[str] = []

    async def run(self) -> None:
        await self._say("220 sink.test ESMTP")
        while line := await self.reader.readline():
            command = line.decode("utf-8", "replace").rstrip("\r\n")
            verb = command.upper()
            if verb.startswith(("EHLO", "HELO")):
                last = len(EXTENSIONS) - 1
                await self._say("\r\n".join(f"250{'- '[at == last]}{word}" for at, word in enumerate(EXTENSIONS)))
            elif verb.startswith("MAIL FROM:"):
                self.recipients = []
                if self.server.roll("busy"):
                    await self._say("421 4.3.2 closing, come back")
                    raise _Cut
                await self._say("250 2.1.0 ok")
            elif verb.startswith("RCPT TO:"):
                await self._recipient(command)
            elif verb == "DATA":
                await self._data()
            elif verb == "QUIT":
                self._heard()
                await self._say("221 2.0.0 bye")
                return
            elif verb in ("RSET", "NOOP"):
                self.recipients = []
                await self._say("250 2.0.0 ok")
            else:
                await self._say("502 5.5.2 unknown")

    async def _recipient(self, command: str) -> None:
        found = re.match(r"RCPT TO:\s*<([^>]+)>", command, re.IGNORECASE)
        address = found[1] if found else ""
        if address.startswith("hard"):
            await self._say("550 5.1.1 no such user")
        elif self.server.roll("tempfail_rcpt"):
            await self._say("451 4.7.1 try later")
        elif self.server.roll("rate_limit"):
            await self._say("451 4.7.28 too many messages, slow down")
        else:
            self.recipients.append(address)
            await self._say("250 2.1.5 ok")

    async def _data(self) -> None:
        if not self.recipients:
            await self._say("554 5.5.1 no valid recipients")
            return
        await self._say("354 go on")
        cut = self.server.roll("drop_mid")
        text: list[bytes] = []
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                raise _Cut  # the sender is gone, perhaps before it read a word: that is not our doing
            if not text:
                # It could not begin before it had read our 354, and with it all that we said before.
                self._heard()
            if cut and len(text) > 5:
                self._cut()
            text.append(line)
        if not text:
            self._heard()
        await self.server.turn()
        if self.server.roll("tempfail_data"):
            await self._say("452 4.3.1 try later")
            return
        found = MESSAGE_ID.search(b"".join(text))
        message_id = found[1].decode() if found else ""
        taken = [self.server.taken(recipient, message_id) for recipient in self.recipients]
        if self.server.roll("drop_after"):
            self._cut()
        self.recipients = []
        self.open += taken
        await self._say("250 2.0.0 taken")

    def _heard(self) -> None:
        for copy in self.open:
            self.server.note("heard", copy)
        self.open = []

    def _cut(self) -> None:
        self.server.note("cut")
        raise _Cut

    async def _say(self, words: str) -> None:
        if self.server.roll("slow"):
            await asyncio.sleep(LATE)
        self.writer.write(words.encode() + b"\r\n")
        await self.writer.drain()


async def main(log: str, port: str, rate: str, seed: str, *faults: str) -> None:
    chances = {name: float(chance) for name, _, chance in (fault.partition("=") for fault in faults)}
    server = Server(Path(log), float(rate), int(seed), chances)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", int(port), limit=LIMIT)
    print(listening.sockets[0].getsockname()[1], flush=True)
    async with listening:
        await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
