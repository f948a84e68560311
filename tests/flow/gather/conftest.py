"""A desk where one review is enough for an issue."""

from __future__ import annotations

import pytest

from tests.flow.desk import Desk, local


@pytest.fixture
def desk() -> Desk:
    return Desk(starts_at=local("2015-01-01 00:00"), min_reviews=1)
