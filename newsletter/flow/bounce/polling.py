"""Empty the mailboxes of bounces: each mail leaves its box only when what it said is committed."""

from __future__ import annotations

import logging
import ssl
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db import DatabaseError, InterfaceError

from newsletter.config.schema import Config
from newsletter.core.errors import NewsletterError
from newsletter.core.tokens import Keys
from newsletter.flow.bounce.boxes import Box, open_imap, open_maildir
from newsletter.flow.bounce.mail import keep, take

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Polled:
    """What came in: how many mails of each kind, how many were kept aside, and what keeps a mailbox from being read."""

    kinds: Counter[str] = field(default_factory=Counter)
    aside: int = 0
    troubles: list[str] = field(default_factory=list)

    @property
    def mails(self) -> int:
        """How many were read."""
        return sum(self.kinds.values())


def poll(
    config: Config,
    keys: Keys,
    *,
    clock: Callable[[], datetime],
    stopping: Callable[[], bool] = lambda: False,
    context: ssl.SSLContext | None = None,
) -> Polled:
    """Work off the mailboxes that [bounces] names, up to 500 mails of each. One that can't be read is a trouble, in
    words, and stops no other. `context` is what TLS trusts (default: the system). Raises what the database raises.
    """
    polled = Polled()
    for opened in _boxes(config, context):
        try:
            with opened as box:
                _empty(box, polled, config.home, keys, clock, stopping)
        except NewsletterError as error:
            log.warning("%s", error)
            polled.troubles.append(str(error))
    return polled


def _boxes(config: Config, context: ssl.SSLContext | None) -> list[AbstractContextManager[Box]]:
    boxes: list[AbstractContextManager[Box]] = []
    if config.bounces_maildir:
        boxes.append(open_maildir((config.home or Path()) / config.bounces_maildir))
    if config.bounces_imap_host:
        boxes.append(
            open_imap(
                config.bounces_imap_host,
                config.bounces_imap_port,
                user=config.bounces_imap_user,
                password=config.bounces_imap_password,
                folder=config.bounces_imap_folder,
                moved_to=config.bounces_imap_done,
                starttls=config.bounces_imap_starttls,
                context=context,
            )
        )
    return boxes


def _empty(
    box: Box, polled: Polled, home: Path | None, keys: Keys, clock: Callable[[], datetime], stopping: Callable[[], bool]
) -> None:
    for key, message in box.mails():
        if stopping():
            return
        now = clock()
        try:
            taken = take(message, keys=keys, now=now, home=home)
        except (DatabaseError, InterfaceError):
            # Nothing was kept: the mail stays, for the next time.
            raise
        except Exception:
            # One mail must never hold up the others behind it.
            log.exception("A mail in %s could not be read", box.name)
            keep(message, home, now)
            polled.kinds["not read"] += 1
            polled.aside += 1
        else:
            polled.kinds[taken.kind] += 1
            polled.aside += taken.aside is not None
        box.done(key)
