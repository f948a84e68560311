"""What a mail to the return path says, in our words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReportKind(StrEnum):
    """What kind of mail it is. Only a bounce and a complaint are ever held against an address."""

    BOUNCE = "bounce"  # a server gave up
    DELAY = "delay"  # a server still tries (RFC 3464 2.3.3: Action delayed)
    COMPLAINT = "complaint"  # a reader called it spam (RFC 5965)
    AUTO_REPLY = "auto-reply"  # somebody is on holiday (RFC 3834)
    NONE = "no report"  # anything else: a person's mail, spam, a delivery that went well


class BounceClass(StrEnum):
    """What a bounce is about. Only ADDRESS and MAILBOX say something about the reader's mailbox."""

    ADDRESS = "address"  # no such mailbox or domain
    MAILBOX = "mailbox"  # there is one, and it is full
    POLICY = "policy"  # our standing or our authentication: never the reader's fault
    CONTENT = "content"  # this letter
    TRANSIENT = "transient"  # a fault on the way, or words that say nothing


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient of a report. `address` is the one that failed, `original` the one we wrote to where it says so.

    `status` is "5.1.1" (RFC 3463) or ""; `diagnostic` the server's own words. `hard` is narrow: the server says for
    good that there is no such mailbox or domain.
    """

    address: str
    status: str = ""
    diagnostic: str = ""
    about: BounceClass = BounceClass.TRANSIENT
    hard: bool = False
    original: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A mail that was read. `voice` says what recognised it.

    `tokens` are the candidates for the token of an envelope sender, the most trustworthy first, none verified:
    from the address that the mail came to, then from what it returns. `links` are those of returned
    List-Unsubscribe fields. `message_id` is that of the mail that is reported on, `own_id` the report's.
    """

    kind: ReportKind
    voice: str = ""
    recipients: tuple[Recipient, ...] = ()
    message_id: str = ""
    own_id: str = ""
    tokens: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    subject: str = ""
    feedback: str = ""
