"""One mail in, one report out, whatever the mail: the order in which its voices are asked."""

from __future__ import annotations

import email
import logging
import re

from newsletter.core.bounce.judging import recipient
from newsletter.core.bounce.notices import from_a_daemon, notice_of, read_notice
from newsletter.core.bounce.parts import Headers, Part, parse
from newsletter.core.bounce.replying import is_auto_reply
from newsletter.core.bounce.report import BounceClass, Recipient, Report, ReportKind
from newsletter.core.bounce.structured import address_of, delivery_status, feedback, returned
from newsletter.core.tokens import SHAPE
from newsletter.core.verp import read_envelope

MOST_TOKENS = 8
# Its time grows with the square of the lines: a mail of a million empty ones would take hours.
LARGEST_FOR_SECOND = 60_000
LINES_FOR_SECOND = 800

_LINK = re.compile(rf"<https?://[^<>\s]{{1,400}}/u/({SHAPE})>")
_ID = re.compile(r"<[^<>\s]{1,300}>")
_ENVELOPE_FIELDS = ("x-original-to", "delivered-to", "envelope-to", "x-envelope-to", "to")


def read(message: bytes, *, envelope_to: str = "", second_voice: bool = True) -> Report:
    """What the mail says. `envelope_to` is the address that it was delivered to, where whoever hands it over knows.

    Never raises. Reads at most 1 MB and 8 parts within parts. `second_voice=False` leaves flufl-bounce unasked.
    """
    mail = parse(message)
    back = returned(mail)
    tokens = _tokens(mail.headers, back, envelope_to)
    fields = feedback(mail)
    if fields is not None:
        for name in ("original-mail-from", "original-rcpt-to"):
            _add(tokens, *(read_envelope(value.strip()) for value in fields.all(name)))
    kind, voice, people = _judge(mail, fields, back, envelope_to, message if second_voice else b"")
    return Report(
        kind=kind,
        voice=voice,
        recipients=tuple(people),
        message_id=_message_id(back),
        own_id=_first_id(mail.headers.get("message-id")),
        tokens=tuple(tokens[:MOST_TOKENS]),
        links=tuple(dict.fromkeys(link for each in back for link in _LINK.findall(each.get("list-unsubscribe"))))[
            :MOST_TOKENS
        ],
        subject=" ".join(mail.headers.get("subject").split())[:200],
        feedback=fields.get("feedback-type").strip().lower()[:40] if fields is not None else "",
    )


def _judge(
    mail: Part, fields: Headers | None, back: list[Headers], envelope_to: str, message: bytes
) -> tuple[ReportKind, str, list[Recipient]]:
    if fields is not None:
        # RFC 6650 section 6: abuse, fraud and opt-out are a reader's no; not-spam, virus and auth-failure are none.
        complaint = fields.get("feedback-type").strip().lower() in (
            "abuse",
            "fraud",
            "opt-out",
            "opt-out-list",
            "other",
            "",
        )
        people = [recipient(address) for address in map(address_of, fields.all("original-rcpt-to")) if address]
        return (ReportKind.COMPLAINT if complaint else ReportKind.NONE), "feedback report", people
    for each in back:
        # Microsoft's reports are a bare copy with one field in it that names the reader.
        if each.get("x-hmxmroriginalrecipient"):
            return (
                ReportKind.COMPLAINT,
                "x-hmxmroriginalrecipient",
                [recipient(each.get("x-hmxmroriginalrecipient")[:320])],
            )
    failed, delayed, there = delivery_status(mail)
    ours = frozenset(address.lower() for address in (envelope_to, *_addresses(mail.headers)) if address)
    if failed:
        return ReportKind.BOUNCE, "delivery status", _with_words(failed, mail, ours)
    if delayed:
        return ReportKind.DELAY, "delivery status", delayed
    if there and any(b"delivered" in part.body.lower() and b"action" in part.body.lower() for part in mail.walk()
                     if part.type.endswith("delivery-status")):  # fmt: skip
        return ReportKind.NONE, "delivery status", []
    automatic = is_auto_reply(mail.headers)
    notice = (
        None
        if automatic and not from_a_daemon(mail.headers) and not mail.headers.get("auto-submitted")
        else read_notice(mail, ours)
    )
    if notice is not None and not (automatic and notice[0] == "plain words" and not from_a_daemon(mail.headers)):
        voice, people, late = notice
        if not late or people:
            return (ReportKind.DELAY if late else ReportKind.BOUNCE), voice, people
    if automatic:
        return ReportKind.AUTO_REPLY, "automatic", []
    if message:
        heard = _second_voice(_cut(message), mail)
        if heard is not None:
            return heard
    return ReportKind.NONE, "", []


