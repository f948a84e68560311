"""Each mistake that lint knows, made once in a sound design: found with its place and with what was meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.core import samples
from newsletter.core.context import IssueContent
from newsletter.core.designlint import Finding, lint_design, lint_files, too_faint
from newsletter.core.letter import Design
from newsletter.flow.compile.designs import contrast_pairs, find_design

TEMPLATES = Path(__file__).parents[2] / "templates"
MARQUEE = find_design("marquee", [TEMPLATES])
PAGE = """\
<mjml lang="{{ language }}" dir="{{ dir }}">
<mj-head><mj-title>{{ issue.subject }}</mj-title></mj-head>
<mj-body>
<mj-section><mj-column>
<mj-text><h1>{{ newsletter.name }}</h1></mj-text>
<mj-text>{% for review in reviews %}<p>{{ review.title }}</p>{% endfor %}</mj-text>
{% if sponsor %}<mj-text>{{ sponsor.label }} {{ sponsor.title }}</mj-text>{% endif %}
<mj-text><a href="{{ subscriber.unsubscribe_url }}">Leave</a> {{ magazine.address_lines|join(", ") }}</mj-text>
</mj-column></mj-section>
</mj-body>
</mjml>
"""
TEXT = """\
{% for review in reviews %}{{ review.title }}
{% endfor %}{% if sponsor %}{{ sponsor.label }}{% endif %}
{{ subscriber.unsubscribe_url }} {{ magazine.address_lines|join(", ") }}
"""
ONE = {"rich": samples.rich}


def design(page: str = PAGE, text: str = TEXT, **files: str) -> Design:
    named = {name.replace("_", "."): body for name, body in files.items()}
    return Design("test", {"letter.mjml": page, "letter.txt": text, "subject.txt": "{{ issue.subject }}", **named})


def found(made: Design, issues: Mapping[str, object] = ONE) -> list[Finding]:
    verdict = lint_design(made, issues, samples.readers(), samples.HOST, pairs=())  # type: ignore[arg-type]
    return list(verdict.findings)


def test_a_sound_design_has_no_mistake() -> None:
    assert found(design()) == []


@pytest.mark.parametrize("name", ["colophon", "encore", "marquee"])
def test_a_stock_design_has_no_mistake_with_any_sample_in_any_direction(name: str) -> None:
    stock = find_design(name, [TEMPLATES])
    for language in ("en", "ar"):
        issues = {name: lambda make=make, language=language: make(language) for name, make in samples.SAMPLES.items()}
        verdict = lint_design(stock, issues, samples.readers(), samples.HOST, pairs=contrast_pairs(name, [TEMPLATES]))
        assert [str(finding) for finding in verdict.findings] == []
        assert set(verdict.weights) == set(samples.SAMPLES)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # Elements and attributes of MJML.
        ("<mj-text><h1>", "<mj-txt><h1>", "letter.mjml:5:1: error: MJML has no element <mj-txt>. Did you mean mj-tex"),
        (
            "<mj-text><h1>",
            '<mj-text colr="#000000"><h1>',
            "letter.mjml:5:1: error: <mj-text> has no attribute colr. Did you mean color?",
        ),
        ("<h1>", "<img src='x.png' /><h1>", "letter.mjml:5:10: error: <img> needs alt. Describe the picture"),
        (' lang="{{ language }}"', "", "letter.mjml:1:1: error: <mjml> needs lang."),
        # Names.
        ("reviews %}", "reviws %}", "letter.mjml:6:27: error: nothing is called 'reviws'. Did you mean reviews?"),
        ("review.title", "review.titel", "letter.mjml:6:50: error: a Card has no 'titel'. Did you mean title?"),
        ("newsletter.name", "newsletter.nam", "letter.mjml:5:28: error: a Newsletter has no 'nam'. Did you mean name?"),
        ("issue.subject", "issue.listen.tite", "letter.mjml:2:36: error: a Link has no 'tite'. Did you mean title?"),
        ("issue.subject", "issue['subjct']", "letter.mjml:2:30: error: an Issue has no 'subjct'."),
        ("Leave", "{{ words.unsubscrib }}", "error: words has no 'unsubscrib'. Did you mean unsubscribe?"),
        ("Leave", "{{ urls.online }}", "error: urls has no 'online'. Did you mean view_online?"),
        ("Leave", "{{ tokens.ink }}", "error: tokens has no 'ink'."),
        ("Leave", "{{ subscriber.firstname }}", "error: subscriber has no 'firstname'. Did you mean first_name?"),
        ("Leave", "{{ 'x'|upcase }}", "error: Jinja2 has no filter 'upcase' here."),
        ("Leave", "{{ 'x' is emty }}", "error: Jinja2 has no test 'emty' here."),
        ("Leave", "{% include 'foter.mjml' %}", "error: there is no file 'foter.mjml' in this design."),
        ("Leave", "{% set l = lead %}{{ l.dekk }}", "error: a Card has no 'dekk'. Did you mean dek?"),
        (
            "Leave",
            "{% for pair in pairs %}{% for one in pair.cards %}{{ one.ratng }}{% endfor %}{% endfor %}",
            "error: a Card has no 'ratng'. Did you mean rating?",
        ),
        ("Leave", "{% macro m(card) %}{{ card.x }}{{ lead.y }}{% endmacro %}", "error: a Card has no 'y'."),
        ("Leave", "{{ cards[0].pictur }}", "error: a Card has no 'pictur'. Did you mean picture?"),
        ("Leave", "{{ 1 + }}", "letter.mjml:8:1: error: this is not Jinja2: unexpected 'end of print"),
        # Other hosts.
        ("<mj-head>", "<mj-head><mj-font name='X' href='y' />", "letter.mjml:2:10: error: this asks for a font of"),
        ("<h1>", "<h1 style=\"background:url('https://x.example/a.png')\">", "this asks for a file of another host"),
        ("<h1>", "<img alt='' src='//x.example/a.png' /><h1>", "this asks for a picture of another host"),
        ("<mj-head>", "<mj-head><mj-style>@import 'x.css';</mj-style>", "this asks for a style sheet of another host"),
        # What every letter must say.
        ("<h1>", "<h2>", "the letter has 0 headings of the first level"),
        ('<a href="{{ subscriber.unsubscribe_url }}">Leave</a>', "", "there is no way out in both parts"),
        ("{{ magazine.address_lines", "{{ magazine.address_lines[:1]", "the postal address is not whole: 3 Ropewalk"),
        ("{{ sponsor.label }}", "", "what somebody paid for is not labelled"),
        ("in reviews %}", "in cards %}", "Takes Its Time and Keeps It' is missing from the HTML part"),
        ("<p>{{ review", '<p style="color:#999999">{{ review', "#999999 on #FFFFFF has a contrast of 2.85: ““The C"),
        ("<mj-text><h1>", '<mj-text color="#777777" container-background-color="#888888"><h1>', "#777777 on #888888"),
        # What a subscriber can't be asked.
        (
            "Leave",
            "{% for letter in subscriber.name %}{{ letter }}{% endfor %}",
            "letter.mjml:8:",
        ),
        ("Leave", "{{ subscriber }}", "subscriber prints an object"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_with_its_place_and_what_was_meant(old: str, new: str, said: str) -> None:
    assert old in PAGE
    closed = PAGE.replace(old, new, 1)
    if new.startswith("<mj-txt"):
        closed = closed.replace("</h1></mj-text>", "</h1></mj-txt>", 1)
    if new == "<h2>":
        closed = closed.replace("</h1>", "</h2>")
    lines = [str(finding) for finding in found(design(closed))]
    assert [line for line in lines if said in line], lines
    assert len([line for line in lines if said in line]) == 1


def test_mistakes_of_the_text_part_are_found_too() -> None:
    lines = [str(finding) for finding in found(design(text=TEXT.replace("sponsor.label", "sponsor.labl")))]
    assert any("letter.txt:2:40: error: a Sponsor has no 'labl'. Did you mean label?" in line for line in lines), lines


def test_a_name_that_another_file_sets_is_known_in_what_it_includes() -> None:
    page = PAGE.replace("<p>{{ review.title }}</p>", "{% include 'row.mjml' %}")
    assert found(design(page, row_mjml="<p>{{ review.title }}</p>")) == []
    lines = [str(finding) for finding in found(design(page, row_mjml="<p>{{ review.titl }}</p>"))]
    assert lines == ["row.mjml:1:14: error: a Card has no 'titl'. Did you mean title?"]


def test_a_name_that_may_be_two_things_is_left_alone() -> None:
    page = PAGE.replace("Leave", "{% for review in also_like %}{{ review.byline }}{% endfor %}Leave")
    assert found(design(page)) == []


def test_comments_are_no_mistakes() -> None:
    assert found(design(PAGE.replace("Leave", "{# @import url(https://x.example/) #}Leave"))) == []


def test_a_heavy_design_names_its_heaviest_blocks() -> None:
    page = PAGE.replace("<p>{{ review.title }}</p>", "<p>{{ review.title }}{{ 'x' * 12000 }}</p>")
    (line,) = [str(finding) for finding in found(design(page)) if "KB of HTML" in finding.message]
    assert "the rich sample is" in line and "90 is the most. Most of it: letter" in line
    assert line.startswith("error")


def test_pairs_of_tokens_are_measured() -> None:
    tokens = {"ink": "#777777", "paper": "#FFFFFF", "corner": "4px"}
    faint = [
        str(each) for each in too_faint(tokens, [["ink", "paper"], ["#000000", "paper"], ["corner", "paper"], ["ink"]])
    ]
    assert faint == [
        "design.toml: error: ink on paper (#777777 on #FFFFFF) has a contrast of 4.48. 4.5 is needed.",
        "design.toml: error: ['corner', 'paper'] is no pair of tokens that are colours. #RRGGBB, or a token.",
        "design.toml: error: ['ink'] is no pair of tokens that are colours. #RRGGBB, or a token.",
    ]


def test_a_design_that_says_nothing_of_its_colours_is_warned() -> None:
    verdict = lint_design(design(), {}, (), samples.HOST)
    assert [(finding.error, finding.file) for finding in verdict.findings] == [(False, "design.toml")]
    assert verdict.errors == 0


def test_files_alone_are_read_without_rendering() -> None:
    assert [str(each) for each in lint_files(design(PAGE.replace("review.title", "review.titel")))] == [
        "letter.mjml:6:50: error: a Card has no 'titel'. Did you mean title?"
    ]


@pytest.mark.parametrize("name", sorted(samples.SAMPLES))
def test_samples_say_what_a_letter_can_say(name: str) -> None:
    made: IssueContent = samples.SAMPLES[name]()
    assert [each.number for each in made.placed] == list(range(1, len(made.placed) + 1))
    assert len({each.key for each in made.placed}) == len(made.placed)
    if name == "rich":
        empty = [field for field in made.__slots__ if not getattr(made, field)]
        assert empty == []
    if name == "full":
        assert len(made.shown) == samples.MOST
    if name == "bare":
        assert not any(card.picture for card in made.shown)
    assert replace(made) == made
