"""What mail clients are known to make of our letters: nothing new that somebody can't show, nothing unexplained."""

from __future__ import annotations

import re

import pytest
from lxml import html as lxml_html

from tests.letters.odd import ODD
from tests.looks import clients
from tests.looks.letters import DESIGNS, REFERENCES, SERVICE, reference

LETTERS = [(design, issue) for design in DESIGNS for issue in (*REFERENCES, *SERVICE, "arabic-titles", "every-scale")]


@pytest.mark.parametrize(("design", "issue"), LETTERS)
def test_no_client_meets_anything_unexplained(design: str, issue: str) -> None:
    assert clients.unexplained(reference(design, issue).html) == []


def test_every_explanation_is_needed_and_says_something() -> None:
    used = {feature for each in LETTERS for feature in clients.used(reference(*each).html)}
    entries = clients.baseline()
    assert set(entries) - used == set()
    reasons = [str(entry["because"]) for entry in entries.values()]
    assert len(set(reasons)) == len(reasons)
    assert all(len(reason) > 30 and reason.endswith(".") for reason in reasons)


@pytest.mark.parametrize(
    ("addition", "found"),
    [
        ('<p style="display:flex">x</p>', "css-display-flex"),
        ('<p style="width:calc(100% - 2px)">x</p>', "css-unit-calc"),
        ('<p style="color:var(--ink)">x</p>', None),
        ('<p style="backdrop-filter:blur(2px)">x</p>', "css-backdrop-filter"),
        ("<video></video>", "html-video"),
        ("<blink>x</blink>", "unknown: <blink>"),
        ('<p style="corner-shape:scoop">x</p>', "unknown: corner-shape"),
        ('<p tabindex="0">x</p>', "unknown: attribute tabindex"),
        ('<img src="https://news.example.test/media/a.svg" alt="">', "image-svg"),
        ("<style>@supports (gap: 1px) { p { gap: 1px } }</style>", "css-at-supports"),
        ("<style>p:has(b) { color: red }</style>", "css-pseudo-class-has"),
        ("<style>p::before { color: red }</style>", "css-pseudo-element-before"),
        ("<style>p ~ b { color: red }</style>", "css-selector-general-sibling"),
        ("<style>@media (orientation: landscape) { p { color: red } }</style>", "css-at-media-orientation"),
        ('<p style="background:url(https://x.example/a.png)">x</p>', "css-background-image"),
    ],
)
def test_what_is_new_is_found(addition: str, found: str | None) -> None:
    html = reference("marquee", "thin").html
    said = clients.unexplained(html.replace("</body>", f"{addition}</body>"))
    assert [each for each in said if each.split(" (")[0] == found] == said[:1] if found else said == []


def test_the_table_is_the_one_that_its_page_describes() -> None:
    assert len(clients.table()) > 290
    assert "outlook windows" in clients.table()["css-max-width"].partly + clients.table()["css-border-radius"].lacking
    assert clients.table()["html-table"].lacking == ()


# --- Outlook on Windows ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("issue", [*REFERENCES, *SERVICE, *ODD])
def test_outlook_gets_whole_tables_and_all_of_the_text(design: str, issue: str) -> None:
    html = reference(design, issue).html
    seen = clients.outlook_sees(html)
    assert clients.unbalanced(seen) == ""
    assert clients.unbalanced(html) == ""
    assert _text(seen) == _text(html)
    # Word's engine knows no max-width: each section stands in a table with a width of its own.
    sections = len(re.findall(r"<div[^>]*max-width:600px", html))
    assert sections > 1
    assert clients.ghost_widths(seen).count(600) >= sections


def _text(html: str) -> str:
    document = lxml_html.document_fromstring(re.sub(r"(?s)<!--.*?-->", "", html))
    return "".join(document.body.text_content().split())


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("<!--[if mso | IE]><table>", "never closed"),
        ("<![endif]-->", "without its beginning"),
        ("<!--[if mso]><!--[if mso]><![endif]--><![endif]-->", "inside of"),
        ("<!--[if !mso]><p><![endif]-->", "hides what it should show"),
        ("<!--[if mso]><p><!--<![endif]-->", "of the other kind"),
    ],
)
def test_broken_conditions_are_found(broken: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        clients.outlook_sees(f"<p>x</p>{broken}")


def test_an_open_table_is_found() -> None:
    assert clients.unbalanced("<table><tr><td></tr></table>").startswith("</tr>")
    assert clients.unbalanced("<div><p>x</p>") == "<div> is never closed"
    assert clients.unbalanced("<table><tr><td><br><img alt='>'></td></tr></table>") == ""
