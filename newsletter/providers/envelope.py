"""An address as an SMTP command may carry it (RFC 5321 4.1.2, 6531)."""

from __future__ import annotations

import re
from functools import lru_cache

import idna

from newsletter.core.sentence import sentence

# A dot-string or a quoted string without what would end the command or the path. 8-bit letters are SMTPUTF8's matter.
_LOCAL = re.compile(r'[^\x00-\x20\x7f()<>\[\]:;@\\,"]+|"(?:[^\x00-\x1f\x7f"\\]|\\[\x20-\x7e])*"')
_DOMAIN = re.compile(
    r"(?=.{1,255}\Z)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
LONGEST_LOCAL = 64  # RFC 5321 4.5.3.1.1, in octets
LONGEST_PATH = 254  # 4.5.3.1.3: 256 octets with the angle brackets


class BadAddressError(ValueError):
    """This address can't stand in an SMTP command."""


def mailbox(address: str) -> str:
    """The address with its domain as A-labels, checked for length and for what would break out of `<...>`.

    The local part is left alone: only its own server may say what it means. It may hold non-ASCII letters, which then
    need SMTPUTF8. Raises `BadAddressError` with a sentence that can be shown.
    """
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local):
        raise BadAddressError(sentence("The address is malformed."))
    octets = len(local)
    if not local.isascii():
        try:
            octets = len(local.encode())
        except UnicodeEncodeError:
            raise BadAddressError(sentence("The address holds half a character.")) from None
    if octets > LONGEST_LOCAL:
        raise BadAddressError(
            sentence("The part before the @ is longer than {longest_local} octets.", longest_local=LONGEST_LOCAL)
        )
    label = _a_label(domain)
    if octets + 1 + len(label) > LONGEST_PATH:
        raise BadAddressError(sentence("The address is longer than {longest_path} octets.", longest_path=LONGEST_PATH))
    return address if label == domain else f"{local}@{label}"


@lru_cache(maxsize=4096)
def _a_label(domain: str) -> str:
    """The domain as a command may hold it; a list has few, so each is looked at once. Raises `BadAddressError`."""
    if not domain.isascii():
        try:
            # UTS 46 folds case and width as browsers do, but keeps the letters that IDNA 2003 would have replaced.
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            raise BadAddressError(sentence("The domain is not a valid international name.")) from None
    if not _DOMAIN.fullmatch(domain):
        raise BadAddressError(sentence("The domain is malformed."))
    return domain
