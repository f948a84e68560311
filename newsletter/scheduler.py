"""The clock: asks every half minute whether anything is due. It decides when and keeps no state of its own.

Its jobs live in memory and everything is derived from the database, so it does not matter how often the clock is
stopped, how many run at once, or whether cron runs too: the Issue row is the claim of its slot. Service mails have a
thread of their own: whoever signs up while a send of hours goes on still gets a confirmation at once.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler
from django.db import close_old_connections, connections

from newsletter.config.schema import Config
from newsletter.flow import bounce, readers, run_week, service
from newsletter.flow.deliver import Installation
from newsletter.flow.housekeeping import housekeep
from newsletter.flow.week import WeekReport

logger = logging.getLogger(__name__)

SECONDS = 30
BOUNCE_SECONDS = 60
SERVICE_SECONDS = 3
"""Between two looks for service mails: a reader waits for these."""


class Clock:
    """One ticker. `stop` lets the message on the wire finish and nothing more begin."""

    def __init__(
        self,
        config: Config,
        *,
        seconds: float = SECONDS,
        scheduler: BaseScheduler | None = None,
        told: Callable[[WeekReport], None] | None = None,
    ) -> None:
        """`seconds` between two looks; `scheduler` is APScheduler's, by default one with a thread of its own;
        `told` gets each report.
        """
        self._config = config
        self._told = told
        self._stopping = threading.Event()
        self._scheduler = scheduler or BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone=UTC)
        # A send may last longer than the pause: the next look waits for it, and the looks it missed are one.
        self._scheduler.add_job(
            self.tick, "interval", seconds=seconds, max_instances=1, coalesce=True, misfire_grace_time=None,
            next_run_time=datetime.now(UTC),
        )  # fmt: skip
        self._scheduler.add_executor(ThreadPoolExecutor(1), "service")
        self._composer: service.Composer | None = None
        self._scheduler.add_job(
            self.serve_readers, "interval", seconds=min(seconds, SERVICE_SECONDS), executor="service", max_instances=1,
            coalesce=True, misfire_grace_time=None, next_run_time=datetime.now(UTC),
        )  # fmt: skip
        self._scheduler.add_job(
            self.housekeep, "interval", hours=1, executor="service", max_instances=1, coalesce=True,
            misfire_grace_time=None, next_run_time=datetime.now(UTC) + timedelta(minutes=1),
        )  # fmt: skip
        # A thread of its own: a mail server may take half a minute over each answer.
        self._scheduler.add_executor(ThreadPoolExecutor(1), "bounces")
        self._scheduler.add_job(
            self.take_bounces, "interval", seconds=BOUNCE_SECONDS, executor="bounces", max_instances=1, coalesce=True,
            misfire_grace_time=None, next_run_time=datetime.now(UTC) + timedelta(seconds=min(seconds, BOUNCE_SECONDS)),
        )  # fmt: skip
        logging.getLogger("apscheduler").setLevel(logging.ERROR)

    def start(self) -> None:
        """Begin; with a scheduler that blocks, until `stop` is called from a signal handler or another thread."""
        self._scheduler.start()

    def stop(self) -> None:
        """Return when the look that is under way has ended."""
        self._stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def leave(self) -> None:
        """Only say that no further message should begin; safe inside a signal handler."""
        self._stopping.set()

    def tick(self) -> None:
        """One look. Whatever goes wrong is logged: the next look comes all the same."""
        if self._stopping.is_set():
            return
        close_old_connections()
        try:
            report = run_week(
                _now(),
                config=self._config,
                environ=os.environ,
                clock=_now,
                stopping=self._stopping.is_set,
                sleep=self._stopping.wait,
            )
        except Exception:
            logger.exception("The week could not be looked at")
        else:
            if self._told is not None:
                self._told(report)
        finally:
            # This thread's own: an idle clock should hold no connection and no read lock.
            connections.close_all()

    def serve_readers(self) -> None:
        """Forms and service mails. Whatever goes wrong is logged: the next look comes all the same."""
        if self._stopping.is_set():
            return
        close_old_connections()
        try:
            installation = Installation.of(self._config, os.environ)
            if self._composer is None:
                self._composer = service.Composer(installation.keys)
            readers.serve(self._config, installation, self._composer, clock=_now, stopping=self._stopping.is_set)
        except Exception:
            logger.exception("Service mails could not be looked at")
        finally:
            connections.close_all()

    def take_bounces(self) -> None:
        """Empty the mailboxes of bounces, where any is named."""
        if self._stopping.is_set() or not (self._config.bounces_maildir or self._config.bounces_imap_host):
            return
        close_old_connections()
        try:
            keys = Installation.of(self._config, os.environ).keys
            bounce.poll(self._config, keys, clock=_now, stopping=self._stopping.is_set)
        except Exception:
            logger.exception("Bounces could not be looked at")
        finally:
            connections.close_all()

    def housekeep(self) -> None:
        """Reminders and retention, once an hour."""
        if self._stopping.is_set():
            return
        close_old_connections()
        try:
            housekeep(self._config, Installation.of(self._config, os.environ).keys, _now())
        except Exception:
            logger.exception("Housekeeping could not be done")
        finally:
            connections.close_all()


def _now() -> datetime:
    return datetime.now(UTC)
