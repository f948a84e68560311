"""Domain names: their one spelling, who is above whom, and which are nobody's own."""

from __future__ import annotations

import re

import idna

from newsletter.core.errors import ConfigError
from newsletter.core.sentence import sentence

_NAME = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])")

FREE_MAIL = frozenset(
    (
        "aol.com", "gmail.com", "googlemail.com", "gmx.com", "gmx.de", "gmx.net", "hotmail.com", "hotmail.co.uk",
        "hotmail.fr", "icloud.com", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com", "live.com", "outlook.com",
        "proton.me", "protonmail.com", "web.de", "yahoo.com", "yahoo.co.uk", "yahoo.co.jp", "yahoo.de", "yahoo.fr",
        "yandex.com", "yandex.ru", "ymail.com", "zoho.com",
    )
)  # fmt: skip
"""Domains whose DMARC policy forbids others to send in their name (Gmail's and Yahoo's rules for bulk senders)."""

_RESERVED = ("test", "example", "invalid", "localhost")


def a_label(domain: str) -> str:
    """The domain in small letters as A-labels (RFC 5890), without a last dot. Raises `ConfigError`."""
    name = domain.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError:
            name = ""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            sentence("{domain} is not a domain.", domain=repr(domain)), hint=sentence("Write it like news.example.org.")
        )
    return name


def domain_of(address: str) -> str:
    """The domain of a mail address, as `a_label`."""
    return a_label(address.rpartition("@")[2])


def is_reserved(domain: str) -> bool:
    """Whether the DNS can never know the domain: .test, .example, .invalid, .localhost (RFC 2606)."""
    return domain.lower().rstrip(".").rpartition(".")[2] in _RESERVED


def is_within(domain: str, other: str) -> bool:
    """Whether `domain` is `other` or stands under it."""
    return domain == other or domain.endswith(f".{other}")


def parents(domain: str) -> list[str]:
    """The domain and each above it down to two labels, nearest first; at most eight (RFC 7489 section 6.6.3)."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(0, len(labels) - 8), max(1, len(labels) - 1))]


def may_align(domain: str, other: str) -> bool:
    """Whether two domains can share an organisation for DMARC's relaxed alignment (RFC 7489 section 3.1).

    Without a list of public suffixes it says yes to any two that share their last two labels; the check in the DNS,
    which knows where the DMARC record stands, is stricter.
    """
    return domain.split(".")[-2:] == other.split(".")[-2:]
