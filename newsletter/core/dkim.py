"""DKIM signatures over finished wire bytes: rsa-sha256 and ed25519-sha256 (RFC 6376, 8301, 8463), relaxed/relaxed.

The compiler makes a body that is its own relaxed canonical form (RFC 6376 section 3.4.4): no blank at a line's end, no
run of blanks, one CRLF at the very end. So the body hash is a plain SHA-256 of the bytes as they leave, and a message
costs little more than the bare RSA signature. There is no l= tag: what stands after a counted length could be anything
(section 8.2).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from newsletter.core.errors import ConfigError
from newsletter.core.sentence import sentence

PrivateKey: TypeAlias = RSAPrivateKey | Ed25519PrivateKey

LINE = 76
"""Columns of our own header's lines. Only a domain or selector that is longer by itself goes past it."""

# In this order in h=. Every field that a reader or a mailbox provider acts upon (RFC 6376 section 5.4.1, RFC 8058
# section 4 for the List-Unsubscribe pair).
_SIGNED = (
    b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"reply-to", b"sender", b"mime-version", b"content-type",
    b"content-transfer-encoding", b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"feedback-id",
    b"auto-submitted", b"precedence",
)  # fmt: skip
# Named once more than they occur, so that one added on the way breaks the signature (sections 5.4.2, 8.15): mail
# programs show the first From they find, a signature covers the last.
_OVERSIGNED = frozenset(
    (b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"reply-to", b"mime-version", b"content-type")
)
_OVERSIGNED_WHEN_THERE = frozenset((b"list-unsubscribe", b"list-unsubscribe-post"))
_KNOWN = frozenset(_SIGNED)
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_BLANKS = re.compile(rb"[ \t]+")
_NOT_RELAXED = re.compile(rb"[ \t](?=\r\n)|[ \t]{2}|\t|\r(?!\n)|(?<!\r)\n")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
_SHORTEST_RSA, _LONGEST_RSA = 2048, 4096


class Signer:
    """Signs messages for one domain with each of its keys; safe to share between threads."""

    __slots__ = ("_domain", "_keys", "_templates")

    def __init__(self, domain: str, keys: Sequence[tuple[str, PrivateKey]]) -> None:
        """`domain` is an A-label, `keys` are selectors with their private keys, in the order of the signatures.

        Raises `ConfigError` for no key, a domain or selector that is no DNS name, or an RSA key that is not of 2048 to
        4096 bits (RFC 8301 section 3.2: shorter proves nothing, longer need not be verified).
        """
        if not _NAME.fullmatch(domain):
            raise ConfigError(sentence("{domain} can't be the domain of a DKIM signature.", domain=repr(domain)))
        if not keys:
            raise ConfigError(sentence("There is no DKIM key to sign with."), where=domain)
        for selector, key in keys:
            check_selector(selector, domain)
            if isinstance(key, RSAPrivateKey) and not _SHORTEST_RSA <= key.key_size <= _LONGEST_RSA:
                raise ConfigError(
                    sentence(
                        "An RSA key of {key_size} bits can't sign mail; it takes {shortest_rsa} to {longest_rsa}.",
                        key_size=key.key_size,
                        shortest_rsa=_SHORTEST_RSA,
                        longest_rsa=_LONGEST_RSA,
                    ),
                    where=f"{selector}._domainkey.{domain}",
                )
        self._domain = domain
        self._keys = [(selector, _algorithm(key), _sign_with(key)) for selector, key in keys]
        # By h=, which is the same for all messages of an issue.
        self._templates: dict[bytes, list[bytes]] = {}

    @property
    def domain(self) -> str:
        """The d= of the signatures."""
        return self._domain

    @property
    def selectors(self) -> tuple[str, ...]:
        """The s= of each signature."""
        return tuple(selector for selector, _, _ in self._keys)

    def sign(self, message: bytes, *, at: int) -> bytes:
        """The DKIM-Signature header lines to put in front of `message`, one header a key, each ending in CRLF.

        `message` is complete, with CRLF line ends and a body that `is_relaxed_canonical`: that is not looked at here,
        and a signature over any other body fails at the receiver. `at` is the time in Unix seconds, for t=.
        Raises `ValueError` for bytes without an empty line or without a From.
        """
        cut = message.find(b"\r\n\r\n")
        if cut < 0:
            raise ValueError("The message has no end of its headers.")
        # A view, not a slice: the body is some 48 KB and is only read.
        body_hash = b64encode(sha256(memoryview(message)[cut + 4 :]).digest())
        names, canonical = _canonical_headers(message[:cut])
        templates = self._templates.get(names)
        if templates is None:
            templates = self._templates[names] = [
                _template(self._domain, selector, algorithm, names) for selector, algorithm, _ in self._keys
            ]
        lines: list[bytes] = []
        for template, (_, _, sign) in zip(templates, self._keys, strict=True):
            field = template % (at, body_hash)
            # Ours is folded before single blanks only, so unfolding it is all of its relaxed form.
            signed = canonical + b"dkim-signature:" + field.replace(b"\r\n ", b" ")
            lines.append(b"DKIM-Signature: " + field + _folded_value(b64encode(sign(signed)), 3))
        return b"".join(lines)


