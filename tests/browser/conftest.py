"""A real Chromium against the real pages: Debian's own, so nothing is downloaded. Every test is marked `browser`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.conftest import SECRET

# As long as a page may take to open: on a busy machine five seconds are nothing.
expect.set_options(timeout=30_000)


@pytest.fixture(autouse=True)
def configured(settings: Settings, tmp_path: Path) -> Path:
    """The installation under test; returns its media folder."""
    media = tmp_path / "media"
    media.mkdir()
    settings.NEWSLETTER = replace(
        settings.NEWSLETTER, secret_key=SECRET, base_url="https://news.example.test", media_folder=media
    )
    return media


@dataclass
class Visitor:
    """One browser window, and what it saw go wrong: console errors (CSP among them), and requests to anybody else."""

    page: Page
    server: str
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open a page of ours."""
        self.page.goto(self.server + path, wait_until="networkidle")
        return self.page

    def look(self, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Change the window."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme="dark" if dark else "light")

    def until(self, expression: str) -> None:
        """Wait until this is true of the page. Asked from outside: Playwright's own way to wait evaluates a string in
        the page, which our policy does not let it do.
        """
        end = time.monotonic() + 30
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, f"waited in vain: {expression}"
            self.page.wait_for_timeout(50)

    def watch(self) -> None:
        """Begin to listen."""
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        host = urlsplit(self.server).netloc
        self.page.on(
            "request",
            lambda asked: (
                self.strangers.append(asked.url)
                if urlsplit(asked.url).netloc != host and not asked.url.startswith("data:")
                else None
            ),
        )


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    made = chromium.new_context()
    yield made
    made.close()


@pytest.fixture
def visitor(context: BrowserContext, live_server: LiveServer, settings: Settings) -> Iterator[Visitor]:
    """Somebody who looks at our pages; whatever a page did wrong meanwhile fails the test."""
    settings.ALLOWED_HOSTS = ["*"]
    made = Visitor(context.new_page(), live_server.url)
    made.watch()
    yield made
    assert made.errors == []
    assert made.strangers == []
