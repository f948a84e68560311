from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.core.polling import is_due

NOW = datetime(2026, 11, 3, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("since", "failures", "cutoff_in", "due"),
    [
        (None, 0, None, True),
        (59 * MINUTE, 0, None, True),  # a cron that is a little early skips no hour
        (58 * MINUTE, 0, None, False),
        (15 * MINUTE, 0, 6 * HOUR, True),
        (13 * MINUTE, 0, 6 * HOUR, False),
        (15 * MINUTE, 0, 6 * HOUR + MINUTE, False),
        (15 * MINUTE, 0, 0 * HOUR, True),
        (15 * MINUTE, 0, -MINUTE, False),  # that cutoff is over
        (60 * MINUTE, 1, None, False),
        (119 * MINUTE, 1, None, True),
        (6 * HOUR, 50, None, True),
        (5 * HOUR, 50, None, False),
        (60 * MINUTE, 50, HOUR, True),  # one that recovers in time is not missed
        (30 * MINUTE, 1, HOUR, True),
        (-HOUR, 0, None, True),  # the clock was set back
    ],
)
def test_a_source_is_due_as_the_rule_says(
    since: timedelta | None, failures: int, cutoff_in: timedelta | None, due: bool
) -> None:
    last = None if since is None else NOW - since
    cutoff = None if cutoff_in is None else NOW + cutoff_in
    assert is_due(NOW, last, failures, cutoff) is due
