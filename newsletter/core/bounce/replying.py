"""Answers that programs give (RFC 3834): people on holiday, tickets, challenges. Never counted, never answered."""

from __future__ import annotations

import re

from newsletter.core.bounce.parts import Headers

_SUBJECT = re.compile(
    r"^\W*(?:auto(?:matic|mated)?[ -]?(?:reply|response|antwort)|auto:|out of (?:the )?office|on (?:vacation"
    r"|holiday|leave)|vacation|away from"
    r"|abwesenheit|automatische antwort|réponse automatique|reponse automatique|absence|absent"
    r"|respuesta automática|fuera de (?:la )?oficina"
    r"|risposta automatica|resposta automática|automatisch antwoord|autosvar|ooo\b|i am (?:away|out)"
    r"|no longer (?:at|with|works))",
    re.I,
)
_NO = re.compile(r"^\s*no\b", re.I)


def is_auto_reply(headers: Headers) -> bool:
    """Whether the fields say that no person wrote this. Delivery reports say so too: ask about those first."""
    submitted = headers.get("auto-submitted")
    if submitted and not _NO.match(submitted):
        return True
    if any(headers.get(name) for name in ("x-autoreply", "x-autorespond", "x-autoresponder", "x-mail-autoreply")):
        return True
    if headers.get("precedence").strip().lower() in ("auto_reply", "auto-reply"):
        return True
    return _SUBJECT.match(headers.get("subject")) is not None
