"""What the answers of one run say about the account: whether it is worth going on."""

from __future__ import annotations

from dataclasses import dataclass

# Ten refusals and nobody reached: that is no longer about ten readers.
NOBODY_IN = 10
# Of an issue's first answers, so many bad ones and such a share of them: a person should look before the rest goes.
FIRST = 200
BAD_AT_LEAST = 10
BAD_SHARE = 0.05


@dataclass(slots=True)
class Answers:
    """Counts of one run, so that a person who goes on after a pause is not stopped again by the same answers."""

    accepted: int = 0
    bad: int = 0
    last: str = ""

    def bad_one(self, reply: str) -> None:
        """A refusal for good, or no answer after the message was out."""
        self.bad += 1
        self.last = reply.strip().rstrip(".") or "no words"

    def none_accepted(self) -> str:
        """Why the issue should pause when none of it was accepted so far, by any run; "" while it need not."""
        if self.accepted or self.bad < NOBODY_IN:
            return ""
        return (
            f"None of {self.bad} messages was accepted; the last answer: {self.last}. Mend the account, then go on "
            "with --resume; or discard the issue, and its reviews wait for the next one."
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
