"""Encore as mail clients get it: what it promises beside what every design must hold."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import pytest

from newsletter.core.context import Card
from tests.letters import designs, issues, odd
from tests.letters.designs import design
from tests.letters.everything import everything
from tests.letters.odd import records

DESIGN = design("encore")
compiler = partial(designs.compiler, "encore")
page = partial(designs.page, "encore")


def test_the_set_list_counts_in_the_order_of_the_page() -> None:
    content = records()
    marks = page(content).xpath("//span[contains(@class, 'mark')]/text()")
    assert [int(mark[:2]) for mark in marks if mark[:2].isdigit()] == [each.number for each in content.placed]


@pytest.mark.parametrize(("count", "rows"), [(1, []), (2, [2]), (3, [2]), (4, [2, 2])])
def test_records_on_end_stand_two_by_two(count: int, rows: list[int]) -> None:
    content = records(count)
    root = page(content)
    grids = [
        [text for n in range(count) if (text := f"Record {n}") in row.text_content()]
        for row in root.xpath("//div[contains(@class, 'mj-column-per-100') and .//div[contains(@class, 'per-50')]]")
    ]
    assert [len(row) for row in grids if row] == rows
    assert all(f"Record {n}" in root.text_content() for n in range(count))
    others = page(content, replace(issues.READER, topics=("book",)))
    assert "Record" not in others.text_content()


def test_a_score_is_a_figure_and_words_and_what_is_no_figure_is_words_alone() -> None:
    root = page(odd.every_scale())
    plates = root.xpath("//table[contains(@class, 'plate')]//td")
    said = {each.xpath("string(.//b)"): each.xpath("string(.//span)") for each in plates}
    assert said["8.3"] == "8.3 out of 10" and said["B+"] == "Rating" and said["83"] == "83 out of 100"
    content = issues.rich()
    assert content.lead and content.lead.rating
    wordy = replace(content.lead.rating, text="Masterpiece", stars="", kind="words", value="Masterpiece", best="")
    assert "Rating: Masterpiece" in page(replace(content, lead=replace(content.lead, rating=wordy))).text_content()


def test_a_grade_keeps_its_sign_behind_it_from_right_to_left() -> None:
    root = page(issues.right_to_left())
    figures = root.xpath("//table[contains(@class, 'plate')]//b")
    assert figures and {each.get("dir") for each in figures} == {"auto"}


def test_a_sponsor_is_named_one_before_anything_of_it_is_seen() -> None:
    content = everything()
    assert content.sponsor and content.sponsor.picture
    html = compiler(content).full_render(issues.READER).html
    assert html.index(f">{content.sponsor.label}<") < html.index(content.sponsor.picture.url)


def test_a_concert_leads_with_its_date() -> None:
    (day,) = page(everything()).xpath("//td[contains(@class, 'mark') and .//b]")
    assert day.xpath(".//text()") == ["Mon", "2", "Nov"]
    card = day.xpath("ancestor::div[1]")[0].text_content()
    assert "Concert review" in card and "Corn Hall" in card


def test_a_twin_is_the_other_ones_opposite() -> None:
    night, day = compiler(issues.rich()), compiler(issues.rich(), twin="light")
    html = {name: each.full_render(issues.READER).html for name, each in (("night", night), ("day", day))}
    assert "prefers-color-scheme: light" in html["night"] and "prefers-color-scheme: dark" in html["day"]
    assert f"background-color:{DESIGN.tokens['dark_paper']}" in html["night"].partition("<body")[2]
    assert f"background-color:{DESIGN.tokens['paper']}" in html["day"].partition("<body")[2]


def test_no_block_prints_empty() -> None:
    bare = Card("x", "A Title Alone", "", number=2)
    content = replace(
        issues.thin(), lead=replace(bare, title="A Lead Alone", number=1), cards=(bare,), lines=(), more=(), promo=None
    )
    root = page(content, issues.NAMELESS)
    heads = [head.text_content() for head in root.xpath("//h1 | //h2 | //h3")]
    assert heads == ["THE LANTERN WEEKLY", "A Lead Alone", "THIS WEEK’S REVIEWS", "A Title Alone"]
    assert not [
        each
        for each in root.xpath("//body//p | //body//a | //body//span")
        if not "".join(each.text_content().split()) and "border" not in each.get("style", "")
    ]
    assert "Rating" not in root.text_content() and not root.xpath("//img")


def test_from_right_to_left_nothing_is_set_to_the_left() -> None:
    html = compiler(issues.right_to_left()).full_render(issues.READER).html
    body = html[html.index("<body") :]
    # (MJML sets this on each column, around cells that say what they want; a score stands at the end of its line, and
    # what is in English begins on its own side.)
    body = body.replace("font-size:0px;text-align:left;direction:rtl;", "")
    body = body.replace('<td valign="top" align="left" width="104"', "<td").replace(' dir="ltr" align="left"', "")
    assert not re.search(r"text-align:left|align=\"left\"|direction:ltr", body)


def test_capitals_are_for_short_headings_and_scripts_that_have_them() -> None:
    assert "THE LANTERN WEEKLY" in page(issues.rich()).text_content()
    german = replace(issues.rich(), newsletter=replace(issues.rich().newsletter, name="Die Straße"))
    assert "Die Straße" in page(german).text_content()
    long = replace(issues.rich(), newsletter=replace(issues.rich().newsletter, name="What Is Worth an Evening"))
    assert "What Is Worth an Evening" in page(long).text_content()
