"""From a row of the ledger to the bytes that leave, and what it means when none can be made."""

from __future__ import annotations

import logging
from datetime import datetime

from newsletter.core.context import has_something_for
from newsletter.core.errors import LetterMismatchError, NewsletterError
from newsletter.core.letter import Compiler
from newsletter.core.tokens import Keys
from newsletter.flow import compile as letters
from newsletter.flow.deliver.outcome import Halt
from newsletter.ledger.deliveries import Decision, Row
from newsletter.models import DeliveryState

log = logging.getLogger(__name__)

# Composing may fail for one person (their data); for this many and this share of them it is the design.
POISON_AT_LEAST = 10
POISON_SHARE = 0.05
NO_TOPICS = "no matching topics"


class Composing:
    """The messages of one frozen issue."""

    def __init__(self, frozen: letters.Frozen, compiler: Compiler, keys: Keys, now: datetime) -> None:
        """`now` is the Date of every copy. Raises `NewsletterError` for headers that no copy could have."""
        self._frozen = frozen
        # Where links are not https nobody is mailed, and no button is better than one that can't work.
        one_click = frozen.base_url.startswith("https://")
        self._composer = letters.Composer(frozen, compiler, keys, now, one_click=one_click)
        self._wanted: dict[tuple[str, ...], bool] = {}
        self._made = self._failed = 0
        self._last = ""

    def nothing_for(self, row: Row) -> str:
        """The reason why this issue has nothing for a subscriber; "" when it has something."""
        wanted = self._wanted.get(row.topics)
        if wanted is None:
            wanted = self._wanted[row.topics] = has_something_for(self._frozen.content, row.topics)
        return "" if wanted else NO_TOPICS

    def message(self, row: Row) -> tuple[bytes, str]:
        """The finished message and its envelope sender. Raises `Halt` where the letter would differ from its preview,
        and whatever a subscriber's own data can do to a design.
        """
        assert row.subscription is not None
        recipient = letters.Recipient(
            row.subscription, row.address, row.name, row.language, row.topics, row.attributes, row.plain_text,
            row.joined_on,
        )  # fmt: skip
        try:
            message = self._composer.message(recipient)
        except LetterMismatchError as error:
            raise Halt(str(error)) from error
        self._made += 1
        return message, self._frozen.sender.from_address

    def failed(self, row: Row, error: Exception) -> Decision:
        """No message could be made for this one: it fails alone, with the reason."""
        words = str(error) if isinstance(error, NewsletterError) else f"{type(error).__name__}: {error}"
        log.warning("Delivery %s could not be composed", row.delivery, exc_info=error)
        self._failed += 1
        self._last = words
        return Decision(DeliveryState.FAILED, f"not composed: {words}")

    def too_many_failed(self) -> Halt | None:
        """Why the issue should pause: it is the design, not ten readers."""
        tried = self._made + self._failed
        if self._failed < POISON_AT_LEAST or self._failed <= POISON_SHARE * tried:
            return None
        return Halt(f"{self._failed} of the last {tried} messages could not be composed; the last: {self._last}")
