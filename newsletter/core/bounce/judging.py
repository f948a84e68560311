"""What a failure is about, from its status and its words; and when it may be called hard."""

from __future__ import annotations

import re

from newsletter.core import replies
from newsletter.core.bounce.report import BounceClass, Recipient

LONGEST_DIAGNOSTIC = 500

_CLASSES = {
    replies.Kind.ADDRESS: BounceClass.ADDRESS,
    replies.Kind.POLICY: BounceClass.POLICY,
    replies.Kind.CONTENT: BounceClass.CONTENT,
    replies.Kind.FULL: BounceClass.MAILBOX,
    replies.Kind.OTHER: BounceClass.TRANSIENT,
}
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?![\d.])(?!\.\d)")
# Standards: 5.1.1 no such mailbox, 5.1.2 no such domain, 5.1.6 moved, 5.1.10 null MX, 5.2.1 disabled.
_HARD = frozenset({"5.1.1", "5.1.2", "5.1.6", "5.1.10", "5.2.1"})
_NO_DOMAIN = re.compile(r"\b(?:host|domain|nxdomain|null mx|unrouteable|unroutable)\b", re.I)
# Words that keep a failure from being called hard, whatever stands beside them.
_DOUBT = re.compile(
    r"\b(?:quota|full|storage|(?:not found, )try again(?! with)|try (?:again )?later|temporar\w+"
    r"|will (?:be retried|retry)|greylist\w*|spam|blocked"
    r"|block list|blacklist\w*|denied|relay\w*|policy|too (?:large|big|many)|timed? ?out|loops?|looping|hop count"
    r"|expired|connection)\b",
    re.I,
)


def status_in(text: str) -> str:
    """The first status of the form 5.1.1 in the words; "" without one."""
    found = _STATUS.search(text)
    return found[1] if found else ""


def recipient(
    address: str, *, status: str = "", diagnostic: str = "", original: str = "", final: bool = True
) -> Recipient:
    """The recipient with its class. `status` is what the report's own field says; `final` whether a server gave up.

    Where the field and the server's words disagree, our own fault beats the mailbox's, and a full mailbox a missing
    one: a mistake to that side costs one mail, to the other a reader.
    """
    words = " ".join(diagnostic.split())[:LONGEST_DIAGNOSTIC]
    told = status_in(words)
    field = status_in(status)
    best = told if told and (not field or field.endswith(".0.0")) else field
    found = _CODE.search(words)
    if found:
        code = int(found[1])
    elif best:
        code = int(best[0]) * 100 + 50
    else:
        code = 550 if final else 450
    kinds = {replies.classify(code, words)}
    if best and best != told:
        kinds.add(replies.classify(code, f"{best} {_STATUS.sub('', words)}"))
    about = BounceClass.TRANSIENT
    for kind in (replies.Kind.POLICY, replies.Kind.FULL, replies.Kind.CONTENT, replies.Kind.ADDRESS):
        if kind in kinds:
            about = _CLASSES[kind]
            break
    return Recipient(
        address=address,
        status=best,
        diagnostic=words,
        about=about,
        hard=final and about is BounceClass.ADDRESS and _is_hard(best, code, words),
        original=original,
    )


def _is_hard(status: str, code: int, words: str) -> bool:
    if code < 500 or status.startswith("4") or _DOUBT.search(words):
        return False
    if status in _HARD:
        return True
    if not replies.says_no_such_address(words):
        return False
    if status.startswith("5.4"):
        # 5.4.4 also means a routing fault of ours, or of a host on the way.
        return _NO_DOMAIN.search(words) is not None
    return not status or status.endswith(".0.0")
