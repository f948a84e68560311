"""Why somebody did not get a letter, in words that need no manual; the servers' own words stay in the ledger."""

from __future__ import annotations

import re
from collections.abc import Iterable

from newsletter.core.replies import Kind
from newsletter.core.sentence import sentence

_REFUSED = re.compile(r"refused \((?P<kind>[a-z]+)\)")
_KINDS = {
    Kind.ADDRESS: sentence("No such mailbox"),
    Kind.FULL: sentence("Mailbox full"),
    Kind.POLICY: sentence("Their server refuses us as a sender"),
    Kind.CONTENT: sentence("Their server refuses this letter"),
    Kind.OTHER: sentence("Refused, and nobody said why"),
}
_BEGINS = (
    ("refused", sentence("Refused")),
    ("not composed", sentence("The letter could not be made for them")),
    ("expired", sentence("Not taken in time")),
    ("gave up", sentence("Not taken in time")),
    ("no matching topics", sentence("Nothing in it on their topics")),
    ("stopped", sentence("The send was stopped before it was their turn")),
    ("the issue was discarded", sentence("The issue was thrown away")),
    ("unsubscribed", sentence("Unsubscribed before it was their turn")),
    ("suppressed", sentence("Never mailed: suppressed")),
    ("erased", sentence("Deleted their data")),
)


def plain(reason: str) -> str:
    """The group that a delivery's reason belongs to: "refused (full): 452 4.2.2 over quota" is "Mailbox full"."""
    found = _REFUSED.match(reason)
    if found:
        try:
            return _KINDS[Kind(found["kind"])]
        except ValueError:
            return _KINDS[Kind.OTHER]
    lowered = reason.lower()
    for begin, words in _BEGINS:
        if lowered.startswith(begin):
            return words
    short = reason.partition(":")[0].strip()
    return short[:1].upper() + short[1:80] if short else sentence("No reason given")


def grouped(reasons: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Reasons with their numbers, gathered into groups, the most frequent first."""
    found: dict[str, int] = {}
    for reason, number in reasons:
        words = plain(reason)
        found[words] = found.get(words, 0) + number
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))
