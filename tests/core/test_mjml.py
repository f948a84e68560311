"""The MJML module: every fault of the compiler that was found has its regression test here."""

from __future__ import annotations

import html as html_entities
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from newsletter.core import mjml
from newsletter.core.errors import DesignError
from newsletter.core.mjml import lint, norm_attribute, normalise, to_html


def document(body: str = "", head: str = "", root: str = 'lang="en" dir="ltr"') -> str:
    return (
        f'<mjml {root}><mj-head><mj-attributes><mj-all font-family="Arial" /></mj-attributes>{head}</mj-head>'
        f"<mj-body><mj-section><mj-column>{body}</mj-column></mj-section></mj-body></mjml>"
    )


def text(inner: str) -> str:
    return to_html(document(f"<mj-text>{inner}</mj-text>"))


NASTY = [
    "a\u00a0b",
    "❤️",
    "👩‍💻",
    "हिन्दी",
    "ภาษาไทย",
    "e\u0301 ne\u0308",
    "back\\slash \\n",
    "tab\tnewline\nreturn\rend",
    "zero\u200bwidth \u2028 end",
    "مرحبا",
    "it's 'quoted'",
]


@pytest.mark.parametrize("value", NASTY)
def test_an_attribute_value_arrives_as_written(value: str) -> None:
    page = lxml_html.fromstring(to_html(document(f'<mj-image src="https://x.test/a.png" alt="{value}" />')))
    assert page.xpath("//img/@alt") == [re.sub(r"[\r\n\t]", " ", value)]
    page = lxml_html.fromstring(text(f'<a href="https://x.test/" title="{value}">x</a>'))
    assert page.xpath("//a/@title") == [re.sub(r"[\r\n\t]", " ", value)]


def test_double_quotes_inside_single_quoted_attributes_do_not_break_the_tag() -> None:
    page = lxml_html.fromstring(text("""<a title='say "hi"' href='https://x.test/'>x</a>"""))
    assert page.xpath("//a/@title") == ['say "hi"']


def test_a_style_over_several_lines_keeps_its_css() -> None:
    page = to_html(document('<mj-text><p style="color: red;\n\tmargin:\n0">x</p></mj-text>'))
    assert 'style="color: red;  margin: 0"' in page


@pytest.mark.parametrize("letter", ["é", "€", "😀", "漢", "\u0301"])
@pytest.mark.parametrize("gap", ["", " ", "  "])
def test_a_greater_than_sign_after_any_letter_does_not_panic(letter: str, gap: str) -> None:
    assert f"{letter}{gap}&gt; b" in text(f"{letter}{gap}> b")
    assert f"{letter}{gap}&gt;" in to_html(document(head=f"<mj-preview>{letter}{gap}></mj-preview>"))
    assert "&gt;" in to_html(document(head=f"<mj-title>{letter}{gap}></mj-title>"))
    assert "&gt;" in to_html(document(f"<mj-raw>{letter}{gap}></mj-raw>"))
    assert text(f"<b>{letter}</b ><i>{letter}</i\n>")


def test_a_child_selector_in_a_style_still_is_one() -> None:
    page = to_html(document(head="<mj-style>.é > b, .x>i { color: red }</mj-style>"))
    assert re.search(r"\.é\s+> b, \.x\s+>i \{ color: red \}", page)
    assert "&gt;" not in page


def test_the_title_is_normalised_because_it_becomes_an_attribute_too() -> None:
    page = lxml_html.fromstring(to_html(document(head='<mj-title>a\u00a0"b" \\c 👩‍💻\n> d</mj-title>')))
    expected = 'a\u00a0"b" \\c 👩‍💻 > d'
    assert page.xpath("//title/text()") == [expected]
    assert expected in page.xpath("//@aria-label")


def test_an_xml_declaration_is_taken_off() -> None:
    assert text("x") == to_html('<?xml version="1.0" encoding="UTF-8"?>\n' + document("<mj-text>x</mj-text>"))
    assert normalise("\ufeff<?xml version='1.0'?><mjml></mjml>") == "<mjml></mjml>"
    broken = refusal('<?xml version="1.0" encoding="UTF-8"?>\n' + document("<mj-text><p>x</mj-text>"))
    assert (broken.message, broken.line) == ("<p> is never closed.", 2)
    odd = refusal('<?xml version="1.0" encoding="UTF-8"?>\n' + document("<mj-text>1 < 2</mj-text>"))
    assert "well-formed" in odd.message and odd.line == 2


@pytest.mark.parametrize("blanks", [" ", "    ", " \n ", "\t", "\n\n  "])
def test_blanks_between_elements_of_the_head_are_taken(blanks: str) -> None:
    head = f"{blanks}<mj-title>x</mj-title>{blanks}<mj-preview> </mj-preview>{blanks}"
    attributes = f"<mj-attributes>{blanks}<mj-all color='red' />{blanks}<mj-text padding='0' />{blanks}</mj-attributes>"
    assert to_html(document("<mj-text>x</mj-text>", head + attributes + blanks))


