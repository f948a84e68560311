"""SPF (RFC 7208): whether a domain's record is sound, and whether it lets an address send.

Both in one walk. What a real check would stop at is counted to the end: a record that breaks the limit of ten for some
senders breaks it for ours one day too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Protocol

from newsletter.core.sentence import counted, sentence

MOST_LOOKUPS = 10
"""RFC 7208 section 4.6.4."""

# A pair of records that include each other would be walked for ever; a real check ends at the eleventh lookup.
_END_OF_WALK = 40
_TERM = re.compile(r"([-+~?]?)([A-Za-z][A-Za-z0-9._-]*)(?:([:=/])(.*))?")
_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral", "": "pass"}
_MECHANISMS = frozenset(("all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"))


class Lookup(Protocol):
    """The questions to the DNS that SPF asks. A name that does not exist, or has nothing of the kind, gives []."""

    def txt(self, name: str) -> list[str]:
        """TXT records, each with its strings joined."""

    def addresses(self, name: str) -> list[str]:
        """A and AAAA."""

    def mx(self, name: str) -> list[str]:
        """Names of the mail servers, without a last dot."""


@dataclass(slots=True)
class Spf:
    """`record` is the domain's own, "" when there is none; `problems` are whole sentences; `lookups` how many the whole
    tree costs; `result` is for the address asked about (pass, fail, softfail, neutral; "" when it was not asked).
    """

    record: str = ""
    problems: list[str] = field(default_factory=list)
    lookups: int = 0
    result: str = ""


def examine(domain: str, lookup: Lookup, *, ip: str = "") -> Spf:
    """The SPF record of `domain` with all that it includes; `ip` is the address that mail leaves from, when known.

    Raises what `lookup` raises when the DNS does not answer.
    """
    found = Spf()
    records = _records(domain, lookup)
    if not records:
        found.problems.append(sentence("{domain} has no SPF record.", domain=domain))
        return found
    found.record = records[0]
    if len(records) > 1:
        found.problems.append(
            sentence(
                "{domain} has {number} SPF records; receivers then take none of them.",
                domain=domain,
                number=len(records),
            )
        )
        return found
    result = _walk(domain, found.record, lookup, found, ip)
    if found.lookups > MOST_LOOKUPS:
        found.problems.append(
            sentence(
                "The SPF record of {domain} costs {lookups} lookups; receivers give up after {most}.",
                domain=domain,
                lookups=found.lookups,
                most=MOST_LOOKUPS,
            )
        )
    if ip:
        found.result = result or "neutral"
    return found


def _records(domain: str, lookup: Lookup) -> list[str]:
    return [text for text in lookup.txt(domain) if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]


def _walk(domain: str, record: str, lookup: Lookup, found: Spf, ip: str) -> str:
    """The result of one record for `ip`; "" when no term of it fits."""
    result, redirect = "", ""
    for word in record.split()[1:]:
        match = _TERM.fullmatch(word)
        sign, name, glue, value = match.groups("") if match else ("", "", "", "")
        name = name.lower()
        if glue == "=":
            if name == "redirect":
                redirect = value
            continue
        if name not in _MECHANISMS:
            found.problems.append(
                sentence(
                    'The SPF record of {domain} has "{word}", which nothing understands.', domain=domain, word=word
                )
            )
            continue
        if name == "all":
            if sign in ("", "+"):
                found.problems.append(sentence("The SPF record of {domain} lets everybody send (+all).", domain=domain))
            result = result or _RESULTS[sign]
            continue
        fits = _fits(domain, name, value if glue == ":" else "", word, lookup, found, ip)
        if fits and not result:
            result = _RESULTS[sign]
    if redirect and not re.search(r"(?:^|\s)[-+~?]?all(?:\s|$)", record, re.IGNORECASE):
        inner = _descend(domain, redirect, lookup, found, ip)
        result = result or inner
    return result


def _fits(domain: str, name: str, value: str, word: str, lookup: Lookup, found: Spf, ip: str) -> bool:
    """Whether one mechanism matches; its lookups are counted whether or not there is an address to match."""
    if name in ("ip4", "ip6"):
        try:
            network = ip_network(value, strict=False)
        except ValueError:
            network = None
        if network is None or network.version != int(name[2]):
            found.problems.append(
                sentence(
                    'The SPF record of {domain} has "{word}", which is no {name} address.',
                    domain=domain,
                    word=word,
                    name=name,
                )
            )
            return False
        return bool(ip) and ip_address(ip) in network
    if name == "include":
        return _descend(domain, value, lookup, found, ip) == "pass"
    found.lookups += 1
    target, _, _ = (value or domain).partition("/")
    # A macro, or a question that only a message can answer: it costs a lookup and is not answered here.
    if "%" in target or name in ("exists", "ptr") or not ip:
        return False
    bits = re.search(r"/(\d{1,3})", word)
    hosts = [target] if name == "a" else lookup.mx(target)[:10]
    return any(_same(ip, address, bits[1] if bits else "") for host in hosts for address in lookup.addresses(host))


def _descend(domain: str, target: str, lookup: Lookup, found: Spf, ip: str) -> str:
    found.lookups += 1
    if "%" in target or found.lookups > _END_OF_WALK:
        return ""
    records = _records(target, lookup) if target else []
    if len(records) != 1:
        what = counted("{n} SPF record", "{n} SPF records", len(records)) if records else sentence("no SPF record")
        found.problems.append(
            sentence(
                "The SPF record of {domain} includes {target}, which has {what}.",
                domain=domain,
                target=target or sentence("nothing"),
                what=what,
            )
        )
        return ""
    return _walk(target, records[0], lookup, found, ip)


def _same(ip: str, address: str, bits: str) -> bool:
    one, other = ip_address(ip), ip_address(address)
    if one.version != other.version:
        return False
    if not bits or one.version == 6 or int(bits) > 32:
        return one == other
    return one in ip_network(f"{address}/{bits}", strict=False)
