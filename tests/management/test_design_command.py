"""newsletter design: copied, linted and shown like a designer would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from newsletter.core.errors import DesignError
from newsletter.flow.compile import design_names
from tests.factories import make_newsletter

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, home=tmp_path)
    yield tmp_path


def run(*words: str) -> tuple[str, int]:
    """What it printed, and the code it ended with."""
    out = StringIO()
    try:
        call_command("design", *words, stdout=out, stderr=StringIO())
    except SystemExit as ended:
        return out.getvalue(), int(str(ended.code))
    return out.getvalue(), 0


def test_a_copy_stands_in_the_home_is_sound_and_can_be_worn(home: Path) -> None:
    printed, _ = run("new", "late-night", "--from", "marquee")
    folder = home / "templates" / "email" / "late-night"
    assert str(folder / "letter.mjml") in printed
    assert {path.name for path in folder.iterdir()} >= {"letter.mjml", "letter.txt", "subject.txt", "design.toml"}
    assert 'name = "Late night"' in (folder / "design.toml").read_text()
    assert "late-night" in design_names([home / "templates"])
    printed, code = run("lint", "late-night")
    assert code == 0 and "late-night: 0 errors, 0 warnings." in printed
    newsletter = make_newsletter(design="late-night")
    assert f"late-night: {newsletter.slug}\n" in run("list")[0]


def test_a_copy_is_made_of_the_homes_own_files_where_there_are_some(home: Path) -> None:
    own = home / "templates" / "email" / "marquee"
    own.mkdir(parents=True)
    (own / "note.mjml").write_text("{# ours #}")
    run("new", "second")
    assert (home / "templates" / "email" / "second" / "note.mjml").read_text() == "{# ours #}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("new", "marquee"), 'There is a design "marquee" already'),
        (("new", "Not A Name"), "is not the name of a design"),
        (("new", "../escape"), "is not the name of a design"),
        (("new", "other", "--from", "marqee"), "Did you mean marquee"),
        (("lint", "marqee"), "Did you mean marquee"),
    ],
)
def test_what_can_not_be_is_refused_by_name(home: Path, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(DesignError, match=said) as caught:
        run(*words)
    assert said in str(caught.value)
    assert not (home / "templates").exists()


def test_without_a_home_there_is_nowhere_to_put_it(settings: Settings) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, home=None)
    with pytest.raises(CommandError, match="needs a home"):
        run("new", "mine")


def test_lint_names_each_mistake_with_its_place_and_ends_with_three(home: Path) -> None:
    run("new", "mine")
    file = home / "templates" / "email" / "mine" / "quote.mjml"
    file.write_text(file.read_text().replace("quote.text", "quote.txt").replace("css-class", "css-klass", 1))
    printed, code = run("lint", "mine")
    assert code == 3
    assert "mine/quote.mjml:2:5: error: <mj-section> has no attribute css-klass. Did you mean css-class?" in printed
    assert "error: a Quote has no 'txt'. Did you mean text?" in printed
    assert "mine: " in printed and "1 warnings" not in printed
    values = json.loads(run("lint", "mine", "--json")[0])
    assert values["mine"]["errors"] >= 2
    assert {finding["line"] for finding in values["mine"]["findings"]} >= {2, 4}


def test_lint_says_what_each_block_costs(home: Path) -> None:
    printed, _ = run("lint", "marquee")
    assert "  full: " in printed and " KB of HTML: brief × " in printed
    costs = json.loads(run("lint", "marquee", "--json")[0])["marquee"]["bytes"]
    assert set(costs) == {"rich", "thin", "bare", "full"} and costs["rich"]["card"] > 1000


def test_samples_are_written_to_look_at(home: Path) -> None:
    printed, _ = run("show", "marquee", "--out", str(home / "look"), "--language", "ar")
    assert len(printed.splitlines()) == 8
    page = (home / "look" / "rich.html").read_text(encoding="utf-8")
    assert 'lang="ar" dir="rtl"' in page
    assert "The Clockmaker" in (home / "look" / "rich.txt").read_text(encoding="utf-8")
