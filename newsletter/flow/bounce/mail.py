"""A mail that came to a return path: read, matched by its token, recorded; or kept aside for a person."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from newsletter.core.bounce import BounceClass, Recipient, Report, ReportKind, read
from newsletter.core.bounce.parts import LARGEST, readable
from newsletter.core.tokens import BOUNCE, UNSUBSCRIBE, Keys, read_token
from newsletter.flow.bounce.evidence import Told, record
from newsletter.models import Delivery
from subscribers import consent
from subscribers.models import Subscription

log = logging.getLogger(__name__)

ASIDE = Path("bounced") / "aside"
MOST_ASIDE = 1_000
# The mildest first: where a report has several recipients and none is ours, only what holds for all is believed.
_MILDEST = (
    BounceClass.POLICY,
    BounceClass.CONTENT,
    BounceClass.TRANSIENT,
    BounceClass.MAILBOX,
    BounceClass.ADDRESS,
)
_BY_MAIL = f"{consent.LINK} mailto"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a mail was and what came of it. `aside` is the file that it was kept in, where it was not understood."""

    kind: ReportKind
    decision: str
    aside: Path | None = None


def take(message: bytes, *, keys: Keys, now: datetime, home: Path | None, envelope_to: str = "") -> Taken:
    """Read one mail and do what follows. Nothing is ever answered (RFC 3834 section 2).

    Only tokens that `keys` made count, wherever the mail says it comes from: a forged one changes nothing. Raises what
    the database raises: the mail is then not taken, and may come again.
    """
    report = read(message, envelope_to=envelope_to)
    number = _first(keys, BOUNCE, report.tokens)
    if report.kind in (ReportKind.BOUNCE, ReportKind.DELAY, ReportKind.COMPLAINT, ReportKind.AUTO_REPLY):
        link = _first(keys, UNSUBSCRIBE, report.links) if report.kind is ReportKind.COMPLAINT else None
        if number is not None or link is not None:
            found = record(_told(report, message, number, link, now), now=now)
            return Taken(report.kind, found.decision)
        if report.kind is ReportKind.AUTO_REPLY:
            return Taken(report.kind, "nothing: nobody counts or answers it")
        return Taken(report.kind, "kept aside: it has no token of ours", keep(message, home, now))
    leaver = _first(keys, UNSUBSCRIBE, report.tokens)
    if leaver is not None and not report.voice:
        subscription = Subscription.objects.filter(pk=leaver).first()
        if subscription is None:
            return Taken(report.kind, "nothing: the reader is gone")
        new = consent.unsubscribe(subscription, now=now, origin=_BY_MAIL)
        return Taken(report.kind, "unsubscribed" if new else "unsubscribed before")
    if report.voice:
        return Taken(report.kind, f"nothing: {report.voice}, and no failure")
    return Taken(report.kind, "kept aside: it is no report", keep(message, home, now))


def aside(home: Path) -> list[Path]:
    """The mails that were kept aside, the oldest first."""
    folder = home / ASIDE
    return sorted(folder.glob("*.eml")) if folder.is_dir() else []


def forget(home: Path, address: str) -> int:
    """Delete what was kept aside and names this address, as it stands or as a return path spells it ("ada=box.test"),
    in whatever encoding; returns how many mails that were.
    """
    wanted = {address.casefold(), address.casefold().replace("@", "=")}
    gone = 0
    for path in aside(home):
        with suppress(FileNotFoundError):
            text = readable(path.read_bytes()).casefold()
            if any(each in text for each in wanted):
                path.unlink()
                gone += 1
    return gone


def _first(keys: Keys, purpose: str, tokens: Iterable[str]) -> int | None:
    found = (read_token(keys, purpose, token) for token in tokens)
    return next((number for number in found if number is not None), None)


def _told(report: Report, message: bytes, number: int | None, link: int | None, now: datetime) -> Told:
    one = _recipient(report, number)
    own = report.own_id or blake2b(message.partition(b"\n\n")[2] or message, digest_size=16).hexdigest()
    parts = (str(number), str(link), str(report.kind), one.status if one else "", own)
    return Told(
        event=f"mail:{blake2b(chr(10).join(parts).encode(), digest_size=20).hexdigest()}",
        kind=report.kind,
        reporter=f"mail ({report.voice})",
        at=now,
        delivery=number,
        subscription=link,
        about=one.about if one and report.kind is not ReportKind.COMPLAINT else _unsaid(report.kind),
        hard=bool(one and one.hard and report.kind is ReportKind.BOUNCE),
        status=one.status if one else "",
        diagnostic=one.diagnostic if one else "",
    )


def _unsaid(kind: ReportKind) -> BounceClass | None:
    return BounceClass.TRANSIENT if kind in (ReportKind.BOUNCE, ReportKind.DELAY) else None


def _recipient(report: Report, number: int | None) -> Recipient | None:
    """The recipient that is the delivery's own address; else the mildest of all."""
    if not report.recipients:
        return None
    address = Delivery.objects.filter(pk=number).values_list("address", flat=True).first() if number else None
    wanted = (address or "").lower()
    for one in report.recipients:
        if wanted and wanted in (one.address.lower(), one.original.lower()):
            return one
    return min(report.recipients, key=lambda one: (one.hard, _MILDEST.index(one.about)))


def keep(message: bytes, home: Path | None, now: datetime) -> Path | None:
    """Into the folder for a person to look at, for the owner's eyes; when it is full the oldest goes."""
    if home is None:
        return None
    folder = home / ASIDE
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    data = message[:LARGEST]
    path = folder / f"{now:%Y%m%dT%H%M%S}-{blake2b(data, digest_size=8).hexdigest()}.eml"
    for old in aside(home)[: -(MOST_ASIDE - 1)]:
        old.unlink(missing_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except OSError as error:
        log.warning("A mail that was not understood could not be kept in %s: %s", folder, error)
        return None
    return path
