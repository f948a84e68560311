from __future__ import annotations

import json
from dataclasses import replace

import pytest

from newsletter.core.context import (
    Correction,
    IssueContent,
    build_context,
    from_json,
    has_something_for,
    sections,
    to_json,
)
from tests.letters import issues
from tests.letters.everything import everything


def corrected() -> IssueContent:
    return replace(issues.thin(), corrections=(Correction("Salt", "https://lantern.example/salt", "It is 40 miles."),))


@pytest.mark.parametrize(
    "build", [issues.rich, issues.thin, issues.without_pictures, issues.right_to_left, corrected, everything]
)
def test_content_survives_json(build: object) -> None:
    content = build()  # type: ignore[operator]
    assert from_json(json.loads(json.dumps(to_json(content)))) == content


def test_unknown_and_missing_fields_are_refused() -> None:
    data = to_json(issues.thin())
    with pytest.raises(KeyError):
        from_json({key: value for key, value in data.items() if key != "issue"})
    with pytest.raises(TypeError, match="colour"):
        from_json({**data, "colour": "red"})


def _without(data: object, names: set[str]) -> object:
    if isinstance(data, dict):
        return {name: _without(value, names) for name, value in data.items() if name not in names}
    return [_without(each, names) for each in data] if isinstance(data, list) else data


def test_what_was_frozen_before_there_were_quotes_pairs_and_sponsors_has_none() -> None:
    later = {
        "corrections", "quote", "pairs", "sponsor", "also_like", "forward_url", "subscribe_url", "week", "listen",
        "shape", "kind", "value", "best", "critics", "work", "event", "venue", "exchange", "pick",
    }  # fmt: skip
    read = from_json(_without(to_json(issues.thin()), later))  # type: ignore[arg-type]
    assert [each.title for each in read.placed] == [each.title for each in issues.thin().placed]
    assert (read.quote, read.pairs, read.sponsor, read.corrections) == (None, (), None, ())
    build_context(read, {})


def test_reviews_are_numbered_in_the_order_in_which_they_are_printed() -> None:
    content = everything(with_lead=False)
    assert [each.number for each in content.placed] == list(range(1, len(content.placed) + 1))
    assert [each.number for each in build_context(content, {})["reviews"]] == [  # type: ignore[attr-defined]
        each.number for each in content.placed
    ]
    assert content.pairs[0].cards[0].number == content.cards[-1].number + 1
    assert [card.number for card in everything().pairs[0].cards] == [2]
    assert [each.number for each in everything().placed] == list(range(1, len(everything().placed) + 1))


def test_sections_hold_every_card_once_under_a_heading_in_the_language() -> None:
    twice = issues.build("sunday", ["night", "salt", "tin"], language="de")
    cards = (*twice.cards, replace(twice.cards[0], key="other"), replace(twice.cards[1], rubric=""))
    found = sections(cards, "de")
    assert [section.label for section in found] == ["Serien", "Bücher", "Musik", "Die Kritiken der Woche"]
    assert sorted(card.key for section in found for card in section.cards) == sorted(card.key for card in cards)
    assert [card.key for card in found[0].cards] == ["night", "other"]


def test_the_context_has_the_names_that_designs_know() -> None:
    context = build_context(issues.rich(), {"ink": "#000000"})
    assert set(context) == {
        "language", "dir", "magazine", "newsletter", "issue", "reviews", "lead", "quote", "cards", "sections", "pairs",
        "sponsor", "lines", "corrections", "also_like", "more", "promo", "urls", "words", "tokens", "months",
    }  # fmt: skip
    assert context["dir"] == "ltr"
    assert context["words"]["more_from"] == "More from Lantern"  # type: ignore[index]
    assert "{" not in context["words"]["why"]  # type: ignore[index]


def test_braces_in_a_name_are_data() -> None:
    content = issues.thin()
    content = replace(content, newsletter=replace(content.newsletter, name="{magazine.__class__} %s"))
    assert "{magazine.__class__} %s" in build_context(content, {})["words"]["why"]  # type: ignore[index]


@pytest.mark.parametrize(("topics", "found"), [((), True), (("movie",), True), (("game",), False), (("list",), True)])
def test_whether_an_issue_has_something_for_somebody(topics: tuple[str, ...], found: bool) -> None:
    assert has_something_for(issues.thin(), topics) is found


def test_unsorted_reviews_are_for_everybody() -> None:
    content = issues.build(None, ["salt"])
    assert not has_something_for(content, ("movie",))
    assert has_something_for(replace(content, cards=(replace(content.cards[0], rubric=""),)), ("movie",))
