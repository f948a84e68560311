from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.core import second_step
from newsletter.core.seal import Seal

# RFC 6238 appendix B, SHA-1: the last six of the eight digits that it prints.
SECRET = b"12345678901234567890"
PRINTED = (
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
)


@pytest.mark.parametrize(("seconds", "digits"), PRINTED)
def test_the_digits_are_those_of_the_rfc(seconds: int, digits: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert second_step.digits_at(SECRET, at) == digits
    assert second_step.counter_of(SECRET, f" {digits[:3]} {digits[3:]} ", at, after=0) == seconds // 30


def test_a_code_counts_one_period_early_or_late_and_never_twice() -> None:
    at = datetime(2026, 11, 27, 12, 0, 10, tzinfo=UTC)
    counter = int(at.timestamp()) // 30
    for shift in (-2, -1, 0, 1, 2):
        typed = second_step.digits_at(SECRET, at + timedelta(seconds=30 * shift))
        expected = counter + shift if abs(shift) < 2 else None
        assert second_step.counter_of(SECRET, typed, at, after=0) == expected
        assert second_step.counter_of(SECRET, typed, at, after=counter + 1) is None


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "１２３４５６", "12345x", "\x00" * 6, "9" * 30, "٣" * 6])
def test_what_is_not_six_digits_is_no_code(typed: str) -> None:
    assert second_step.counter_of(SECRET, typed, datetime(2026, 1, 1, tzinfo=UTC), after=0) is None
    assert not second_step.is_digits(typed)


def test_apps_read_the_address_and_people_the_letters() -> None:
    link = second_step.address(SECRET, name="zoë & <b>", issuer="news.example.test")
    assert link.startswith("otpauth://totp/news.example.test:")
    assert "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" in link
    assert "<" not in link and " " not in link
    assert second_step.typed_secret(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"


def test_a_recovery_code_is_read_however_it_was_typed() -> None:
    assert second_step.shown_code("abcdefghjk") == "abcde-fghjk"
    assert second_step.recovery_code(" ABCDE fghjk\n") == second_step.recovery_code("abcde-fghjk") == "abcdefghjk"
    assert second_step.recovery_code("abcdefghjkm") != "abcdefghjk"


def test_a_seal_opens_with_its_secret_and_those_of_before_alone() -> None:
    old, new = Seal(b"old" * 16), Seal(b"new" * 16, b"old" * 16)
    closed = old.close(SECRET)
    assert SECRET not in closed.encode()
    assert new.open(closed) == SECRET
    assert old.open(new.close(SECRET)) is None
    assert old.open(closed[:-4]) is old.open("") is old.open("schön") is None
    assert old.mark("a") in new.marks("a")
    assert new.marks("a")[0] == new.mark("a") != old.mark("a") != old.mark("b")
    assert "old" not in repr(new)
    with pytest.raises(ValueError, match="empty"):
        Seal(b"new", b"")
