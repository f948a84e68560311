"""Tokens: short, bound to one purpose, made with one key and read with several."""

from __future__ import annotations

import re
import string
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.tokens import (
    CONFIRM,
    PREFERENCES,
    DatedToken,
    Keys,
    dated_token,
    message_id,
    read_dated_token,
    read_token,
    token,
)

KEYS = Keys(b"k" * 32)
IDS = st.integers(min_value=0, max_value=2**48 - 1)
ALPHABET = string.ascii_letters + string.digits + "-_"


@given(IDS, st.text(max_size=40))
def test_a_token_reads_back_and_has_24_characters(id_: int, purpose: str) -> None:
    made = token(KEYS, purpose, id_)
    assert re.fullmatch(r"[A-Za-z0-9_-]{24}", made)
    assert read_token(KEYS, purpose, made) == id_


@given(IDS, st.integers(0, 23), st.sampled_from(ALPHABET))
def test_one_changed_character_makes_it_worthless(id_: int, place: int, letter: str) -> None:
    made = token(KEYS, "unsubscribe", id_)
    altered = made[:place] + letter + made[place + 1 :]
    assert read_token(KEYS, "unsubscribe", altered) == (id_ if altered == made else None)


@given(st.text(max_size=40))
def test_any_other_text_is_nobody(text: str) -> None:
    assert read_token(KEYS, "unsubscribe", text) is None


@given(IDS, st.text(max_size=20), st.text(max_size=20))
def test_a_token_serves_one_purpose_only(id_: int, one: str, other: str) -> None:
    assert read_token(KEYS, other, token(KEYS, one, id_)) == (id_ if one == other else None)


@pytest.mark.parametrize("text", ["", "A" * 23, "A" * 25, "A" * 23 + "+", "A" * 23 + "/", "A" * 23 + "\n", "é" * 24])
def test_the_shape_is_checked_before_anything_is_decoded(text: str) -> None:
    assert read_token(KEYS, "unsubscribe", text) is None


def test_an_old_key_still_reads_and_the_new_one_writes() -> None:
    old, new = Keys(b"old"), Keys(b"new", b"old")
    sent_last_year = token(old, "unsubscribe", 7)
    assert read_token(new, "unsubscribe", sent_last_year) == 7
    assert token(new, "unsubscribe", 7) == token(Keys(b"new"), "unsubscribe", 7) != sent_last_year
    assert read_token(Keys(b"new"), "unsubscribe", sent_last_year) is None


def test_tokens_and_message_ids_are_those_that_were_always_sent() -> None:
    """Links in last year's mail must still work, and a copy sent again must be known for one."""
    assert token(Keys(b"k" * 32, b"old"), "unsubscribe", 7) == "AAAAAAAHAk-kQl28isFkAccK"
    assert message_id("f" * 64, 7, "news.example.test") == "<b33dc39a07ac96c946a54a77b21117@news.example.test>"


def test_a_secret_longer_than_the_hash_takes_counts_in_full() -> None:
    assert token(Keys(b"a" * 65), "x", 1) != token(Keys(b"a" * 66), "x", 1)


@pytest.mark.parametrize("keys", [(b"",), (b"new", b"")])
def test_an_empty_key_is_refused(keys: tuple[bytes, ...]) -> None:
    with pytest.raises(ValueError, match="empty"):
        Keys(*keys)


@pytest.mark.parametrize("id_", [-1, 2**48])
def test_a_number_that_does_not_fit_is_refused(id_: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        token(KEYS, "x", id_)


def test_keys_never_show_in_a_log() -> None:
    assert "k" * 8 not in repr(KEYS)
    assert repr(KEYS) == "Keys(1 secret)"


@given(st.text(max_size=64), st.text(max_size=64), IDS, IDS)
def test_message_ids_are_the_same_for_a_pair_and_differ_between_pairs(a: str, b: str, x: int, y: int) -> None:
    first, second = message_id(a, x, "news.example.test"), message_id(b, y, "news.example.test")
    assert re.fullmatch(r"<[0-9a-f]{30}@news\.example\.test>", first)
    assert (first == second) == ((a, x) == (b, y))


# --- tokens that age -------------------------------------------------------------------------------------------------

IDS = st.integers(0, 2**32 - 1)
DAYS = st.dates(date(2020, 1, 1), date(2190, 1, 1))


def read_back(made: str) -> DatedToken:
    found = read_dated_token(made)
    assert found is not None
    return found


@given(IDS, DAYS, st.integers(0, 2**31))
def test_a_dated_token_tells_whose_and_of_which_day_it_is(id_: int, day: date, generation: int) -> None:
    made = dated_token(KEYS, CONFIRM, id_, day=day, generation=generation)
    found = read_back(made)
    assert len(made) == 24 and (found.number, found.day) == (id_, day)
    assert found.verify(KEYS, CONFIRM, generation)


@given(IDS, DAYS, st.integers(0, 9))
def test_a_dated_token_is_void_for_another_purpose_another_generation_and_another_key(
    id_: int, day: date, generation: int
) -> None:
    found = read_back(dated_token(KEYS, CONFIRM, id_, day=day, generation=generation))
    assert not found.verify(KEYS, PREFERENCES, generation)
    assert not found.verify(KEYS, CONFIRM, generation + 1)
    assert not found.verify(Keys(b"another key of another house"), CONFIRM, generation)
    assert found.verify(Keys(b"the new key", b"k" * 32), CONFIRM, generation), "a rotated key still reads"


def test_of_a_hundred_thousand_altered_tokens_none_is_accepted() -> None:
    chance, day = Random(4), date(2026, 11, 26)
    plain, dated = token(KEYS, CONFIRM, 77), dated_token(KEYS, CONFIRM, 77, day=day)
    accepted = 0
    for number in range(100_000):
        raw = bytearray(urlsafe_b64decode(dated if number % 2 else plain))
        for _ in range(chance.choice((1, 1, 1, 2, 5))):
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        altered = urlsafe_b64encode(bytes(raw)).decode()
        if altered in (plain, dated):
            continue
        if number % 2:
            found = read_dated_token(altered)
            accepted += found is not None and found.verify(KEYS, CONFIRM, 0)
        else:
            accepted += read_token(KEYS, CONFIRM, altered) is not None
    assert accepted == 0


def test_a_link_to_stop_opens_nothing_else_and_a_dated_one_stops_nothing() -> None:
    assert not read_back(token(KEYS, "unsubscribe", 1)).verify(KEYS, PREFERENCES, 0)
    assert read_token(KEYS, "unsubscribe", dated_token(KEYS, PREFERENCES, 1, day=date(2026, 1, 1))) is None
    # Not even under one purpose: what the MAC is made of differs in length.
    assert read_token(KEYS, CONFIRM, dated_token(KEYS, CONFIRM, 1, day=date(2026, 1, 1))) is None


@pytest.mark.parametrize(("id_", "day"), [(2**32, date(2026, 1, 1)), (-1, date(2026, 1, 1)), (1, date(2019, 12, 31))])
def test_what_a_dated_token_has_no_room_for_is_refused(id_: int, day: date) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        dated_token(KEYS, CONFIRM, id_, day=day)


@pytest.mark.parametrize("text", ["", "A" * 23, "A" * 25, "é" * 24, "A" * 23 + "\n", "_" * 24])
def test_any_other_text_is_no_dated_token(text: str) -> None:
    found = read_dated_token(text)
    assert found is None or not found.verify(KEYS, CONFIRM, 0)
