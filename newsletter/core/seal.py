"""What the database keeps and yet does not tell: closed with the installation's secret, or only marked with it.

A stolen copy of the database alone then opens nothing. Keys of before still open and still recognise, as with links.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Seal:
    """The secret that closes, and older ones that still open: `Seal(current, *previous)`."""

    __slots__ = ("_locks", "_marking")

    def __init__(self, current: bytes, *previous: bytes) -> None:
        """Raises `ValueError` for an empty secret: anybody could open what it closes."""
        secrets = (current, *previous)
        if not all(secrets):
            raise ValueError("A secret is empty.")
        # Keys of their own (RFC 5869): what signs links opens nothing here, and the other way round.
        self._locks = MultiFernet([Fernet(urlsafe_b64encode(_derived(one, b"newsletter seal"))) for one in secrets])
        self._marking = [_derived(one, b"newsletter mark") for one in secrets]

    def close(self, plain: bytes) -> str:
        """`plain` encrypted and authenticated, each time another text."""
        return self._locks.encrypt(plain).decode("ascii")

    def open(self, closed: str) -> bytes | None:
        """What was closed; None when it was changed, or closed with a secret that is not here any more."""
        try:
            return self._locks.decrypt(closed.encode())
        except InvalidToken:
            return None

    def mark(self, text: str) -> str:
        """64 hexadecimal digits by which `text` is known again, and from which nobody reads it."""
        return _mac(self._marking[0], text)

    def marks(self, text: str) -> list[str]:
        """The mark under every secret, the current one first."""
        return [_mac(key, text) for key in self._marking]

    def __repr__(self) -> str:
        return f"Seal({len(self._marking)} secret)"


def _derived(secret: bytes, use: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=use).derive(secret)


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(errors="replace"), sha256).hexdigest()
