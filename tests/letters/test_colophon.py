"""Colophon as mail clients get it: what it promises beside what every design must hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from types import MappingProxyType

import pytest
from django.utils import translation
from lxml import html as lxml_html

from newsletter.core.colors import ENOUGH, contrast
from newsletter.core.context import Card, IssueContent, Newsletter, build_context
from newsletter.core.letter import Compiler, Headers, Mailbox
from newsletter.core.mjml import lint
from newsletter.core.reader import Reader
from newsletter.core.words import dir_of
from newsletter.flow.compile.designs import find_design
from newsletter.flow.service.wording import Facts, Kind, mail_of
from tests.letters import issues
from tests.tools import check_message

TEMPLATES = Path(__file__).parents[2] / "templates"
DESIGN = find_design("colophon", [TEMPLATES])
SERVICE = find_design("colophon", [TEMPLATES], service=True)
REFERENCES: dict[str, Callable[[], IssueContent]] = {
    "rich": issues.rich,
    "thin": issues.thin,
    "no-pictures": issues.without_pictures,
    "right-to-left": issues.right_to_left,
}
HEADERS = Headers(
    from_=Mailbox("weekly@news.example.test", "Lantern"),
    to=Mailbox(issues.READER.address, issues.READER.name),
    message_id="<0123456789abcdef@news.example.test>",
    date=datetime(2026, 11, 5, 13, 0, tzinfo=UTC),
    list_id="The Lantern Weekly <weekly.news.example.test>",
    list_unsubscribe=issues.READER.unsubscribe_url,
)
READERS = (
    issues.READER,
    issues.NAMELESS,
    replace(issues.READER, name="", topics=("movie",)),
    replace(issues.READER, name="<b>&\"' {{ 7*7 }}", topics=("book", "interview")),
    replace(issues.READER, name="نور", unsubscribe_url="", topics=("list",)),
    replace(issues.READER, joined_on=None, preferences_url="https://news.example.test/p/x"),
    replace(issues.READER, joined_on=date(2024, 12, 31), topics=("game",)),
    Reader(address=""),
)
MAX_CARDS = 30
FULL_WEIGHT = 90 * 1024


def compiler(content: IssueContent) -> Compiler:
    return Compiler(DESIGN, build_context(content, DESIGN.tokens))


def page(content: IssueContent, reader: Reader = issues.READER) -> lxml_html.HtmlElement:
    return lxml_html.fromstring(compiler(content).full_render(reader).html)


def full_house(count: int = MAX_CARDS) -> IssueContent:
    """`count` reviews in full, each with a picture and addresses as long as a magazine's own, and ten lines."""
    content = issues.build("sunday", ["night", "salt", "tin", "hall", "mara", "garden"], ["list"])
    cards = (content.cards * 5)[: count - 1]

    def long(card: Card, number: int) -> Card:
        assert card.picture
        address = f"https://www.lantern-magazine.example/reviews/2026/11/05/{'a-title-with-dashes-' * 3}{number}/"
        shown = replace(card.picture, url=f"{issues.HOST}/media/{number:064x}.jpg")
        return replace(card, url=address, picture=shown, number=number)

    assert content.lead
    return replace(
        content,
        lead=long(content.lead, 1),
        cards=tuple(long(card, number) for number, card in enumerate(cards, 2)),
        lines=content.lines * 10,
    )


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_every_message_meets_the_mail_standards(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTAL", "12 Main Street")
    for reader in (issues.READER, issues.NAMELESS):
        rows = check_message.check(compiler(REFERENCES[name]()).message(reader, HEADERS))
        failed = [row for row in rows if not row[2] and "DKIM" not in row[1]]
        assert [row for row in failed if row[0] == "MUST"] == []
        assert {row[1] for row in failed} <= {
            "2369 a mailto URI too",
            "2369 List-Help or List-Archive",
            "Feedback-ID a:b:c:SenderId",
            "subject 1..78 characters, no shouting, no fake Re:/Fwd:",
        }


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_compiled_letters_are_the_full_render(name: str) -> None:
    built = compiler(REFERENCES[name]())
    for reader in [*READERS, *reversed(READERS)]:
        assert built.render(reader) == built.full_render(reader)


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_the_contents_name_what_follows_and_lead_there(name: str) -> None:
    content = REFERENCES[name]()
    built = compiler(content)
    shown = [*([content.lead] if content.lead else []), *content.cards]
    for reader in READERS:
        root = lxml_html.fromstring(built.full_render(reader).html)
        wanted = [card for card in shown if not reader.topics or card.rubric in reader.topics]
        links = root.xpath("//a[starts-with(@href, '#')]")
        assert [link.text_content() for link in links] == [card.title for card in wanted]
        heads = [root.get_element_by_id(link.get("href")[1:]) for link in links]
        assert [head.text_content() for head in heads] == [card.title for card in wanted]
        assert all(head.get("name") == head.get("id") and head.getparent().tag in ("h2", "h3") for head in heads)


def test_one_review_alone_and_a_full_house_have_no_list_of_contents() -> None:
    for content in (issues.build("sunday", []), full_house(17)):
        root = page(content)
        assert not root.xpath("//a[starts-with(@href, '#')]")
        assert "This week" not in root.text_content().replace("This week’s", "")


def test_a_full_house_keeps_its_words_and_stays_clear_of_gmails_knife() -> None:
    content = full_house()
    rendered = compiler(content).full_render(issues.READER)
    assert len(rendered.html.encode()) <= FULL_WEIGHT
    text = lxml_html.fromstring(rendered.html).text_content()
    for card in content.cards:
        assert text.count(card.excerpt) == sum(each.excerpt == card.excerpt for each in content.cards)


def test_headings_are_in_order_with_one_first() -> None:
    for build in REFERENCES.values():
        for reader in READERS:
            levels = [int(heading.tag[1]) for heading in page(build(), reader).iter("h1", "h2", "h3")]
            assert levels.count(1) == 1 and levels[0] == 1
            assert all(after - before <= 1 for before, after in pairwise(levels))


def test_nothing_is_set_smaller_than_13_pixels_and_the_text_is_17_and_more() -> None:
    html = compiler(issues.rich()).full_render(issues.READER).html
    sizes = {int(size) for size in re.findall(r"font-size:(\d+)px", html)}
    assert min(sizes - {0, 1}) >= 13  # 0 and 1 are cells without text, and the hidden preview text
    assert "font-size:17px" in html and "font-size:18px" in html


def test_a_review_without_a_picture_leaves_no_hole() -> None:
    root = page(issues.without_pictures())
    assert not root.xpath("//img | //td[contains(@class, 'pic')]")
    assert len(page(issues.rich()).xpath("//td[contains(@class, 'pic ') or @class = 'rule pic']//img")) == 5


def test_no_block_prints_empty() -> None:
    content = issues.thin()
    assert content.lead
    bare = Card("x", "A Title Alone", "", number=2)
    content = replace(content, lead=replace(bare, title="A Lead Alone", number=1), cards=(bare,), lines=())
    root = page(content, issues.NAMELESS)
    for each in root.xpath(
        "//body//*[self::p or self::h1 or self::h2 or self::h3 or self::a or self::td or self::span]"
    ):
        assert "".join(each.text_content().split()) or each.xpath("descendant-or-self::*[@class='rule' or @style]"), (
            lxml_html.tostring(each)
        )
    assert [head.text_content() for head in root.xpath("//h1 | //h2 | //h3")][:2] == [
        "The Lantern Weekly",
        "A Lead Alone",
    ]
    assert not root.xpath("//*[@class='stub' or @class='run' or contains(@class, 'pic')]")


def test_from_right_to_left_nothing_is_set_to_the_left() -> None:
    html = compiler(issues.right_to_left()).full_render(issues.READER).html
    body = html[html.index("<body") :]
    # (MJML sets this on each column, around cells that say what they want.)
    body = body.replace("font-size:0px;text-align:left;direction:rtl;", "").replace("padding-left:24px", "")
    body = body.replace('critic" align="left"', "")  # at the end of its line
    assert not re.search(r"align:left|align=\"left\"|padding-left|direction:ltr", body)
    assert "italic" not in body and "uppercase" not in body and "letter-spacing" not in body


@pytest.mark.parametrize(("kicker", "capitals"), [("Filmkritik", True), ("Straßenmusik", False)])
def test_no_word_with_a_sharp_s_is_set_in_capitals(kicker: str, capitals: bool) -> None:
    content = issues.build("sunday", ["salt"], language="de")
    content = replace(content, cards=tuple(replace(card, kicker=kicker) for card in content.cards))
    *_, shown = page(content).xpath("//p[text() = $kicker and contains(@class, 'signal')]", kicker=kicker)
    assert ("uppercase" in shown.get("style")) == capitals


def test_outlooks_conditional_parts_are_balanced() -> None:
    for build in REFERENCES.values():
        for reader in READERS:
            html = compiler(build()).full_render(reader).html
            depth = 0
            for mark in re.findall(r"<!--\[if [^\]]*\]>|<!\[endif\]-->", html):
                depth += 1 if mark.startswith("<!--[if") else -1
                assert depth in (0, 1)
            assert depth == 0
            outlook = re.sub(r"<!--\[if mso[^\]]*\]>|<!\[endif\]-->", "", html)
            for tag in ("table", "tr", "td", "div"):
                assert len(re.findall(f"<{tag}[ >]", outlook)) == outlook.count(f"</{tag}>"), tag


def test_dark_colours_are_given_in_both_dialects() -> None:
    html = compiler(issues.rich()).full_render(issues.READER).html
    assert '<meta name="color-scheme" content="light dark"' in html
    assert "prefers-color-scheme: dark" in html
    assert "[data-ogsc]" in html and "[data-ogsb]" in html


def _inverted(color: str) -> str:
    return f"#{0xFFFFFF - int(color[1:], 16):06x}"


def test_every_pair_of_colours_can_be_read_by_day_by_night_and_inverted() -> None:
    tokens = DESIGN.tokens
    grounds = {"paper": ("ink", "signal", "muted"), "tint": ("ink", "signal", "muted"), "signal": ("on_signal",)}
    for ground, texts in grounds.items():
        for text in texts:
            day = tokens[text], tokens[ground]
            night = (
                (tokens["dark_paper"], tokens["dark_signal"])
                if text == "on_signal"
                else (tokens[f"dark_{text}"], tokens[f"dark_{ground}"])
            )
            # Whoever inverts a letter does it to the light one: the dark one is what those ask for who don't.
            for one, other in (day, night, tuple(map(_inverted, day))):
                assert contrast(one, other) >= ENOUGH, (text, ground)


def test_the_design_has_no_mistake_that_lint_knows() -> None:
    files = DESIGN.files | SERVICE.files
    assert [(name, lint(text)) for name, text in files.items() if name.endswith(".mjml") and lint(text)] == []


def test_markup_in_names_and_titles_stays_text() -> None:
    content = issues.thin()
    assert content.lead
    hostile = '</mj-raw><mj-foo>{{ 7*7 }} <script>alert(1)</script> [[ x ]] "quoted" --> zq00000000x00000z'
    shown = [replace(card, title=hostile, isolated=hostile, excerpt=hostile, byline=hostile) for card in content.cards]
    content = replace(content, lead=replace(content.lead, title=hostile, isolated=hostile), cards=tuple(shown))
    rendered = compiler(content).render(replace(issues.READER, name=hostile))
    root = lxml_html.fromstring(rendered.html)
    assert not root.xpath("//script | //mj-foo")
    assert hostile in root.xpath("string(//h2)") and hostile in root.xpath("string(//h3)")


def test_colophon_is_made_of_blocks() -> None:
    built = compiler(issues.rich())
    rubrics = ["movie", "tv", "book", "music", "concert", "interview", "game", "list"]
    rnd = Random(3)
    for _ in range(300):
        topics = tuple(rubric for rubric in rubrics if rnd.random() < 0.5)
        built.render(replace(issues.READER, name=rnd.choice(["", "Ana", "Bob Stone"]), topics=topics))
    assert built.stats.letters < 100
    assert built.stats.full_renders == built.stats.self_checks < 40


def service_mail(kind: Kind, language: str) -> str:
    """The HTML part of a service mail in Colophon's skin."""
    with translation.override(language):
        mail = mail_of(
            kind, Facts("The Lantern Weekly", "Lantern", "Thursday, November 12"), {"address": "ada@box.test"}
        )
    words = {"open_link": "Open this address:", "last_issue": "From the last issue", "unsubscribe": "Unsubscribe"}
    context: dict[str, object] = {
        "language": language,
        "dir": dir_of(language),
        "magazine": issues.MAGAZINE,
        "newsletter": Newsletter("weekly", "The Lantern Weekly"),
        "mail": mail,
        "pieces": issues.rich().more if mail.pieces else (),
        "tokens": MappingProxyType(dict(SERVICE.tokens)),
        "words": MappingProxyType(words),
    }
    built = Compiler(SERVICE, context)
    reader = Reader(address="ada@box.test", attributes={"link": "https://news.example.test/c/AbCdEfGh"})
    rendered = built.render(reader)
    assert rendered == built.full_render(reader)
    return rendered.html


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize("kind", list(Kind))
def test_service_mails_wear_the_same_skin(kind: Kind, language: str) -> None:
    html = service_mail(kind, language)
    root = lxml_html.fromstring(html)
    assert (root.get("lang"), root.get("dir")) == (language, dir_of(language))
    assert len(root.xpath("//h1")) == 1 and DESIGN.tokens["paper"] in html and DESIGN.tokens["text"] in html
    assert root.xpath("//a[@href = 'https://news.example.test/c/AbCdEfGh']") or "AbCdEfGh" not in html
    assert bool(root.xpath("//h2")) == (kind is Kind.WELCOME)
    assert "prefers-color-scheme: dark" in html and "[data-ogsc]" in html and "[data-ogsb]" in html
    assert not root.xpath("//img") and min(set(map(int, re.findall(r"font-size:(\d+)px", html))) - {0, 1}) >= 13
