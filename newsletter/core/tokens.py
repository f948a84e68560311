"""The 24 characters in a reader's links, and the Message-ID of a reader's copy.

A token is the base64url of 18 octets: the row's number in 48 bits, then a 96-bit BLAKE2b MAC (RFC 7693) of purpose and
number. The purpose stands inside the MAC, so a link that may only stop mail can never open the preferences. 24
characters keep List-Unsubscribe short enough that no program folds it.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode
from binascii import b2a_base64, hexlify
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b

BOUNCE = "bounce"
"""The purpose of the token in an envelope sender; its number is a delivery's."""

UNSUBSCRIBE = "unsubscribe"
"""The purpose of the token in /u/TOKEN; its number is a subscription's."""

CONFIRM = "confirm"
"""The purpose of the dated token in /c/TOKEN; its number is a subscription's."""

PREFERENCES = "preferences"
"""The purpose of the dated token in /p/TOKEN; its number is a subscription's."""

DATA = "data"
"""The purpose of the dated token in /d/TOKEN: a person's own data, their address, their erasure; a subscription's."""

KEEP = "keep"
"""The purpose of the dated token in /k/TOKEN: whether a quiet reader still wants it; a subscription's."""

ADDRESS = "address"
"""The purpose of the dated token in /a/TOKEN, mailed to a new address; its number is a subscription's."""

ID_OCTETS = 6
DATED_ID_OCTETS, DAY_OCTETS = 4, 2
MAC_OCTETS = 12
TOKEN_WIDTH = 24
SHAPE = f"[A-Za-z0-9_-]{{{TOKEN_WIDTH}}}"
"""A token, as a regular expression."""

_SHAPE = re.compile(SHAPE, re.ASCII)
_EPOCH = date(2020, 1, 1)
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_MAX_PURPOSES = 16


class Keys:
    """The secret that makes tokens, and older ones that still read them: `Keys(current, *previous)`.

    Links already sent must work for years, so a rotated key moves to `previous` and stays. A key is any non-empty
    octets; at least 32 random ones are worth the name.
    """

    __slots__ = ("_all", "_begun")

    def __init__(self, current: bytes, *previous: bytes) -> None:
        """Raises `ValueError` for an empty key: it would sign for anybody."""
        if not all((current, *previous)):
            raise ValueError("A token key is empty.")
        # BLAKE2b takes keys of up to 64 octets; a longer secret is brought down without losing any of it.
        self._all = tuple(blake2b(key, digest_size=64).digest() for key in (current, *previous))
        self._begun: dict[str, tuple[blake2b, ...]] = {}

    def begun(self, purpose: str) -> blake2b:
        """The hash of a purpose under the current key, begun: a copy that is given the number digests to the MAC."""
        return (self._begun.get(purpose) or self._begin(purpose))[0]

    def mac(self, purpose: str, number: bytes) -> bytes:
        """The MAC under the current key."""
        state = self.begun(purpose).copy()
        state.update(number)
        return state.digest()

    def macs(self, purpose: str, number: bytes) -> list[bytes]:
        """The MAC under every key, the current one first."""
        found: list[bytes] = []
        for begun in self._begun.get(purpose) or self._begin(purpose):
            state = begun.copy()
            state.update(number)
            found.append(state.digest())
        return found

    def _begin(self, purpose: str) -> tuple[blake2b, ...]:
        """The hash states of a purpose, under every key: a state is copied faster than a key is taken in."""
        label = purpose.encode()
        # The length in front keeps (purpose, number) pairs apart whatever the purpose holds.
        framed = len(label).to_bytes(2, "big") + label
        begun = tuple(blake2b(framed, digest_size=MAC_OCTETS, key=key) for key in self._all)
        if len(self._begun) < _MAX_PURPOSES:
            self._begun[purpose] = begun
        return begun

    def __repr__(self) -> str:
        return f"Keys({len(self._all)} secret)"


def token(keys: Keys, purpose: str, id: int) -> str:  # noqa: A002
    """The token of row `id` for one purpose ("unsubscribe", "preferences" ...): 24 characters of base64url.

    Raises `ValueError` when the number does not fit in 48 bits.
    """
    return tokens(keys, purpose)(id).decode("ascii")


