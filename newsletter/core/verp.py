"""Variable envelope return paths: a bounce comes back to an address that says whose it is (RFC 5321 section 4.5.5).

The address carries a token, never the reader's own address: a local part has room for 64 octets, and nobody on the way
learns more. Some mail servers change the case of what they bounce to; the token then does not verify and the bounce
counts for nobody, which is the safe side.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from newsletter.core.errors import ConfigError
from newsletter.core.sentence import sentence

LONGEST_LOCAL_PART = 64
"""Octets (RFC 5321 section 4.5.3.1.1)."""

LONGEST_PATH = 254
"""Octets of an address, without the angle brackets of a path of 256 (RFC 5321 section 4.5.3.1.3)."""

TOKEN_LENGTH = 24
"""Of the tokens in `core.tokens`: what a return path must leave room for."""

_RETURN_PATH = re.compile(r"([A-Za-z0-9!#$%&'*/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*/=?^_`{|}~-]+)*)@([A-Za-z0-9.-]+)")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_ENVELOPE = re.compile(r"<?[^@+\s<>]+\+([A-Za-z0-9_-]+)@[^@\s<>]+>?")


def check_return_path(return_path: str) -> None:
    """Raise `ConfigError` unless tokens can be put into the address: plain ASCII, no "+", room for 25 more octets."""
    match = _RETURN_PATH.fullmatch(return_path)
    if match is None:
        raise ConfigError(
            sentence("{return_path} can't be a return path.", return_path=repr(return_path)),
            hint=sentence('It takes a plain address without "+".'),
        )
    if len(match[1]) + 1 + TOKEN_LENGTH > LONGEST_LOCAL_PART or len(return_path) + 1 + TOKEN_LENGTH > LONGEST_PATH:
        raise ConfigError(
            sentence(
                "{return_path} is too long for a return path: a token of {number} letters goes into it.",
                return_path=return_path,
                number=TOKEN_LENGTH,
            ),
            hint=sentence(
                "Before the @ it takes at most {most} letters.",
                most=LONGEST_LOCAL_PART - 1 - TOKEN_LENGTH,
            ),
        )


def envelope_sender(return_path: str, token: str) -> str:
    """The envelope sender of one message: "bounce@news.example.org" and a token give "bounce+TOKEN@news.example.org".

    `token` is base64url of at most `TOKEN_LENGTH` characters. Raises `ConfigError` as `check_return_path`, `ValueError`
    for another token.
    """
    check_return_path(return_path)
    if not _TOKEN.fullmatch(token) or len(token) > TOKEN_LENGTH:
        raise ValueError("This is no token.")
    local, _, domain = return_path.partition("@")
    return f"{local}+{token}@{domain}"


def unsubscribe_mail(return_path: str, token: str) -> str:
    """The mailto address by which a mail stops the letter: the return path with an unsubscribe token (RFC 6068).

    The same mailbox as for bounces: the purpose of a token is inside its MAC, so neither can be taken for the other.
    Raises as `envelope_sender`.
    """
    local, _, domain = envelope_sender(return_path, token).partition("@")
    return f"mailto:{quote(local, safe='+')}@{domain}?subject=unsubscribe"


def read_envelope(address: str) -> str | None:
    """The token in the address that a bounce came to (with or without angle brackets), or None. It is not verified."""
    match = _ENVELOPE.fullmatch(address)
    return match[1] if match and len(match[1]) <= TOKEN_LENGTH else None
