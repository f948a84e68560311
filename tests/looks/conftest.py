"""One window for all letters of a test process: a page costs more than what is shown in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.looks.window import Window


@pytest.fixture(scope="session")
def window(chromium: Browser) -> Iterator[Window]:
    """Where letters are shown. At the end: none has asked for anything but our own pictures."""
    made = Window(chromium)
    yield made
    made.close()
    assert made.strangers == []
