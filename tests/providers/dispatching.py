"""A dispatch that gives out a list and holds the provider to the port's promises."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from newsletter.providers.base import (
    Dispatch,
    Outcome,
    Outgoing,
    Provider,
    SendResult,
    WithdrawnError,
    send_one,
)

SENDER = "weekly@news.example.test"
MESSAGE = b"From: a@b.test\r\nTo: c@d.test\r\nSubject: x\r\n\r\nbody\r\n.dot\r\n..two\r\n.\r\nend\r\n"


class Book(Dispatch):
    """Gives `items` in order (a float is a wait, an exception is raised) and notes what became of each, by key."""

    def __init__(self, items: Iterable[Outgoing | float | Exception]) -> None:
        self.items = list(items)
        self.taken: dict[int, Outgoing] = {}
        self.left: set[int] = set()
        self.results: dict[int, SendResult] = {}
        self.back: dict[int, str] = {}
        self.order: list[int] = []
        self.ticks = 0
        self.most = 0
        self.hold: set[int] = set()
        self.withdrawn: set[int] = set()
        self.asked = False
        self._thread = threading.get_ident()
        self._not_before = 0.0

    def take(self) -> Outgoing | float | None:
        self._same_thread()
        assert time.monotonic() >= self._not_before - 0.002, "asked again before the wait was over"
        if not self.items:
            return None
        item = self.items.pop(0)
        if isinstance(item, Exception):
            raise item
        if isinstance(item, float):
            self._not_before = time.monotonic() + item
            return item
        assert item.key not in self.taken, "the test gave one key twice"
        self.taken[item.key] = item
        self.most = max(self.most, len(self.open))
        return item

    def leaving(self, outgoing: Outgoing) -> None:
        self._same_thread()
        assert outgoing.key in self.open and outgoing.key not in self.left
        if outgoing.key in self.hold:
            raise RuntimeError("must not go")
        if outgoing.key in self.withdrawn:
            self.back[outgoing.key] = "withdrawn"
            raise WithdrawnError
        self.left.add(outgoing.key)

    def answered(self, outgoing: Outgoing, result: SendResult) -> None:
        self._same_thread()
        assert outgoing.key in self.open, f"{outgoing.key} ended twice, or was never taken"
        assert outgoing.key in self.left or result.outcome in (Outcome.REFUSED, Outcome.DEFERRED), result
        self.results[outgoing.key] = result
        self.order.append(outgoing.key)

    def returned(self, outgoing: Outgoing, why: str) -> None:
        self._same_thread()
        assert outgoing.key in self.open, f"{outgoing.key} ended twice, or was never taken"
        assert why
        self.back[outgoing.key] = why
        self.order.append(outgoing.key)

    def tick(self) -> None:
        self._same_thread()
        self.ticks += 1

    @property
    def open(self) -> set[int]:
        """Taken and not ended."""
        return set(self.taken) - set(self.results) - set(self.back)

    def outcomes(self) -> list[Outcome | None]:
        """One per message taken, by key; None for what came back."""
        return [self.results[key].outcome if key in self.results else None for key in sorted(self.taken)]

    def _same_thread(self) -> None:
        assert threading.get_ident() == self._thread, "called from another thread"


def send(provider: Provider, to: str = "ada@box.test", message: bytes = MESSAGE, sender: str = SENDER) -> SendResult:
    """One message, as a test mail goes."""
    return send_one(provider, Outgoing(1, sender, to, message))
