"""The second step at a log-in: six digits that change every 30 seconds (RFC 6238), or a recovery code.

SHA-1, six digits and 30 seconds are what every authenticator app knows; many silently ignore anything else.
"""

from __future__ import annotations

import re
from base64 import b32encode
from datetime import datetime
from hmac import compare_digest
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

SECRET_OCTETS = 20
"""RFC 4226 section 4 (R6) recommends 160 bits."""
PERIOD = 30
DIGITS = 6
CODES = 10
"""Recovery codes of one set."""
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of recovery codes: none of them is taken for another, on paper or by phone."""
CODE_LENGTH = 10

_DIGITS = re.compile(rf"[0-9]{{{DIGITS}}}", re.ASCII)


def counter_of(secret: bytes, typed: str, at: datetime, *, after: int) -> int | None:
    """The number of the period whose digits were typed: the present one, the one before or the one after, for clocks
    that differ a little. None for anything else, and for a period not after `after`: each code counts once (RFC 6238
    section 5.2). Takes equally long for every six digits.
    """
    digits = "".join(typed.split())
    if not _DIGITS.fullmatch(digits):
        return None
    present = int(at.timestamp()) // PERIOD
    made = HOTP(secret, DIGITS, SHA1())
    right = [
        counter
        for counter in (present - 1, present, present + 1)
        if compare_digest(made.generate(counter), digits.encode())
    ]
    fresh = [counter for counter in right if counter > after]
    return fresh[0] if fresh else None


def digits_at(secret: bytes, at: datetime) -> str:
    """The six digits of that moment, as an app shows them."""
    return HOTP(secret, DIGITS, SHA1()).generate(int(at.timestamp()) // PERIOD).decode()


def address(secret: bytes, *, name: str, issuer: str) -> str:
    """The otpauth: address that apps read from a picture of squares. What every app takes for granted is left out: the
    fewer the squares, the sooner a camera has them.
    """
    label = f"{quote(issuer, safe='')}:{quote(name, safe='')}"
    return f"otpauth://totp/{label}?secret={_base32(secret)}&issuer={quote(issuer, safe='')}"


def typed_secret(secret: bytes) -> str:
    """The secret for whoever has no camera: base32 in fours."""
    text = _base32(secret)
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def is_digits(typed: str) -> bool:
    """Whether that looks like an app's code, and not like a recovery code."""
    return _DIGITS.fullmatch("".join(typed.split())) is not None


def recovery_code(typed: str) -> str:
    """A recovery code as it is marked, however it was typed: case, spaces and hyphens don't count."""
    return "".join(sign for sign in typed.lower() if sign in LETTERS)[: CODE_LENGTH + 1]


def shown_code(code: str) -> str:
    """A recovery code as people read it: two halves."""
    half = len(code) // 2
    return f"{code[:half]}-{code[half:]}"


def _base32(secret: bytes) -> str:
    return b32encode(secret).decode().rstrip("=")
