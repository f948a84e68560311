from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.week import Dating, FirstSight, date_review, is_flood, sort_at_first_sight

SEEN = datetime(2026, 11, 3, 17, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.mark.parametrize("published", [SEEN - DAY, SEEN, SEEN + 15 * MINUTE, datetime(1990, 1, 1, tzinfo=UTC)])
def test_a_sane_date_is_believed(published: datetime) -> None:
    assert date_review(published, SEEN) == Dating(published)


@pytest.mark.parametrize("published", [None, datetime(1989, 12, 31, tzinfo=UTC), SEEN + 30 * DAY + MINUTE])
def test_a_date_that_can_not_be_is_guessed_from_the_first_sight(published: datetime | None) -> None:
    assert date_review(published, SEEN) == Dating(SEEN, guessed=True)


@pytest.mark.parametrize("ahead", [16 * MINUTE, DAY, 30 * DAY])
def test_a_date_ahead_is_an_embargo(ahead: timedelta) -> None:
    assert date_review(SEEN + ahead, SEEN) == Dating(SEEN + ahead, embargoed_until=SEEN + ahead)


def test_a_day_counts_as_its_local_noon_and_begins_at_midnight() -> None:
    today = datetime(2026, 11, 3, 12, tzinfo=ZoneInfo("America/New_York"))
    early = datetime(2026, 11, 3, 6, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
    dating = date_review(today, early, day_only=True, timezone="America/New_York")
    assert dating == Dating(datetime(2026, 11, 3, 17, tzinfo=UTC))
    tomorrow = date_review(today + DAY, early, day_only=True, timezone="America/New_York")
    assert tomorrow.embargoed_until == datetime(2026, 11, 4, 5, tzinfo=UTC)


def test_a_zone_that_does_not_exist_costs_a_noon_and_no_review() -> None:
    dating = date_review(SEEN, SEEN, day_only=True, timezone="Mars/Olympus")
    assert dating.effective_at == datetime(2026, 11, 3, 12, tzinfo=UTC)


@given(
    st.none() | st.integers(-90 * 365, 90 * 365 * 24).map(lambda hours: SEEN + timedelta(hours=hours)),
    st.integers(-10_000, 100_000).map(lambda hours: SEEN + timedelta(hours=hours)),
    st.booleans(),
)
def test_no_date_holds_a_review_back_for_more_than_a_month(
    published: datetime | None, seen: datetime, day_only: bool
) -> None:
    dating = date_review(published, seen, day_only=day_only)
    if dating.embargoed_until is not None:
        assert seen < dating.embargoed_until <= seen + 30 * DAY
    if published is None:
        assert dating.guessed
    assert dating.effective_at <= seen + 31 * DAY


@pytest.mark.parametrize(
    ("age", "tray"),
    [(0, FirstSight.WAITING), (21, FirstSight.WAITING), (22, FirstSight.FOUND_LATE), (4000, FirstSight.FOUND_LATE)],
)
def test_age_is_judged_at_first_sight(age: int, tray: FirstSight) -> None:
    assert sort_at_first_sight(Dating(SEEN - age * DAY), SEEN, first_import=False) is tray


@pytest.mark.parametrize(
    ("dating", "tray"),
    [
        (Dating(SEEN - 7 * DAY), FirstSight.WAITING),
        (Dating(SEEN - 7 * DAY - MINUTE), FirstSight.BASELINE),
        (Dating(SEEN, guessed=True), FirstSight.BASELINE),
        (Dating(SEEN + DAY, embargoed_until=SEEN + DAY), FirstSight.WAITING),
    ],
)
def test_the_first_import_takes_the_last_week_and_leaves_the_rest_in_sight(dating: Dating, tray: FirstSight) -> None:
    assert sort_at_first_sight(dating, SEEN, first_import=True) is tray


def test_a_flood_asks_and_what_is_old_besides_is_found_late() -> None:
    assert sort_at_first_sight(Dating(SEEN, guessed=True), SEEN, first_import=False, flood=True) is FirstSight.FLOOD
    old = Dating(SEEN - 100 * DAY)
    assert sort_at_first_sight(old, SEEN, first_import=False, flood=True) is FirstSight.FOUND_LATE


@pytest.mark.parametrize(
    ("new", "norm", "flood"), [(10, 0, False), (11, 0, True), (11, 3.6, True), (11, 3.7, False), (30, 10, False)]
)
def test_a_flood_is_more_than_ten_and_more_than_three_weeks_worth(new: int, norm: float, flood: bool) -> None:
    assert is_flood(new, norm) is flood


def test_the_day_printed_does_not_depend_on_the_day_seen() -> None:
    published = datetime(2015, 12, 31, 23, 11, tzinfo=UTC)
    assert date_review(published, SEEN).effective_at.astimezone(ZoneInfo("Europe/Berlin")).date() == date(2016, 1, 1)
