"""Shared by every test: Hypothesis profiles, one fixed clock, and which tests belong to which run."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as django_settings
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SECRET = "a secret for tests only, long enough to be worth the name"
# There is no home here, so no key. Not through pytest-django's fixture: it would give the empty key back afterwards,
# which Django refuses to look at.
django_settings.SECRET_KEY = SECRET
# pytest-django knows Django's own backend for SQLite by its name, and would give ours a file for each of its processes.
for _database in django_settings.DATABASES.values():
    if _database["ENGINE"] == "newsletter.project.sqlite":
        _database.setdefault("TEST", {})["NAME"] = ":memory:"

settings.register_profile("default", max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("prove", max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "default")
settings.load_profile(PROFILE)
# The compiler's promise is drawn more often than the rest.
COMPILER_CASES = {"quick": 50, "default": 300, "prove": 10_000}[PROFILE]


@pytest.fixture
def now() -> datetime:
    """Tuesday noon in the week of the seed's own issue (Thursday 5 November 2026, 08:00 in New York)."""
    return datetime(2026, 11, 3, 17, 0, tzinfo=UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the database, so that the PostgreSQL run can select exactly that; what runs `newsletter` as a
    process (half a second each time: such a test asks for its `environ`) as slow; and what coverage does not look at.
    """
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        uses = item.get_closest_marker("django_db") or fixtures & {"db", "transactional_db", "live_server"}
        if uses:
            item.add_marker(pytest.mark.database)
        if "environ" in fixtures:
            item.add_marker(pytest.mark.slow)
        # Being traced takes a test twice as long. The bars are for what short tests reach by themselves.
        drawn = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
        if drawn or any(map(item.get_closest_marker, ("slow", "browser", "packaging"))):
            item.add_marker(pytest.mark.untraced)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """(pytest-cov's own `no_cover` does nothing in a worker of xdist: two measure there, and one goes on.)"""
    if not item.get_closest_marker("untraced"):
        return (yield)
    here, threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        threading.settrace(threads)
        sys.settrace(here)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The checkout that the tests run in."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's own Chromium, one for all tests of a process: Playwright runs once in a thread."""
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop in this thread, and Django takes that for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        yield browser
        browser.close()
