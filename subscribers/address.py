"""One address, two shapes: as a person wrote it, and the key by which two spellings are the same mailbox."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from subscribers.errors import AddressError

LONGEST = 254  # RFC 5321 section 4.5.3.1.3: a path is 256 octets, angle brackets included.


@dataclass(frozen=True, slots=True)
class Address:
    """`shown` is what mail is sent to: local part as written (NFC), domain normalised. `key` is compared and unique."""

    shown: str
    key: str


def parse(text: str) -> Address:
    """Read one address. Nothing is looked up in the DNS. Raises `AddressError` with a sentence for a person.

    Quoted local parts, comments, IP literals and display names are refused: none of them belongs on a list. Names
    under .test are let through (`test_environment`): a demonstration and a staging server live there.
    """
    wanted = text.strip()
    if not wanted:
        raise AddressError("There is no address.")
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp", "Cs") for letter in wanted):
        raise AddressError("The address holds a character that can't be seen.")
    if len(wanted) > LONGEST:
        raise AddressError(f"The address is {len(wanted)} letters long; mail servers take at most {LONGEST}.")
    try:
        checked = validate_email(wanted, check_deliverability=False, strict=True, test_environment=True)
    except EmailNotValidError as error:
        raise AddressError(str(error)) from None
    return Address(shown=checked.normalized, key=key(checked.normalized))


def key(text: str) -> str:
    """The key of an address that has been checked before: lower case, NFC."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).lower())


def masked(text: str) -> str:
    """An address as a page may show it to whoever holds a link: `d•••@g•••.com`. The lengths tell nothing."""
    local, _, domain = text.rpartition("@")
    name, dot, ending = domain.rpartition(".")
    return f"{local[:1]}•••@{name[:1]}•••{dot}{ending}" if dot else f"{local[:1]}•••@{domain[:1]}•••"
