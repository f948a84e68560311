from __future__ import annotations

import json
from dataclasses import replace

import pytest

from newsletter.core.context import Correction, IssueContent, build_context, from_json, has_something_for, to_json
from tests.letters import issues


def corrected() -> IssueContent:
    return replace(issues.thin(), corrections=(Correction("Salt", "https://lantern.example/salt", "It is 40 miles."),))


@pytest.mark.parametrize("build", [issues.rich, issues.thin, issues.without_pictures, issues.right_to_left, corrected])
def test_content_survives_json(build: object) -> None:
    content = build()  # type: ignore[operator]
    assert from_json(json.loads(json.dumps(to_json(content)))) == content


def test_unknown_and_missing_fields_are_refused() -> None:
    data = to_json(issues.thin())
    with pytest.raises(KeyError):
        from_json({key: value for key, value in data.items() if key != "issue"})
    with pytest.raises(TypeError, match="colour"):
        from_json({**data, "colour": "red"})


def test_what_was_frozen_before_there_were_corrections_has_none() -> None:
    data = to_json(issues.thin())
    del data["corrections"]
    assert from_json(data) == issues.thin()


def test_the_context_has_the_names_that_designs_know() -> None:
    context = build_context(issues.rich(), {"ink": "#000000"})
    assert set(context) == {
        "language", "dir", "magazine", "newsletter", "issue", "lead", "cards", "lines", "corrections", "more", "promo",
        "urls", "words", "tokens", "months",
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
