"""What the exam's server writes down: a sender that goes away has heard nothing."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.acceptance.exam.server import Server

MESSAGE = b"Message-ID: <1@x.test>\r\n\r\nhello\r\n.\r\n"
GROUP = b"MAIL FROM:<a@x.test>\r\nRCPT TO:<r@box.test>\r\nDATA\r\n"


async def talk(log: Path, *, begins: bool) -> list[str]:
    """One message with the group of the next in one write; then the sender begins that text, or is gone."""
    server = Server(log, 0.0, 1, {})
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
    writer.write(b"EHLO x\r\n" + GROUP + MESSAGE + GROUP)
    while b"taken" not in (await reader.readline()):
        pass
    if begins:
        writer.write(b"Message-ID: <2@x.test>\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)
    writer.transport.abort()
    for _ in range(200):
        await asyncio.sleep(0.01)
        if len(asyncio.all_tasks()) == 1:
            break
    listening.close()
    return [json.loads(line)["event"] for line in log.read_text().splitlines()]


@pytest.mark.parametrize(("begins", "events"), [(True, ["taken", "heard"]), (False, ["taken"])])
def test_who_goes_away_after_our_answer_has_not_heard_it(tmp_path: Path, begins: bool, events: list[str]) -> None:
    # In a thread of its own: where a browser's tests ran before, this one already has a loop.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, talk(tmp_path / "log", begins=begins)).result() == events
