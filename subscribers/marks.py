"""What is left of an erased person: a keyed hash of the address, by which it stays suppressed and can't be read back.

The key is the installation's secret (HMAC-SHA-256): without it nobody can try addresses against the table.
"""

from __future__ import annotations

from django.conf import settings
from django.utils.crypto import salted_hmac

_SALT = "subscribers.marks"
PREFIX = "hash:"


def mark(address_key: str) -> str:
    """The key of an erased person's suppression row: "hash:" and 64 hexadecimal digits."""
    return _mark(address_key, settings.SECRET_KEY)


def keys_of(address_key: str) -> tuple[str, ...]:
    """Every key that a suppression of this address can have: its own, and its mark under each secret we have had."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return (address_key, *(_mark(address_key, secret) for secret in secrets))


def _mark(address_key: str, secret: str | bytes) -> str:
    return PREFIX + salted_hmac(_SALT, address_key, secret=secret, algorithm="sha256").hexdigest()
