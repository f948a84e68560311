"""The port every provider implements, and what an attempt can come to."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from newsletter.core.errors import ProviderError

log = logging.getLogger(__name__)


class Outcome(StrEnum):
    """What one attempt came to, from the ledger's point of view."""

    ACCEPTED = "accepted"  # the provider took responsibility: final
    REFUSED = "refused"  # a permanent answer about this message or address (5xx): final
    DEFERRED = "deferred"  # not now (4xx, 429): nothing was taken, try again later
    UNKNOWN = "unknown"  # the connection died after the message may have been taken: never resent blindly


@dataclass(frozen=True, slots=True)
class SendResult:
    """`code` is the SMTP or HTTP status; `reply` is the provider's words (no keys, at most 500 characters);
    `provider_id` is the provider's own id for the message when it gives one; `retry_after` in seconds or None.
    """

    outcome: Outcome
    code: int = 0
    reply: str = ""
    provider_id: str = ""
    retry_after: float | None = None


ACCEPTED = SendResult(Outcome.ACCEPTED, code=250, reply="250 Ok")
"""One shared answer for the plainest yes: a send of millions makes no object for each."""


class Outgoing:
    """One message for one recipient. `key` is the caller's own number for it; `sender` and `recipient` are the
    envelope's; `message` is finished RFC 5322 bytes with CRLF, ending in CRLF. It may be given in pieces, most of them
    those of other messages too: who can send `parts` as they are need not copy a letter for each reader.

    `wire_form` promises that no line of it begins with a full stop (RFC 5321 4.5.2) and that no octet of it is above
    127, unless an address of the envelope holds such a letter: then nobody need look.
    """

    __slots__ = ("key", "parts", "recipient", "sender", "wire_form")

    def __init__(
        self, key: int, sender: str, recipient: str, message: bytes | list[bytes], wire_form: bool = False
    ) -> None:
        self.key, self.sender, self.recipient, self.wire_form = key, sender, recipient, wire_form
        self.parts = message if isinstance(message, list) else [message]

    @property
    def message(self) -> bytes:
        """The whole of it."""
        parts = self.parts
        return parts[0] if len(parts) == 1 else b"".join(parts)


class WithdrawnError(Exception):
    """This message must not go any more, and its dispatch has taken it back: the reader has left meanwhile."""


class Dispatch(Protocol):
    """Where a provider gets its messages and says what became of each; all calls come from the thread of `run`.

    The life of one message: `take` hands it out, `leaving` says that it may be taken from now on (or takes it back),
    and exactly one of `answered` and `returned` ends it. A crash between `leaving` and its end leaves the message in
    doubt, so `leaving` comes as late as can be: right before the first octet that could complete the message.
    """

    def take(self) -> Outgoing | float | None:
        """The next message; or for how many seconds there is none yet (a rate, a slow database: ask again then, and go
        on reading answers meanwhile); or None: no more will come, finish what is under way.
        """
        ...

    def leaving(self, outgoing: Outgoing) -> None:
        """From now on this message may have been taken. Raises when it must not go: then it has not left. After a
        `WithdrawnError` that was its end, and `run` goes on with others; any other exception it lets through once
        everything that did leave is answered.
        """
        ...

    def answered(self, outgoing: Outgoing, result: SendResult) -> None:
        """What the attempt came to. Also without `leaving` before it, when the answer came before the message left."""
        ...

    def returned(self, outgoing: Outgoing, why: str) -> None:
        """It certainly has not been taken, and nothing was said about it: the connection ended first. It comes again
        from `take`, or waits for its retry.
        """
        ...

    def tick(self) -> None:
        """Called at least once a second while a provider that can do so waits for answers: the claim is renewed here,
        and progress told.
        """
        ...


class Provider(Protocol):
    """One configured way out. One instance serves one worker; it is not shared by threads."""

    kind: str
    longest_silence: float
    """For how many seconds at most `run` may not call its dispatch: whoever claims must hold its claim longer."""

    def open(self) -> None:
        """Connect and log in. Raises `ProviderError`: nothing has been sent then."""
        ...

    def run(self, dispatch: Dispatch) -> None:
        """Send all that `dispatch` gives, each message at most once on the wire, until it gives None and every message
        is answered or returned. Raises `ProviderError` when the account as a whole can't send (connection refused,
        login lost); everything taken is answered or returned before that. May be called again afterwards.
        """
        ...

    def close(self) -> None:
        """Say goodbye; never raises."""
        ...


def one_by_one(
    dispatch: Dispatch, attempt: Callable[[Outgoing], SendResult], sleep: Callable[[float], None] = time.sleep
) -> None:
    """The `run` of a provider that makes one attempt after the other. `attempt` raises `ProviderError` only when the
    message was certainly not taken and the account as a whole can't send.
    """
    while (item := dispatch.take()) is not None:
        if isinstance(item, float):
            pause(dispatch, item, sleep)
            continue
        try:
            dispatch.leaving(item)
        except WithdrawnError:
            continue
        try:
            result = attempt(item)
        except ProviderError as error:
            dispatch.returned(item, str(error))
            raise
        except Exception as error:
            # Nobody can say how far it came. One message that a provider stumbles over must not stop the others.
            log.exception("Message %d: the provider failed in an unforeseen way", item.key)
            result = SendResult(Outcome.UNKNOWN, reply=f"{type(error).__name__}: {error}")
        dispatch.answered(item, result)


def pause(dispatch: Dispatch, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Wait with nothing under way, in steps of at most a second, so that `tick` is called in time."""
    while seconds > 0:
        step = min(seconds, 1.0)
        sleep(step)
        seconds -= step
        dispatch.tick()


class _Single:
    """A dispatch of one message."""

    def __init__(self, outgoing: Outgoing) -> None:
        self.item: Outgoing | None = outgoing
        self.result: SendResult | None = None

    def take(self) -> Outgoing | float | None:
        item, self.item = self.item, None
        return item

    def leaving(self, outgoing: Outgoing) -> None:
        """Nothing to note: one message, and its sender waits for the answer."""

    def answered(self, outgoing: Outgoing, result: SendResult) -> None:
        self.result = result

    def returned(self, outgoing: Outgoing, why: str) -> None:
        self.result = SendResult(Outcome.DEFERRED, reply=why)

    def tick(self) -> None:
        """Nothing to renew."""


def send_one(provider: Provider, outgoing: Outgoing) -> SendResult:
    """Send a single message: a test to an editor, a service mail. Raises `ProviderError` as `run` does."""
    single = _Single(outgoing)
    provider.run(single)
    assert single.result is not None, "a provider's run ended without an answer"
    return single.result
