from __future__ import annotations

import pytest

from newsletter.core.reasons import grouped, plain


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("refused (address): 550 5.1.1 no such user", "No such mailbox"),
        ("refused (full): 452 4.2.2 over quota", "Mailbox full"),
        ("refused (policy): 550 5.7.1 blocked", "Their server refuses us as a sender"),
        ("refused (content): 554 looks like spam", "Their server refuses this letter"),
        ("refused (other): 550", "Refused, and nobody said why"),
        ("refused (a kind of tomorrow): 550", "Refused"),
        ("not composed: ValueError", "The letter could not be made for them"),
        ("no matching topics", "Nothing in it on their topics"),
        ("paused until spring: yes", "Paused until spring"),
        ("", "No reason given"),
    ],
)
def test_a_reason_belongs_to_a_group_of_plain_words(reason: str, words: str) -> None:
    assert plain(reason) == words


def test_groups_add_up_and_the_most_frequent_is_first() -> None:
    rows = [("refused (full): a", 2), ("refused (address): b", 3), ("refused (full): c", 4)]
    assert grouped(rows) == [("Mailbox full", 6), ("No such mailbox", 3)]
