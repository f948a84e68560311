from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from newsletter.config.create import create_home
from newsletter.config.load import Loaded, load
from newsletter.core.errors import ConfigError
from newsletter.core.tokens import Keys
from newsletter.flow.bounce import take
from newsletter.flow.domain import Level
from newsletter.management.doctor import (
    Finding,
    examine,
    pending_migrations,
    require_new_database,
    unknown_migrations,
)
from newsletter.models import Account, Issue, Magazine, Newsletter, Source
from tests.factories import make_account, make_newsletter, make_source, make_subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    return load(create_home(tmp_path / "home"), {"NEWSLETTER_BASE_URL": "https://news.example.org"})


def _find(findings: list[Finding], subject: str, level: Level | None = None) -> list[str]:
    return [f.text for f in findings if f.subject == subject and (level is None or f.level is level)]


def test_a_magazine_that_is_ready_misses_nothing(loaded: Loaded, now: datetime) -> None:
    newsletter = make_newsletter()
    newsletter.sources.add(make_source(last_success_at=now - timedelta(hours=1)))
    make_subscription("ada@example.org")
    get_user_model().objects.create_user("ed")
    findings = examine(loaded, now=now, environ={})
    assert [finding for finding in findings if finding.level is not Level.OK] == []
    assert "next slot Thu 2026-11-05 08:00 America/New_York" in _find(findings, "newsletter weekly")[0]
    assert _find(findings, "source feed") == ["last read 1\xa0hour ago"]


def test_a_fresh_home_is_told_what_to_type(loaded: Loaded, now: datetime) -> None:
    findings = examine(loaded, now=now, environ={})
    assert [(f.subject, f.fix) for f in findings if f.level is Level.MISSING] == [
        ("magazine", "newsletter apply magazine.toml"),
        ("newsletter", "newsletter apply magazine.toml"),
    ]


def test_a_newsletter_that_names_no_source_reads_every_enabled_one(loaded: Loaded, now: datetime) -> None:
    newsletter = make_newsletter()
    one = make_source("one")
    assert _find(examine(loaded, now=now, environ={}), "newsletter weekly", Level.MISSING) == []
    newsletter.sources.add(make_source("two", enabled=False))
    missing = _find(examine(loaded, now=now, environ={}), "newsletter weekly", Level.MISSING)
    assert missing == ["It has no enabled source."]
    newsletter.sources.add(one)
    assert _find(examine(loaded, now=now, environ={}), "newsletter weekly", Level.MISSING) == []


def test_the_home_that_won_and_who_beat_its_file_are_named(loaded: Loaded, now: datetime) -> None:
    findings = examine(loaded, now=now, environ={})
    assert _find(findings, "home") == [f"{loaded.config.home} (found by init)"]
    assert _find(findings, "settings") == [f"{loaded.config.home}/newsletter.toml; base_url by NEWSLETTER_BASE_URL"]


@pytest.mark.parametrize(
    ("kind", "base_url", "level"),
    [
        ("memory", "http://127.0.0.1:8000", Level.NOTE),
        ("smtp", "http://127.0.0.1:8000", Level.MISSING),
        ("smtp", "http://news.example.org", Level.MISSING),
        ("smtp", "https://news.example.org", Level.OK),
    ],
)
def test_a_public_address_is_needed_once_mail_is_real(
    tmp_path: Path, now: datetime, kind: str, base_url: str, level: Level
) -> None:
    make_newsletter(account=make_account(kind=kind, settings={"host": "mail.example.org"} if kind == "smtp" else {}))
    loaded = load(create_home(tmp_path / "home"), {"NEWSLETTER_BASE_URL": base_url})
    findings = examine(loaded, now=now, environ={})
    assert [f.level for f in findings if f.subject == "public address"] == [level]


