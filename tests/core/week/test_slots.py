"""R8 and R9 over every zone there is: one slot a week, at the wall time where it exists, no cutoff after it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.core.week import Schedule, newest_slot, next_slot, slot_on

ZONES = sorted(available_timezones() - {"Factory", "localtime"})
instants = st.integers(0, 60 * 366 * 24 * 3600).map(
    lambda seconds: datetime(1985, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
schedules = st.builds(
    Schedule,
    weekday=st.integers(0, 6),
    send_time=st.times().map(lambda value: value.replace(second=0, microsecond=0)),
    timezone=st.sampled_from(ZONES),
    cutoff_hours=st.integers(0, 72),
)


@given(schedules, instants)
@example(Schedule(4, time(9), "Pacific/Apia"), datetime(2011, 12, 28, tzinfo=UTC))  # that Friday did not exist
@example(Schedule(5, time(0, 30), "Pacific/Kwajalein"), datetime(1993, 8, 19, tzinfo=UTC))
@example(Schedule(5, time(8), "Pacific/Apia", 14), datetime(2011, 12, 20, tzinfo=UTC))
@example(Schedule(6, time(2, 30), "Europe/Paris", 1), datetime(2026, 3, 27, tzinfo=UTC))
@example(Schedule(6, time(3, 0), "Europe/Paris", 1), datetime(2026, 3, 27, tzinfo=UTC))
def test_slots_follow_each_other_week_by_week(schedule: Schedule, start: datetime) -> None:
    before = None
    at = start
    for _ in range(6):
        slot = next_slot(schedule, at)
        assert slot.at > at
        assert slot.cutoff <= slot.at
        assert date.fromisoformat(slot.key).weekday() == schedule.weekday
        if before is not None:
            assert date.fromisoformat(slot.key) - date.fromisoformat(before.key) == timedelta(days=7)
            # A zone that changes sides of the date line moves a slot by a day, and nothing moves it further.
            assert timedelta(days=5, hours=21) <= slot.at - before.at <= timedelta(days=8, hours=3)
        before, at = slot, slot.at


@given(schedules, instants)
@example(Schedule(6, time(2, 30), "Europe/Paris"), datetime(2026, 3, 27, tzinfo=UTC))
@example(Schedule(6, time(2, 30), "Europe/Paris"), datetime(2026, 10, 23, tzinfo=UTC))
def test_a_slot_is_at_its_wall_time_or_moved_on_by_the_gap(schedule: Schedule, start: datetime) -> None:
    slot = next_slot(schedule, start)
    zone = ZoneInfo(schedule.timezone)
    wanted = datetime.combine(date.fromisoformat(slot.key), schedule.send_time)
    wall = slot.at.astimezone(zone)
    if wall.replace(tzinfo=None) == wanted:
        assert wall.fold == 0, "a time that comes twice means its first"
    else:
        skipped = wall.replace(tzinfo=None) - wanted
        assert skipped > timedelta(0)
        assert wanted.replace(tzinfo=zone).utcoffset() != wall.utcoffset(), "only a gap moves a slot"


@given(schedules, instants)
def test_the_newest_slot_is_due_and_the_next_one_is_not(schedule: Schedule, at: datetime) -> None:
    due, coming = newest_slot(schedule, at), next_slot(schedule, at)
    assert due.at <= at < coming.at
    assert date.fromisoformat(coming.key) - date.fromisoformat(due.key) == timedelta(days=7)


@given(schedules, instants)
def test_a_slot_has_one_key_however_it_is_asked_for(schedule: Schedule, at: datetime) -> None:
    slot = next_slot(schedule, at)
    assert slot == next_slot(schedule, slot.at - timedelta(microseconds=1))
    assert slot == slot_on(schedule, date.fromisoformat(slot.key))
    assert slot == newest_slot(schedule, slot.at)


def test_a_taken_slot_is_passed_over() -> None:
    schedule = Schedule(3, time(8), "America/New_York")
    at = datetime(2015, 11, 20, tzinfo=UTC)
    assert next_slot(schedule, at).key == "2015-11-26"
    assert next_slot(schedule, at, taken={"2015-11-26"}).key == "2015-12-03"


def test_every_zone_has_fifty_two_slots_a_year_or_one_more() -> None:
    assert len(ZONES) > 500
    for zone in ZONES:
        schedule = Schedule(6, time(2, 30), zone, 14)
        at, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
        keys = []
        while (slot := next_slot(schedule, at)).at < end:
            keys.append(slot.key)
            at = slot.at
        assert len(keys) == len(set(keys)), zone
        assert len(keys) in (52, 53), zone


def test_the_cutoff_is_a_wall_time_too() -> None:
    schedule = Schedule(6, time(8), "Europe/Paris", 14)
    for day in (date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 7)):
        assert slot_on(schedule, day).cutoff.astimezone(ZoneInfo("Europe/Paris")).time() == time(18)


def test_a_cutoff_on_a_day_that_was_skipped_is_not_later_than_its_slot() -> None:
    # Friday the 30th did not exist in Apia: moved on by the gap, its evening would be Saturday evening.
    slot = slot_on(Schedule(5, time(8), "Pacific/Apia", 14), date(2011, 12, 31))
    assert slot.cutoff == slot.at == datetime(2011, 12, 30, 18, tzinfo=UTC)


def test_a_time_that_does_not_exist_moves_on_and_one_that_comes_twice_is_its_first() -> None:
    schedule = Schedule(6, time(2, 30), "Europe/Paris")
    assert slot_on(schedule, date(2026, 3, 29)).at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30
    assert slot_on(schedule, date(2026, 10, 25)).at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    folded = Schedule(6, time(2, 30, fold=1), "Europe/Paris")
    assert slot_on(folded, date(2026, 10, 25)) == slot_on(schedule, date(2026, 10, 25))
