"""The whole demo in one process: real HTTP, real SMTP, either database."""

from __future__ import annotations

import importlib
import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.urls import clear_url_caches

from newsletter.config.create import demo_home
from newsletter.config.load import load
from newsletter.core.errors import ConfigError
from newsletter.demo import run as running
from newsletter.demo.mailbox import messages
from newsletter.demo.people import PEOPLE, REFUSED
from newsletter.demo.place import remembered
from newsletter.demo.reviews import load_reviews
from newsletter.models import Batch, Delivery, Freeze, Issue, Magazine, Placement, Poll, Review
from newsletter.project import urls
from newsletter.providers.outbox import read_mail as read
from subscribers.models import ConsentEvent, Subscriber, Subscription, Suppression
from tests.factories import make_magazine

# `make quick` runs the demo's parts; the whole of it takes seconds.
whole_demo = pytest.mark.slow
LEDGER = (Issue, Placement, Freeze, Delivery, Batch, Review, Subscriber, Subscription, ConsentEvent, Suppression)


@pytest.fixture
def config(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    home = demo_home(tmp_path / "home", overrides={"base_url": "https://news.example.test", "signup.look_up": False})
    loaded = load(home, {}).config
    # Not by `settings`, which can't put an empty key back.
    monkeypatch.setattr(django_settings._wrapped, "SECRET_KEY", loaded.secret_key)
    before = settings.NEWSLETTER
    settings.NEWSLETTER = loaded
    read_addresses_anew()
    yield loaded
    settings.NEWSLETTER = before
    read_addresses_anew()


def read_addresses_anew() -> None:
    """Which addresses there are depends on the home (the mailbox is only in a demo's), and is read once a process."""
    importlib.reload(urls)
    clear_url_caches()


def demo(config: Any, **options: Any) -> tuple[int, str]:
    out = StringIO()
    defaults = {"once": True, "as_json": True, "bind": "127.0.0.1", "port": 0}
    code = running.run_demo(config, **{**defaults, **options}, out=out, clock=lambda: datetime.now(UTC))
    return code, out.getvalue()


def ledger() -> dict[str, list[dict[str, Any]]]:
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in LEDGER}


@whole_demo
@pytest.mark.django_db(transaction=True)
def test_the_week_goes_as_scripted_and_a_second_run_changes_nothing(config: Any) -> None:
    code, said = demo(config)
    told = json.loads(said)
    assert code == 0
    keys = ["home", "issue", "gathered", "placed", "subscribers", "accepted", "failed", "excluded", "uncertain"]
    keys += ["preview", "mailbox"]
    assert set(keys) <= set(told)
    place = remembered(config.home)
    assert place is not None
    week = [review for review in load_reviews(place.began) if not review.sponsored][:-1]
    # Identity: the Atom feed and the guid in two schemes add nothing.
    assert told["gathered"] == len(week) + 2
    assert (told["placed"], told["cards"], told["lines"]) == (len(week), 12, len(week) - 12)
    assert (told["subscribers"], told["frozen"], told["accepted"], told["failed"]) == (40, 37, 36, 1)
    assert (told["excluded"], told["uncertain"]) == (0, 0)
    assert [row.address for row in Delivery.objects.filter(state="failed")] == [REFUSED]
    for name in ("letter.html", "letter.txt", "letter.eml"):
        assert (Path(told["preview"]) / name).stat().st_size > 1000

    folder = Path(told["mailbox"])
    mails = {file.name: file.read_bytes() for file in messages(folder)}
    assert len(mails) == len(list(folder.iterdir())) == 36
    to = {read(folder / name)["To"].addresses[0].addr_spec for name in mails}
    active = {person.address for person in PEOPLE if not person.ends} - {REFUSED}
    assert {address.replace("xn--bcherstube-9db", "bücherstube") for address in to} == active
    assert all(b"127.0.0.1" not in mail for mail in mails.values())

    before = ledger()
    code, said = demo(config)
    again = json.loads(said)
    assert code == 0
    assert ledger() == before
    assert {file.name: file.read_bytes() for file in messages(folder)} == mails
    assert (again["gathered"], again["sent_now"]) == (0, 0)
    assert {key: again[key] for key in keys if key != "gathered"} == {
        key: told[key] for key in keys if key != "gathered"
    }
    assert Poll.objects.filter(outcome="unchanged").count() == 3

    code, said = demo(config, as_json=False)
    assert code == 0
    assert "nothing was changed and nothing was sent" in said
    assert User.objects.get().username == "mara"
    assert not User.objects.get().has_usable_password()


@whole_demo
@pytest.mark.django_db(transaction=True)
def test_what_is_not_in_the_script_is_said_and_fails(
    config: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running, "REFUSED", "theo@example.org")
    code, said = demo(config, as_json=False)
    assert code == 1
    assert "Refused, as scripted: theo@example.org" not in said
    assert "should have been refused with 550" in capsys.readouterr().err


@whole_demo
@pytest.mark.django_db(transaction=True)
def test_the_pages_stay_until_somebody_ends_them(config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(running.Pages, "wait", lambda pages, meanwhile: seen.append(pages.origin))
    code, said = demo(config, once=False)
    links = json.loads(said)["pages"]
    assert code == 0
    assert set(links) == {"login", "issue", "mailbox", "view online", "magazine"}
    assert links["login"].startswith(seen[0])


@pytest.mark.django_db(transaction=True)
def test_the_form_at_the_foot_of_a_review_is_real(config: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []

    def sign_up(pages: Any, meanwhile: Any) -> None:
        path = load_reviews(datetime.now(UTC))[0].path
        review = requests.get(pages.magazine + path, timeout=10)
        action = re.findall(r'<form action="([^"]+)" method="post"', review.text)[0]
        assert action.startswith(pages.origin)
        fields = {"address": "Nora@box.test", "company": "", "lang": "en"}
        answer = requests.post(action, fields, headers={"Origin": pages.magazine}, timeout=10)
        assert answer.status_code == 200 and "Check your inbox" in answer.text
        meanwhile()
        mails = [read(file) for file in messages(config.home / "mailbox")]
        heard.extend(str(mail["Subject"]) for mail in mails if mail["To"] == "Nora@box.test")

    monkeypatch.setattr(running.Pages, "wait", sign_up)
    assert demo(config, once=False)[0] == 0
    assert heard == ["Confirm your subscription to LANTERN Weekly"]


@pytest.mark.django_db(transaction=True)
def test_the_demo_keeps_out_of_a_database_that_holds_a_magazine(config: Any) -> None:
    make_magazine(slug="real", name="A real one")
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        demo(config)
    assert not (config.home / "demo.json").exists()
    assert Magazine.objects.count() == 1


def test_a_taken_port_of_an_earlier_run_is_named(config: Any) -> None:
    place = running._place(config.home, datetime.now(UTC))
    with socket.create_server(("127.0.0.1", place.mail_port)), pytest.raises(ConfigError, match=str(place.mail_port)):
        running._place(config.home, datetime.now(UTC))


def test_the_port_of_the_pages_is_the_one_asked_for_or_one_that_is_free() -> None:
    assert running._free_port(4711, "127.0.0.1") == 4711
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert running._free_port(port, "127.0.0.1") == port
    assert running._free_port(None, "127.0.0.1") in (running.PORT, 0)
