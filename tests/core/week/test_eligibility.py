from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.core.week import ActivePlacement, FirstSight, ReviewFacts, eligible, verdicts

CUTOFF = datetime(2026, 11, 4, 23, tzinfo=UTC)
GOOD = ReviewFacts(publishable=True, first_seen_at=CUTOFF - timedelta(days=2))


def stops(**changes: Any) -> list[str]:
    """The rules that keep such a review out of the issue of 5 November."""
    found = verdicts(replace(GOOD, **changes), issue="2026-11-05", cutoff=CUTOFF)
    assert eligible(replace(GOOD, **changes), issue="2026-11-05", cutoff=CUTOFF) == all(one.passed for one in found)
    assert all(one.text.endswith((".", ":")) or ": " in one.text for one in found)
    return [one.rule for one in found if not one.passed]


def test_what_nothing_speaks_against_is_in_however_long_it_waited() -> None:
    assert stops() == []
    assert stops(first_seen_at=CUTOFF - timedelta(days=4000)) == []
    assert stops(first_seen_at=CUTOFF) == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"publishable": False}, "R1 publishable"),
        ({"from_our_sources": False}, "R1 source"),
        ({"sponsored": True}, "R1 sponsored"),
        ({"before_start": True}, "R6 start"),
        ({"placement": ActivePlacement("2026-10-29", "sent")}, "R7 ledger"),
        ({"placement": ActivePlacement("2026-11-05", "sent")}, "R7 ledger"),
        ({"placement": ActivePlacement("special", "reserved")}, "R7 ledger"),
        ({"first_seen_at": CUTOFF + timedelta(microseconds=1)}, "R9 cutoff"),
        ({"embargoed_until": CUTOFF + timedelta(minutes=1)}, "R4 embargo"),
        ({"tray": FirstSight.FOUND_LATE}, "R5 tray"),
        ({"tray": FirstSight.FLOOD}, "R5 tray"),
        ({"tray": FirstSight.BASELINE}, "R5 tray"),
        ({"left_out_for_good": "an advertisement"}, "R15 left out"),
        ({"left_out_of_issue": True}, "R15 left out"),
    ],
)
def test_each_rule_stops_what_it_is_for(changes: dict[str, Any], rule: str) -> None:
    assert stops(**changes) == [rule]


@pytest.mark.parametrize(
    "changes",
    [
        {"placement": ActivePlacement("2026-11-05", "reserved")},
        {"embargoed_until": CUTOFF},
        {"tray": FirstSight.FOUND_LATE, "included_by": "Edda"},
        {"tray": FirstSight.FLOOD, "included_by": ""},
        {"sponsored": True, "included_by": "Edda"},
        {"sponsored": True, "pinned": True},
        {"tray": FirstSight.BASELINE, "pinned": True},
        {"first_seen_at": CUTOFF + timedelta(hours=1), "pinned": True},
        {"left_out_of_issue": True, "pinned": True},
        {"from_our_sources": False, "pinned": True},
        {"before_start": True, "pinned": True},
        {"before_start": True, "included_by": "Edda"},
    ],
)
def test_what_an_editor_said_or_time_solved_stops_nothing(changes: dict[str, Any]) -> None:
    assert stops(**changes) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"placement": ActivePlacement("2026-10-29", "sent")},
        {"embargoed_until": CUTOFF + timedelta(days=1)},
        {"left_out_for_good": "an advertisement"},
    ],
)
def test_a_pin_is_weaker_than_ledger_embargo_and_never(changes: dict[str, Any]) -> None:
    assert len(stops(**changes, pinned=True)) == 1
