"""Reports made for programs: delivery status (RFC 3464, 6522, 6533), complaints (RFC 5965), and what they return."""

from __future__ import annotations

import re

from newsletter.core.bounce.judging import recipient
from newsletter.core.bounce.parts import Headers, Part, fields
from newsletter.core.bounce.report import Recipient

MOST_RECIPIENTS = 50
LARGEST_STATUS = 100_000
"""Octets of one delivery status."""

MOST_STEPS = 1_000

_TYPED = re.compile(r"^\s*(?:rfc822|utf-8|x400|x-[a-z0-9-]+)\s*;\s*", re.I)
_ANGLES = re.compile(r"<([^<>\s]{1,320})>")
_RETURNED = ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
_UTF8_ADDRESS = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")


def delivery_status(mail: Part) -> tuple[list[Recipient], list[Recipient], bool]:
    """The recipients that failed, those that are delayed, and whether there was a delivery status at all."""
    failed: list[Recipient] = []
    delayed: list[Recipient] = []
    there = False
    for part in mail.walk():
        if part.type not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        there = True
        blocks = _blocks(part)
        for block in blocks:
            if len(failed) + len(delayed) >= MOST_RECIPIENTS:
                break
            final, original = address_of(block.get("final-recipient")), address_of(block.get("original-recipient"))
            action, status = block.get("action").strip().lower(), block.get("status")
            address = final or original
            if not address or not (action or status):
                continue
            diagnostic = _TYPED.sub(
                "", re.sub(r"^\s*(?:smtp|x-[\w-]+)\s*;\s*", "", block.get("diagnostic-code"), flags=re.I)
            )
            action = action.split()[0] if action else ""
            if action in ("delivered", "relayed", "expanded") or (not action and status.strip().startswith("2")):
                continue
            late = action == "delayed" or (not action and status.strip().startswith("4"))
            one = recipient(address, status=status, diagnostic=diagnostic, original=original, final=not late)
            (delayed if late else failed).append(one)
    return failed, delayed, there


def feedback(mail: Part) -> Headers | None:
    """The fields of a feedback report (RFC 5965 section 3); None when it is none."""
    for part in mail.walk():
        if part.type == "message/feedback-report":
            return fields(part.unwrapped().lstrip(b"\n"))[0]
    return None


def returned(mail: Part) -> list[Headers]:
    """The header fields of each mail that this one brings back, nearest first."""
    found: list[Headers] = []
    for part in mail.walk():
        if part.type in ("message/rfc822", "message/global", "message/news"):
            found += [inner.headers for inner in part.parts]
        elif part.type in _RETURNED:
            found.append(fields(part.unwrapped().lstrip(b"\n"))[0])
    return [headers for headers in found if headers]


def address_of(value: str) -> str:
    """The address in "rfc822; <ada@box.test>", of at most 320 characters; "" without one."""
    text = _UTF8_ADDRESS.sub(lambda match: chr(min(int(match[1], 16), 0x10FFFF)), _TYPED.sub("", value)).strip()
    if match := _ANGLES.search(text):
        text = match[1]
    text = text.strip("<>\"' ,;")
    return text if "@" in text.strip("@") and len(text) <= 320 and not re.search(r"\s", text) else ""


def _blocks(part: Part) -> list[Headers]:
    """Groups of fields, divided by empty lines. Some servers send the groups as parts, some forget the empty line."""
    data = part.unwrapped()[:LARGEST_STATUS]
    found: list[Headers] = []
    for _ in range(MOST_STEPS):
        if not data.strip():
            break
        data = data.lstrip(b" \t\n")
        headers, rest = fields(data)
        if len(rest) >= len(data) or not headers:
            # A line that is no field: skip it.
            data = data.partition(b"\n")[2]
            continue
        data = rest
        found += _split(headers)
    return found


def _split(headers: Headers) -> list[Headers]:
    groups: list[list[tuple[str, str]]] = [[]]
    for name, value in headers:
        if name in {key for key, _ in groups[-1]} & {"final-recipient", "action"}:
            groups.append([])
        groups[-1].append((name, value))
    return [Headers(group) for group in groups]
