"""A sentence is English to whoever reads it as text, and knows what it is made of."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from newsletter.core.errors import IssueError
from newsletter.core.sentence import Sentence, counted, ended, sentence, together

POLISH = {
    "{work} is reviewed twice.": "{work}: dwie recenzje.",
    "It stopped: {reason}": "Stoi: {reason}",
    "The account is full.": "Konto jest pełne.",
    "Wait.": "Czekaj.",
    "{where}:": "{where} –",
}
NUMBERS = {"{n} card": ("{n} karta", "{n} karty", "{n} kart")}


def said(text: str) -> str:
    def several(one: str, many: str, number: int) -> str:
        form = 0 if number == 1 else 1 if number % 10 in (2, 3, 4) else 2
        return NUMBERS[one][form]

    assert isinstance(text, Sentence)
    return text.said(lambda template: POLISH.get(template, template), several)


def test_a_sentence_is_its_english_text() -> None:
    text = sentence("{work} is reviewed twice.", work="Dune")
    assert text == "Dune is reviewed twice." and hash(text) == hash("Dune is reviewed twice.")
    assert f"{text} And on." == "Dune is reviewed twice. And on."
    assert json.dumps([text]) == '["Dune is reviewed twice."]'
    assert said(text) == "Dune: dwie recenzje."
    assert isinstance(str(text), Sentence)
    assert not isinstance(f"{text} And on.", Sentence)


def test_a_value_is_never_a_template() -> None:
    text = sentence("{work} is reviewed twice.", work="{work} {0} %s {n.__class__}")
    assert text == "{work} {0} %s {n.__class__} is reviewed twice."
    assert said(text) == "{work} {0} %s {n.__class__}: dwie recenzje."
    wait = sentence("{work} is reviewed twice.", work="Wait.")
    assert said(wait) == "Wait.: dwie recenzje.", "what somebody typed is not looked up"


def test_a_sentence_within_a_sentence_is_said_in_the_same_language() -> None:
    text = sentence("It stopped: {reason}", reason=sentence("The account is full."))
    assert (text, said(text)) == ("It stopped: The account is full.", "Stoi: Konto jest pełne.")


@pytest.mark.parametrize(
    ("number", "english", "polish"), [(1, "1 card", "1 karta"), (3, "3 cards", "3 karty"), (0, "0 cards", "0 kart")]
)
def test_a_number_chooses_among_the_forms_of_each_language(number: int, english: str, polish: str) -> None:
    text = counted("{n} card", "{n} cards", number)
    assert (text, said(text)) == (english, polish)


def test_a_number_may_be_written_otherwise() -> None:
    assert counted("{n} card", "{n} cards", 1200, n="1,200") == "1,200 cards"


def test_a_field_that_a_translator_made_up_breaks_nothing() -> None:
    text = Sentence("Hello", {})
    assert text.said(lambda _: "Hej {name} {}", lambda one, many, number: one) == "Hej {name} {}"


def test_sentences_go_together_and_plain_texts_stay_plain() -> None:
    text = together(sentence("The account is full."), "", "{raw}", sentence("Wait."))
    assert (text, said(text)) == ("The account is full. {raw} Wait.", "Konto jest pełne. {raw} Czekaj.")
    assert said(together("", sentence("Wait."))) == "Czekaj."
    assert together("One.", "", "Two.") == "One. Two." and not isinstance(together("One.", "Two."), Sentence)
    assert together() == ""


def test_a_full_stop_is_added_where_there_is_none() -> None:
    assert [ended("Stopped"), ended(" Stopped. "), ended("Why?")] == ["Stopped.", "Stopped.", "Why?"]
    text = sentence("The account is full.")
    assert ended(text) is text
    assert said(sentence("It stopped: {reason}", reason=ended(counted("{n} card", "{n} cards", 2)))) == "Stoi: 2 karty."


def test_an_error_is_a_sentence_when_its_parts_are() -> None:
    error = IssueError(sentence("The account is full."), where="weekly", hint=sentence("Wait."))
    assert str(error) == "weekly: The account is full. Wait."
    assert said(str(error)) == "weekly – Konto jest pełne. Czekaj."


def test_a_copy_is_a_sentence_too() -> None:
    text = counted("{n} card", "{n} cards", 3)
    for same in (copy.copy(text), copy.deepcopy(text), pickle.loads(pickle.dumps(text))):
        assert same == text and said(same) == "3 karty"
