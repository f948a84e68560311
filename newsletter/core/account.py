"""What an account promises beside its provider's own settings: who signs, how fast, and what an open question means.

They stand in the same table of magazine.toml (`settings = { host = ..., dkim = "own", per_hour = 5000 }`); the provider
never sees them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from newsletter.core.errors import ConfigError
from newsletter.core.sentence import sentence

ESP = "esp"
RELAY, OWN = "relay", "own"
ASK, RESEND = "ask", "resend"
MOST = 1_000_000_000


@dataclass(frozen=True, slots=True)
class AccountRules:
    """The rules of one account.

    `dkim`: "relay" (the relay or provider signs) or "own" (we sign with the From domain's newest keys). `domain_check`:
    whether a bulk send asks the DNS first. `per_second`, `per_hour`, `per_day`: the most messages that may leave, None
    for no limit; all workers share them. `warm_up`: messages on the first day of a new account, None for no ramp.
    `on_uncertain`: "ask" a person about a message that may have arrived, or "resend" it.
    """

    dkim: str = RELAY
    domain_check: bool = True
    per_second: float | None = None
    per_hour: int | None = None
    per_day: int | None = None
    warm_up: int | None = None
    on_uncertain: str = ASK

    @classmethod
    def split(cls, settings: Mapping[str, Any], *, where: str = "account") -> tuple[AccountRules, dict[str, Any]]:
        """The rules in an account's table, and the rest of it: the provider's own settings, not looked at.

        Raises `ConfigError` naming `where` and the key.
        """
        rest = {key: value for key, value in settings.items() if key not in KEYS}
        rules = cls(
            dkim=_choice(settings, "dkim", (RELAY, OWN), where),
            domain_check=_flag(settings, "domain_check", True, where),
            per_second=_rate(settings, "per_second", where),
            per_hour=_count(settings, "per_hour", where),
            per_day=_count(settings, "per_day", where),
            warm_up=_count(settings, "warm_up", where),
            on_uncertain=_choice(settings, "on_uncertain", (ASK, RESEND), where),
        )
        return rules, rest


KEYS = frozenset(AccountRules.__dataclass_fields__)
"""The keys of an account's table that are rules."""


def mails_people(kind: str, settings: Mapping[str, Any]) -> bool:
    """Whether such an account reaches mailboxes: a provider, or a mail server that is not on this machine."""
    return kind == ESP or (kind == "smtp" and not is_loopback(str(settings.get("host", ""))))


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine. Nothing is looked up."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _choice(settings: Mapping[str, Any], key: str, choices: tuple[str, ...], where: str) -> str:
    """One of `choices`; the first is the default."""
    value = settings.get(key, choices[0])
    if value not in choices:
        shown = " or ".join(f'"{choice}"' for choice in choices)
        raise ConfigError(
            sentence('The setting "{key}" is {value}; it takes {shown}.', key=key, value=repr(value), shown=shown),
            where=where,
        )
    return str(value)


def _flag(settings: Mapping[str, Any], key: str, default: bool, where: str) -> bool:
    value = settings.get(key, default)
    if not isinstance(value, bool):
        raise ConfigError(
            sentence('The setting "{key}" is {value}; it takes true or false.', key=key, value=repr(value)), where=where
        )
    return value


def _rate(settings: Mapping[str, Any], key: str, where: str) -> float | None:
    value = settings.get(key)
    if value is None:
        return None
    # Not a NaN either: it compares as False with everything.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MOST:
        raise ConfigError(
            sentence('The setting "{key}" is {value}; it takes a number above 0.', key=key, value=repr(value)),
            where=where,
        )
    return float(value)


def _count(settings: Mapping[str, Any], key: str, where: str) -> int | None:
    value = settings.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        raise ConfigError(
            sentence(
                'The setting "{key}" is {value}; it takes a whole number of at least 1.', key=key, value=repr(value)
            ),
            where=where,
        )
    return value
