"""A page of Chromium in which one letter after the other is drawn and measured, as different mail clients show it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.letters import issues
from tests.letters.drawn import SIZES, drawn

Mode = Literal["light", "dark", "forced", "inverted", "partial", "outlook", "blind"]
"""light; dark as the design says; forced: lightness turned round by the client (Gmail on iOS, Outlook on Windows);
inverted: every channel turned round; partial: only light grounds and dark texts (Gmail on Android); outlook: the same
with the letter's own rules for it (Outlook.com); blind: light, without pictures.
"""

MODES: tuple[Mode, ...] = ("light", "dark", "forced", "inverted", "partial", "outlook", "blind")
WIDTHS = (600, 375, 320)
ENOUGH = 4.5
"""WCAG 2.2, 1.4.3: and for large text too, though 3 would do there."""

# Rules of axe about a whole page. A letter is shown inside the mail program's page, which has the landmarks.
_ABOUT_PAGES = ("region", "landmark-one-main", "bypass")
_MEASURE = (Path(__file__).parent / "measure.js").read_text()


@dataclass(frozen=True, slots=True)
class Pair:
    """A text with its colour and what it stands on, `ratio` to 1."""

    ratio: float
    color: str
    ground: str
    text: str
    where: str

    def __str__(self) -> str:
        return f"{self.ratio}: “{self.text}” {self.color} on {self.ground} ({self.where})"


@dataclass(frozen=True, slots=True)
class Box:
    """A block of a letter, in pixels of the page. `edge` is where most of its lines begin, `agreed` their share."""

    x: float
    y: float
    width: float
    height: float
    edge: float = -1
    agreed: float = 0


class Window:
    """Shows one letter at a time. `strangers` are addresses that a letter asked for and that are no picture of ours."""

    def __init__(self, browser: Browser, pictures: Mapping[str, bytes] | None = None) -> None:
        """`pictures` by the last part of their path; by default those of the reference issues."""
        self.strangers: list[str] = []
        self._pictures = pictures
        self._context = browser.new_context(viewport={"width": 600, "height": 900})
        self.page: Page = self._context.new_page()
        self._context.route("**/*", self._answer)

    def close(self) -> None:
        """Close the page."""
        self._context.close()

    def show(self, html: str, *, width: int = 600, mode: Mode = "light") -> None:
        """Put a letter into the page, as it looks in `mode`."""
        if mode == "blind":
            html = html.replace("/media/", "/nothing/")
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme="dark" if mode == "dark" else "light")
        self.page.set_content(html, wait_until="load")
        self.page.evaluate(f"window.measure = {_MEASURE}")
        if mode in ("forced", "partial", "outlook"):
            self.page.evaluate("measure.forgetSchemes()")
        if mode in ("forced", "inverted"):
            self.page.evaluate("way => measure.invert(way)", mode)
        elif mode in ("partial", "outlook"):
            self.page.evaluate("authored => measure.invertPartly(authored)", mode == "outlook")

    def pairs(self) -> list[Pair]:
        """Every visible text with its colours, alternative texts too."""
        return [Pair(**row) for row in self.page.evaluate("measure.pairs()")]

    def overflow(self) -> list[str]:
        """What sticks out at the sides, a line each."""
        return list(self.page.evaluate("measure.overflow()"))

    def collisions(self) -> list[str]:
        """Texts that lie on each other, a line each."""
        return list(self.page.evaluate("measure.collisions()"))

    def broken(self) -> list[str]:
        """Words of twelve letters at most that begin on one line and end on another, a line each."""
        return list(self.page.evaluate("measure.broken()"))

    def blocks(self) -> list[Box]:
        """The letter's sections, from the top."""
        return [Box(**row) for row in self.page.evaluate("measure.blocks()")]

    def faults(self) -> list[str]:
        """What axe says against the letter, a line each."""
        options = {"rules": {rule: {"enabled": False} for rule in _ABOUT_PAGES}}
        found: Any = Axe().run(self.page, options=options).response
        return [f"{row['id']}: {node['html'][:160]}" for row in found["violations"] for node in row["nodes"]]

    def picture(self) -> Image.Image:
        """The whole letter, a pixel for each of the page's."""
        data = self.page.screenshot(full_page=True, animations="disabled", caret="hide")
        with Image.open(BytesIO(data)) as image:
            return image.convert("RGB")

    def _answer(self, route: Route) -> None:
        path = urlsplit(route.request.url)
        name = path.path.rpartition("/")[2].partition(".")[0]
        if f"{path.scheme}://{path.netloc}" != issues.HOST:
            self.strangers.append(route.request.url)
        elif path.path.startswith("/media/"):
            if self._pictures is None and name in SIZES:
                return route.fulfill(body=drawn(name), content_type="image/jpeg")
            if self._pictures and name in self._pictures:
                return route.fulfill(body=self._pictures[name], content_type="image/jpeg")
            self.strangers.append(route.request.url)
        return route.abort()


def too_faint(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs that are hard to read."""
    return [pair for pair in pairs if pair.ratio < ENOUGH]


@contextmanager
def opened() -> Iterator[Window]:
    """A window in a Chromium of its own, for runs by hand."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        window = Window(browser)
        yield window
        window.close()
        browser.close()
