"""From `newsletter init` to the first mail seen, by real processes in a real browser; how long it takes is printed."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.acceptance.test_readme import feed as feed
from tests.acceptance.test_serve import Serving
from tests.homes import REPOSITORY, Home, environ_for

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_the_first_mail_is_seen_within_three_steps(
    tmp_path: Path, feed: str, chromium: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    home = Home(tmp_path / "home", environ_for(tmp_path))
    home.environ.pop("DATABASE_URL", None)  # a beginner has none
    home.environ["NEWSLETTER_FETCH_INNER"] = feed
    said = subprocess.run(
        [sys.executable, "-m", "newsletter", "init", str(home.path)],
        env=home.environ, text=True, capture_output=True, cwd=REPOSITORY, check=True,
    ).stdout  # fmt: skip
    assert f"newsletter --home {home.path} serve" in said
    made = time.monotonic() - began
    with Serving(home) as serving:
        link = re.search(r"http://\S+/login/\S+", serving.said)
        assert link, serving.said
        up = time.monotonic() - began
        page = chromium.new_context().new_page()
        errors: list[str] = []
        page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
        page.set_default_timeout(60_000)
        page.goto(link[0])
        page.get_by_role("button", name="Log in as admin").click()
        page.get_by_role("link", name="Begin with the first step").click()
        page.get_by_label("The address of your magazine").fill(feed)
        page.get_by_role("button", name="Look at it").click()
        page.get_by_label("What is your magazine called?").fill("LANTERN")
        assert page.locator(".entry").count() == 3
        page.get_by_role("button", name="Keep this source").click()
        page.get_by_role("button", name="Take Colophon").click()
        page.get_by_role("button", name="Send me this week’s sample").click()
        page.frame_locator("iframe.mail").get_by_text("Open Door").first.wait_for()
        seen = time.monotonic() - began
        page.context.close()
    assert errors == []
    (mail,) = home.messages()
    assert b"Subject: [Test] " in mail.read_bytes()
    with capsys.disabled():
        print(f"\nfirst run: home made {made:.1f} s, served {up:.1f} s, first mail seen {seen:.1f} s")
