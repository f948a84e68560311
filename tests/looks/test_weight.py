"""A full house stays clear of Gmail's knife in every design."""

from __future__ import annotations

import pytest

from tests.letters import odd
from tests.letters.everything import everything
from tests.looks.letters import DESIGNS
from tests.looks.weight import FULL, bytes_per_block, size


@pytest.mark.parametrize("design", DESIGNS)
def test_thirty_cards_with_links_included_are_within_90_kilobytes(design: str) -> None:
    content = odd.thirty_one()
    assert len(content.placed) == 31
    assert min(len(each.url) for each in content.cards) > 90  # as long as a magazine's own
    assert size(design, content) <= FULL


@pytest.mark.parametrize("design", DESIGNS)
def test_every_block_of_the_content_model_is_in_the_letter(design: str) -> None:
    weights = bytes_per_block(design)
    assert {name: weight for name, weight in weights.items() if weight < 80} == {}
    assert sum(weights.values()) < 2 * size(design, everything())
