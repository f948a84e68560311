from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from subscribers.models import Segment
from tests.factories import make_list, make_newsletter, make_subscription

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("segment", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _people() -> None:
    make_subscription("ana@example.org", language="en")
    make_subscription("bo@example.org", language="de")


def test_a_segment_is_saved_shown_counted_and_listed(tmp_path: Path) -> None:
    assert "There is no segment yet" in run("list")
    assert run("save", "english", "--rule", '{"language": ["en"]}') == "english: saved; 1 people of weekly\n"
    (tmp_path / "rule.json").write_text(run("show", "english"))
    changed = run("save", "english", "--name", "English", "--rule", f"@{tmp_path / 'rule.json'}")
    assert changed == "english: changed; 1 people of weekly\n"
    assert run("count", "english") == "1 people of weekly\n"
    assert json.loads(run("count", "--rule", "{}", "--json")) == {"list": "weekly", "people": 2}
    assert run("list") == "english (weekly): 1 people. English\n"
    listed = {"slug": "english", "list": "weekly", "name": "English", "people": 1}
    assert json.loads(run("list", "--json")) == {"segments": [listed]}


def test_a_segment_that_a_newsletter_goes_to_is_not_deleted() -> None:
    run("save", "english", "--rule", "{}")
    newsletter = make_newsletter(audience={"segment": "english"})
    with pytest.raises(CommandError, match="weekly goes to english"):
        run("delete", "english")
    newsletter.audience = {}
    newsletter.save()
    assert run("delete", "english") == "english: deleted\n"
    assert not Segment.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("save", "x", "--rule", '{"language": "en"}'), "language: takes a list of words"),
        (("save", "x", "--rule", '{"language": '), "--rule: line 1, column 14: this is not JSON"),
        (("save", "x", "--rule", "@nowhere.json"), "nowhere.json can't be read: No such file"),
        (("save", "x", "--rule", "[" * 100_000), "--rule can't be read: it is not a rule in JSON"),
        (("save", "No Slug", "--rule", "{}"), "takes a short name"),
        (("save", "x", "--rule", "{}", "--list", "weakly"), 'Did you mean "weekly"'),
        (("show", "x"), 'There is no segment "x". Known here: none yet.'),
        (("count",), "Say which"),
        (("count", "x", "--rule", "{}"), "Say which"),
    ],
)
def test_a_mistake_is_said_in_words(arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert words in str(caught.value)
    assert caught.value.returncode == 2


def test_the_name_of_a_list_is_needed_where_there_are_several() -> None:
    make_list("books")
    with pytest.raises(CommandError, match="There are several lists"):
        run("count", "--rule", "{}")
    assert run("count", "--rule", "{}", "--list", "books") == "0 people of books\n"
