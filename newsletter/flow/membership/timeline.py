"""One person's story in the order of time: how they came, what they chose, what reached them, what came back.

Only reads; the words are for editors, and no server's or stranger's text is anything but text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from newsletter.core.reasons import plain
from newsletter.core.sentence import sentence, together
from newsletter.flow.preferences import deliveries_of
from newsletter.models import Evidence, Issue, ServiceMail
from subscribers.consent import LINK
from subscribers.models import ConsentEvent, ConsentKind, Subscriber

SHOWN = 100
_NAMES = {
    "plain_text": sentence("Plain text"),
    "topics": sentence("Topics"),
    "frequency": sentence("How often"),
    "language": sentence("Language"),
}
_MAILS = {
    "confirm": sentence("The mail that asks to confirm"),
    "remind": sentence("The reminder to confirm"),
    "welcome": sentence("The welcome"),
    "already": sentence("The mail that says they are subscribed already"),
    "preferences": sentence("A link to their choices"),
    "data": sentence("A link to their data"),
    "address": sentence("The question to a new address"),
    "moved": sentence("The word to the old address"),
    "erased": sentence("The word that they will be erased"),
    "keep": sentence("The question whether they still want it"),
}
_REPORTS = {
    "bounce": sentence("A letter bounced"),
    "complaint": sentence("They called a letter spam"),
    "delay": sentence("A letter was held up"),
    "auto-reply": sentence("An automatic answer came"),
}


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
        where = sentence("List {slug}", slug=event.list_slug) if event.list_slug else ""
        page = event.evidence.get("page") if isinstance(event.evidence, dict) else ""
        detail = together(where, sentence("on {page}", page=page) if page else "", between=", ")
        yield Moment(event.at, kind, text, detail, _proof(event))


def _said(event: ConsentEvent) -> tuple[str, str]:
    how, evidence = origin(event.origin), event.evidence if isinstance(event.evidence, dict) else {}
    match event.kind:
        case ConsentKind.IMPORTED:
            return "joined", sentence("Brought in: {how}", how=how)
        case ConsentKind.REQUESTED:
            return "joined", sentence("Asked for mail: {how}", how=how)
        case ConsentKind.CONFIRMED:
            return "joined", sentence("Confirmed: {how}", how=how)
        case ConsentKind.UNSUBSCRIBED:
            reason = evidence.get("reason")
            return "left", together(
                sentence("Unsubscribed: {how}", how=how), sentence("(“{reason}”)", reason=reason) if reason else ""
            )
        case ConsentKind.SUPPRESSED if evidence.get("lifted"):
            return "choice", sentence("Let in again, {by}", by=event.origin.removeprefix("lifted "))
        case ConsentKind.SUPPRESSED:
            return "left", sentence("Suppressed: {reason}", reason=evidence.get("reason", event.origin))
        case _:
            return "choice", sentence("{change} ({how})", change=_changed(evidence), how=how)


def origin(text: str) -> str:
    """Where an event came from, for a person: "form weekly" is 'by the form "weekly"'."""
    if text.startswith(LINK):
        return sentence("by a link in a mail")
    if text.startswith("form "):
        return sentence("by the form “{name}”", name=text.removeprefix("form "))
    known = {"preferences page": sentence("on their own page"), "quiet": sentence("after they kept silent")}
    return known.get(text, text)


def _changed(evidence: dict[str, Any]) -> str:
    if "changed" in evidence and isinstance(evidence["changed"], dict):
        changes = (
            sentence(
                "{field}: {before} → {now}", field=_NAMES.get(name, name), before=_value(pair, 0), now=_value(pair, 1)
            )
            for name, pair in evidence["changed"].items()
        )
        return together(*changes, between="; ") or sentence("Changed their name")
    if evidence.get("resumed"):
        return sentence("Back from a pause")
    if evidence.get("kept"):
        return sentence("Still wants it")
    if evidence.get("moved"):
        return sentence("Has a new address")
    until = evidence.get("paused_until")
    if until:
        return sentence("Paused until {day}", day=str(until)[:10])
    return sentence("Paused") if "paused_until" in evidence else sentence("Changed")


def _value(pair: Any, place: int) -> str:
    value = pair[place] if isinstance(pair, list) and len(pair) > place else ""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or sentence("all")
    known = {"": sentence("none"), True: sentence("yes"), False: sentence("no")}
    return known.get(value, str(value)) if isinstance(value, str | bool) else "?"


def _proof(event: ConsentEvent) -> str:
    proof = event.evidence.get("proof") if isinstance(event.evidence, dict) else ""
    return event.wording or (proof if isinstance(proof, str) else "")


def _letters(numbers: list[int]) -> Iterator[Moment]:
    rows = deliveries_of(numbers).select_related("issue__newsletter").defer("issue__public_html")
    for row in rows:
        issue = row.issue
        title = issue.subject or f"{issue.newsletter.name} no. {issue.number}"
        why = plain(row.reason) if row.reason else ""
        said = {
            "accepted": sentence("Got “{title}”", title=title),
            "failed": sentence("Did not get “{title}”", title=title),
            "excluded": sentence("Was left out of “{title}”", title=title),
            "pending": sentence("Waits for “{title}”", title=title),
            "uncertain": sentence("May have got “{title}”", title=title),
        }
        kind = "letter" if row.state in ("accepted", "pending") else "bounce"
        yield Moment(row.at, kind, said[row.state], why, row.reason, issue)


def _came_back(numbers: list[int]) -> Iterator[Moment]:
    rows = Evidence.objects.filter(subscription__in=numbers).select_related("issue__newsletter")
    for row in rows.defer("issue__public_html").order_by("-at", "-pk"):
        text = _REPORTS.get(row.kind, row.kind.capitalize())
        text = sentence("{what} for good", what=text) if row.hard else text
        aside = sentence("set aside later") if row.forgiven_at else ""
        detail = together(row.decision or sentence("noted"), aside, between="; ")
        yield Moment(row.at, "bounce", text, detail, words_of(row), row.issue, row)


def words_of(row: Evidence) -> str:
    """Who said it, and in which words."""
    said = " ".join(part for part in (row.status, row.diagnostic) if part) or sentence("no words")
    return sentence("{reporter}: {said}", reporter=row.reporter, said=said)


def _mails(person: Subscriber) -> Iterator[Moment]:
    for row in ServiceMail.objects.filter(address_key=person.address_key).order_by("-created_at", "-pk"):
        name = _MAILS.get(row.kind, row.kind)
        said = {
            "accepted": sentence("{mail} was taken", mail=name),
            "pending": sentence("{mail} waits", mail=name),
            "failed": sentence("{mail} was refused", mail=name),
        }
        yield Moment(
            row.created_at,
            "mail",
            said.get(row.state, f"{name} {row.state}"),
            plain(row.reason) if row.reason else "",
            row.reason,
        )
