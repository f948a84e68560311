from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core import tokens, verp
from newsletter.core.errors import ConfigError

KEYS = tokens.Keys(b"k" * 32)
_ATOM = st.text("abcXYZ019!#$%&'*/=?^_`{|}~-", min_size=1, max_size=12)
_LOCAL = st.lists(_ATOM, min_size=1, max_size=3).map(".".join)
_DOMAIN = st.lists(st.text("abc019", min_size=1, max_size=20), min_size=1, max_size=4).map(
    lambda labels: ".".join([*labels, "test"])
)


@given(local=_LOCAL, domain=_DOMAIN, number=st.integers(0, 2**48 - 1))
def test_the_token_comes_back_from_the_address_and_the_address_fits_in_an_envelope(
    local: str, domain: str, number: int
) -> None:
    token = tokens.token(KEYS, "bounce", number)
    sender = verp.envelope_sender(f"{local}@{domain}", token)
    assert verp.read_envelope(sender) == verp.read_envelope(f"<{sender}>") == token
    assert tokens.read_token(KEYS, "bounce", verp.read_envelope(sender) or "") == number
    left, _, right = sender.partition("@")
    assert (len(left.encode()) <= 64, len(sender.encode()) <= 254, right) == (True, True, domain)


@given(address=st.text(max_size=80))
def test_any_address_at_all_can_be_read(address: str) -> None:
    found = verp.read_envelope(address)
    assert found is None or (f"+{found}@" in address and len(found) <= 24)


@pytest.mark.parametrize(
    "address",
    ["", "b@news.example.org", "+T@news.example.org", "bounce+@news.example.org", "bounce+a b@news.example.org",
     "bounce+T", "bounce+T@", "<>", "a@b+T@c", "bounce+" + "T" * 25 + "@news.example.org", "b+Té@news.example.org"],
)  # fmt: skip
def test_an_address_without_a_token_has_none(address: str) -> None:
    assert verp.read_envelope(address) is None


@pytest.mark.parametrize(
    "return_path",
    ["", "bounce", "@news.example.org", "a+b@news.example.org", '"a b"@news.example.org', "bé@news.example.org",
     "a..b@news.example.org", ".a@news.example.org", "a@b@c.test", "a@news.example.org>", "b\r\nRCPT@x.test"],
)  # fmt: skip
def test_an_address_that_no_token_can_go_into_is_refused(return_path: str) -> None:
    with pytest.raises(ConfigError, match="can't be a return path"):
        verp.envelope_sender(return_path, "T" * 24)


def test_a_return_path_leaves_room_for_the_token() -> None:
    assert len(verp.envelope_sender("b" * 39 + "@news.example.org", "T" * 24).partition("@")[0]) == 64
    with pytest.raises(ConfigError, match="at most 39 letters"):
        verp.envelope_sender("b" * 40 + "@news.example.org", "T" * 24)


@pytest.mark.parametrize("token", ["", "a b", "a@b", "a+b", "a\r\n", "T" * 25, "é"])
def test_what_is_no_token_goes_into_no_address(token: str) -> None:
    with pytest.raises(ValueError, match="no token"):
        verp.envelope_sender("bounce@news.example.org", token)
