"""What a refusal is about: the address, our standing, the letter, or a full mailbox."""

from __future__ import annotations

import re
from enum import StrEnum


class Kind(StrEnum):
    """Only ADDRESS says something about whether the reader can be reached at all."""

    ADDRESS = "address"  # no such mailbox or domain, or it is closed
    POLICY = "policy"  # our standing, our authentication, our rate: never the reader's fault
    CONTENT = "content"  # this letter: too large, taken for spam, cannot be converted
    FULL = "full"  # the mailbox is full
    OTHER = "other"  # a fault on the way, or words that say nothing


# RFC 3463 3. Class 2 is no refusal; the subject and detail decide, the class only says for how long.
_ENHANCED = re.compile(r"(?<![\d.])[45]\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_DETAILS: dict[tuple[int, int], Kind] = {
    (1, 1): Kind.ADDRESS,  # bad destination mailbox address
    (1, 2): Kind.ADDRESS,  # bad destination system address
    (1, 3): Kind.ADDRESS,  # bad syntax
    (1, 6): Kind.ADDRESS,  # moved, no forwarding
    (1, 10): Kind.ADDRESS,  # null MX (RFC 7505)
    (1, 7): Kind.POLICY,  # bad sender's address syntax
    (1, 8): Kind.POLICY,  # bad sender's system address
    (2, 1): Kind.ADDRESS,  # mailbox disabled
    (2, 2): Kind.FULL,
    (2, 3): Kind.CONTENT,  # longer than the mailbox's limit
    (3, 4): Kind.CONTENT,  # too big for the system
}
_SUBJECTS: dict[int, Kind] = {6: Kind.CONTENT, 7: Kind.POLICY}
# Servers put a wrong detail beside the right words: "550 5.7.1 user unknown", "550 5.1.1 blocked, see ...".
_WORDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        Kind.POLICY,
        re.compile(
            r"\b(?:spf|dkim|dmarc|rbl|dnsbl|blocklist\w*|blacklist\w*|black list\w*|block list\w*|spamhaus|barracuda"
            r"|reputation|rate.?limit\w*|too many (?:messages|connections|recipients)|throttl\w*|gr[ae]y.?list\w*"
            r"|unauthenticated|not authenticated|authentication (?:required|failed)|relay(?:ing)? (?:access )?denied"
            r"|relaying|unable to relay|sender (?:address )?(?:rejected|denied|blocked)"
            r"|client host (?:rejected|blocked)|poor reputation|unsolicited|bulk mail|ptr record|reverse dns)\b",
            re.I,
        ),
    ),
    (
        Kind.FULL,
        re.compile(
            r"\b(?:mail ?(?:box|folder) (?:is |was )?full|quota violation|(?:over|exceed\w*"
            r"|out of) (?:\w+ )?(?:quota|storage)"
            r"|quota (?:\w+ )?exceeded|overquota|inbox is full|insufficient (?:mailbox|user) storage)\b",
            re.I,
        ),
    ),
    (
        Kind.ADDRESS,
        re.compile(
            r"\b(?:(?:user|mailbox|recipient|account|address)(?: \S+)? (?:unknown|not found|unavailable|disabled"
            r"|inactive|(?:does not|doesn't|not) exist)|(?:unknown|no such|invalid|non.?existent)"
            r" (?:user|mailbox|recipient|account|address|local part|domain)|no mailbox here"
            r"|host or domain name not found|null mx)",
            re.I,
        ),
    ),
    (
        Kind.CONTENT,
        re.compile(
            r"\b(?:spam|virus|malware|phish\w*|message (?:is )?too (?:large|big)|size limit"
            r"|content (?:rejected|blocked)|message content|header too long|line too long)\b",
            re.I,
        ),
    ),
)
# Narrower than the words for ADDRESS above: "mailbox unavailable" stands beside every second block of our mail.
_NO_SUCH = re.compile(
    r"\b(?:(?:user|mailbox|recipient|account|address|addressee|(?:host|domain)(?: name)?)s?(?: \S+)? (?:is |was )?"
    r"(?:unknown|not (?:found|known)|(?:does not|doesn't|do not) exist)|(?:unknown|no such|non.?existent) (?:local )?"
    r"(?:user|mailbox|recipient|account|address|addressee|local part|alias|domain|host)|no mailbox here"
    r"|not a (?:valid|known) (?:user|mailbox|recipient)|(?:doesn't|does not) have an? \S+ account"
    r"|no (?:user|account|mailbox) (?:here )?by that name"
    r"|not listed in (?:the )?(?:\S+ ){0,3}(?:directory|address book|public name)"
    r"|(?:unrouteable|unroutable) (?:address|mail domain)|nxdomain|null mx)",
    re.I,
)
_CLOSED = re.compile(
    r"\b(?:account|mailbox|user)(?: \S+)? (?:has been|is|was) (?:\w+ )?(?:disabled|discontinued|closed"
    r"|deactivated|suspended"
    r"|inactive|expired)\b",
    re.I,
)
_CODES: dict[int, Kind] = {
    530: Kind.POLICY,
    535: Kind.POLICY,
    552: Kind.FULL,  # RFC 5321 4.2.3: exceeded storage allocation; too large a message has its own words above
    553: Kind.ADDRESS,
    556: Kind.ADDRESS,  # RFC 7504, 7505: the domain takes no mail
}