def _with_words(failed: list[Recipient], mail: Part, ours: frozenset[str]) -> list[Recipient]:
    """Where the fields say nothing about the reason, the text in front of them may. It never makes a failure hard."""
    if any(one.about is not BounceClass.TRANSIENT or one.diagnostic for one in failed):
        return failed
    said = notice_of(mail)
    told = [recipient(one.address, status=one.status, diagnostic=said, original=one.original) for one in failed]
    return [
        Recipient(new.address, old.status, new.diagnostic, new.about, hard=False, original=old.original)
        for new, old in zip(told, failed, strict=True)
    ]


def _second_voice(message: bytes, mail: Part) -> tuple[ReportKind, str, list[Recipient]] | None:
    """flufl-bounce, for the servers that only it knows. It says who; what it is about is judged by our words, and never
    hard: it takes most full mailboxes for missing ones, and raises on a mail without a From.
    """
    try:
        from flufl.bounce import all_failures

        # It logs a traceback of each exception: strangers could fill the log with them.
        logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)
        temporary, permanent = all_failures(email.message_from_bytes(message))
        late = sorted(address.decode("utf-8", "replace") for address in temporary)
        gone = sorted(address.decode("utf-8", "replace") for address in permanent)
    except Exception:
        # Whatever it is: one voice of several, and strangers write what it reads.
        return None
    said = notice_of(mail)
    people = [recipient(address[:320], diagnostic=said, final=bool(gone)) for address in gone or late]
    if not people:
        return None
    soft = [Recipient(one.address, one.status, one.diagnostic, one.about) for one in people]
    return (ReportKind.BOUNCE if gone else ReportKind.DELAY), "flufl-bounce", soft


def _cut(message: bytes) -> bytes:
    return b"\n".join(message[:LARGEST_FOR_SECOND].splitlines()[:LINES_FOR_SECOND])


def _tokens(headers: Headers, back: list[Headers], envelope_to: str) -> list[str]:
    found: list[str] = []
    _add(found, read_envelope(envelope_to.strip()))
    for name in _ENVELOPE_FIELDS:
        for value in headers.all(name):
            _add(found, *(read_envelope(address) for address in _found_addresses(value)))
    for each in back:
        for name in ("return-path", "x-envelope-from", "envelope-from", "errors-to"):
            _add(found, *(read_envelope(address) for address in _found_addresses(each.get(name))))
    return found


def _add(found: list[str], *tokens: str | None) -> None:
    for token in tokens:
        if token and token not in found:
            found.append(token)


def _found_addresses(value: str) -> list[str]:
    return re.findall(r"[^\s<>,;:\"']{1,100}@[^\s<>,;:\"']{1,255}", value)[:20]


def _addresses(headers: Headers) -> list[str]:
    return [address for name in _ENVELOPE_FIELDS for value in headers.all(name) for address in _found_addresses(value)]


def _message_id(back: list[Headers]) -> str:
    for each in back:
        if found := _first_id(each.get("message-id")):
            return found
    return ""


def _first_id(value: str) -> str:
    match = _ID.search(value)
    return match[0] if match else ""
