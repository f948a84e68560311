"""What every design of ours must hold, whatever it looks like."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from itertools import pairwise
from random import Random

import pytest
from lxml import html as lxml_html

from newsletter.core.letter import Rendered
from newsletter.core.mjml import lint
from tests.letters import issues
from tests.letters.designs import DESIGNS, HEADERS, READERS, REFERENCES, RUBRICS, compiler, design
from tests.tools import check_message

every_design = pytest.mark.parametrize("name", DESIGNS)
every_reference = pytest.mark.parametrize("issue", sorted(REFERENCES))
# What is missing is the issue's own: a domain, an archive, a second way out.
LEFT_TO_THE_SENDER = {
    "2369 a mailto URI too",
    "2369 List-Help or List-Archive",
    "Feedback-ID a:b:c:SenderId",
    "subject 1..78 characters, no shouting, no fake Re:/Fwd:",
}
LETTERS = {"marquee": 80, "colophon": 100, "encore": 130}
"""More compiled letters for 300 readers with any topics, and a design is not made of blocks."""


@every_design
@every_reference
def test_every_message_meets_the_mail_standards(name: str, issue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTAL", "12 Main Street")
    for reader in (issues.READER, issues.NAMELESS):
        rows = check_message.check(compiler(name, REFERENCES[issue]()).message(reader, HEADERS))
        failed = [row for row in rows if not row[2] and "DKIM" not in row[1]]
        assert [row for row in failed if row[0] == "MUST"] == []
        assert {row[1] for row in failed} <= LEFT_TO_THE_SENDER


@every_design
@every_reference
def test_every_letter_is_its_full_render_and_well_set(name: str, issue: str) -> None:
    """One look at each of all the letters: to make one in full is what costs."""
    built = compiler(name, REFERENCES[issue]())
    wanted = [built.full_render(reader) for reader in READERS]
    for reader, whole in [*zip(READERS, wanted, strict=True), *reversed(list(zip(READERS, wanted, strict=True)))]:
        assert built.render(reader) == whole
    for whole in wanted:
        headings_are_in_order_with_one_first(whole)
        nothing_is_set_smaller_than_13_pixels(whole)
        outlooks_conditional_parts_are_balanced(whole)
        the_text_part_has_short_lines_and_no_gaps(whole)


def headings_are_in_order_with_one_first(letter: Rendered) -> None:
    levels = [int(heading.tag[1]) for heading in lxml_html.fromstring(letter.html).iter("h1", "h2", "h3")]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def nothing_is_set_smaller_than_13_pixels(letter: Rendered) -> None:
    sizes = {int(size) for size in re.findall(r"font-size:(\d+)px", letter.html)}
    assert min(sizes - {0, 1}) >= 13  # 0 and 1 are MJML's own: cells without text, the hidden preview text


def outlooks_conditional_parts_are_balanced(letter: Rendered) -> None:
    depth = 0
    for mark in re.findall(r"<!--\[if [^\]]*\]>|<!\[endif\]-->", letter.html):
        depth += 1 if mark.startswith("<!--[if") else -1
        assert depth in (0, 1)
    assert depth == 0
    outlook = re.sub(r"<!--\[if mso[^\]]*\]>|<!\[endif\]-->", "", letter.html)
    for tag in ("table", "tr", "td", "div"):
        assert len(re.findall(f"<{tag}[ >]", outlook)) == outlook.count(f"</{tag}>"), tag


def the_text_part_has_short_lines_and_no_gaps(letter: Rendered) -> None:
    assert "\n\n\n" not in letter.text
    assert not re.search(r"[ \t]\n", letter.text)
    assert [line for line in letter.text.splitlines() if len(line) > 72 and not line.startswith("https://")] == []


@every_design
def test_the_design_has_no_mistake_that_lint_knows(name: str) -> None:
    for files in (design(name).files, design(name, service=True).files):
        assert [(file, lint(text)) for file, text in files.items() if file.endswith(".mjml") and lint(text)] == []


@every_design
def test_markup_in_names_and_titles_stays_text(name: str) -> None:
    content = issues.thin()
    assert content.lead
    hostile = '</mj-raw></mj-text><mj-foo>{{ 7*7 }} <script>alert(1)</script> [[ x ]] "quoted" --> zq00000000x00000z'
    words = {"title": hostile, "isolated": hostile, "excerpt": hostile, "byline": hostile}
    cards = tuple(replace(card, **words) for card in content.cards)
    content = replace(content, lead=replace(content.lead, **words), cards=cards)
    built, reader = compiler(name, content), replace(issues.READER, name=hostile)
    rendered = built.render(reader)
    assert rendered == built.full_render(reader)
    root = lxml_html.fromstring(rendered.html)
    assert not root.xpath("//script | //mj-foo | //mj-text")
    assert hostile in root.xpath("string(//h2)") and hostile in root.xpath("string(//h3)")
    assert "{{ 7*7 }}" in rendered.text
    assert "49" not in rendered.text.split("---")[0]


@every_design
def test_a_reader_without_a_name_is_not_greeted(name: str) -> None:
    rendered = compiler(name, issues.rich()).full_render(issues.NAMELESS)
    assert "Hello" not in rendered.html and "Hello" not in rendered.text


@every_design
def test_every_design_is_made_of_blocks(name: str) -> None:
    built, rnd = compiler(name, issues.rich()), Random(3)
    readers = [
        replace(
            issues.READER,
            name=rnd.choice(["", "Ana", "Bob Stone"]),
            topics=tuple(rubric for rubric in RUBRICS if rnd.random() < 0.5),
            joined_on=rnd.choice([None, date(2025, 1, 2)]),
        )
        for _ in range(300)
    ]
    for reader in readers:
        built.render(reader)
    assert built.stats.letters < LETTERS[name]
    assert built.stats.full_renders == built.stats.self_checks < 40
    for reader in readers[::30]:
        assert built.render(reader) == built.full_render(reader)
