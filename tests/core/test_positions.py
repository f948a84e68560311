"""A mistake is named by the file and the line where a person wrote it, however late it shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from newsletter.core.errors import DesignError
from newsletter.core.letter import Compiler, Design
from newsletter.core.reader import Reader
from newsletter.core.trace import positions
from newsletter.core.trace.output import scrub
from newsletter.core.trace.stock import StockEnvironment

ANA = Reader("ana@example.org", name="Ana", unsubscribe_url="https://news.example.test/u/abcdefghijklmnopqrstuvwx")

LETTER = """\
{%- macro row(text) -%}
<p>{{ text }}</p>
{%- endmacro -%}
<mjml lang="en" dir="ltr">
  <mj-head>
    <mj-title>{{ title }}</mj-title>
  </mj-head>
  <mj-body>
    {% for word in ("one", "two") %}
    <mj-section><mj-column><mj-text>{{ row(word) }}</mj-text></mj-column></mj-section>
    {% endfor %}
    {% include "note.mjml" %}
    <!-- here -->
    {% include "footer.mjml" %}
  </mj-body>
</mjml>
"""
FOOTER = """\
<mj-section><mj-column>
  <mj-text><a href="{{ subscriber.unsubscribe_url }}">Leave</a></mj-text>
</mj-column></mj-section>
"""
NOTE = "<mj-section><mj-column>\n  <mj-text>{{ title }}</mj-text>\n</mj-column></mj-section>\n"


def compiler(**files: str) -> Compiler:
    parts = {"letter": LETTER, "note": NOTE, "footer": FOOTER} | files
    texts = {"letter.txt": "Hi", "subject.txt": "The week"}
    return Compiler(Design("test", {f"{name}.mjml": text for name, text in parts.items()} | texts), {"title": "A\nB"})


def refusals(**files: str) -> list[DesignError]:
    """What each way to a letter raises."""
    ways: tuple[Callable[[Compiler], object], ...] = (
        lambda made: made.full_render(ANA),
        lambda made: made.render(ANA),
    )
    found = []
    for way in ways:
        with pytest.raises(DesignError) as caught:
            way(compiler(**files))
        found.append(caught.value)
    return found


def inside(body: str) -> str:
    return f"<mj-section><mj-column><mj-text>{body}</mj-text></mj-column></mj-section>"


MISTAKES = [
    ("<mj-sektion />", 1, "MJML has no element <mj-sektion>. Did you mean mj-section?"),
    ("<mj-section><mj-column><mj-text colr='red'>x</mj-text></mj-column></mj-section>", 24, "has no attribute colr."),
    (inside("a < b"), 35, "not well-formed"),
    ("<mj-section><mj-column><mj-text>a</mj-column></mj-section>", 24, "<mj-text> is never closed."),
    ("<mj-section><mj-column><mj-text>a</mj-text></mj-column>", 1, "<mj-section> is never closed."),
    (inside("<p>a"), 33, "<p> is never closed. Write </p> before </mj-text>."),
    (inside("a</i>"), 34, "</i> ends nothing."),
    ("</mj-section>", 1, "</mj-section> ends nothing."),
    ("<mj-column />", 1, "<mj-column> can't stand in <mj-body>."),
    (inside("{{ title }}{{ '<b' | safe }}"), 44, "not well-formed"),
    ("{{ 1 if }}", None, "unexpected 'end of print statement'."),
    (inside("{{ a b }}"), None, "expected token"),
    (inside("{{ nonsense }}"), None, "'nonsense' is undefined."),
    (inside("{{ title.nonsense }}"), None, "no attribute 'nonsense'."),
    ("{% include 'gone.mjml' %}", None, "no template 'gone.mjml'"),
]


@pytest.mark.parametrize(("mistake", "column", "words"), MISTAKES)
@pytest.mark.parametrize(("file", "whole", "line"), [("letter", LETTER, 13), ("note", NOTE + "<!-- here -->\n", 4)])
def test_a_mistake_is_named_where_it_was_written(
    mistake: str, column: int | None, words: str, file: str, whole: str, line: int
) -> None:
    for error in refusals(**{file: whole.replace("<!-- here -->", mistake)}):
        assert words in str(error)
        assert (error.file, error.line) == (f"{file}.mjml", line)
        assert error.column == (column and column + (4 if file == "letter" else 0))


def test_a_mistake_in_a_macro_is_named_where_the_macro_has_it() -> None:
    for error in refusals(letter=LETTER.replace("<p>{{ text }}</p>", "<p>{{ text }} < </p>")):
        assert (error.file, error.line, error.column) == ("letter.mjml", 2, 15)


def test_a_template_that_would_see_the_markers_is_named_by_what_it_prints() -> None:
    caught = (
        "{% set heading %}{{ '' }}{% endset %}{% if heading %}<mj-foo />{% endif %}"
        "{% macro shout(text) %}<p>{{ text }} < </p>{% endmacro %}\n\n" + inside("{{ shout(title) }}")
    )
    for error in refusals(note=caught):
        assert (error.file, error.line, error.column) == ("note.mjml", 3, 33)


@pytest.mark.parametrize("seen", ["self.a()|length", "('the', 'week')[self.a()|length]"])
def test_a_template_that_no_marker_passes_gets_the_line_of_the_rendered_document(seen: str) -> None:
    # A block that is taken up by `self` is no capture to Jinja2's parser.
    body = "{% block a %} {% endblock %}" + inside("{{ " + seen + " }}") + "\n" + inside("a < b")
    for error in refusals(letter=LETTER.replace("<!-- here -->", body)):
        assert (error.file, error.line) == ("letter.mjml", None)
        assert "of the rendered document)." in error.message


def test_what_holds_markers_of_its_own_gets_the_line_of_the_rendered_document() -> None:
    for error in refusals(note=inside("\ue0f11\ue0f2 < b")):
        assert error.line is None


def test_an_error_without_a_line_stays_as_it_is() -> None:
    error = DesignError("It broke.", file="letter.mjml")
    assert positions.blamed(error, "x", {"letter.mjml": "x"}, {}, {}) is error


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("trim", ["", "-"])
def test_each_character_is_traced_to_the_one_that_wrote_it(ends: str, trim: str) -> None:
    source = ends.join(
        (
            "{# first #}",
            "A {{ one }}   ",
            f"  {{%{trim} if one {trim}%}} ",
            "BC{% raw %}{{D{% endraw %}",
            "  {% endif %}E",
        )
    )
    files = {"letter.txt": source}
    document = scrub(StockEnvironment(files, {}).get_template("letter.txt").render(one="1"))
    rows = positions.unified(source).split("\n")
    for letter in "ABCDE":
        at = document.index(letter)
        line, column = document.count("\n", 0, at) + 1, at - document.rfind("\n", 0, at)
        error = positions.blamed(
            DesignError("x", file="letter.txt", line=line, column=column), document, files, {}, {"one": "1"}
        )
        assert error.line and error.column
        assert rows[error.line - 1][error.column - 1] == letter
