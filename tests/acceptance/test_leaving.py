"""The short twin of `make prove ARGS=unsubscribe`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.leaving import leave
from tests.homes import make_home

# On PostgreSQL the processes use the tests' database, which is emptied after each test.
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_who_leaves_in_the_middle_of_a_send_gets_nothing_of_it_later(tmp_path: Path) -> None:
    found = leave(make_home(tmp_path), tmp_path, people=500, rate=50, leavers=30, seed=4)
    assert len(found.left) == 30 and not found.late
    assert sum(found.states.values()) == 500
    # Who is no longer on the wire when they press is left out altogether: hardly anybody may slip through.
    spared = found.left.keys() - found.accepted.keys()
    assert len(spared) >= 15
    assert found.states["excluded"] == len(spared) and found.states["accepted"] == len(found.accepted)
