"""Forty readers of every kind."""

from __future__ import annotations

from collections import Counter

from newsletter.demo.people import PEOPLE, REFUSED
from subscribers.address import parse


def test_there_are_forty_with_one_of_each_special_end() -> None:
    assert len(PEOPLE) == len({parse(person.address).key for person in PEOPLE}) == 40
    assert Counter(person.ends for person in PEOPLE) == {"": 37, "pending": 1, "unsubscribed": 1, "suppressed": 1}
    assert [person.ends for person in PEOPLE if person.address == REFUSED] == [""]


def test_no_address_can_exist() -> None:
    for person in PEOPLE:
        assert person.address.endswith((".test", "example.org")), person.address


def test_they_speak_several_languages_and_want_different_things() -> None:
    assert {"en", "de", "ar", "ja"} <= {person.language for person in PEOPLE}
    assert len({person.topics for person in PEOPLE}) > 10
    assert sum(person.plain_text for person in PEOPLE) >= 2
