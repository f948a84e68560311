"""Values that need a full render or a letter each, and the places that tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.core.errors import TraceError
from newsletter.core.letter import Design
from newsletter.core.reader import Reader
from newsletter.core.trace.places import Markers, Place, places
from tests.tracing.compiling import ANA, BOB, compiled, design, headers, text_of

# --- values that need a full render -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "reader"),
    [
        (design(head="<mj-title> {{ subscriber.name }}</mj-title>"), replace(ANA, name="")),
        (design(head="<mj-preview>{{ subscriber.name }}</mj-preview>"), replace(ANA, name="")),
        (design(text_of("<p>x</p>\n{{ subscriber.name }}<p>x</p>")), replace(ANA, name="")),
        (design(text_of("<b>{{ subscriber.attributes.a }}</b>")), replace(ANA, attributes={"a": "\n"})),
        (design(text_of("x {{ subscriber.name|safe }}")), replace(ANA, name="<b>Ana</b>")),
        (design(text_of("x {{ '<b>%s</b>'|safe % subscriber.name }}")), ANA),
        (design(text_of("{% autoescape false %}x {{ subscriber.name }}{% endautoescape %}")), replace(ANA, name="a&b")),
    ],
)
def test_a_value_that_could_change_the_document_is_rendered_in_full(made: Design, reader: Reader) -> None:
    compiler = compiled(made)
    compiler.render(BOB if not BOB.attributes and "attributes" not in made.files["letter.mjml"] else reader)
    before = compiler.stats.in_full
    assert compiler.render(reader) == compiler.full_render(reader)
    assert compiler.stats.in_full == before + 1
    assert compiler.message(reader, headers(reader)).endswith(b"--\r\n")


def test_a_blank_name_beside_words_costs_nothing() -> None:
    compiler = compiled(
        design(text_of("Hello {{ subscriber.name }}"), head="<mj-title>For {{ subscriber.name }}</mj-title>")
    )
    for reader in (ANA, replace(ANA, name=""), replace(ANA, name='"\\<é>')):
        assert compiler.render(reader) == compiler.full_render(reader)
    assert (compiler.stats.letters, compiler.stats.in_full) == (1, 0)


def test_captures_and_macros_with_markup_stay_compiled() -> None:
    made = design(
        text_of(
            "{% macro m(x) %}<b>{{ x }}</b>{% endmacro %}"
            "{% set c %}<i>{{ m(subscriber.name) }}</i>{% endset %}x {{ c }}"
        )
    )
    compiler = compiled(made)
    for reader in (ANA, replace(ANA, name="<&>")):
        assert compiler.render(reader) == compiler.full_render(reader)
    assert (compiler.stats.letters, compiler.stats.in_full) == (1, 0)


# --- places -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ('<mj-button href="{{ subscriber.language }}">x</mj-button>', 1),
        ('<mj-image src="{{ subscriber.language }}" alt="{{ subscriber.language }}" />', 1),
        ('<mj-image src="a.png" alt="" width="{{ subscriber.language }}" />', 2),
        ('<mj-text css-class="{{ subscriber.language }}">x</mj-text>', 2),
        (text_of('<p class="{{ subscriber.language }}">x</p>'), 1),
        (text_of('<p style="color:{{ subscriber.language }}">x</p>'), 2),
        (text_of("<p {{ 'hidden' if subscriber.plain_text else '' }}>x</p>"), 1),
        (text_of("x<!-- {{ subscriber.language }} -->"), 2),
        ('<mj-social><mj-social-element name="{{ subscriber.language }}">x</mj-social-element></mj-social>', 2),
        ("<mj-raw><i>{{ subscriber.language }}</i></mj-raw>", 1),
    ],
)
def test_a_value_that_mjml_reads_costs_a_letter_each(body: str, count: int) -> None:
    compiler = compiled(design(body))
    for reader in (ANA, BOB, ANA):
        assert compiler.render(reader) == compiler.full_render(reader)
    assert compiler.stats.letters == count


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (design('\n<mj-text color="{{ subscriber.name }}">x</mj-text>'), 2),
        (design(head="\n\n<mj-style>.a { color: {{ subscriber.name }} }</mj-style>"), 3),
        (design(text_of("\n<p {{ subscriber.name }}>x</p>")), 2),
    ],
)
def test_a_name_where_mjml_reads_is_refused_with_its_line(made: Design, line: int) -> None:
    with pytest.raises(TraceError, match="can't decide this") as caught:
        compiled(made).message(ANA, headers(ANA))
    assert (caught.value.file, caught.value.line, caught.value.field) == ("letter.mjml", line, "subscriber.name")


PLACES = [
    ("<mj-title>T @</mj-title>", Place.TITLE),
    ("<mj-title>@</mj-title>", Place.ONLY_TITLE),
    ("<mj-preview>P @</mj-preview>", Place.TEXT),
    ("<mj-preview>@</mj-preview>", Place.ONLY_TEXT),
    ("<mj-style>@</mj-style>", Place.STRUCTURE),
    ("<mj-attributes><mj-text href='@' /></mj-attributes>", Place.STRUCTURE),
    ("<mj-body>@<mj-section></mj-section></mj-body>", Place.ONLY_TEXT),
    ("<mj-body>a @</mj-body>", Place.ONLY_TEXT),
    ("<mj-text>a @</mj-text>", Place.TEXT),
    ("<mj-text><b>@</b></mj-text>", Place.BARE_TEXT),
    ("<mj-text><b> @</b></mj-text>", Place.BARE_TEXT),
    ("<mj-text><b>\n@</b></mj-text>", Place.ONLY_TEXT),
    ("<mj-text><a href='x@'>x</a></mj-text>", Place.ATTRIBUTE),
    ('<mj-text><a data-x="@">x</a></mj-text>', Place.ATTRIBUTE),
    ("<mj-text><a style='@'>x</a></mj-text>", Place.STRUCTURE),
    ("<mj-text><a STYLE='@'>x</a></mj-text>", Place.STRUCTURE),
    ("<mj-text><a @='x'>x</a></mj-text>", Place.STRUCTURE),
    ("<mj-text><a href=@>x</a></mj-text>", Place.STRUCTURE),
    ("<mj-text></b @></mj-text>", Place.STRUCTURE),
    ("<mj-text><!-- @ --></mj-text>", Place.STRUCTURE),
    ("<mj-text><!-- @", Place.STRUCTURE),
    ("<mj-text><style>@</style></mj-text>", Place.STRUCTURE),
    ("<mj-text>1 < 2 @</mj-text>", Place.STRUCTURE),
    ("<mj-image alt='@' />", Place.ATTRIBUTE),
    ("<mj-image width='@' />", Place.STRUCTURE),
    ("<mj-social-element name='@'>x</mj-social-element>", Place.STRUCTURE),
    ("<mj-navbar-link>a @</mj-navbar-link>", Place.ONLY_TEXT),
    ("<mj-wrapper></mj-text>@</mj-wrapper>", Place.ONLY_TEXT),
    ("@", Place.ONLY_TEXT),
]


@pytest.mark.parametrize(("source", "place"), PLACES)
def test_places_are_told_apart(source: str, place: Place) -> None:
    markers = Markers([source])
    found = places(source.replace("@", markers.marker(7)), markers.pattern)
    assert {number: where for number, (where, _) in found.items()} == {7: place}
