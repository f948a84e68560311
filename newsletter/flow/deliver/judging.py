"""What an answer means: for the one delivery, for the pace, and for the whole send."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from newsletter.core.replies import Kind, asks_to_slow_down, classify
from newsletter.ledger import deliveries
from newsletter.ledger.deliveries import Decision
from newsletter.models import DeliveryState
from newsletter.providers.base import Outcome, SendResult

# Ten refusals and nobody reached: that is no longer about ten readers.
NOBODY_IN = 10
# Of an issue's first answers, so many bad ones and such a share of them: a person should look before the rest goes.
FIRST = 200
BAD_AT_LEAST = 10
BAD_SHARE = 0.05
# So many answers about us within so many acceptances: whoever answers so will not change his mind by being asked on.
POLICY_IN = 10
POLICY_WITHIN = 200
# A refusal for reasons of policy is about us: the reader waits, and is not asked for a whole day.
POLICY_TRIES = 3


def judge(result: SendResult, *, resend: bool) -> Decision:
    """The decision about one delivery. `resend` sends once more what may have arrived; else a person decides it."""
    match result.outcome:
        case Outcome.ACCEPTED:
            return Decision(DeliveryState.ACCEPTED, result.provider_id)
        case Outcome.UNKNOWN:
            return deliveries.doubt(result.reply, resend=resend)
        case Outcome.REFUSED:
            kind = classify(result.code, result.reply)
            reason = f"{deliveries.REFUSED} ({kind}): {result.reply}"
            if kind is Kind.POLICY:
                return Decision(DeliveryState.PENDING, reason, tries=POLICY_TRIES)
            return Decision(DeliveryState.FAILED, reason)
        case Outcome.DEFERRED:
            return Decision(DeliveryState.PENDING, result.reply, retry_after=result.retry_after)


def slows(result: SendResult) -> bool:
    """Whether this answer asks us to go slower."""
    return result.outcome in (Outcome.DEFERRED, Outcome.REFUSED) and asks_to_slow_down(result.code, result.reply)


@dataclass(slots=True)
class Answers:
    """Counts of one run, so that a person who goes on after a pause is not stopped again by the same answers."""

    accepted: int = 0
    bad: int = 0
    last: str = ""
    _policy_at: deque[int] = field(default_factory=lambda: deque(maxlen=POLICY_IN))

    def note(self, result: SendResult) -> None:
        """An answer that was no plain yes."""
        if result.outcome in (Outcome.ACCEPTED, Outcome.DEFERRED):
            return
        self.bad += 1
        self.last = result.reply.strip().rstrip(".") or "no words"
        if result.outcome is Outcome.REFUSED and classify(result.code, result.reply) is Kind.POLICY:
            self._policy_at.append(self.accepted)

    def none_accepted(self) -> str:
        """Why the issue should pause when none of it was accepted so far, by any run; "" while it need not."""
        if self.accepted or self.bad < NOBODY_IN:
            return ""
        return (
            f"None of {self.bad} messages was accepted; the last answer: {self.last}. Mend the account, then go on "
            "with --resume; or discard the issue, and its reviews wait for the next one."
        )

    def unwelcome(self) -> str:
        """Why the issue should pause when the other side does not want our mail; "" while it need not."""
        if len(self._policy_at) < POLICY_IN or self.accepted - self._policy_at[0] >= POLICY_WITHIN:
            return ""
        return (
            f"The last {POLICY_IN} refusals are about us, not about the readers: {self.last}. Nobody is blamed for "
            "them. Mend what it names (newsletter domain check helps), then go on with --resume."
        )

    def too_many(self, answered: int) -> str:
        """Why the issue should pause after `answered` answers to all of it; "" while it need not."""
        share = self.bad / max(1, self.accepted + self.bad)
        if answered > FIRST or self.bad < BAD_AT_LEAST or share <= BAD_SHARE:
            return ""
        return (
            f"{self.bad} of the first {self.accepted + self.bad} messages were refused or got no answer; the last: "
            f"{self.last}. See who and why with newsletter report, then go on with --resume, or end it with --stop."
        )
