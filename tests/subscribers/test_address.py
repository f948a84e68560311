from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.address import key, masked, parse
from subscribers.errors import AddressError


@pytest.mark.parametrize(
    ("text", "shown", "same"),
    [
        ("Ana@Example.ORG", "Ana@example.org", "ana@example.org"),
        ("  ana+weekly@example.org ", "ana+weekly@example.org", "ana+weekly@example.org"),
        ("ana@BÜCHER.example", "ana@bücher.example", "ana@bücher.example"),
        ("Ölaf@example.org", unicodedata.normalize("NFC", "Ölaf@example.org"), "ölaf@example.org"),
        ("用户@例え.example", "用户@例え.example", "用户@例え.example"),
        ("reader@news.test", "reader@news.test", "reader@news.test"),
    ],
)
def test_an_address_is_kept_as_written_and_compared_by_its_key(text: str, shown: str, same: str) -> None:
    address = parse(text)
    assert (address.shown, address.key) == (shown, same)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "There is no address."),
        ("ana", "@-sign"),
        ("ana@example", "should have a period"),
        ("ana@exa mple.org", "invalid characters"),
        ("a..b@example.org", "two periods in a row"),
        ("Ana <ana@example.org>", "display name"),
        ("ana@example.org, ben@example.org", "invalid characters"),
        ('"a b"@example.org', "Quoting"),
        ("ana@[127.0.0.1]", "bracketed IP"),
        ("ana\x00@example.org", "can't be seen"),
        ("ana\u200b@example.org", "can't be seen"),
        ("ana@example.org\r\nBcc: x@example.org", "can't be seen"),
        ("ana\ud800@example.org", "can't be seen"),
        ("a" * 65 + "@example.org", "too long"),
        ("a" * 300 + "@example.org", "312 letters long"),
        ("ana@localhost", "period"),
    ],
)
def test_what_cannot_be_mailed_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(AddressError, match=words):
        parse(text)


def test_the_longest_path_is_counted_in_octets() -> None:
    domain = ".".join(["例" * 19] * 4) + ".example"
    with pytest.raises(AddressError):
        parse(f"{'例' * 20}@{domain}")


@given(st.emails() | st.text(max_size=80))
def test_reading_an_address_twice_is_reading_it_once(text: str) -> None:
    try:
        address = parse(text)
    except AddressError:
        return
    assert parse(address.shown) == address
    assert key(address.key) == address.key
    assert len(address.shown.encode()) <= 254


@pytest.mark.parametrize(
    ("text", "shown"),
    [("dana@gmail.com", "d•••@g•••.com"), ("x@news.example.org", "x•••@n•••.org"), ("a@b", "a•••@b•••")],
)
def test_a_masked_address_tells_the_holder_of_a_link_nothing_more(text: str, shown: str) -> None:
    assert masked(text) == shown
