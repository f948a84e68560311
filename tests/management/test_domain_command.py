from __future__ import annotations

import importlib
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from newsletter.config.create import create_home
from newsletter.config.load import load
from newsletter.core.checks import Level as CheckLevel
from newsletter.core.errors import ConfigError
from newsletter.flow import compile as compiling
from newsletter.flow import domain as sending
from newsletter.flow.domain import Level
from newsletter.management.doctor import examine
from newsletter.models import Newsletter
from tests.factories import make_account, make_newsletter
from tests.nameserver import Zone, nameserver
from tests.sending import make_approved

# Imported before any test puts something in its place: the command takes the function as it finds it.
importlib.import_module("newsletter.management.commands.domain")

pytestmark = pytest.mark.django_db

DOMAIN = "news.example.org"
SETTINGS = {"host": "relay.example.org", "port": 25, "dkim": "own", "hello": "mail.example.org"}


@pytest.fixture
def home(settings: Settings, tmp_path: Path) -> Path:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, home=tmp_path, secret_key="not a secret")
    return tmp_path


@pytest.fixture
def newsletter(home: Path) -> Newsletter:
    account = make_account(name="relay", kind="smtp", settings=SETTINGS)
    return make_newsletter(
        account=account, from_address=f"weekly@{DOMAIN}", return_path=f"bounce@b.{DOMAIN}", design="marquee"
    )


def _run(*arguments: str, code: int = 0, capsys: pytest.CaptureFixture[str]) -> str:
    try:
        call_command("domain", *arguments)
        left: Any = 0
    except SystemExit as leaving:
        left = leaving.code
    assert left == code
    return capsys.readouterr().out


def _zone(records: list[dict[str, Any]]) -> Zone:
    zone: Zone = {}
    for record in records:
        zone.setdefault(record["name"], []).append((record["type"], record["value"]))
    return zone


@time_machine.travel("2026-11-26T08:00:00Z", tick=False)
def test_from_new_keys_to_a_domain_that_misses_nothing(
    newsletter: Newsletter, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = _run("new", DOMAIN, capsys=capsys)
    assert f"n20261126._domainkey.{DOMAIN}" in out and f"n20261126-ed._domainkey.{DOMAIN}" in out
    assert "PRIVATE" not in out
    with pytest.raises(ConfigError, match="already"):
        call_command("domain", "new", DOMAIN)
    shown = _run("show", capsys=capsys)
    assert "v=spf1 a:relay.example.org ~all" in shown and "v=DMARC1; p=none" in shown and f"b.{DOMAIN}" in shown
    records = json.loads(_run("show", DOMAIN, "--json", capsys=capsys))["records"]
    assert [record["type"] for record in records] == ["TXT"] * 5 + ["MX"]
    assert all(len(part) <= 255 for record in records for part in record["strings"])
    with nameserver(_zone(records)) as server:
        out = _run("check", "--resolver", server, capsys=capsys)
        assert f"{DOMAIN}: nothing missing." in out and f"n20261126._domainkey.{DOMAIN} is our key" in out
    with nameserver({}) as server:
        found = json.loads(_run("check", DOMAIN, "--json", "--resolver", server, code=3, capsys=capsys))
    missing = [row for row in found["findings"] if row["level"] == "missing"]
    assert found["missing"] == len(missing) == 5
    assert {row["record"]["name"] for row in missing} == {record["name"] for record in records} - {DOMAIN}


def test_a_new_selector_is_the_rotation(newsletter: Newsletter, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _run("new", DOMAIN, "--selector", "one", capsys=capsys)
    assert "one._domainkey" in _run("show", capsys=capsys)
    _run("new", DOMAIN, "--selector", "two", capsys=capsys)
    shown = _run("show", capsys=capsys)
    assert "two._domainkey" in shown and "one._domainkey" not in shown
    assert [pair.selector for pair in sending.key_pairs(home, DOMAIN)] == ["two", "one"]


def test_an_address_that_faces_the_world_is_checked_both_ways(
    newsletter: Newsletter, capsys: pytest.CaptureFixture[str]
) -> None:
    records = json.loads(_run("show", "--ip", "192.0.2.25", "--json", capsys=capsys))["records"]
    assert records[-1]["zone"] == "25.2.0.192.in-addr.arpa. PTR mail.example.org."
    with nameserver({**_zone(records), "mail.example.org": [("A", "192.0.2.26")]}) as server:
        out = _run("check", "--ip", "192.0.2.25", "--resolver", server, code=3, capsys=capsys)
    assert "does not lead back to it" in out and "add  mail.example.org. A 192.0.2.25" in out


def test_a_domain_without_a_newsletter_can_be_looked_at(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "SPF-NAME-OF-YOUR-RELAY" in _run("show", "example.net", capsys=capsys)
    for arguments in (["show"], ["check", DOMAIN, "--ip", "1.2.3"]):
        with pytest.raises(CommandError, match=r"Known: none yet|no IP address"):
            call_command("domain", *arguments)


@pytest.fixture
def own_dns(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[tuple[str, str]]]:
    """The machine's own resolver, as a dictionary to fill: served anew at each examination."""
    zone: Zone = {}

    def examine_there(setup: sending.Setup, _resolver: sending.Dns) -> list[sending.Finding]:
        with nameserver(zone) as server:
            return real(setup, sending.Dns(server))

    real = sending.examine
    monkeypatch.setattr(sending, "examine", examine_there)
    cache.clear()
    return zone


def test_the_doctor_says_what_the_dns_lacks_and_when_it_has_it_all(
    newsletter: Newsletter, own_dns: Zone, tmp_path: Path, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = load(create_home(tmp_path), {"NEWSLETTER_BASE_URL": "https://news.example.org"})
    rows = [row for row in examine(loaded, now=now, environ={}) if row.subject == f"domain {DOMAIN}"]
    assert [(row.level, row.fix) for row in rows] == [(Level.MISSING, f"Type: newsletter domain new {DOMAIN}")]
    _run("new", DOMAIN, capsys=capsys)
    rows = [row for row in examine(loaded, now=now, environ={}) if row.subject == f"domain {DOMAIN}"]
    assert len(rows) == 5 and {row.level for row in rows} == {Level.MISSING}
    assert any(f"Add: _dmarc.{DOMAIN}. TXT" in row.text for row in rows)
    own_dns.update(_zone(json.loads(_run("show", "--json", capsys=capsys))["records"]))
    rows = [row for row in examine(loaded, now=now, environ={}) if row.subject == f"domain {DOMAIN}"]
    assert [(row.level, row.text) for row in rows] == [(Level.OK, "It has what bulk mail needs.")]


def test_checks_say_that_the_send_will_not_begin_and_the_approval_does_not_wait_for_the_dns(
    newsletter: Newsletter, own_dns: Zone, now: datetime, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    _run("new", DOMAIN, capsys=capsys)
    issue = make_approved(1, newsletter=newsletter)
    rows = [row for row in compiling.checks(issue, now) if row.where == "sender"]
    assert rows and all(
        row.text.startswith("The send will not begin: ") for row in rows if row.level is CheckLevel.WARN
    )
    assert any("Add: _dmarc" in row.text for row in rows)
    with monkeypatch.context() as patch:
        patch.setattr(sending, "findings", None)
        assert not any("The send" in sentence for sentence in compiling.blockers(issue, now))
