"""A domain that looks like a slip of the fingers, and what was probably meant. A hint to be pressed, never a change."""

from __future__ import annotations

COMMON = (
    "gmail.com", "googlemail.com", "yahoo.com", "yahoo.co.uk", "yahoo.fr", "yahoo.de", "yahoo.es", "hotmail.com",
    "hotmail.co.uk", "hotmail.fr", "outlook.com", "outlook.de", "outlook.fr", "live.com", "msn.com", "icloud.com",
    "me.com", "mac.com", "aol.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de",
    "posteo.de", "mailbox.org", "proton.me", "protonmail.com", "orange.fr", "free.fr", "laposte.net", "wanadoo.fr",
    "sfr.fr", "libero.it", "comcast.net", "verizon.net", "fastmail.com", "yandex.ru", "mail.ru",
)  # fmt: skip
"""Large mailbox providers. A domain that is one of these, or nothing like any, gets no hint."""

_ENDINGS = {"con": "com", "cmo": "com", "ocm": "com", "vom": "com", "comm": "com", "co": "com", "nte": "net"}
# Shorter names are one letter apart by nature (me.com, mac.com): only slips in longer ones say anything.
_SHORTEST = 5


def meant(domain: str) -> str:
    """The domain that was probably meant, or "" when there is nothing to say."""
    domain = domain.lower()
    if domain in COMMON:
        return ""
    name, _, ending = domain.rpartition(".")
    mended = f"{name}.{_ENDINGS.get(ending, ending)}"
    if mended in COMMON:
        return mended
    near = [known for known in COMMON if len(known) - 4 >= _SHORTEST and _one_slip(mended, known)]
    return near[0] if near else ""


def _one_slip(one: str, other: str) -> bool:
    """One letter more, less, changed, or two neighbours swapped (Damerau)."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    a, b = one[start:], other[start:]
    if len(a) == len(b):
        return a[1:] == b[1:] or (a[:2] == b[1::-1] and len(a) > 1 and a[2:] == b[2:])
    return a[1:] == b or a == b[1:]