def test_what_keeps_a_week_from_its_readers_is_named(loaded: Loaded, now: datetime) -> None:
    newsletter = make_newsletter(account=make_account(kind=Account.Kind.SMTP, settings={"host": ""}))
    Magazine.objects.update(postal_address=" ")
    Issue.objects.create(
        newsletter=newsletter,
        slot="2026-11-05",
        slot_at=now,
        cutoff_at=now,
        number=1,
        created_at=now,
        held_reason="thin",
    )
    findings = examine(loaded, now=now, environ={"NEWSLETTER_BASE_ULR": "x"})
    assert _find(findings, "postal address", Level.MISSING)
    assert _find(findings, "account memory", Level.MISSING)
    assert _find(findings, "newsletter weekly", Level.MISSING) == ["It has no enabled source."]
    assert _find(findings, "newsletter weekly", Level.NOTE) == [
        "Nobody is subscribed to weekly.",
        "2026-11-05 is held: thin",
    ]
    assert _find(findings, "environment", Level.NOTE) == ["NEWSLETTER_BASE_ULR is not read by anything."]


def test_an_outbox_says_that_it_mails_nobody(loaded: Loaded, now: datetime) -> None:
    make_newsletter(account=make_account(kind=Account.Kind.OUTBOX))
    assert "mails nobody" in _find(examine(loaded, now=now, environ={}), "account memory", Level.NOTE)[0]


def test_a_failing_source_is_named_with_its_words(loaded: Loaded, now: datetime) -> None:
    make_newsletter().sources.add(make_source(failures_in_row=3, last_error="404 Not Found"))
    Source.objects.create(slug="new", name="New", kind="memory")
    findings = examine(loaded, now=now, environ={})
    assert _find(findings, "source feed", Level.NOTE) == ["failed 3 times in a row: 404 Not Found"]
    assert _find(findings, "source new", Level.NOTE) == ["never gathered"]


def test_a_key_that_is_missing_or_open_to_others_is_named(loaded: Loaded, now: datetime) -> None:
    assert loaded.home is not None
    loaded.home.secret_file.chmod(0o644)
    assert _find(examine(loaded, now=now, environ={}), "secret key", Level.NOTE)
    loaded.home.secret_file.unlink()
    findings = examine(load(loaded.home, {}), now=now, environ={})
    assert _find(findings, "secret key", Level.MISSING)


def test_a_folder_that_is_gone_is_named(loaded: Loaded, now: datetime) -> None:
    loaded.config.media_folder.rmdir()
    assert _find(examine(loaded, now=now, environ={}), "media", Level.MISSING)


def test_mails_that_were_not_understood_are_named(loaded: Loaded, now: datetime) -> None:
    assert _find(examine(loaded, now=now, environ={}), "bounces") == []
    home = loaded.config.need_home()
    take(b"Subject: hello\n\nwho are you?", keys=Keys(b"a key"), now=now, home=home)
    [said] = _find(examine(loaded, now=now, environ={}), "bounces", Level.NOTE)
    assert said.startswith("1 mails that came back were not understood") and str(home) in said


def test_weeks_off_are_not_the_next_slot(loaded: Loaded, now: datetime) -> None:
    newsletter: Newsletter = make_newsletter()
    newsletter.weeks_off.create(slot="2026-11-05")
    assert "2026-11-12" in _find(examine(loaded, now=now, environ={}), "newsletter weekly")[0]


def test_this_database_is_as_new_as_this_program() -> None:
    assert pending_migrations() == []
    assert unknown_migrations() == []


def test_migrations_that_are_missing_or_from_the_future_are_named(loaded: Loaded, now: datetime) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    applied = MigrationRecorder.Migration.objects
    newest = applied.filter(app="subscribers").latest("id")
    applied.filter(pk=newest.pk).update(name="0999_from_the_future")
    with pytest.raises(ConfigError, match=r"older than this program .*newsletter migrate"):
        require_new_database()
    assert pending_migrations() == [f"subscribers.{newest.name}"]
    assert unknown_migrations() == ["subscribers.0999_from_the_future"]
    findings = examine(loaded, now=now, environ={})
    assert findings[-1].fix == "newsletter migrate"
    MigrationRecorder(connection).record_applied("subscribers", newest.name)
    with pytest.raises(ConfigError, match=r"newer than this program \(it knows subscribers.0999_from_the_future\)"):
        require_new_database()


def test_the_command_prints_findings_and_ends_with_three_when_something_is_missing(
    loaded: Loaded, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.NEWSLETTER = loaded.config
    for options in ((), ("--json",)):
        with pytest.raises(SystemExit) as left:
            call_command("doctor", *options)
        assert left.value.code == 3
        assert "newsletter apply magazine.toml" in capsys.readouterr().out