def test_ordinary_comments_go_and_conditional_ones_stay() -> None:
    page = text("<!-- editor > only --><!--[if mso]><b>outlook</b><![endif]-->x")
    assert "editor" not in page
    assert "<!--[if mso]><b>outlook</b><![endif]-->" in page


def test_no_letter_asks_a_font_server() -> None:
    page = to_html('<mjml lang="en" dir="ltr"><mj-body><mj-section><mj-column><mj-text>x</mj-text></mj-column>'
                   "</mj-section></mj-body></mjml>")  # fmt: skip
    assert "fonts.googleapis" not in page
    assert "@import" not in page


def test_language_and_direction_reach_the_html_element() -> None:
    assert '<html lang="ar" dir="rtl"' in to_html(document(root='lang="ar" dir="rtl"'))


def test_short_paddings_of_a_picture_count_for_its_width() -> None:
    def width(attributes: str) -> str:
        page = lxml_html.fromstring(to_html(document(f'<mj-image src="https://x.test/a.png" alt="" {attributes}/>')))
        return str(page.xpath("//img/@width")[0])

    assert width('padding="0 8px"') == "584"
    assert width('padding="0 8px 4px 20px"') == "572"
    assert width('padding="0 8px 4px"') == "584"
    assert width('padding="8px"') == "584"
    assert width('padding="0 8px" padding-left="0"') == "592"


@pytest.mark.parametrize("inner", ["<p>a<br>b</p>", "<hr>", '<img src="https://x.test/a" alt="">', "&hellip; a & b"])
def test_html_as_people_write_it_is_taken(inner: str) -> None:
    assert text(inner)


def test_template_marks_in_text_pass_unchanged() -> None:
    marks = "{{ x }} {% if y %} {# z #} [[ q ]] %recipient.x% *|X|*"
    assert marks in text(marks)


def refusal(source: str) -> DesignError:
    with pytest.raises(DesignError) as caught:
        to_html(source, file="letter.mjml")
    return caught.value


def test_deep_nesting_is_refused_before_the_compiler_dies_of_it() -> None:
    error = refusal(document("<mj-text>" + "<div>" * 10_000 + "</div>" * 10_000 + "</mj-text>"))
    assert "nested more than 100 deep" in error.message
    assert error.line == 1 and error.column
    assert text("<div>" * 90 + "</div>" * 90)


@pytest.mark.parametrize(
    ("body", "line", "column", "words"),
    [
        ("\n<mj-text>\n  <mj-foo>x</mj-foo></mj-text>", 3, 3, "no element <mj-foo>"),
        ("\n <mj-imege src='x' alt='' />", 2, 2, "no element <mj-imege>. Did you mean mj-image?"),
        ("\n<mj-text colour='red'>x</mj-text>", 2, 1, "no attribute colour"),
        ("\n<mj-text colr='red'>x</mj-text>", 2, 1, "Did you mean color?"),
        ("\n<mj-text color='red' color='blue'>x</mj-text>", 2, 1, "has color twice"),
        ("\n<mj-column></mj-column>", 2, 1, "<mj-column> can't stand in <mj-column>"),
        ("\n<p>x</p>", 2, 1, "<p> can't stand in <mj-column>"),
        ("\n<mj-text><mj-image src='x' alt='' /></mj-text>", 2, 10, "can't stand inside <mj-text>"),
        ("\n<mj-include path='x.mjml' />", 2, 1, "Use Jinja2's {% include %}"),
        ("\n<mj-text>\n<!-- never closed</mj-text>", 3, 1, "never closed"),
    ],
)
def test_what_the_compiler_would_copy_or_drop_is_refused_with_its_place(
    body: str, line: int, column: int, words: str
) -> None:
    error = refusal(document(body))
    assert words in str(error)
    assert (error.file, error.line, error.column) == ("letter.mjml", line, column)


