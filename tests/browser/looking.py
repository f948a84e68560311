"""Looking at a page as people do: narrow and wide, by day and by night; and the table of all pages to be looked at."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from django.urls import resolve
from playwright.sync_api import Page

from tests.browser.conftest import Visitor

SIZES = ((1280, False), (1280, True), (375, False), (320, True))
"""Width of the window in pixels, and whether it is night."""

# Where somebody wants to see the pages: NEWSLETTER_PICTURES=folder pytest tests/browser
PICTURES = os.environ.get("NEWSLETTER_PICTURES", "")

STATES: dict[str, tuple[str, ...]] = {
    "login": ("login", "login-kept"),
    "login-code": ("login-code", "login-code-wrong"),
    "login-once": ("login-once", "login-void"),
    "join": ("join",),
    "studio": ("home", "home-empty"),
    "issue": ("issue", "text", "search", "sent", "broken"),
    "issue-send": ("send-draft", "send-approved", "send-minute", "send-sending", "send-paused"),
    "issue-outcome": ("outcome",),
    "desk-words": ("second-step-first",),
    "desk": ("desk", "desk-inbox", "desk-split", "desk-conflict", "desk-help"),
    "team": ("team", "denied"),
    "team-invite": ("team-link", "team-mailed", "team-not-mailed"),
    "audit": ("log",),
    "designs": ("designs", "designs-chosen"),
    "design-tokens": ("tokens", "tokens-faint"),
    "design-save": ("tokens-refused",),
    "settings": ("settings",),
    "settings-identity": ("settings-identity", "settings-refused"),
    "settings-sending": ("settings-sending", "settings-dialogue"),
    "settings-dns": ("settings-dns",),
    "settings-schedule": ("settings-schedule", "settings-looked"),
    "settings-file": ("settings-file",),
    "subscribers": ("subscribers-people",),
    "subscriber": ("subscribers-person",),
    "segments": ("subscribers-segments",),
    "segment": ("subscribers-segment",),
    "segment-new": ("subscribers-segment-new", "subscribers-wrong-rule"),
    "bounces": ("subscribers-bounces",),
    "bounces-aside": ("subscribers-aside",),
    "forms": ("subscribers-forms",),
    "form": ("subscribers-form",),
    "form-new": ("subscribers-form-new",),
    "form-edit": ("subscribers-form-edit",),
    "import": ("subscribers-import",),
    "import-step": ("subscribers-tried", "subscribers-running", "subscribers-done"),
    "account": ("account", "account-first"),
    "account-password": ("account-refused",),
    "second-step": ("second-step-off", "second-step-setup", "second-step-on"),
    "second-step-act": ("second-step-wrong-code", "recovery-codes", "recovery-codes-kept"),
    "again": ("again",),
    "sources": ("sources", "sources-empty"),
    "source": ("source", "source-trouble"),
    "source-add": ("source-add", "source-add-found", "source-add-problem"),
    "why": ("why", "why-none"),
    "welcome": ("welcome", "welcome-empty", "welcome-done"),
    "test-mail": ("test-mail",),
}
"""By the name of a route: the states of its page that some test looks at. A route that is not here fails
`test_looking.py`, and so does a state that no test looks at.
"""

NO_PAGES = {
    None: "addresses that only lead on",
    "logout": "leads to the log-in",
    "issue-cover": "a letter, in home's frames",
    "issue-letter": "a letter, in the issue's frames",
    "desk-letter": "a letter, in the desk's frame",
    "issue-send-live": "a part of issue-send, put in place by its script",
    "issue-outcome-csv": "a file",
    "studio-plan": "a button of studio, whose page tells what was wrong",
    "issue-approve": "a button of issue, whose page tells what was wrong",
    "issue-add": "a button of issue, whose page tells what was wrong",
    "issue-send-act": "a button of issue-send, whose page tells what was wrong",
    "desk-try": "what desk's script asks for: the letter with what is typed",
    "desk-pointed": "leads from a press on the letter to its field in desk",
    "desk-undo": "a button of desk, whose page tells what was wrong",
    "desk-picture": "a form of desk, whose page tells what was wrong",
    "desk-order": "a form of desk, whose page tells what was wrong",
    "desk-ignore": "a button of desk, whose page tells what was wrong",
    "team-withdraw": "a button of team",
    "source-save": "a form of source-add, whose page tells what was wrong",
    "source-act": "a button of source, whose page tells what was wrong",
    "source-picture": "a picture, on the cards of source-add",
    "welcome-design": "a button of welcome, whose page tells what was wrong",
    "welcome-sample": "a form of welcome, whose page tells what was wrong",
    "welcome-letter": "a letter, in welcome's frames",
    "test-mail-letter": "a letter, in test-mail's frame",
    "team-role": "a button of team, whose page tells what was wrong",
    "team-remove": "a button of team, whose page tells what was wrong",
    "team-second-step-off": "a button of team",
    "design-choose": "a button of designs, whose page tells what was wrong",
    "design-look": "a letter, in the frames of designs and design-tokens",
    "settings-dump": "a file",
    "subscribers-export": "a file",
    "segment-count": "a number in segments",
    "segment-delete": "a button of segment, whose page tells what was wrong",
    "form-preview": "the form itself, in the frame of form",
    "form-turn": "a button of form",
    "import-try": "a form of import-step, whose page tells what was wrong",
    "import-run": "a button of import-step, whose page tells what was wrong",
    "import-drop": "a button of import-step",
    "import-differences": "a file",
    "subscriber-unsubscribe": "a button of subscriber, whose page tells what was wrong",
    "subscriber-let-in": "a button of subscriber, whose page tells what was wrong",
    "subscriber-erase": "a form of subscriber, whose page tells what was wrong",
    "subscriber-data": "a file",
    "account-address": "a form of account, whose page tells what was wrong",
}
"""Routes that show nothing of their own, and why."""


def faults(page: Page) -> list[str]:
    """What axe says against the page, a line each."""
    found = Axe().run(page).response["violations"]
    return [f"{row['id']}: {node['html'][:120]}" for row in found for node in row["nodes"]]


def inspect(visitor: Visitor, name: str, open_it: Callable[[], object] = lambda: None) -> None:
    """The state `name` of a page, once it is open: no fault at any width, by day and by night, and nothing wider than
    the window. The state must be in the table, under the route that the window shows.
    """
    open_it()
    page = visitor.page
    route = resolve(urlsplit(page.url).path).url_name
    assert name in STATES.get(route or "", ()), f"{name} of {route} is not in the table of tests/browser/looking.py"
    for width, dark in SIZES:
        visitor.look(width=width, dark=dark)
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}-{width}{'-dark' if dark else ''}.png", full_page=True)
        assert faults(page) == [], (name, width, dark)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (name, width)
