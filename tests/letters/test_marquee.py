"""Marquee as mail clients get it: its looks as snapshots, its promises as checks."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation

from newsletter.core import cards
from newsletter.core.checks import LIMIT
from newsletter.core.context import Correction, IssueContent, numbered
from newsletter.core.reader import UNMAILABLE, Reader
from tests.letters import designs, issues
from tests.letters.designs import REFERENCES, TEMPLATES, design
from tests.letters.everything import everything
from tests.tools import check_message

DESIGN = design("marquee")
compiler = partial(designs.compiler, "marquee")
page = partial(designs.page, "marquee")


class _File(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT

    @classmethod
    def dirname(cls, *, test_location: PyTestLocation) -> str:
        return str(Path(__file__).parents[1] / "snapshots" / Path(test_location.filepath).stem)


class HtmlFile(_File):
    file_extension = "html"


class TextFile(_File):
    file_extension = "txt"


@pytest.mark.parametrize("name", sorted(set(REFERENCES) - {"pair", "records"}))
def test_marquee_looks_as_before(name: str, snapshot: SnapshotAssertion) -> None:
    rendered = compiler(REFERENCES[name]()).full_render(issues.READER)
    assert rendered.html == snapshot(extension_class=HtmlFile)
    assert rendered.text == snapshot(extension_class=TextFile)


def test_topics_choose_the_reviews() -> None:
    built = compiler(issues.rich())
    rendered = built.full_render(replace(issues.READER, topics=("book", "list")))
    for part in (rendered.html, rendered.text):
        assert "The Salt Road Walks Itself" in part
        assert "Seven Endings" in part
        assert "Stays for Every Minute" not in part
        assert "Doors Open" not in part
    assert "3. BOOK REVIEW" in rendered.text  # numbers are the same for everybody


def test_a_section_that_is_empty_for_somebody_is_not_headed() -> None:
    built = compiler(issues.rich())
    page = built.full_render(replace(issues.READER, topics=("movie",))).html
    assert "This week’s reviews" not in page
    assert "Also this week" not in page
    page = built.full_render(replace(issues.READER, topics=("list",))).html
    assert "This week’s reviews" not in page
    assert "Also this week" in page
    assert built.full_render(issues.READER).html.count("This week’s reviews") == 1


def test_an_unsorted_review_reaches_everybody() -> None:
    content = issues.rich()
    content = replace(content, cards=(replace(content.cards[0], rubric="", kicker=""), *content.cards[1:]))
    rendered = compiler(content).full_render(replace(issues.READER, topics=("game",)))
    assert "Nowhere to Be" in rendered.html
    assert f"\n\n{content.cards[0].number}. {content.cards[0].title}\n" in rendered.text  # no kicker, no line for it


def corrected(content: IssueContent, *corrections: Correction) -> IssueContent:
    return replace(content, corrections=corrections)


def test_corrections_stand_after_the_lines_for_every_reader_in_both_parts() -> None:
    url, text = "https://lantern.example/low", "It is <b>Orla</b>, not Olga."
    wrong = Correction("Low & Tide", url, text, isolated="Low & Tide")
    built = compiler(corrected(issues.rich(), wrong, replace(wrong, url="", text="Second.")))
    for reader in (issues.READER, replace(issues.READER, topics=("game",)), replace(issues.READER, topics=("movie",))):
        rendered = built.render(reader)
        assert rendered == built.full_render(reader)
        page = lxml_html.fromstring(rendered.html).xpath("string(//body)")
        for part in (page, rendered.text):
            assert part.count("Corrections") == 1
            assert "It is <b>Orla</b>, not Olga." in part and "Second." in part and "Low & Tide" in part
            assert part.index("Corrections") < part.index("More from Lantern")
        assert rendered.html.count("https://lantern.example/low") == rendered.text.count("lantern.example/low") == 1
        assert "\n\n\n" not in rendered.text
    rendered = built.full_render(issues.READER)
    assert rendered.text.index("Also this week") < rendered.text.index("Corrections")
    assert rendered.html.index("Also this week") < rendered.html.index("Corrections")


def test_a_corrections_title_keeps_its_own_direction() -> None:
    wrong = Correction("Night Bus", "", "x", "\u2066Night Bus\u2069")
    rendered = compiler(corrected(issues.right_to_left(), wrong)).full_render(issues.READER)
    for part in (rendered.html, rendered.text):
        assert "تصويبات" in part and "\u2066Night Bus\u2069" in part


def test_nothing_is_set_smaller_than_13_pixels_and_the_text_is_16() -> None:
    page = compiler(issues.rich()).full_render(issues.READER).html
    sizes = {int(size) for size in re.findall(r"font-size:(\d+)px", page)}
    assert min(sizes - {0, 1}) >= 13  # 0 and 1 are MJML's own: cells without text, the hidden preview text
    assert "font-size:16px" in page


def full(count: int) -> IssueContent:
    """Everything that a letter can hold, with `count` cards, ten lines and addresses as long as real ones."""
    base = everything(with_lead=False)
    slug = "https://lantern.example.org/2026/11/05/reviews/a-headline-of-eight-words-makes-a-slug"
    made = [
        replace(
            card,
            url=f"{slug}-{number}/",
            excerpt=("Every passenger gets ten minutes, and half of them deserve a series of their own. " * 3)[:250],
            picture=card.picture and replace(card.picture, url=f"{issues.HOST}/media/ab/{number:064x}.jpg"),
        )
        for number, card in zip(range(count - 1), cycle(base.cards), strict=False)
    ]
    lines = tuple(
        replace(line, url=f"{slug}-{number}/") for number, line in zip(range(10), cycle(base.lines), strict=False)
    )
    links = tuple(replace(line, url=f"{slug}/", byline="By Theo Brandt") for line in base.more)
    return numbered(replace(base, cards=tuple(made), lines=lines, more=links, also_like=links))


@pytest.mark.parametrize("count", [12, 30])
def test_a_full_issue_weighs_no_more_than_90_kb(count: int) -> None:
    built = compiler(full(count))
    reader = replace(issues.READER, preferences_url=f"{issues.HOST}/p/{'S' * 40}")
    size = len(built.full_render(reader).html.encode())
    assert size <= LIMIT
    weights = built.weights(reader)
    assert sum(weight.bytes for weight in weights) == size - 1  # and its last line end
    assert weights[0].block == ("card" if count == 12 else "brief")


def test_among_many_cards_all_are_there_and_the_first_keep_their_pictures() -> None:
    content = full(30)
    page = lxml_html.fromstring(compiler(content).full_render(issues.READER).html)
    assert len(page.xpath("//h3")) == len(content.cards) + 2
    assert len(page.xpath("//img[contains(@src, '/media/ab/')]")) == 4


def test_dark_colours_are_given_in_both_dialects() -> None:
    page = compiler(issues.rich()).full_render(issues.READER).html
    assert '<meta name="color-scheme" content="light dark"' in page
    assert "prefers-color-scheme: dark" in page
    assert "[data-ogsc]" in page and "[data-ogsb]" in page


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((check_message.lum(one), check_message.lum(other)), reverse=True)
    return float((light + 0.05) / (dark + 0.05))


def test_every_pair_of_colours_can_be_read() -> None:
    tokens = tomllib.loads((TEMPLATES / "email" / "marquee" / "design.toml").read_text())["tokens"]
    pairs = [
        ("ink", "paper"), ("ink", "blush"), ("ink", "bulb"), ("muted", "paper"), ("muted", "blush"),
        ("signal", "paper"), ("gold", "paper"), ("filament", "bulb"), ("on_ink", "ink"), ("on_ink_muted", "ink"),
        ("bulb", "ink"), ("dark_ink", "dark_paper"), ("dark_ink", "dark_blush"), ("dark_muted", "dark_paper"),
        ("dark_muted", "dark_blush"), ("dark_signal", "dark_paper"), ("bulb", "dark_paper"), ("bulb", "dark_panel"),
        ("on_ink", "dark_panel"), ("on_ink_muted", "dark_panel"),
    ]  # fmt: skip
    assert {pair: _contrast(*(tokens[name] for name in pair)) for pair in pairs if
            _contrast(*(tokens[name] for name in pair)) < 4.5} == {}  # fmt: skip
    assert _contrast("#ffffff", tokens["signal"]) >= 4.5


@pytest.mark.parametrize(
    ("title", "direction"), [("‘حافلة الليل’ (‘Night Bus’)", None), ("حافلة الليل!", "rtl"), ("Night Bus!", None)]
)
def test_a_headline_in_two_scripts_runs_as_the_issue_does(title: str, direction: str | None) -> None:
    content = issues.rich()
    assert content.lead
    shown = replace(
        content,
        lead=cards.titled(content.lead, title, "en"),
        cards=tuple(cards.titled(card, title, "en") for card in content.cards),
        lines=tuple(cards.titled(line, title, "en") for line in content.lines),
    )
    page = lxml_html.fromstring(compiler(shown).full_render(issues.READER).html)
    found = page.xpath("//*[self::h2 or self::h3 or self::a][normalize-space() = $title]", title=title)
    heads = [each if each.tag != "a" or each.getparent().tag == "p" else each.getparent() for each in found]
    assert len({id(each) for each in heads}) == 1 + len(content.cards) + len(content.lines)
    assert {each.get("dir") for each in heads} == {direction}
    assert not page.xpath("//h2//bdi | //h3//bdi")


def test_neutral_readers_get_no_personal_lines() -> None:
    rendered = compiler(issues.rich()).full_render(Reader(address=""))
    assert "Unsubscribe" not in rendered.html
    assert "because you subscribed" not in rendered.html + rendered.text


@pytest.mark.slow
@given(st.text(), st.text(), st.text(min_size=1))
@settings(max_examples=40)  # each renders and compiles two whole letters
def test_any_words_of_a_source_are_text_and_nothing_else(title: str, excerpt: str, name: str) -> None:
    content = issues.thin()
    assert content.lead and content.lead.picture
    hostile = replace(
        content.lead,
        title=title,
        excerpt=excerpt,
        kicker=title,
        isolated=title,
        byline=excerpt,
        read_label=title,
        picture=replace(content.lead.picture, alt=title, credit=excerpt),
    )
    built = compiler(replace(content, lead=hostile, lines=(replace(issues.rich().lines[0], title=title),)))
    rendered = built.render(replace(issues.READER, name=name))
    assert rendered == built.full_render(replace(issues.READER, name=name))
    page = lxml_html.fromstring(rendered.html)
    assert len(page.xpath("//h1 | //h2 | //h3")) == 6
    assert not page.xpath("//script | //mj-text")
    shown = " ".join(page.xpath("string(//h2)").split())
    assert shown == " ".join(re.sub(f"[{UNMAILABLE}]", " ", title.replace("\r", "")).split())
