"""Letters put together from sections are what MJML makes of the whole document."""

from __future__ import annotations

from random import Random

import pytest

from newsletter.core.letter.sections import Frame, Frames, NotSections, children, html_of, renumbered, slot, take_apart
from newsletter.core.mjml import normalise, to_html

FONT = '<mj-font name="Lora" href="https://fonts.example.test/lora" />'
HEAD = (
    f"<mj-head><mj-title>T {slot(0)}</mj-title><mj-preview>P {slot(1)}</mj-preview>{FONT}"
    '<mj-attributes><mj-text font-family="Georgia" /><mj-class name="big" font-size="30px" /></mj-attributes></mj-head>'
)
BEFORE = f'<mjml lang="en" dir="ltr">{HEAD}<mj-body width="640px" background-color="#eeeeee" css-class="paper">'
AFTER = "</mj-body></mjml>"


def column(rnd: Random) -> str:
    width = rnd.choice(["", "", ' width="25%"', ' width="200px"', ' width="33%"'])
    inner = rnd.choice(
        [
            "<mj-text>x</mj-text>",
            '<mj-text mj-class="big" font-family="Lora">&lt;b&gt;</mj-text>',
            f'<mj-button href="{slot(9)}">{slot(8)} é</mj-button>',
            '<mj-image src="a.png" alt="" fluid-on-mobile="true" />',
            "<mj-accordion><mj-accordion-element><mj-accordion-title>t</mj-accordion-title>"
            "<mj-accordion-text>u</mj-accordion-text></mj-accordion-element></mj-accordion>",
            '<mj-social><mj-social-element name="facebook" href="#">f</mj-social-element></mj-social>',
            "<mj-table><tr><td>1</td></tr></mj-table>",
            "",
        ]
    )
    return f"<mj-column{width}>{inner}</mj-column>"


def section(rnd: Random) -> str:
    look = rnd.choice(
        ["", ' full-width="full-width"', ' background-url="b.png"', ' background-color="#fff"', ' direction="rtl"']
    )
    return f"<mj-section{look}>{''.join(column(rnd) for _ in range(rnd.choice([1, 1, 2, 3])))}</mj-section>"


def child(rnd: Random) -> str:
    kinds = [section(rnd)] * 8 + [
        f'<mj-wrapper padding="4px">{section(rnd)} {section(rnd)}</mj-wrapper>',
        '<mj-hero mode="fixed-height" height="100px" background-url="h.png"><mj-text>h</mj-text></mj-hero>',
        f"<mj-raw><div><p>{slot(3)}</p></div></mj-raw>",
        "<mj-raw />",
        "<mj-section><mj-group><mj-column></mj-column><mj-column></mj-column></mj-group></mj-section>",
        "<!-- a comment -->",
    ]
    return rnd.choice(kinds)


def stitched(frame: Frame, kids: list[str]) -> str:
    """The document in the slots' own numbers, from its sections."""
    found = [(frame.section(text), numbers) for text, numbers in map(renumbered, kids)]
    html = frame.opening(section.head for section, _ in found)
    for made, numbers in found:
        parts = renumbered(made.html)[0].split("\0")
        order = renumbered(made.html)[1]
        parts[1::2] = [slot(numbers[local]).strip("\0") for local in order]
        html += "\0".join(parts)
    return html + frame.closing


@pytest.mark.parametrize("seed", range(60))
def test_sections_join_to_what_mjml_makes_of_the_whole(seed: int) -> None:
    rnd = Random(seed)
    frame = Frame(BEFORE, AFTER)
    for _ in range(3):
        kids = [child(rnd) for _ in range(rnd.randint(0, 6))]
        if rnd.random() < 0.3:
            one = rnd.choice(
                ['<mj-carousel><mj-carousel-image src="a.png" alt="" /></mj-carousel>',
                 '<mj-navbar hamburger="hamburger"><mj-navbar-link href="#">n</mj-navbar-link></mj-navbar>']
            )  # fmt: skip
            kids.insert(rnd.randint(0, len(kids)), f"<mj-section><mj-column>{one}</mj-column></mj-section>")
        source = BEFORE + rnd.choice(["", " ", "\n  "]).join(kids) + AFTER
        before, found, after = take_apart(source)
        assert (before, found, after) == (BEFORE, kids, AFTER)
        assert stitched(frame, kids) == html_of(source)


def test_a_section_is_compiled_once_and_a_head_for_each_order_of_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []

    def counting(source: str, file: str = "") -> str:
        runs.append(source)
        return to_html(source, file=file)

    monkeypatch.setattr("newsletter.core.letter.sections.to_html", counting)
    frame = Frames().of(BEFORE, AFTER)
    wide = "<mj-section><mj-column><mj-text>a</mj-text></mj-column></mj-section>"
    narrow = wide.replace("mj-column>", 'mj-column width="30%">', 1)
    for kids in ([wide], [narrow], [wide, narrow], [narrow, wide], [wide, wide, narrow], [narrow, wide, wide]):
        for _ in range(2):
            stitched(frame, kids)
    assert len(runs) == 1 + 2 + 2  # the frame, two sections, two orders


@pytest.mark.parametrize(
    "body",
    [
        "<mj-section></mj-section> text <mj-section></mj-section>",
        f"{slot(0)}<mj-section></mj-section>",
        "<p>x</p>",
        "</mj-section>",
        "<mj-section>",
        "<mj-section><mj-section></mj-section>",
        "<mj-raw>" + "<!-- </mj-raw> -->",
        "<mj-section><mj-column><mj-carousel></mj-carousel><mj-carousel></mj-carousel></mj-column></mj-section>",
        "<mj-section><mj-column><mj-carousel></mj-carousel><mj-navbar/></mj-column></mj-section>",
    ],
)
def test_what_can_not_be_told_apart_for_certain_is_left_whole(body: str) -> None:
    with pytest.raises(NotSections):
        take_apart(BEFORE + body + AFTER)


@pytest.mark.parametrize("source", ["", "<mjml></mjml>", "<mjml><mj-body/></mjml>", "<mjml></mj-body></mjml>"])
def test_a_document_without_a_body_is_left_whole(source: str) -> None:
    with pytest.raises(NotSections):
        take_apart(source)


def test_children_are_found_whatever_is_in_them() -> None:
    kids = ['<mj-raw a=">"><!-- </mj-raw> <mj-x> --><br></mj-raw>', "<!-- <mj-section> -->", "<mj-raw/>"]
    assert children(" \n".join(kids)) == kids


def test_blanks_between_the_children_of_the_body_go_in_both_routes() -> None:
    one = "<mj-section><mj-column> <mj-text> a </mj-text></mj-column></mj-section>"
    assert normalise(f"<mj-body>  {one} \n {one} <!-- x --> </mj-body> ") == f"<mj-body>{one}{one}<!-- x --></mj-body> "
