"""A clock that only the tests move, and an empty mailbox."""

from __future__ import annotations

import pytest

from newsletter.providers.memory import mailbox
from tests.sending import Clock


@pytest.fixture(autouse=True)
def _empty_mailbox() -> None:
    mailbox().clear()


@pytest.fixture
def clock() -> Clock:
    return Clock()
