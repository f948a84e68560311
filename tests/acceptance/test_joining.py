"""The short twin of `make prove ARGS=signup`: without a bar on time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.joining import join, make

pytestmark = pytest.mark.slow


def test_a_rush_beside_a_send_loses_nobody_and_tells_nobody_apart(tmp_path: Path) -> None:
    found = join(make(tmp_path), tmp_path, rate=40, seconds=5, mails=20, turns=5)
    assert {answer.status for answer in found.answers} == {200} and len(found.answers) == 200
    assert found.rows == 225 and found.sending
    assert len({answer.body for each in found.turns.values() for answer in each}) == 1
