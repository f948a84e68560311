"""From a row of the ledger to the bytes that leave, and what it means when none can be made."""

from __future__ import annotations

import logging
from datetime import datetime

from newsletter.core.context import has_something_for
from newsletter.core.dkim import Signer
from newsletter.core.errors import LetterMismatchError, NewsletterError
from newsletter.core.letter import Compiler
from newsletter.core.tokens import BOUNCE, Keys, tokens
from newsletter.core.verp import check_return_path
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

    def __init__(
        self,
        frozen: letters.Frozen,
        compiler: Compiler,
        keys: Keys,
        now: datetime,
        signer: Signer | None = None,
        *,
        by_mail: bool = False,
    ) -> None:
        """`by_mail`: mail to the return path stops the letter too (`flow.bounce` reads it). `now` is the Date of
        every copy, and the time of its signatures: a copy sent again has the same bytes.

        Raises `NewsletterError` for headers that no copy could have, and for a return path that none fits into.
        """
        self._frozen, self._signer, self._at = frozen, signer, int(now.timestamp())
        self._from, self._return_path = frozen.sender.from_address, frozen.sender.return_path
        if self._return_path:
            check_return_path(self._return_path)
            self._before, _, self._domain = self._return_path.partition("@")
            self._token = tokens(keys, BOUNCE)
        # Where links are not https nobody is mailed, and no button is better than one that can't work.
        one_click = frozen.base_url.startswith("https://")
        self._composer = letters.Composer(frozen, compiler, keys, now, one_click=one_click, by_mail=by_mail)
        self.wanted: dict[tuple[str, ...], bool] = {}
        """For the topics that came up so far, whether the issue has something for them."""
        self._made = self._failed = 0
        self._last = ""

    def nothing_for(self, row: Row) -> str:
        """The reason why this issue has nothing for a subscriber; "" when it has something."""
        wanted = self.wanted.get(row.topics)
        if wanted is None:
            wanted = self.wanted[row.topics] = has_something_for(self._frozen.content, row.topics)
        return "" if wanted else NO_TOPICS

    def message(self, row: Row) -> tuple[list[bytes], str]:
        """The finished message, in pieces, and its envelope sender. Raises `Halt` where the letter would differ from
        its preview, and whatever a subscriber's own data can do to a design.
        """
        try:
            parts = self._composer.parts(row)
        except LetterMismatchError as error:
            raise Halt(str(error)) from error
        self._made += 1
        if self._signer is not None:
            message = b"".join(parts)
            parts = [self._signer.sign(message, at=self._at), message]
        if not self._return_path:
            return parts, self._from
        # As approved: with another domain than the letter's From, SPF and DMARC no longer align. With a return path it
        # says which delivery a bounce is about.
        return parts, f"{self._before}+{self._token(row.delivery).decode('ascii')}@{self._domain}"

    @property
    def base_url(self) -> str:
        """What every link of the issue begins with, as approved."""
        return self._frozen.base_url

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
