"""One person's story in the order of time: how they came, what they chose, what reached them, what came back.

Only reads; the words are for editors, and no server's or stranger's text is anything but text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.core.reasons import plain
from newsletter.flow.preferences import deliveries_of
from newsletter.models import Evidence, Issue, ServiceMail
from subscribers.consent import LINK
from subscribers.models import ConsentEvent, ConsentKind, Subscriber

SHOWN = 100
_NAMES = {"plain_text": "Plain text", "topics": "Topics", "frequency": "How often", "language": "Language"}
_MAILS = {
    "confirm": "The mail that asks to confirm", "remind": "The reminder to confirm", "welcome": "The welcome",
    "already": "The mail that says they are subscribed already", "preferences": "A link to their choices",
    "data": "A link to their data", "address": "The question to a new address", "moved": "The word to the old address",
    "erased": "The word that they will be erased", "keep": "The question whether they still want it",
}  # fmt: skip
_REPORTS = {"bounce": "A letter bounced", "complaint": "They called a letter spam", "delay": "A letter was held up",
            "auto-reply": "An automatic answer came"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `kind` is joined, choice, letter, mail, bounce or left: what it looks like; `detail` is
    a second line, `proof` the words behind it (an agreement, a server's answer), as text.
    """

    at: datetime
    kind: str
    text: str
    detail: str = ""
    proof: str = ""
    issue: Issue | None = None
    evidence: Evidence | None = None


def timeline(person: Subscriber) -> list[Moment]:
    """All of it, the newest first."""
    numbers = list(person.subscriptions.values_list("pk", flat=True))
    found = [*_agreed(person), *_letters(numbers), *_came_back(numbers), *_mails(person)]
    # What happened at one moment keeps the order of the list above: joining stands before the mail that it brought.
    return sorted(found, key=lambda moment: moment.at, reverse=True)


def _agreed(person: Subscriber) -> Iterator[Moment]:
    rows = ConsentEvent.objects.filter(address_key=person.address_key).order_by("-at", "-pk")
    for event in rows:
        kind, text = _said(event)
        where = f"List {event.list_slug}" if event.list_slug else ""
        page = event.evidence.get("page") if isinstance(event.evidence, dict) else ""
        detail = ", ".join(part for part in (where, f"on {page}" if page else "") if part)
        yield Moment(event.at, kind, text, detail, _proof(event))


def _said(event: ConsentEvent) -> tuple[str, str]:
    how, evidence = origin(event.origin), event.evidence if isinstance(event.evidence, dict) else {}
    match event.kind:
        case ConsentKind.IMPORTED:
            return "joined", f"Brought in: {how}"
        case ConsentKind.REQUESTED:
            return "joined", f"Asked for mail: {how}"
        case ConsentKind.CONFIRMED:
            return "joined", f"Confirmed: {how}"
        case ConsentKind.UNSUBSCRIBED:
            reason = evidence.get("reason")
            return "left", f"Unsubscribed: {how}" + (f" (“{reason}”)" if reason else "")
        case ConsentKind.SUPPRESSED if evidence.get("lifted"):
            return "choice", f"Let in again, {event.origin.removeprefix('lifted ')}"
        case ConsentKind.SUPPRESSED:
            return "left", f"Suppressed: {evidence.get('reason', event.origin)}"
        case _:
            return "choice", _changed(evidence) + f" ({how})"


def origin(text: str) -> str:
    """Where an event came from, for a person: "form weekly" is 'by the form "weekly"'."""
    if text.startswith(LINK):
        return "by a link in a mail"
    if text.startswith("form "):
        return f"by the form “{text.removeprefix('form ')}”"
    return {"preferences page": "on their own page", "quiet": "after they kept silent"}.get(text, text)


def _changed(evidence: dict[str, Any]) -> str:
    if "changed" in evidence and isinstance(evidence["changed"], dict):
        said = [f"{_NAMES.get(name, name)}: {_value(pair, 0)} → {_value(pair, 1)}"
                for name, pair in evidence["changed"].items()]  # fmt: skip
        return "; ".join(said) or "Changed their name"
    if evidence.get("resumed"):
        return "Back from a pause"
    if evidence.get("kept"):
        return "Still wants it"
    if evidence.get("moved"):
        return "Has a new address"
    until = evidence.get("paused_until")
    return f"Paused until {str(until)[:10]}" if until else "Paused" if "paused_until" in evidence else "Changed"


def _value(pair: Any, place: int) -> str:
    value = pair[place] if isinstance(pair, list) and len(pair) > place else ""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "all"
    return {"": "none", True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, str | bool) else "?"


def _proof(event: ConsentEvent) -> str:
    proof = event.evidence.get("proof") if isinstance(event.evidence, dict) else ""
    return event.wording or (proof if isinstance(proof, str) else "")


def _letters(numbers: list[int]) -> Iterator[Moment]:
    rows = deliveries_of(numbers).select_related("issue__newsletter").defer("issue__public_html")
    for row in rows:
        issue = row.issue
        title = issue.subject or f"{issue.newsletter.name} no. {issue.number}"
        why = plain(row.reason) if row.reason else ""
        words = {"accepted": "Got", "failed": "Did not get", "excluded": "Was left out of", "pending": "Waits for",
                 "uncertain": "May have got"}  # fmt: skip
        kind = "letter" if row.state in ("accepted", "pending") else "bounce"
        yield Moment(row.at, kind, f"{words.get(row.state, row.state)} “{title}”", why, row.reason, issue)


def _came_back(numbers: list[int]) -> Iterator[Moment]:
    rows = Evidence.objects.filter(subscription__in=numbers).select_related("issue__newsletter")
    for row in rows.defer("issue__public_html").order_by("-at", "-pk"):
        text = _REPORTS.get(row.kind, row.kind.capitalize())
        text += " for good" if row.hard else ""
        set_aside = "; set aside later" if row.forgiven_at else ""
        yield Moment(row.at, "bounce", text, f"{row.decision or 'noted'}{set_aside}", words_of(row), row.issue, row)


def words_of(row: Evidence) -> str:
    """Who said it, and in which words."""
    said = " ".join(part for part in (row.status, row.diagnostic) if part) or "no words"
    return f"{row.reporter}: {said}"


def _mails(person: Subscriber) -> Iterator[Moment]:
    for row in ServiceMail.objects.filter(address_key=person.address_key).order_by("-created_at", "-pk"):
        name = _MAILS.get(row.kind, row.kind)
        state = {"accepted": "was taken", "pending": "waits", "failed": "was refused"}.get(row.state, row.state)
        yield Moment(row.created_at, "mail", f"{name} {state}", plain(row.reason) if row.reason else "", row.reason)
