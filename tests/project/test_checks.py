from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings as live
from django.core.checks import CheckMessage
from pytest_django import Settings

from newsletter.apps import check_cookies, check_debug, check_public_address, check_secret_key, check_studio_language
from newsletter.config.schema import Config
from newsletter.core.errors import ConfigError
from newsletter.project.settings import database

GOOD = "x" * 48


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
    def change(**fields: object) -> None:
        fields = {"home": tmp_path, "secret_key": GOOD, "base_url": "https://news.example.org", **fields}
        monkeypatch.setattr(live, "NEWSLETTER", replace(Config(), **fields))

    return change


def _ids(found: list[CheckMessage]) -> list[str | None]:
    assert all(one.hint for one in found)
    return [one.id for one in found]


@pytest.mark.parametrize(("key", "ids"), [(GOOD, []), ("", ["newsletter.E001"]), ("short", ["newsletter.E001"])])
def test_a_home_needs_a_long_key(config: object, key: str, ids: list[str]) -> None:
    assert callable(config)
    config(secret_key=key)
    assert _ids(check_secret_key(None)) == ids


def test_without_a_home_no_key_is_missed(config: object) -> None:
    assert callable(config)
    config(home=None, secret_key="")
    assert check_secret_key(None) == []


def test_a_public_address_without_https_is_warned_of(config: object) -> None:
    assert callable(config)
    config(base_url="http://news.example.org")
    assert _ids(check_public_address(None)) == ["newsletter.W001"]
    assert check_cookies(None) == []
    config()
    assert check_public_address(None) == []


def test_cookies_in_the_clear_behind_a_tls_proxy_are_warned_of(config: object) -> None:
    assert callable(config)
    config()
    assert _ids(check_cookies(None)) == ["newsletter.W003"]
    config(https_proxy=True)
    assert check_cookies(None) == []


def test_a_studio_that_nobody_translated_is_warned_of(config: object, tmp_path: Path, settings: Settings) -> None:
    assert callable(config)
    settings.LOCALE_PATHS = [tmp_path]
    config(studio_language="en")
    assert check_studio_language(None) == []
    config(studio_language="pt-BR")
    assert _ids(check_studio_language(None)) == ["newsletter.W004"]
    (tmp_path / "pt" / "LC_MESSAGES").mkdir(parents=True)
    (tmp_path / "pt" / "LC_MESSAGES" / "studio.mo").touch()
    assert check_studio_language(None) == []


def test_debug_pages_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "DEBUG", True)
    assert _ids(check_debug(None)) == ["newsletter.W002"]
    monkeypatch.setattr(live, "DEBUG", False)
    assert check_debug(None) == []


def test_sqlite_waits_for_its_turn_and_survives_a_power_cut() -> None:
    options = database("")["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in options["init_command"] and "synchronous=FULL" in options["init_command"]
    assert options["timeout"] >= 20
    assert database("sqlite:////srv/rows.sqlite3")["OPTIONS"] == options


def test_a_database_address_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL: The database's address can't be read") as caught:
        database("postgresql://me:hush@db.example.org:port/letters")
    assert "hush" not in str(caught.value)


def test_postgresql_is_taken_from_its_address() -> None:
    entry = database("postgresql://me:hush@db.example.org:5433/letters")
    assert (entry["ENGINE"], entry["NAME"], entry["PORT"]) == ("django.db.backends.postgresql", "letters", 5433)
    assert "init_command" not in entry.get("OPTIONS", {})


@pytest.mark.slow
def test_a_home_behind_a_tls_proxy_has_nothing_to_be_warned_of(tmp_path: Path, repository: Path) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "NEWSLETTER_HOME": str(tmp_path / "home"),
        "NEWSLETTER_BASE_URL": "https://news.example.org",
        "NEWSLETTER_WEB_HTTPS_PROXY": "true",
        "DJANGO_SETTINGS_MODULE": "newsletter.project.settings",
    }
    make = [sys.executable, "-m", "newsletter", "init", str(tmp_path / "home")]
    subprocess.run(make, cwd=repository, env=environ, check=True, capture_output=True)
    check = [sys.executable, "-m", "django", "check", "--deploy", "--fail-level", "INFO"]
    said = subprocess.run(check, cwd=repository, env=environ, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, ""), said.stderr
    assert "no issues" in said.stdout
    # The check is awake: the same home in the clear is warned of.
    said = subprocess.run(check, cwd=repository, env={**environ, "NEWSLETTER_WEB_HTTPS_PROXY": "false"},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert "newsletter.W003" in said.stderr
