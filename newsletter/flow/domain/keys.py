"""The DKIM keys of a home: `keys/DOMAIN/NUMBER-SELECTOR/{rsa,ed25519}.pem`; the highest number signs.

A pair of keys is made in a folder of another name and then renamed, so there is never half a pair, and no key is ever
written over: a published key that is gone would leave every message that it signed without proof.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from newsletter.core.dkim import PrivateKey, check_selector
from newsletter.core.domain import Record, a_label, wanted_dkim
from newsletter.core.errors import ConfigError
from newsletter.core.sentence import sentence

FOLDER = "keys"
RSA_BITS = 2048
"""RFC 8301: at least 1024, better 2048; a longer one needs a third TXT string and costs four times the time."""

_FILES = ("rsa.pem", "ed25519.pem")
_PAIR = re.compile(r"(\d{1,6})-(.+)")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """What one selector stands for: an RSA key under it, and an Ed25519 key under it with "-ed" behind."""

    domain: str
    selector: str
    keys: tuple[tuple[str, PrivateKey], ...]
    folder: Path

    @property
    def records(self) -> list[Record]:
        """The DNS records that publish it."""
        return [wanted_dkim(self.domain, selector, key.public_key()) for selector, key in self.keys]


def new_keys(home: Path, domain: str, selector: str) -> KeyPair:
    """Make a pair of keys for `domain` and keep it. Raises `ConfigError` when the selector was used before, or nothing
    can be written.
    """
    domain = a_label(domain)
    check_selector(selector, domain)
    if len(selector.rpartition(".")[2]) > 60:
        raise ConfigError(
            sentence("The selector is too long."), where=domain, hint=sentence("It takes at most 60 letters.")
        )
    used = _pairs(home, domain)
    taken = {name for _, name, _ in used} | {f"{name}-ed" for _, name, _ in used}
    if {selector, f"{selector}-ed"} & taken:
        raise ConfigError(
            sentence('{domain} has a key "{selector}" already; it is kept.', domain=domain, selector=selector),
            hint=sentence("Give another name: --selector NAME"),
        )
    number = max((number for number, _, _ in used), default=0) + 1
    folder = home / FOLDER / domain
    made: dict[str, PrivateKey] = {
        "rsa.pem": generate_private_key(public_exponent=65537, key_size=RSA_BITS),
        "ed25519.pem": Ed25519PrivateKey.generate(),
    }
    try:
        for each in (home / FOLDER, folder):
            each.mkdir(mode=0o700, exist_ok=True)
        # mkdtemp makes it for us alone (mode 700).
        work = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
        for name, key in made.items():
            _write_secret(work / name, key)
        # Fails when another process was faster: the target is a folder with keys in it.
        work.rename(folder / f"{number}-{selector}")
    except OSError as error:
        raise ConfigError(
            sentence("The keys can't be kept: {strerror}.", strerror=error.strerror),
            where=str(error.filename or folder),
        ) from error
    return _read(domain, selector, folder / f"{number}-{selector}")


def key_pairs(home: Path | None, domain: str) -> list[KeyPair]:
    """All pairs of a domain, the one that signs first. Raises `ConfigError` for a file that holds no fitting key."""
    return [_read(domain, selector, folder) for _, selector, folder in reversed(_pairs(home, domain))]


def _pairs(home: Path | None, domain: str) -> list[tuple[int, str, Path]]:
    folder = home / FOLDER / domain if home else None
    if folder is None or not folder.is_dir():
        return []
    found = []
    for each in folder.iterdir():
        match = _PAIR.fullmatch(each.name)
        if match and each.is_dir():
            found.append((int(match[1]), match[2], each))
    return sorted(found)


def _read(domain: str, selector: str, folder: Path) -> KeyPair:
    rsa, ed25519 = (_read_key(folder / name) for name in _FILES)
    if not isinstance(rsa, RSAPrivateKey) or not isinstance(ed25519, Ed25519PrivateKey):
        raise ConfigError(sentence("These are not the keys that their names say."), where=str(folder))
    return KeyPair(domain, selector, ((selector, rsa), (f"{selector}-ed", ed25519)), folder)


def _read_key(file: Path) -> object:
    try:
        return load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        raise ConfigError(
            sentence("The key can't be read: {strerror}.", strerror=error.strerror), where=str(file)
        ) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # Never its text: it may quote the file.
        raise ConfigError(sentence("This file holds no private key."), where=str(file)) from error


def _write_secret(file: Path, key: PrivateKey) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(pem)
        stream.flush()
        os.fsync(stream.fileno())