def tokens(keys: Keys, purpose: str) -> Callable[[int], bytes]:
    """`token` for many rows, as ASCII: the function that makes it of a row's number, with all at hand that rows share.
    A send calls it a million times, and then each look-up counts.
    """
    begun, url_safe = keys.begun(purpose), _URL_SAFE

    def made(id: int) -> bytes:  # noqa: A002
        try:
            number = id.to_bytes(ID_OCTETS, "big")
        except OverflowError:
            raise ValueError(f"{id} does not fit in a token") from None
        state = begun.copy()
        state.update(number)
        return b2a_base64(number + state.digest(), newline=False).translate(url_safe)

    return made


def read_token(keys: Keys, purpose: str, token: str) -> int | None:
    """The row that a token stands for, or None. Takes equally long whichever key made it and however wrong it is."""
    if not _SHAPE.fullmatch(token):
        return None
    raw = urlsafe_b64decode(token)
    number, mac = raw[:ID_OCTETS], raw[ID_OCTETS:]
    # Every key is tried, found or not: no early way out that a clock could see.
    matches = [hmac.compare_digest(mac, expected) for expected in keys.macs(purpose, number)]
    return int.from_bytes(number, "big") if any(matches) else None


@dataclass(frozen=True, slots=True)
class DatedToken:
    """A dated token taken apart, not believed yet: whose it says it is, of which day, and the MAC to be checked."""

    number: int
    day: date
    _told: bytes
    _mac: bytes

    def verify(self, keys: Keys, purpose: str, generation: int) -> bool:
        """Whether we made it, for this purpose and this generation of the row. Takes equally long for every no."""
        told = self._told + _generation(generation)
        matches = [hmac.compare_digest(self._mac, expected) for expected in keys.macs(purpose, told)]
        return any(matches)


def dated_token(keys: Keys, purpose: str, id: int, *, day: date, generation: int = 0) -> str:  # noqa: A002
    """The token of row `id` for one purpose that ages: 24 characters of base64url, the number in 32 bits and the day
    in 16, then the MAC of 96.

    It tells its day, so that whoever reads it can say how old it may be; `generation` is only inside the MAC: a row
    that begins anew (a subscription taken up again) counts it up, and every earlier token is void. Raises `ValueError`
    for a number beyond 32 bits, or a day before 2020.
    """
    return dated_tokens(keys, purpose, day)(id, generation).decode("ascii")


def dated_tokens(keys: Keys, purpose: str, day: date) -> Callable[[int, int], bytes]:
    """`dated_token` for many rows, as ASCII: the function that makes it of a row's number and generation."""
    begun, url_safe, days = keys.begun(purpose), _URL_SAFE, (day - _EPOCH).days

    def made(id: int, generation: int) -> bytes:  # noqa: A002
        try:
            told = id.to_bytes(DATED_ID_OCTETS, "big") + days.to_bytes(DAY_OCTETS, "big")
        except OverflowError:
            raise ValueError(f"{id} of {day} does not fit in a token") from None
        state = begun.copy()
        state.update(told + _generation(generation))
        return b2a_base64(told + state.digest(), newline=False).translate(url_safe)

    return made


def read_dated_token(token: str) -> DatedToken | None:
    """What a dated token says, to be verified once its row is known; None for what has not the shape of one."""
    if not _SHAPE.fullmatch(token):
        return None
    raw = urlsafe_b64decode(token)
    told, mac = raw[: DATED_ID_OCTETS + DAY_OCTETS], raw[DATED_ID_OCTETS + DAY_OCTETS :]
    day = _EPOCH + timedelta(days=int.from_bytes(told[DATED_ID_OCTETS:], "big"))
    return DatedToken(int.from_bytes(told[:DATED_ID_OCTETS], "big"), day, told, mac)


def _generation(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)


def message_id(fingerprint: str, subscription: int, domain: str) -> str:
    """The Message-ID of one reader's copy of one frozen issue, angle brackets included.

    The same for every attempt, so that a copy sent again is known for one (RFC 5322 3.6.4). No key goes in: a rotated
    key must not change it. `fingerprint` is the freeze's, `domain` that of the From address, as an A-label.
    """
    return f"<{copies(fingerprint)(subscription).decode('ascii')}@{domain}>"


def copies(fingerprint: str) -> Callable[[int], bytes]:
    """What names a copy in its `message_id`, before the @: the function that makes it of the subscription's number."""
    begun = _issue_state(fingerprint)

    def made(subscription: int) -> bytes:
        state = begun.copy()
        state.update(b"%d" % subscription)
        return hexlify(state.digest())

    return made


@lru_cache(maxsize=16)
def _issue_state(fingerprint: str) -> blake2b:
    return blake2b(f"{fingerprint}\n".encode(), digest_size=15, person=b"message-id")
