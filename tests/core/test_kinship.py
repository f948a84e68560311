from __future__ import annotations

from dataclasses import replace

from newsletter.core.content import EntryContent, Work
from newsletter.core.kinship import KEY_LENGTH, mentions, second_opinions, title_mention
from tests.letters.everything import LUNCH_AGAIN, LUNCH_TWICE
from tests.letters.issues import ENTRIES

LUNCH = ENTRIES["sunday"]


def test_an_entry_mentions_its_title_work_people_and_rubric() -> None:
    assert mentions(LUNCH) == (
        "title:see you sunday stays for every minute of lunch",
        "rubric:movie",
        "work:see you sunday",
        "person:orla venn",
        "person:dara okoye",
        "person:finn abara",
    )


def test_whoever_is_interviewed_is_found_as_a_person() -> None:
    entry = EntryContent(title="Ilse on Rooms", title_clean="", rubric="interview", work=Work("Ilse Varga", "Person"))
    assert "person:ilse varga" in mentions(entry)


def test_a_key_fits_its_column_and_stays_its_own() -> None:
    one, other = title_mention("Rooms " * 90 + "one"), title_mention("Rooms " * 90 + "two")
    assert one != other and len(one) <= KEY_LENGTH and len(other) <= KEY_LENGTH
    assert title_mention("“!”") == ""


def test_two_critics_on_one_work_are_second_opinions() -> None:
    assert second_opinions([LUNCH, ENTRIES["salt"], LUNCH_AGAIN]) == [(0, 2)]
    assert second_opinions([LUNCH, LUNCH_AGAIN, LUNCH_TWICE]) == [(0, 1)]


def test_the_same_critic_the_same_text_or_another_rubric_is_none() -> None:
    assert second_opinions([LUNCH, replace(LUNCH_AGAIN, authors=LUNCH.authors)]) == []
    assert second_opinions([LUNCH, replace(LUNCH, authors=("Bo Lindqvist",))]) == []
    assert second_opinions([LUNCH, replace(LUNCH_AGAIN, rubric="interview")]) == []
    assert second_opinions([replace(LUNCH, work=None), replace(LUNCH_AGAIN, work=None)]) == []
