"""What a run of `deliver` came to, and what it tells while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from newsletter.flow.report import Counts
from newsletter.models import IssueState


class Halt(Exception):
    """This run ends here, and what is claimed goes back. `reason` pauses the issue, "" only says that we were told to
    stop; with `wait` it goes on by itself later.
    """

    def __init__(self, reason: str = "", *, wait: bool = False) -> None:
        # It goes into the database, and may quote what somebody else has written.
        self.reason = reason.replace("\x00", " ").encode("utf-8", "replace").decode()
        self.wait = wait
        super().__init__(reason)


@dataclass(slots=True)
class Tally:
    """Counts of one issue while a worker sends, for `progress`; `total` is the frozen count."""

    total: int
    accepted: int = 0
    failed: int = 0
    excluded: int = 0
    uncertain: int = 0
    waiting: int = 0

    @property
    def decided(self) -> int:
        """How many deliveries are final."""
        return self.accepted + self.failed + self.excluded + self.uncertain


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """The issue after a run. `paused_reason` is "" unless it is paused; `next_try` when deliveries wait for another;
    `allowed_at` when the account's allowance is used up until then.
    """

    issue: int
    state: str
    counts: Counts
    sent_now: int = 0
    paused_reason: str = ""
    next_try: datetime | None = None
    allowed_at: datetime | None = None

    @property
    def clean(self) -> bool:
        """Whether nobody needs to look: sent, with nobody failed and nobody uncertain."""
        return self.state == IssueState.SENT and not self.counts.failed and not self.counts.undecided