@pytest.mark.parametrize(
    ("inner", "line"),
    [
        ("\n\n<img src=x>", 3),
        ("\né 1 < 2", 2),
        ("\n<p {{ attrs }}>x</p>", 2),
        ("\n<p>never closed", 2),
        ('\n<p title="it"s">x</p>', 2),
        ("\n<!-- a -- b -->x", 2),
        ("\n\n\n<b @click='x'>x</b>", 4),
    ],
)
def test_what_is_not_well_formed_is_refused_with_its_line(inner: str, line: int) -> None:
    error = refusal(document(f"<mj-text>{inner}</mj-text>"))
    assert error.line is not None and line <= error.line <= line + 1
    assert error.column
    assert error.hint


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        (document("\n<mj-text>\n<b>x</mj-text>"), 3, "<b> is never closed. Write </b> before </mj-text>."),
        (document("\n<mj-text><!-- <b> --><br>x</b>\n</mj-text>"), 2, "</b> ends nothing. Remove it, or write <b>"),
        (document("<mj-text>x</mj-text>").removesuffix("</mjml>"), 1, "<mjml> is never closed. Write </mjml> where"),
        (
            document("</mj-column>\n</mj-section>\n<mj-section>\n<mj-section><mj-column>"),
            3,
            "<mj-section> is never closed.",
        ),
        (document("\n<mj-text>x</mj-text>") + "\n</mjml>", 3, "</mjml> ends nothing."),
    ],
)
def test_an_element_left_open_is_named_where_it_begins(source: str, line: int, words: str) -> None:
    error = refusal(source)
    assert words in str(error)
    assert error.line == line


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x1f", "\ud800", "\uffff"])
def test_a_control_character_is_named_with_its_place(character: str) -> None:
    error = refusal(document(f"\n<mj-text>a{character}</mj-text>"))
    assert (error.line, error.column) == (2, 11)
    assert f"U+{ord(character):04X}" in error.message


def test_a_doctype_and_cdata_are_refused() -> None:
    assert "no doctype" in refusal("<!DOCTYPE mjml>" + document()).message
    assert "no CDATA" in refusal(document("<mj-text>\n<![CDATA[x]]></mj-text>")).message


def test_a_refusal_of_the_compiler_itself_keeps_its_place() -> None:
    error = refusal(
        '<mjml lang="en" dir="ltr"><mj-head>\n<mj-title>é</mj-title>\nstray</mj-head><mj-body></mj-body></mjml>'
    )
    assert "the MJML compiler says" in error.message
    assert error.line == 3


def test_a_compiler_panic_is_our_error() -> None:
    error = refusal(document("<mj-text>\n<!--[if mso]><p>é > x</p><![endif]--></mj-text>"))
    assert "letter.mjml" in str(error)


def test_an_interrupt_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object, **kwargs: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(mjml, "mjml2html", interrupted)
    with pytest.raises(KeyboardInterrupt):
        text("x")


def test_lint_reads_a_template_with_its_own_lines() -> None:
    template = (
        '<mjml lang="{{ language }}" dir="{{ dir }}">\n{# <mj-foo> #}\n<mj-body>{% for card in cards %}\n'
        '<mj-section {% if x %}direction="rtl"{% endif %}>\n<mj-column><mj-image src="{{ card.src }}" />\n'
        "<mj-text><img src='x'></mj-text><script></script></mj-column></mj-section>{% endfor %}</mj-body></mjml>"
    )
    assert [(problem.message, problem.line) for problem in lint(template)] == [
        ("<mj-image> needs alt", 5),
        ("<img> needs alt", 6),
        ("<script> can't stand in a letter", 6),
    ]
    assert not lint("<mj-attributes><mj-image padding='0' /></mj-attributes>")
    assert [problem.message for problem in lint("<mjml><mj-body></mj-body></mjml>")] == ["<mjml> needs lang"]
    assert str(lint("\n <mj-x/>")[0].error("a.mjml")).startswith("a.mjml:2:2: MJML has no element <mj-x>")


def test_styles_for_inlining_are_refused_because_nothing_inlines_them() -> None:
    assert "can't be inlined" in lint('<mj-style inline="inline">p{}</mj-style>')[0].message


@given(st.text(), st.text())
def test_normalising_an_attribute_is_a_map_of_single_characters(a: str, b: str) -> None:
    assert norm_attribute(a + b) == norm_attribute(a) + norm_attribute(b)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t")))
def test_any_text_of_a_reader_arrives_in_text_and_attributes(value: str) -> None:
    escaped = html_entities.escape(value)
    page = lxml_html.fromstring(text(f'<b title="{escaped}">|{escaped}|</b>'))
    (bold,) = page.xpath("//b")
    assert bold.get("title") == re.sub(r"[\r\n\t]", " ", value)
    assert bold.text == f"|{value}|"


@given(st.text(alphabet="<>/\"'= ab-!?é\\\n", max_size=60))
def test_hostile_markup_is_compiled_or_refused_but_never_crashes(inner: str) -> None:
    try:
        text(inner)
    except DesignError as error:
        assert error.file == "letter.mjml"


@pytest.mark.parametrize("inner", ["<a " * 15_000, "<a '" * 10_000, "<a b=" * 9_000, '<a "' * 10_001, "</a" * 12_000])
def test_hostile_input_takes_linear_time(inner: str) -> None:
    started = time.perf_counter()
    normalise(document(inner))
    assert time.perf_counter() - started < 1.0
