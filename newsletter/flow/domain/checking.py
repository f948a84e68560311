"""What the DNS says of a sending domain, judged as Gmail, Yahoo and Outlook.com judge bulk senders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import dns.reversename

from newsletter.core.account import ESP
from newsletter.core.domain import (
    FREE_MAIL,
    Record,
    dmarc_problem,
    is_within,
    parents,
    read_tags,
    spf,
    wanted_dmarc,
    wanted_mx,
    wanted_spf,
)
from newsletter.core.errors import DnsError
from newsletter.core.sentence import sentence
from newsletter.flow.domain.resolver import Resolver


class Level(StrEnum):
    """`missing`: bulk mail would be refused or end as spam; `note`: worth knowing, or not known."""

    OK = "ok"
    NOTE = "note"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: `record` is what to add at the DNS host; `hint` what else to do."""

    level: Level
    about: str
    text: str
    record: Record | None = None
    hint: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.text, f"Add: {self.record}" if self.record else "", self.hint)))


@dataclass(frozen=True, slots=True)
class Setup:
    """Who sends in whose name. `domain` is the From domain, `return_path` the domain of the envelope sender ("" when it
    is the From domain too); `keys` are the records of the keys that sign (() when the relay signs); `host` is the
    relay, `hello` the name we greet with; `ip` the address that mail leaves from, when we face the world ourselves.
    """

    domain: str
    return_path: str = ""
    kind: str = "smtp"
    host: str = ""
    hello: str = ""
    ip: str = ""
    keys: tuple[Record, ...] = ()
    own: bool = False
    only_keys: bool = False

    @property
    def envelope(self) -> str:
        return self.return_path or self.domain

    @property
    def senders(self) -> list[str]:
        """Whom SPF must name: the address when it is known, else the relay's name."""
        return [self.ip] if self.ip else [self.host] if self.host else []


def examine(setup: Setup, resolver: Resolver) -> list[Finding]:
    """Every finding about the domain, worst first. A DNS that does not answer is a note: nothing is known then."""
    rows: list[Finding] = []
    parts = (_keys,) if setup.only_keys else (_from, _dmarc, _spf, _keys, _return_path, _direct)
    for part in parts:
        try:
            rows.extend(part(setup, resolver))
        except DnsError as error:
            rows.append(Finding(Level.NOTE, "dns", f"Not checked: {error.message}", hint=error.hint))
            break
    return sorted(rows, key=lambda row: list(Level)[::-1].index(row.level))


def wanted(setup: Setup) -> list[Record]:
    """Every record that the domain needs, for somebody who has added none yet. Asks nobody."""
    records = [wanted_spf(setup.domain, setup.senders), *setup.keys, wanted_dmarc(setup.domain)]
    if setup.return_path and setup.return_path != setup.domain:
        records.append(
            wanted_spf(setup.return_path, setup.senders, why="SPF of the return path: the one that receivers look at")
        )
    if setup.return_path:
        records.append(wanted_mx(setup.return_path, setup.hello))
    if setup.ip:
        records.append(_wanted_ptr(setup))
    return records