def is_relaxed_canonical(body: bytes) -> bool:
    """Whether a body is its own relaxed canonical form (RFC 6376 section 3.4.4): what `Signer.sign` relies on."""
    if not body:
        return True
    if not body.endswith(b"\r\n") or body == b"\r\n" or body.endswith(b"\r\n\r\n"):
        return False
    return _NOT_RELAXED.search(body) is None


def check_selector(selector: str, where: str = "") -> None:
    """Raise `ConfigError` unless `selector` can stand before ._domainkey: small letters, digits, hyphens, dots."""
    if len(selector) > 100 or not _NAME.fullmatch(selector):
        raise ConfigError(
            sentence("{selector} can't be a DKIM selector.", selector=repr(selector)),
            where=where,
            hint=sentence("It takes small letters, digits and hyphens."),
        )


def _canonical_headers(head: bytes) -> tuple[bytes, bytes]:
    """The value of h=, and the signed fields in relaxed form (RFC 6376 section 3.4.2) in its order."""
    if b"\r\n " in head or b"\r\n\t" in head:
        head = _FOLD.sub(b"", head)
    if b"  " in head or b"\t" in head:
        head = _BLANKS.sub(b" ", head)
    found: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        name = name.rstrip().lower()
        if name in _KNOWN or (name.startswith(b"list-") and name.replace(b"-", b"").isalnum()):
            field = b"%b:%b\r\n" % (name, value.strip(b" "))
            if name in found:
                found[name].append(field)
            else:
                found[name] = [field]
    if b"from" not in found:
        raise ValueError("The message has no From.")
    names: list[bytes] = []
    fields: list[bytes] = []
    for name in (*_SIGNED, *(name for name in found if name not in _KNOWN)):
        same = found.get(name)
        if same is not None:
            names += [name] * len(same)
            # Of several with one name the last comes first (section 5.4.2).
            fields += reversed(same)
        if name in _OVERSIGNED or (same is not None and name in _OVERSIGNED_WHEN_THERE):
            names.append(name)
    return b":".join(names), b"".join(fields)


def _template(domain: str, selector: str, algorithm: str, names: bytes) -> bytes:
    """The field up to an empty b=, folded, with a place for the time and one for the body hash."""
    # Stand-ins of their real lengths, in capitals, which nothing else here has.
    time, body_hash = "T" * len("1794000000"), "B" * 44
    words = ["v=1;", f"a={algorithm};", "c=relaxed/relaxed;", f"d={domain};", f"s={selector};", f"t={time};"]
    fields = names.decode("ascii").split(":")
    words += [f"h={fields[0]}:", *(f"{name}:" for name in fields[1:-1]), f"{fields[-1]};", f"bh={body_hash};"]
    lines, line = [], f"DKIM-Signature: {words.pop(0)}"
    for word in words:
        glue = "" if line.endswith(":") else " "
        if len(line) + len(glue) + len(word) > LINE:
            lines.append(line)
            line = f" {word}"
        else:
            line += glue + word
    text = "\r\n".join([*lines, line, " b="]).removeprefix("DKIM-Signature: ")
    return text.replace(time, "%d").replace(body_hash, "%b").encode("ascii")


def _folded_value(value: bytes, used: int) -> bytes:
    """A base64 value cut into lines; the first already holds `used` columns."""
    first = LINE - used
    lines = [value[:first]]
    lines += [value[place : place + LINE - 1] for place in range(first, len(value), LINE - 1)]
    return b"\r\n ".join(lines) + b"\r\n"


def _algorithm(key: PrivateKey) -> str:
    return "rsa-sha256" if isinstance(key, RSAPrivateKey) else "ed25519-sha256"


def _sign_with(key: PrivateKey) -> Callable[[bytes], bytes]:
    if isinstance(key, RSAPrivateKey):
        rsa, padding, algorithm = key, PKCS1v15(), SHA256()
        return lambda data: rsa.sign(data, padding, algorithm)
    ed25519 = key
    # RFC 8463 section 3: Ed25519 signs the hash, not the data.
    return lambda data: ed25519.sign(sha256(data).digest())
