"""The clock by itself: it looks, survives what goes wrong, and stops."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from apscheduler.schedulers.blocking import BlockingScheduler
from django.conf import settings as live

from newsletter.config.schema import Config
from newsletter.flow import service
from newsletter.flow.week import WeekReport
from newsletter.providers.memory import mailbox
from newsletter.scheduler import Clock
from tests.factories import make_newsletter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return replace(live.NEWSLETTER, home=tmp_path, secret_key="x" * 48, media_folder=tmp_path, outbox_folder=tmp_path)


def test_it_looks_at_once_and_again_until_it_is_stopped(config: Config) -> None:
    reports: list[WeekReport] = []
    twice = threading.Event()

    def told(report: WeekReport) -> None:
        reports.append(report)
        if len(reports) == 2:
            twice.set()

    clock = Clock(config, seconds=0.05, told=told)
    clock.start()
    assert twice.wait(30)
    clock.stop()
    seen = len(reports)
    assert not threading.Event().wait(0.2)
    assert len(reports) == seen
    clock.tick()
    assert len(reports) == seen
    clock.stop()


def test_a_look_that_breaks_down_is_logged_and_the_next_one_comes(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    reports: list[WeekReport] = []
    Clock(replace(config, secret_key=""), told=reports.append).tick()
    assert reports == []
    assert "The week could not be looked at" in caplog.text
    clock = Clock(config, told=reports.append)
    clock.tick()
    assert len(reports) == 1


def test_it_can_be_all_that_a_process_does(config: Config) -> None:
    scheduler = BlockingScheduler()
    clock = Clock(config, seconds=0.05, scheduler=scheduler, told=lambda report: clock.leave())
    watcher = threading.Thread(target=lambda: (threading.Event().wait(0.5), clock.stop()))
    watcher.start()
    clock.start()  # returns when the watcher has stopped it
    watcher.join(10)
    assert not scheduler.running


def test_service_mails_go_out_while_the_week_is_busy(config: Config) -> None:
    newsletter = make_newsletter()
    mailbox().clear()
    busy = threading.Event()

    class Busy(Clock):
        def tick(self) -> None:
            busy.wait(30)

    clock = Busy(replace(config, base_url="https://news.example.test"), seconds=0.05)
    clock.start()
    try:
        service.queue(service.Kind.CONFIRM, newsletter=newsletter, address="ada@box.test", now=datetime.now(UTC))
        until = time.monotonic() + 30
        while not mailbox() and time.monotonic() < until:
            threading.Event().wait(0.02)
    finally:
        busy.set()
        clock.stop()
    assert [sent.recipient for sent in mailbox()] == ["ada@box.test"]
    clock.serve_readers()
    assert len(mailbox()) == 1
