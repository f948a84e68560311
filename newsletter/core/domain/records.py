"""DNS records as a person types them at a DNS host, and the reading of DKIM and DMARC records."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter.core.sentence import sentence

_TAG = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=\s*(.*?)\s*", re.DOTALL)
_POLICIES = ("none", "quarantine", "reject")


@dataclass(frozen=True, slots=True)
class Record:
    """One record to add: `name` is complete, without the last dot; `why` says in a few words what it is for."""

    name: str
    kind: str
    value: str
    why: str = ""

    @property
    def strings(self) -> list[str]:
        """A TXT value in strings of at most 255 octets (RFC 1035 section 3.3.14); others as they are."""
        return txt_strings(self.value) if self.kind == "TXT" else [self.value]

    def __str__(self) -> str:
        """The line of a zone file."""
        shown = " ".join(f'"{part}"' for part in self.strings) if self.kind == "TXT" else self.value
        return f"{self.name}. {self.kind} {shown}"


def txt_strings(value: str) -> list[str]:
    """The value cut into strings of at most 255 octets; receivers join them without a blank (RFC 6376 3.6.2.2)."""
    return [value[start : start + 255] for start in range(0, len(value), 255)] or [""]


def public_part(key: RSAPublicKey | Ed25519PublicKey) -> str:
    """The p= of a key: SubjectPublicKeyInfo for RSA (RFC 6376 section 3.6.1), the bare 32 octets for Ed25519 (RFC 8463
    section 4), in base64.
    """
    if isinstance(key, RSAPublicKey):
        raw = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return b64encode(raw).decode("ascii")


def dkim_record(key: RSAPublicKey | Ed25519PublicKey) -> str:
    """The TXT value that publishes a key (RFC 6376 section 3.6.1)."""
    kind = "rsa" if isinstance(key, RSAPublicKey) else "ed25519"
    return f"v=DKIM1; k={kind}; p={public_part(key)}"


def wanted_dkim(domain: str, selector: str, key: RSAPublicKey | Ed25519PublicKey) -> Record:
    """The record of one key of ours."""
    return Record(f"{selector}._domainkey.{domain}", "TXT", dkim_record(key), sentence("DKIM: our key"))


def wanted_spf(domain: str, hosts: Sequence[str], *, was: str = "", why: str = sentence("SPF: who may send")) -> Record:
    """An SPF record that lets `hosts` send: addresses as ip4/ip6, names as a:; `was` is the record that is there, which
    gets what it lacks. Without a host it has a place to fill in.
    """
    new = [_mechanism(host) for host in hosts] or ["include:SPF-NAME-OF-YOUR-RELAY"]
    if not was:
        return Record(domain, "TXT", " ".join(["v=spf1", *new, "~all"]), why)
    words = was.split()
    lacking = [word for word in new if word not in words]
    end = next((place for place, word in enumerate(words) if re.fullmatch(r"[-~?+]?all|redirect=.*", word)), len(words))
    return Record(domain, "TXT", " ".join([*words[:end], *lacking, *words[end:]]), why)


def wanted_dmarc(domain: str) -> Record:
    """The gentlest DMARC record: it asks for reports and lets no mail be refused."""
    value = f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}"
    return Record(
        f"_dmarc.{domain}", "TXT", value, sentence("DMARC: what to do with forged mail, and where to report it")
    )


def wanted_mx(domain: str, host: str) -> Record:
    """Where mail for the return path goes; `host` "" is a place to fill in."""
    return Record(
        domain, "MX", f"10 {host or 'HOST-THAT-TAKES-YOUR-BOUNCES'}.", sentence("return path: where bounces come back")
    )


def read_tags(value: str) -> dict[str, str] | None:
    """The tags of a DKIM or DMARC record (RFC 6376 section 3.2), names in small letters; None when it is no such list,
    or names a tag twice.
    """
    tags: dict[str, str] = {}
    for part in value.strip().rstrip(";").split(";"):
        match = _TAG.fullmatch(part)
        if match is None or match[1].lower() in tags:
            return None
        tags[match[1].lower()] = match[2]
    return tags


def dmarc_problem(value: str) -> str:
    """What is wrong with a DMARC record (RFC 7489 section 6.3), "" when nothing is."""
    tags = read_tags(value)
    if tags is None or next(iter(tags), "") != "v" or tags["v"] != "DMARC1":
        return sentence("It does not begin with v=DMARC1 and a list of tags.")
    if tags.get("p", "").lower() not in _POLICIES:
        return sentence("It has no p=none, p=quarantine or p=reject.")
    if tags.get("sp", "none").lower() not in _POLICIES:
        return sentence("Its sp={policy} is no policy.", policy=tags["sp"])
    for tag in ("adkim", "aspf"):
        if tags.get(tag, "r").lower() not in ("r", "s"):
            return sentence("Its {tag}={value} is neither r nor s.", tag=tag, value=tags[tag])
    for tag in ("rua", "ruf"):
        for address in filter(None, (part.strip() for part in tags.get(tag, "").split(","))):
            if not re.fullmatch(r"mailto:[^\s@]+@[^\s@]+", address):
                return sentence("Its {tag} holds {address}, which is no mailto: address.", tag=tag, address=address)
    return ""


def _mechanism(host: str) -> str:
    try:
        address = ip_address(host)
    except ValueError:
        return f"a:{host}"
    return f"ip{address.version}:{address}"