def classify(code: int, reply: str) -> Kind:
    """What the refusal `code` with the words `reply` is about. `code` is SMTP's (RFC 5321 4.2.3), 0 when unknown.

    Policy comes first: 4.7.x and 5.7.x speak of us (RFC 3463 3.8), and so do words of block lists and authentication
    beside any code. A wrong "address" would drop a reader for good, so it needs an address status, or words for it
    beside a final code. What is unclear is OTHER.
    """
    found = _ENHANCED.search(reply)
    status = (int(found[1]), int(found[2])) if found else None
    said = {kind for kind, pattern in _WORDS if pattern.search(reply)}
    if Kind.POLICY in said or (status is not None and _SUBJECTS.get(status[0]) is Kind.POLICY):
        return Kind.POLICY
    if status is not None:
        known = _DETAILS.get(status) or _SUBJECTS.get(status[0])
        if known is Kind.ADDRESS and Kind.FULL in said:
            return Kind.FULL
        if known is not None:
            return known
    if Kind.FULL in said:
        return Kind.FULL
    if Kind.CONTENT in said:
        return Kind.CONTENT
    of_address = Kind.ADDRESS in said or says_no_such_address(reply) or _CLOSED.search(reply)
    if of_address and 500 <= code < 600:
        return Kind.ADDRESS
    if status is not None and status[0] != 0:
        return Kind.OTHER
    return _CODES.get(code, Kind.OTHER)


def says_no_such_address(reply: str) -> bool:
    """Whether the words say that there is no such mailbox or domain, rather than that it is closed, full or shy."""
    return _NO_SUCH.search(reply) is not None


# RFC 3463 3.4, 3.5: the system takes nothing now, is congested; Gmail's 4.7.28 and Microsoft's 4.7.650 name our rate.
_SLOWER = {(3, 2), (4, 5), (7, 28), (7, 650)}
_SLOWER_WORDS = re.compile(
    r"\b(?:rate.?limit\w*|too many (?:messages|connections|mails|requests)|too (?:fast|much mail)|throttl\w*|slow down"
    r"|(?:rate|frequency) (?:of \w+ )?(?:is )?(?:too high|exceeded)|sending rate)\b",
    re.I,
)


def asks_to_slow_down(code: int, reply: str) -> bool:
    """Whether a temporary answer wants fewer messages from us for now: 421, HTTP 429, or words for it. Greylisting
    ("451 4.7.1 greylisted") is none: it wants the same message later, and takes others at once.
    """
    if code in (421, 429):
        return True
    if not 400 <= code < 500:
        return False
    found = _ENHANCED.search(reply)
    if found and (int(found[1]), int(found[2])) in _SLOWER:
        return True
    # A mailbox that gets too much of everybody's mail (4.2.x) says nothing about our pace.
    return not (found and found[1] == "2") and _SLOWER_WORDS.search(reply) is not None
