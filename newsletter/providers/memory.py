"""Messages kept in this process: for tests and dry rehearsals. Refuses and fails on demand, like the real ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from newsletter.providers.base import Dispatch, Outcome, Outgoing, SendResult, one_by_one
from newsletter.providers.settings import Settings

# Named mailboxes outlive the instance, as a server outlives a connection.
_MAILBOXES: dict[str, list[Sent]] = {}


@dataclass(frozen=True, slots=True)
class Sent:
    """One accepted message."""

    sender: str
    recipient: str
    message: bytes


def mailbox(name: str = "memory") -> list[Sent]:
    """What the memory accounts of this name have taken, oldest first. The list itself: clear it between tests."""
    return _MAILBOXES.setdefault(name, [])


class MemoryProvider:
    """Takes every message, unless `answer` says otherwise.

    `answer(recipient)` is asked at each attempt: None takes the message, a `SendResult` is returned as it is (a copy is
    kept when the outcome is ACCEPTED), and an exception that it raises goes through.
    """

    kind = "memory"
    longest_silence = 5.0

    def __init__(
        self,
        name: str = "memory",
        answer: Callable[[str], SendResult | None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`name` chooses the mailbox; `sleep` waits where its dispatch has nothing yet."""
        self._sleep = sleep
        self.sent = mailbox(name)
        self._answer = answer

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> MemoryProvider:
        """Setting: `name` of the mailbox (default "memory")."""
        return cls(Settings("memory", settings, ["name"]).text("name", "memory"))

    def open(self) -> None:
        """Nothing to connect to."""

    def run(self, dispatch: Dispatch) -> None:
        """Keep each message, or do as `answer` says."""
        one_by_one(dispatch, self._attempt, self._sleep)

    def close(self) -> None:
        """Nothing to close."""

    def _attempt(self, outgoing: Outgoing) -> SendResult:
        result = self._answer(outgoing.recipient) if self._answer else None
        if result is None:
            result = SendResult(Outcome.ACCEPTED, code=250, reply="kept")
        if result.outcome is Outcome.ACCEPTED:
            self.sent.append(Sent(outgoing.sender, outgoing.recipient, outgoing.message))
        return result
