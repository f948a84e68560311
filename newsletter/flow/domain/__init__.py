"""The sending domain: who signs its mail, and whether the DNS lets a bulk send begin."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from django.core.cache import cache

from newsletter.core.account import ESP, OWN, AccountRules, mails_people
from newsletter.core.dkim import Signer
from newsletter.core.domain import domain_of, is_reserved
from newsletter.core.errors import ConfigError
from newsletter.core.sentence import sentence, together
from newsletter.flow.domain.checking import Finding, Level, Setup, examine, wanted
from newsletter.flow.domain.keys import KeyPair, key_pairs, new_keys
from newsletter.flow.domain.resolver import SECONDS, Dns, Resolver
from newsletter.models import Account

__all__ = [
    "Dns",
    "Finding",
    "KeyPair",
    "Level",
    "Resolver",
    "Setup",
    "examine",
    "findings",
    "key_pairs",
    "new_keys",
    "obstacle",
    "setup_of",
    "signer_for",
    "wanted",
    "with_keys",
]

_REMEMBERED = 300  # seconds


def signer_for(from_address: str, account: Account, home: Path | None) -> Signer | None:
    """What signs mail from `from_address` that leaves through `account`: the newest keys of its domain in `home`, or
    None when the relay signs.

    Raises `ConfigError` with the command to type when the account says `dkim = "own"` and there is no key, and when it
    is a provider's HTTP interface, which makes the message anew and would break any signature of ours.
    """
    rules, _ = AccountRules.split(account.settings, where=f"account {account.name}")
    if rules.dkim != OWN:
        return None
    if account.kind == ESP:
        raise ConfigError(
            sentence("A provider makes the message anew, so only it can sign."),
            where=f"account {account.name}",
            hint=sentence('Take dkim = "own" out of its settings.'),
        )
    domain = domain_of(from_address)
    pairs = key_pairs(home, domain)
    if not pairs:
        raise ConfigError(
            sentence("There is no DKIM key for {domain}.", domain=domain),
            where=f"account {account.name}",
            hint=sentence("Type: newsletter domain new {domain}", domain=domain),
        )
    return Signer(domain, pairs[0].keys)


def findings(
    from_address: str,
    return_path: str,
    account: Account,
    home: Path | None,
    *,
    resolver: Resolver | None = None,
    seconds: float = SECONDS,
) -> list[Finding]:
    """What the DNS says of the domain that `account` would send for, worst first; [] when it is not to be asked.

    It is not asked for an account that mails nobody or sends to this machine, for a domain that the DNS can't know
    (.test, .example ...), or when the account says `domain_check = false` (our own keys are still looked up then). A
    result without a missing record is remembered for five minutes, unless a resolver is given. Takes at most `seconds`.
    Raises `ConfigError` for settings, an address or keys that can't be read.
    """
    rules, settings = AccountRules.split(account.settings, where=f"account {account.name}")
    # Before the domain is read: a made-up one may be no domain at all (weekly@localhost).
    if not mails_people(account.kind, settings) or is_reserved(from_address.rpartition("@")[2]):
        return []
    if not rules.domain_check and rules.dkim != OWN:
        return []
    setup = setup_of(from_address, return_path, account, home)
    if resolver is not None:
        return examine(setup, resolver)
    key = f"domain:{sha256(repr(setup).encode()).hexdigest()}"
    known: list[Finding] | None = cache.get(key)
    if known is None:
        known = examine(setup, Dns(seconds=seconds))
        # Not a bad one: who has just added a record wants to go on.
        if not any(row.level is Level.MISSING for row in known):
            cache.set(key, known, _REMEMBERED)
    return known


def setup_of(from_address: str, return_path: str, account: Account, home: Path | None) -> Setup:
    """What an examination needs to know of a sender and an account. Raises `ConfigError`."""
    rules, settings = AccountRules.split(account.settings, where=f"account {account.name}")
    domain = domain_of(from_address)
    pairs = key_pairs(home, domain) if rules.dkim == OWN else []
    return Setup(
        domain=domain,
        return_path=domain_of(return_path) if return_path else "",
        kind=account.kind,
        host=str(settings.get("host", "")),
        hello=str(settings.get("hello", "")),
        keys=tuple(pairs[0].records) if pairs else (),
        own=rules.dkim == OWN,
        only_keys=not rules.domain_check,
    )


def with_keys(setup: Setup, home: Path | None) -> Setup:
    """The same, looking at the keys that are there whoever signs: they are made before an account is told to use them,
    and records are added before it mails anybody. Raises `ConfigError` for keys that can't be read.
    """
    pairs = key_pairs(home, setup.domain)
    return replace(setup, keys=tuple(pairs[0].records) if pairs else (), only_keys=False)


def obstacle(
    from_address: str,
    return_path: str,
    account: Account,
    home: Path | None,
    *,
    resolver: Resolver | None = None,
    seconds: float = SECONDS,
) -> str:
    """Why a bulk send must not begin, with every record to add; "" when nothing stands against it.

    A DNS that does not answer stands against nothing. Parameters and errors as `findings`.
    """
    rows = findings(from_address, return_path, account, home, resolver=resolver, seconds=seconds)
    missing = [str(row) for row in rows if row.level is Level.MISSING]
    if not missing:
        return ""
    domain = domain_of(from_address)
    return together(
        sentence("{domain} is not ready for bulk mail.", domain=domain),
        *missing,
        sentence("Then type: newsletter domain check {domain}", domain=domain),
    )
