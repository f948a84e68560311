"""The port every provider implements, and what an attempt can come to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


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


class Provider(Protocol):
    """One configured way out. One instance serves one worker; it is not shared by threads."""

    kind: str

    def open(self) -> None:
        """Connect and log in. Raises `ProviderError`: nothing has been sent then."""
        ...

    def send(self, *, sender: str, recipient: str, message: bytes) -> SendResult:
        """Make one attempt, at most once on the wire. `sender` is the envelope sender, `message` finished RFC 5322
        bytes (CRLF). Raises `ProviderError` only when the message was certainly not taken and the account as a whole
        can't send (connection refused, login lost): the ledger keeps the delivery pending then.
        """
        ...

    def close(self) -> None:
        """Say goodbye; never raises."""
        ...
