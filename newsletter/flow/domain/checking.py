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
from newsletter.core.sentence import sentence, together
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
        add = sentence("Add: {record}", record=self.record) if self.record else ""
        return together(self.text, add, self.hint)


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
            rows.append(
                Finding(Level.NOTE, "dns", sentence("Not checked: {reason}", reason=error.message), hint=error.hint)
            )
            break
    return sorted(rows, key=lambda row: list(Level)[::-1].index(row.level))


def wanted(setup: Setup) -> list[Record]:
    """Every record that the domain needs, for somebody who has added none yet. Asks nobody."""
    records = [wanted_spf(setup.domain, setup.senders), *setup.keys, wanted_dmarc(setup.domain)]
    if setup.return_path and setup.return_path != setup.domain:
        records.append(
            wanted_spf(
                setup.return_path, setup.senders, why=sentence("SPF of the return path: the one that receivers look at")
            )
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
            sentence(
                "{domain} belongs to a mail provider, whose rules let nobody else send in its name.",
                domain=setup.domain,
            ),
            hint=sentence("Send from an address of a domain of your own: from_address in magazine.toml."),
        )


def _dmarc(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    """The record, and whether the envelope sender aligns under it (RFC 7489 sections 3.1 and 6.6.3)."""
    found = [(name, records) for name in parents(setup.domain) if (records := _dmarc_records(name, resolver))]
    if not found:
        text = sentence("{domain} has no DMARC record.", domain=setup.domain)
        yield Finding(Level.MISSING, "dmarc", text, wanted_dmarc(setup.domain))
        return
    name, records = found[0]
    problem = dmarc_problem(records[0])
    if len(records) > 1:
        text = sentence(
            "{name} has {number} DMARC records; receivers then take none of them.", name=name, number=len(records)
        )
        yield Finding(Level.MISSING, "dmarc", text, wanted_dmarc(name), sentence("Leave only one."))
    elif problem:
        yield Finding(
            Level.MISSING,
            "dmarc",
            sentence("The DMARC record of {name} can't be used: {problem}", name=name, problem=problem),
            wanted_dmarc(name),
        )
    else:
        yield Finding(Level.OK, "dmarc", sentence("_dmarc.{name}: {record}", name=name, record=records[0]))
    # Without a list of public suffixes: the organisation is the highest domain that publishes a policy.
    yield from _alignment(setup, (read_tags(records[0]) or {}).get("aspf", "r").lower(), found[-1][0])


def _dmarc_records(name: str, resolver: Resolver) -> list[str]:
    return [text for text in resolver.txt(f"_dmarc.{name}") if text.lower().replace(" ", "").startswith("v=dmarc")]


def _alignment(setup: Setup, mode: str, organisation: str) -> Iterator[Finding]:
    if setup.kind == ESP:
        return
    same = setup.envelope == setup.domain
    if same or (mode != "s" and is_within(setup.envelope, organisation)):
        yield Finding(
            Level.OK,
            "alignment",
            sentence(
                "From ({domain}) and return path ({envelope}) align.", domain=setup.domain, envelope=setup.envelope
            ),
        )
        return
    why = (
        sentence("its DMARC record asks for the very same domain (aspf=s)")
        if mode == "s"
        else sentence("it is another organisation's")
    )
    level, rest = (Level.NOTE, sentence("Only our DKIM signature aligns.")) if setup.own else (Level.MISSING, "")
    yield Finding(
        level,
        "alignment",
        together(
            sentence(
                "The return path {envelope} does not align with From {domain}: {why}.",
                envelope=setup.envelope,
                domain=setup.domain,
                why=why,
            ),
            rest,
        ),
        hint=sentence("Set return_path to an address at {domain} in magazine.toml.", domain=setup.domain)
        if mode == "s"
        else sentence("Set return_path to an address at or under {domain} in magazine.toml.", domain=setup.domain),
    )


def _spf(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    if setup.kind == ESP:
        yield Finding(
            Level.NOTE, "spf", sentence("The provider sends under a return path of its own, with its own SPF.")
        )
        return
    domain = setup.envelope
    found = spf.examine(domain, resolver, ip=setup.ip)
    if found.problems:
        # What is broken is no base to build on; what is merely not ours is kept.
        record = wanted_spf(domain, setup.senders)
        hint = sentence("Put it in the place of what is there.") if found.record else _ask_relay(setup)
        yield Finding(Level.MISSING, "spf", together(*found.problems), record, hint)
    elif setup.ip and found.result != "pass":
        text = sentence(
            "The SPF record of {domain} does not let {ip} send ({result}).",
            domain=domain,
            ip=setup.ip,
            result=found.result,
        )
        record = wanted_spf(domain, setup.senders, was=found.record)
        yield Finding(Level.MISSING, "spf", text, record, sentence("Put it in the place of what is there."))
    else:
        yield Finding(
            Level.OK,
            "spf",
            sentence(
                "{domain}: {record} ({lookups} lookups)", domain=domain, record=found.record, lookups=found.lookups
            ),
        )
        if not setup.ip:
            yield Finding(
                Level.NOTE,
                "spf",
                sentence("Whether it names the relay's addresses is not known."),
                hint=_ask_relay(setup),
            )


def _ask_relay(setup: Setup) -> str:
    return (
        ""
        if setup.ip
        else sentence("Who runs {host} can say what it must include.", host=setup.host or sentence("the relay"))
    )


def _keys(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    if not setup.keys:
        if setup.own:
            text = sentence("There is no key for {domain}, and the account says that we sign.", domain=setup.domain)
            yield Finding(
                Level.MISSING, "dkim", text, hint=sentence("Type: newsletter domain new {domain}", domain=setup.domain)
            )
        elif setup.kind != ESP:
            text = sentence("The relay signs, under a selector that only it knows.")
            yield Finding(
                Level.NOTE, "dkim", text, hint=sentence('To sign here: dkim = "own" in the account\'s settings.')
            )
    for wanted in setup.keys:
        yield _key(wanted, resolver.txt(wanted.name))


def _key(wanted: Record, texts: list[str]) -> Finding:
    """Whether one key of ours is what the DNS publishes (RFC 6376 section 3.6.1)."""
    if not texts:
        return Finding(Level.MISSING, "dkim", sentence("{name} is not there.", name=wanted.name), wanted)
    if len(texts) > 1:
        text = sentence(
            "{name} has {number} TXT records; what receivers make of that is undefined.",
            name=wanted.name,
            number=len(texts),
        )
        return Finding(Level.MISSING, "dkim", text, wanted, sentence("Leave only this one."))
    tags, ours = read_tags(texts[0]), read_tags(wanted.value) or {}
    problem = ""
    if tags is None or tags.get("v", "DKIM1") != "DKIM1":
        problem = sentence("is no DKIM record")
    elif "p" not in tags or not tags["p"]:
        problem = sentence("is revoked (its p= is empty)")
    elif tags.get("k", "rsa").lower() != ours["k"]:
        problem = sentence("says k={kind}, but the key is {ours}", kind=tags.get("k", "rsa"), ours=ours["k"])
    elif "".join(tags["p"].split()) != ours["p"]:
        problem = sentence("holds another key than ours")
    elif "sha256" not in tags.get("h", "sha256").lower().split(":"):
        problem = sentence("does not allow sha256")
    elif not {"*", "email"} & set(tags.get("s", "*").lower().split(":")):
        problem = sentence("is not for mail")
    if problem:
        hint = sentence("Put it in the place of what is there.")
        return Finding(
            Level.MISSING, "dkim", sentence("{name} {problem}.", name=wanted.name, problem=problem), wanted, hint
        )
    if "y" in (tags or {}).get("t", "").lower().split(":"):
        return Finding(
            Level.NOTE,
            "dkim",
            sentence("{name} says that it is being tested (t=y): it proves nothing yet.", name=wanted.name),
        )
    return Finding(Level.OK, "dkim", sentence("{name} is our key.", name=wanted.name))


def _return_path(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    """Bounces need a way back (RFC 5321 section 5.1); a null MX refuses all mail (RFC 7505)."""
    if not setup.return_path or setup.kind == ESP:
        return
    servers = resolver.mx(setup.return_path)
    if any(server not in ("", ".", "@") for server in servers):
        yield Finding(
            Level.OK,
            "return path",
            sentence(
                "{return_path} takes mail at {servers}.",
                return_path=setup.return_path,
                servers=", ".join(sorted(servers)),
            ),
        )
    elif not servers and resolver.addresses(setup.return_path):
        yield Finding(
            Level.OK,
            "return path",
            sentence("{return_path} takes mail at its own address.", return_path=setup.return_path),
        )
    else:
        text = sentence("{return_path} takes no mail, so bounces get lost.", return_path=setup.return_path)
        yield Finding(Level.MISSING, "return path", text, wanted_mx(setup.return_path, setup.hello))


def _direct(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    """An address that faces the world needs a name that leads back to it, and greets with a name of its own."""
    if not setup.ip:
        return
    names = resolver.ptr(setup.ip)
    if not names:
        text = sentence("{ip} has no name (PTR).", ip=setup.ip)
        yield Finding(Level.MISSING, "ptr", text, _wanted_ptr(setup), sentence("Who gave you the address sets it."))
    elif not any(setup.ip in resolver.addresses(name) for name in names):
        text = sentence("{ip} is called {names}, which does not lead back to it.", ip=setup.ip, names=", ".join(names))
        yield Finding(Level.MISSING, "ptr", text, _address_record(names[0], setup.ip))
    else:
        yield Finding(Level.OK, "ptr", sentence("{ip} is {names}, and back.", ip=setup.ip, names=", ".join(names)))
    if "." not in setup.hello:
        yield Finding(
            Level.MISSING,
            "ehlo",
            sentence("The name that we greet with is not known."),
            hint=sentence('Set it in the account: hello = "mail.example.org"; or type it: --hello NAME'),
        )
    elif setup.ip not in resolver.addresses(setup.hello):
        text = sentence("We greet as {hello}, which does not lead to {ip}.", hello=setup.hello, ip=setup.ip)
        yield Finding(Level.MISSING, "ehlo", text, _address_record(setup.hello, setup.ip))
    else:
        yield Finding(Level.OK, "ehlo", sentence("We greet as {hello}.", hello=setup.hello))


def _wanted_ptr(setup: Setup) -> Record:
    name = dns.reversename.from_address(setup.ip).to_text(omit_final_dot=True)
    return Record(
        name,
        "PTR",
        f"{setup.hello or 'NAME-OF-THIS-MACHINE'}.",
        sentence("the name of the address that mail leaves from"),
    )


def _address_record(name: str, ip: str) -> Record:
    return Record(name, "AAAA" if ":" in ip else "A", ip, sentence("leads back to the address that mail leaves from"))