def _from(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    if setup.domain in FREE_MAIL:
        yield Finding(
            Level.MISSING,
            "from",
            f"{setup.domain} belongs to a mail provider, whose rules let nobody else send in its name.",
            hint="Send from an address of a domain of your own: from_address in magazine.toml.",
        )


def _dmarc(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    """The record, and whether the envelope sender aligns under it (RFC 7489 sections 3.1 and 6.6.3)."""
    found = [(name, records) for name in parents(setup.domain) if (records := _dmarc_records(name, resolver))]
    if not found:
        text = f"{setup.domain} has no DMARC record."
        yield Finding(Level.MISSING, "dmarc", text, wanted_dmarc(setup.domain))
        return
    name, records = found[0]
    problem = dmarc_problem(records[0])
    if len(records) > 1:
        text = f"{name} has {len(records)} DMARC records; receivers then take none of them."
        yield Finding(Level.MISSING, "dmarc", text, wanted_dmarc(name), "Leave only one.")
    elif problem:
        yield Finding(
            Level.MISSING, "dmarc", f"The DMARC record of {name} can't be used: {problem}", wanted_dmarc(name)
        )
    else:
        yield Finding(Level.OK, "dmarc", f"_dmarc.{name}: {records[0]}")
    # Without a list of public suffixes: the organisation is the highest domain that publishes a policy.
    yield from _alignment(setup, (read_tags(records[0]) or {}).get("aspf", "r").lower(), found[-1][0])


def _dmarc_records(name: str, resolver: Resolver) -> list[str]:
    return [text for text in resolver.txt(f"_dmarc.{name}") if text.lower().replace(" ", "").startswith("v=dmarc")]


def _alignment(setup: Setup, mode: str, organisation: str) -> Iterator[Finding]:
    if setup.kind == ESP:
        return
    same = setup.envelope == setup.domain
    if same or (mode != "s" and is_within(setup.envelope, organisation)):
        yield Finding(Level.OK, "alignment", f"From ({setup.domain}) and return path ({setup.envelope}) align.")
        return
    why = "its DMARC record asks for the very same domain (aspf=s)" if mode == "s" else "it is another organisation's"
    level, rest = (Level.NOTE, " Only our DKIM signature aligns.") if setup.own else (Level.MISSING, "")
    yield Finding(
        level,
        "alignment",
        f"The return path {setup.envelope} does not align with From {setup.domain}: {why}.{rest}",
        hint=f"Set return_path to an address {'at' if mode == 's' else 'at or under'} {setup.domain} in magazine.toml.",
    )


def _spf(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    if setup.kind == ESP:
        yield Finding(Level.NOTE, "spf", "The provider sends under a return path of its own, with its own SPF.")
        return
    domain = setup.envelope
    found = spf.examine(domain, resolver, ip=setup.ip)
    if found.problems:
        # What is broken is no base to build on; what is merely not ours is kept.
        record = wanted_spf(domain, setup.senders)
        hint = sentence("Put it in the place of what is there.") if found.record else _ask_relay(setup)
        yield Finding(Level.MISSING, "spf", " ".join(found.problems), record, hint)
    elif setup.ip and found.result != "pass":
        text = f"The SPF record of {domain} does not let {setup.ip} send ({found.result})."
        record = wanted_spf(domain, setup.senders, was=found.record)
        yield Finding(Level.MISSING, "spf", text, record, "Put it in the place of what is there.")
    else:
        yield Finding(Level.OK, "spf", f"{domain}: {found.record} ({found.lookups} lookups)")
        if not setup.ip:
            yield Finding(
                Level.NOTE, "spf", "Whether it names the relay's addresses is not known.", hint=_ask_relay(setup)
            )


def _ask_relay(setup: Setup) -> str:
    return "" if setup.ip else f"Who runs {setup.host or 'the relay'} can say what it must include."


def _keys(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    if not setup.keys:
        if setup.own:
            text = f"There is no key for {setup.domain}, and the account says that we sign."
            yield Finding(Level.MISSING, "dkim", text, hint=f"Type: newsletter domain new {setup.domain}")
        elif setup.kind != ESP:
            text = "The relay signs, under a selector that only it knows."
            yield Finding(Level.NOTE, "dkim", text, hint='To sign here: dkim = "own" in the account\'s settings.')
    for wanted in setup.keys:
        yield _key(wanted, resolver.txt(wanted.name))


def _key(wanted: Record, texts: list[str]) -> Finding:
    """Whether one key of ours is what the DNS publishes (RFC 6376 section 3.6.1)."""
    if not texts:
        return Finding(Level.MISSING, "dkim", f"{wanted.name} is not there.", wanted)
    if len(texts) > 1:
        text = f"{wanted.name} has {len(texts)} TXT records; what receivers make of that is undefined."
        return Finding(Level.MISSING, "dkim", text, wanted, "Leave only this one.")
    tags, ours = read_tags(texts[0]), read_tags(wanted.value) or {}
    problem = ""
    if tags is None or tags.get("v", "DKIM1") != "DKIM1":
        problem = "is no DKIM record"
    elif "p" not in tags or not tags["p"]:
        problem = "is revoked (its p= is empty)"
    elif tags.get("k", "rsa").lower() != ours["k"]:
        problem = f"says k={tags.get('k', 'rsa')}, but the key is {ours['k']}"
    elif "".join(tags["p"].split()) != ours["p"]:
        problem = "holds another key than ours"
    elif "sha256" not in tags.get("h", "sha256").lower().split(":"):
        problem = "does not allow sha256"
    elif not {"*", "email"} & set(tags.get("s", "*").lower().split(":")):
        problem = "is not for mail"
    if problem:
        hint = sentence("Put it in the place of what is there.")
        return Finding(Level.MISSING, "dkim", f"{wanted.name} {problem}.", wanted, hint)
    if "y" in (tags or {}).get("t", "").lower().split(":"):
        return Finding(Level.NOTE, "dkim", f"{wanted.name} says that it is being tested (t=y): it proves nothing yet.")
    return Finding(Level.OK, "dkim", f"{wanted.name} is our key.")


def _return_path(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    """Bounces need a way back (RFC 5321 section 5.1); a null MX refuses all mail (RFC 7505)."""
    if not setup.return_path or setup.kind == ESP:
        return
    servers = resolver.mx(setup.return_path)
    if any(server not in ("", ".", "@") for server in servers):
        yield Finding(Level.OK, "return path", f"{setup.return_path} takes mail at {', '.join(sorted(servers))}.")
    elif not servers and resolver.addresses(setup.return_path):
        yield Finding(Level.OK, "return path", f"{setup.return_path} takes mail at its own address.")
    else:
        text = f"{setup.return_path} takes no mail, so bounces get lost."
        yield Finding(Level.MISSING, "return path", text, wanted_mx(setup.return_path, setup.hello))


def _direct(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    """An address that faces the world needs a name that leads back to it, and greets with a name of its own."""
    if not setup.ip:
        return
    names = resolver.ptr(setup.ip)
    if not names:
        text = f"{setup.ip} has no name (PTR)."
        yield Finding(Level.MISSING, "ptr", text, _wanted_ptr(setup), "Who gave you the address sets it.")
    elif not any(setup.ip in resolver.addresses(name) for name in names):
        text = f"{setup.ip} is called {', '.join(names)}, which does not lead back to it."
        yield Finding(Level.MISSING, "ptr", text, _address_record(names[0], setup.ip))
    else:
        yield Finding(Level.OK, "ptr", f"{setup.ip} is {', '.join(names)}, and back.")
    if "." not in setup.hello:
        yield Finding(
            Level.MISSING,
            "ehlo",
            "The name that we greet with is not known.",
            hint='Set it in the account: hello = "mail.example.org"; or type it: --hello NAME',
        )
    elif setup.ip not in resolver.addresses(setup.hello):
        text = f"We greet as {setup.hello}, which does not lead to {setup.ip}."
        yield Finding(Level.MISSING, "ehlo", text, _address_record(setup.hello, setup.ip))
    else:
        yield Finding(Level.OK, "ehlo", f"We greet as {setup.hello}.")


def _wanted_ptr(setup: Setup) -> Record:
    name = dns.reversename.from_address(setup.ip).to_text(omit_final_dot=True)
    return Record(
        name, "PTR", f"{setup.hello or 'NAME-OF-THIS-MACHINE'}.", "the name of the address that mail leaves from"
    )


def _address_record(name: str, ip: str) -> Record:
    return Record(name, "AAAA" if ":" in ip else "A", ip, "leads back to the address that mail leaves from")
