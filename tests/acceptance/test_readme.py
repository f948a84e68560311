"""The README's five-minute path of a real magazine, command by command as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
FEED_IN_README = "https://lantern.example.test/feed/"
ITEM = """
<item><title>‘{title}’: Movie Review</title><link>https://lantern.example.test/{slug}</link>
<guid isPermaLink="false">{slug}</guid><pubDate>{date}</pubDate><description>{text}</description></item>"""
TEXT = "It begins with a door left open in winter and nobody getting up to close it, and that is the whole film."


class Feed(BaseHTTPRequestHandler):
    """The magazine's own feed, with three reviews of the last days."""

    def do_GET(self) -> None:
        now = datetime.now(UTC)
        items = "".join(
            ITEM.format(title=title, slug=slug, text=TEXT, date=format_datetime(now - timedelta(days=age)))
            for age, (title, slug) in enumerate(
                (("Open Door", "door"), ("Late Bus", "bus"), ("Two Spoons", "spoons")), 1
            )
        )
        body = f'<rss version="2.0"><channel><title>LANTERN</title>{items}</channel></rss>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def feed() -> Iterator[str]:
    """A loopback address that stands in for the README's own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Feed)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def path_of(readme: str) -> str:
    """The section's shell blocks as one script; the TOML block is the edit that it asks for."""
    section = readme.split("## A real magazine in five minutes")[1].split("\n## ")[0]
    script = ["set -euxo pipefail"]
    for language, block in re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL):
        if language == "toml":
            script.append(f"cat > magazine.toml <<'END_OF_EDIT'\n{block}END_OF_EDIT")
        elif "pip install" not in block:  # the packaging test installs
            script.append(block)
    return "\n".join(script)


def slot_soon(script: str) -> str:
    """The script with a slot whose cutoff is past already, whatever day it runs on."""
    soon = datetime.now(UTC) + timedelta(hours=2)
    script = re.sub(r'weekday = "\w+"', f'weekday = "{soon:%A}"'.lower(), script)
    script = re.sub(r'send_time = "[\d:]+"', f'send_time = "{soon:%H:%M}"', script)
    return re.sub(r'timezone = "[\w/]+"', 'timezone = "UTC"', script)


@pytest.mark.parametrize("soon", [False, True], ids=["as written", "between cutoff and slot"])
def test_the_five_minute_path_runs_as_written(repository: Path, tmp_path: Path, feed: str, soon: bool) -> None:
    script = path_of((repository / "README.md").read_text())
    assert script.count("newsletter ") >= 12
    assert FEED_IN_README in script
    if soon:
        script = slot_soon(script)
        assert 'timezone = "UTC"' in script
    environment = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment["NEWSLETTER_FETCH_INNER"] = feed
    done = subprocess.run(
        ["bash", "-c", script.replace(FEED_IN_README, f"http://{feed}/feed/")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    home = tmp_path / "lantern"
    letter = (home / "preview" / "letter.html").read_text()
    assert "Open Door" in letter and "Late Bus" in letter and "Two Spoons" in letter
    mailed = sorted(path.name for path in (home / "outbox").rglob("*.eml"))
    assert len(mailed) == 3, mailed  # the test mail and two readers
    assert "no subject" not in done.stdout
    assert "Sent to 2 of 2." in done.stdout
    assert "frozen 2 = accepted 2 + failed 0" in done.stdout
