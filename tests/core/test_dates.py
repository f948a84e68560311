"""Dates as sources write them (rule R3, the reading half), and the day on which a work opens."""

# ruff: noqa: E501 - invented markup reads best on one line

from __future__ import annotations

import zoneinfo
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.dates import nearest, read_moment, read_release, zone_named

NY = "America/New_York"


@pytest.mark.parametrize(
    ("text", "utc", "precision", "zoned"),
    [
        ("2026-11-02T10:00:00Z", "2026-11-02T10:00", "time", True),
        ("2026-11-02T10:00:00.123+01:00", "2026-11-02T09:00", "time", True),
        ("2026-11-02 10:00:00+0100", "2026-11-02T09:00", "time", True),
        ("2026-11-02T10:00+01", "2026-11-02T09:00", "time", True),
        ("2026-11-02T10:00:60Z", "2026-11-02T10:00", "time", True),
        ("2026-11-02T10:00", "2026-11-02T15:00", "time", False),
        ("2026-11-02 10:00:00", "2026-11-02T15:00", "time", False),
        ("2026-11-02", "2026-11-02T17:00", "day", False),
        ("20261102", "2026-11-02T17:00", "day", False),
        ("2026-11-02T24:00:00", "2026-11-02T17:00", "day", False),
        ("1730824434", "2024-11-05T16:33", "time", True),
        ("1730824434000", "2024-11-05T16:33", "time", True),
        ("Mon, 02 Nov 2026 10:00:00 +0000", "2026-11-02T10:00", "time", True),
        ("Mon, 02 Nov 2026 10:00:00 -0000", "2026-11-02T10:00", "time", True),
        ("Mon, 2 Nov 2026 10:00 EST", "2026-11-02T15:00", "time", True),
        ("Mon, 02 Nov 2026 10:00:00 CET", "2026-11-02T09:00", "time", True),
        ("02 Nov 26 10:00:00 GMT", "2026-11-02T10:00", "time", True),
        ("Mon, 02 Nov 2026 10:00:00", "2026-11-02T15:00", "time", False),
        ("Sat, 01 Aug 2026 10:00:00 EST", "2026-08-01T15:00", "time", True),
        ("November 2, 2026 at 6:30 pm", "2026-11-02T23:30", "time", False),
        ("Nov. 2nd, 2026", "2026-11-02T17:00", "day", False),
        ("2. November 2026, 18:30 Uhr", "2026-11-02T23:30", "time", False),
        ("2 novembre 2026 à 18h30", "2026-11-02T23:30", "time", False),
        ("2 de noviembre de 2026", "2026-11-02T17:00", "day", False),
        ("1er août 2026", "2026-08-01T16:00", "day", False),
        ("Published on 12 December 2026 at 12:05 a.m.", "2026-12-12T05:05", "time", False),
        ("05/11/2026 10:00", "2026-11-05T15:00", "time", False),
    ],
)
def test_a_date_is_read(text: str, utc: str, precision: str, zoned: bool) -> None:
    moment = read_moment(text, zone=NY)
    assert moment is not None
    assert moment.when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M") == utc
    assert (moment.precision, moment.zoned) == (precision, zoned)


def test_the_order_of_numbers_follows_the_language() -> None:
    american, british = read_moment("05/11/2026", language="en-US"), read_moment("05/11/2026", language="en-GB")
    assert american is not None and british is not None
    assert (american.when.month, british.when.month) == (5, 11)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "soon",
        "2 hours ago",
        "yesterday",
        "2026-13-45",
        "2026-02-30",
        "31 February 2026",
        "0000-00-00T00:00:00",
        "99999999999",
        "Nov 6",
        "10:00",
        "x" * 500,
        "0001-01-01",
        "Mon, 99 Foo 2026 10:00:00 +0000",
        "\x00",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_moment(text) is None


def test_an_hour_that_the_clocks_skip_moves_on_and_a_repeated_one_is_the_first() -> None:
    gap = read_moment("2026-03-29T02:30:00", zone="Europe/Paris")
    assert gap is not None and gap.when.strftime("%H:%M") == "03:30"
    twice = read_moment("2026-10-25T02:30:00", zone="Europe/Paris")
    assert twice is not None and twice.when.astimezone(UTC).hour == 0


def test_a_zone_that_does_not_exist_is_utc() -> None:
    assert zone_named("Mars/Olympus") is UTC
    assert zone_named("../../etc/passwd") is UTC
    assert isinstance(zone_named(NY), zoneinfo.ZoneInfo)


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)), st.integers(-840, 840))  # noqa: DTZ001
def test_an_iso_date_with_an_offset_is_read_exactly(moment: datetime, minutes: int) -> None:
    sign, size = ("-", -minutes) if minutes < 0 else ("+", minutes)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S") + f"{sign}{size // 60:02d}:{size % 60:02d}"
    read = read_moment(text)
    assert read is not None
    assert read.when.astimezone(UTC) == moment.replace(microsecond=0, tzinfo=UTC) - timedelta(minutes=minutes)


@given(st.text(max_size=60))
def test_any_text_is_a_date_with_a_zone_or_none(text: str) -> None:
    moment = read_moment(text)
    assert moment is None or moment.when.tzinfo is not None


@pytest.mark.parametrize(
    ("line", "published", "day", "precision", "verb", "where"),
    [
        (
            "See You Sunday premieres in theaters Nov. 6.",
            date(2026, 11, 2),
            date(2026, 11, 6),
            "month-day",
            "premieres",
            "in theaters",
        ),
        (
            "Nightjar opens in select cinemas on January 9",
            date(2026, 11, 2),
            date(2027, 1, 9),
            "month-day",
            "opens",
            "in select cinemas",
        ),
        ("Nightjar opened Oct. 30", date(2026, 11, 2), date(2026, 10, 30), "month-day", "opened", ""),
        ("Nightjar is out on 6 November 2026 via Low Records.", None, date(2026, 11, 6), "day", "is out", ""),
        (
            "„Nachtzug“ startet am 5. November im Kino.",
            date(2026, 11, 2),
            date(2026, 11, 5),
            "month-day",
            "startet",
            "",
        ),
        ("La Marée sort le 4 novembre en salles", date(2026, 11, 2), date(2026, 11, 4), "month-day", "sort", ""),
        ("Tides premieres Aug. 1.", date(2026, 11, 2), None, "month-day", "premieres", ""),
        ("Tides premieres Feb. 29.", date(2026, 11, 2), None, "month-day", "premieres", ""),
        ("Tides premieres Nov. 6.", None, None, "month-day", "premieres", ""),
    ],
)
def test_a_release_line_is_read(
    line: str, published: date | None, day: date | None, precision: str, verb: str, where: str
) -> None:
    release = read_release(line, published)
    assert release is not None
    assert (release.date, release.precision, release.verb, release.where, release.raw) == (
        day,
        precision,
        verb,
        where,
        line,
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "The film premieres soon.",
        "It was May 6 and raining.",
        "He opens the door and then, after a long walk through the whole of the town, it is suddenly Nov. 6.",
        "Nightjar opens Nov. 6 and it is all that anybody could want. There is more to say, though, and we will say it here at length, for it deserves no less than that from us.",
    ],
)
def test_a_sentence_with_a_date_is_no_release_line(line: str) -> None:
    assert read_release(line, date(2026, 11, 2)) is None


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(1, 12), st.integers(1, 31))
def test_the_nearest_day_lies_in_its_window(published: date, month: int, day: int) -> None:
    found = nearest(month, day, published)
    if found:
        assert (found.month, found.day) == (month, day)
        assert timedelta(-30) <= found - published <= timedelta(180)
