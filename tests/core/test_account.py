from __future__ import annotations

from typing import Any

import pytest

from newsletter.core.account import KEYS, AccountRules, is_loopback, mails_people
from newsletter.core.errors import ConfigError


def test_rules_and_the_providers_own_settings_part() -> None:
    table = {"host": "mx.example.org", "port": 25, "dkim": "own", "per_second": 2, "per_hour": 500, "warm_up": 50}
    rules, rest = AccountRules.split(table)
    assert rest == {"host": "mx.example.org", "port": 25}
    assert rules == AccountRules(dkim="own", per_second=2.0, per_hour=500, warm_up=50)
    assert not KEYS & rest.keys()


def test_an_account_without_rules_lets_the_relay_sign_and_asks() -> None:
    rules, rest = AccountRules.split({})
    assert (rules.dkim, rules.domain_check, rules.on_uncertain, rest) == ("relay", True, "ask", {})
    assert (rules.per_second, rules.per_hour, rules.per_day, rules.warm_up) == (None, None, None, None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dkim", "yes"),
        ("dkim", True),
        ("dkim", ["own"]),
        ("domain_check", "no"),
        ("domain_check", 0),
        ("per_second", 0),
        ("per_second", -1.5),
        ("per_second", float("nan")),
        ("per_second", float("inf")),
        ("per_second", True),
        ("per_hour", 1.5),
        ("per_hour", "100"),
        ("per_day", 0),
        ("warm_up", False),
        ("warm_up", 10**12),
        ("on_uncertain", "drop"),
    ],
)
def test_a_rule_that_can_not_be_is_refused_by_name(key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f'"{key}"') as caught:
        AccountRules.split({key: value}, where="account relay")
    assert str(caught.value).startswith("account relay: ")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "mx.localhost"])
def test_this_machine_is_known_by_each_of_its_names(host: str) -> None:
    assert is_loopback(host)
    assert not mails_people("smtp", {"host": host})


@pytest.mark.parametrize("host", ["smtp.example.org", "10.0.0.1", "localhost.example.org", "127.0.0.1.example.org", ""])
def test_another_machine_mails_people(host: str) -> None:
    assert not is_loopback(host)
    assert mails_people("smtp", {"host": host})


def test_files_and_memory_mail_nobody_and_a_provider_does() -> None:
    assert [mails_people(kind, {}) for kind in ("outbox", "memory", "esp")] == [False, False, True]
