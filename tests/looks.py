"""Pictures of a real letter, as readers see it: `python tests/looks.py FOLDER` (through `make prove ARGS=looks`).

Runs the demo once in a throw-away home, takes one accepted .eml out of its mailbox, and lets headless Chromium draw its
HTML part on desktop, phone, in the dark and without pictures, and its text part. Pictures come from the home's own
media folder; any other request is refused and counted, because a letter must not call third parties.
"""

from __future__ import annotations

import email
import email.policy
import html
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Browser, Route, sync_playwright


@dataclass(frozen=True)
class View:
    """One way of looking."""

    name: str
    width: int
    dark: bool = False
    pictures: bool = True


VIEWS = (
    View("issue-desktop", 700),
    View("issue-phone", 375),
    View("issue-dark", 700, dark=True),
    View("issue-phone-dark", 375, dark=True),
    View("issue-no-pictures", 700, pictures=False),
)


def demo_letter(folder: Path) -> tuple[EmailMessage, Path]:
    """One accepted message of the demo, and the home that sent it."""
    command = [sys.executable, "-m", "newsletter", "demo", "--once", "--json", "--dir", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    messages = sorted(Path(result["mailbox"]).glob("*.eml"))
    parsed = [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in messages]
    # The longest letter is one of a subscriber who follows everything; the README greets one by an English name.
    plain = [message for message in parsed if str(message["To"]).partition(" <")[0].replace(" ", "").encode().isalpha()]
    return max(plain, key=lambda message: len(str(message.get_body(("html",))))), Path(result["home"])


def draw(browser: Browser, view: View, page_html: str, media: Path, target: Path) -> int:
    """Draw one view; gives the number of requests that went anywhere but our own pictures."""
    strangers = 0

    def answer(route: Route) -> None:
        nonlocal strangers
        picture = media / urlsplit(route.request.url).path.partition("/media/")[2]
        if picture.is_file():
            if view.pictures:
                route.fulfill(body=picture.read_bytes(), content_type=f"image/{picture.suffix.lstrip('.')}")
            else:
                route.abort()
        else:
            strangers += 1
            route.abort()

    page = browser.new_page(
        viewport={"width": view.width, "height": 900},
        color_scheme="dark" if view.dark else "light",
    )
    page.route("**/*", answer)
    page.set_content(page_html, wait_until="load")
    page.screenshot(path=target, full_page=True)
    page.close()
    return strangers


# The README shows the first screens of these two, side by side and equally tall.
HEROES = {"issue-desktop": 1680, "issue-phone": 1890}


def slim(path: Path) -> None:
    """256 colours are enough to judge a layout, and keep the repository small."""
    with Image.open(path) as picture:
        whole = picture.convert("RGB")
    if height := HEROES.get(path.stem):
        whole.crop((0, 0, whole.width, height)).quantize(256).save(
            path.with_name(f"readme-{path.stem}.png"), optimize=True
        )
    whole.quantize(256).save(path, optimize=True)


def main(target: Path) -> int:
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        message, home = demo_letter(Path(folder) / "home")
        html_part, text_part = message.get_body(("html",)), message.get_body(("plain",))
        assert html_part is not None and text_part is not None
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        strangers = 0
        for view in VIEWS:
            path = target / f"{view.name}.png"
            strangers += draw(browser, view, html_part.get_content(), home / "media", path)
            slim(path)
            print(f"{view.name}: {path.stat().st_size // 1024} KB, {view.width} px")
        text = f"<pre style='font:14px/1.5 monospace;padding:24px'>{html.escape(text_part.get_content())}</pre>"
        draw(browser, View("issue-text", 700), text, home / "media", target / "issue-text.png")
        slim(target / "issue-text.png")
        browser.close()
    print(f"requests to anywhere else: {strangers}")
    return 1 if strangers else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
