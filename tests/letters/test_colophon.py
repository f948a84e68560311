"""Colophon as mail clients get it: what it promises beside what every design must hold."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import pytest
from django.utils import translation
from lxml import html as lxml_html

from newsletter.core.colors import ENOUGH, contrast
from newsletter.core.context import Card, IssueContent, Newsletter, numbered
from newsletter.core.letter import Compiler
from newsletter.core.reader import Reader
from newsletter.core.words import dir_of
from newsletter.flow.service.wording import Facts, Kind, mail_of
from tests.letters import designs, issues
from tests.letters.designs import READERS, REFERENCES, design
from tests.letters.everything import everything

DESIGN = design("colophon")
SERVICE = design("colophon", service=True)
compiler = partial(designs.compiler, "colophon")
page = partial(designs.page, "colophon")
MAX_CARDS = 30
FULL_WEIGHT = 90 * 1024


def full_house(count: int = MAX_CARDS) -> IssueContent:
    """`count` reviews in full with pictures and addresses as long as a magazine's own, ten lines, every other block."""
    content = everything(with_lead=False)
    pictured = [card for card in content.cards if card.picture]

    def long(card: Card, place: int) -> Card:
        address = f"https://www.lantern-magazine.example/reviews/2026/11/05/{'a-title-with-dashes-' * 3}{place}/"
        shown = card.picture and replace(card.picture, url=f"{issues.HOST}/media/{place:064x}.jpg")
        return replace(card, url=address, picture=shown)

    assert content.lead
    cards = (pictured * 6)[: count - 1 - len(content.pairs[0].cards)]
    return numbered(
        replace(
            content,
            lead=long(content.lead, 0),
            cards=tuple(long(card, place) for place, card in enumerate(cards, 1)),
            lines=content.lines * 5,
        )
    )


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_the_contents_name_what_follows_and_lead_there(name: str) -> None:
    content = REFERENCES[name]()
    built = compiler(content)
    for reader in READERS:
        root = lxml_html.fromstring(built.full_render(reader).html)
        wanted = [card for card in content.shown if not reader.topics or card.rubric in reader.topics]
        links = root.xpath("//a[starts-with(@href, '#')]")
        assert [link.text_content() for link in links] == [card.title for card in wanted]
        heads = [root.get_element_by_id(link.get("href")[1:]) for link in links]
        assert [head.text_content() for head in heads] == [card.title for card in wanted]
        assert all(head.get("name") == head.get("id") and head.getparent().tag in ("h2", "h3") for head in heads)


def test_one_review_alone_and_a_full_house_have_no_list_of_contents() -> None:
    for content in (issues.build("sunday", []), full_house(15)):
        root = page(content)
        assert not root.xpath("//a[starts-with(@href, '#')]")
        assert "In this issue" not in root.text_content()


def test_a_full_house_keeps_its_words_and_stays_clear_of_gmails_knife() -> None:
    content = full_house()
    rendered = compiler(content).full_render(issues.READER)
    assert len(rendered.html.encode()) <= FULL_WEIGHT
    text = lxml_html.fromstring(rendered.html).text_content()
    said = Counter(card.exchange.answer if card.exchange else card.excerpt for card in content.shown)
    assert {words: text.count(words) for words in said} == dict(said)


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


def test_every_block_says_all_that_it_has() -> None:
    for content in (everything(), everything(with_lead=False)):
        assert content.quote and content.sponsor and content.issue.listen
        root = page(content, replace(issues.READER, preferences_url="https://news.example.test/p/AbCdEfGh"))
        text = " ".join(root.text_content().split())
        exchange = next(card.exchange for card in content.cards if card.exchange)
        (pair,) = content.pairs
        said = [
            content.quote.text, content.quote.credit, pair.work, exchange.question, exchange.answer, content.issue.week,
            *(value for card in pair.cards for value in (card.title, card.byline, card.excerpt)),
            content.sponsor.label, content.sponsor.title, content.sponsor.text, content.issue.listen.title,
            content.corrections[0].text, content.also_like[0].title,
        ]  # fmt: skip
        assert [words for words in said if words not in text] == []
        assert "Editor’s pick" in text and text.count("Editor’s pick") == 1
        links = root.xpath("//a/@href")
        for url in (content.quote.url, content.sponsor.url, content.issue.listen.url, content.also_like[0].url):
            assert url in links
        order = [
            "Dara Okoye carries",
            "This week’s reviews",
            "Second opinion",
            "Sponsored",
            "Also this week",
            "Corrections",
        ]
        order += ["You may also like", "More from Lantern", "The print magazine", "Reply to this mail"]
        order += ["You’re reading this", "Change what you get", "Pause", "Unsubscribe", "View online", "Forward to a"]
        order += ["Privacy", "orwarded to you", "paid for their own ticket", "© 2026", "Port Ellery"]
        places = [text.rindex(words) for words in order]
        assert places == sorted(places)


def test_the_footer_has_no_link_to_nowhere_and_no_point_without_one() -> None:
    content = issues.thin()
    bare = replace(content, view_online_url="", magazine=replace(content.magazine, privacy_url=""))
    for each, reader in ((content, issues.READER), (bare, issues.READER), (content, Reader("")), (bare, Reader(""))):
        root = page(each, reader)
        assert all(root.xpath("//a/@href"))
        assert not re.search(r"·\s*(·|$|Lantern\b)", root.text_content().partition("person at Lantern reads it.")[2])


def test_a_quote_and_a_second_opinion_reach_those_who_follow_their_rubric() -> None:
    text = page(everything(), replace(issues.READER, topics=("book",))).text_content()
    assert "tea towel" not in text and "Second opinion" not in text and "The Salt Road" in text


def test_an_interview_prints_its_first_exchange_in_place_of_its_beginning() -> None:
    content = everything()
    (card,) = [card for card in content.cards if card.exchange]
    (question,) = page(content).xpath("//p[text() = $words]", words=card.exchange and card.exchange.question)
    assert "font-weight:700" in question.get("style") and DESIGN.tokens["signal"] in question.get("style")
    assert card.excerpt not in page(content).text_content()


def test_reviews_that_stand_by_rubric_get_its_name_as_heading_and_no_kicker() -> None:
    content = issues.build("sunday", ["salt", "mara"])
    book, talk = content.cards
    others = (
        replace(book, title="A Second Book"),
        replace(talk, title="A Second Talk", kicker="Sponsored", sponsored=True),
    )
    by_rubric = numbered(replace(content, cards=(book, others[0], talk, others[1])))
    root = page(by_rubric)
    assert [head.text_content() for head in root.xpath("//h2")][1:3] == ["Books", "Interviews"]
    kickers = [each.text_content() for each in root.xpath("//p[contains(@class, 'signal')]")]
    assert "Book review" not in kickers and "Sponsored" in kickers
    mixed = page(numbered(replace(content, cards=(book, talk, *others))))
    assert mixed.xpath("//h2")[1].text_content() == "This week’s reviews"
    assert [each.text_content() for each in mixed.xpath("//p[text() = 'Book review']")] == ["Book review"] * 2
    assert "Books" not in page(by_rubric, replace(issues.READER, topics=("interview",))).text_content()


@pytest.mark.parametrize(("kicker", "capitals"), [("Filmkritik", True), ("Straßenmusik", False)])
def test_no_word_with_a_sharp_s_is_set_in_capitals(kicker: str, capitals: bool) -> None:
    content = issues.build("sunday", ["salt"], language="de")
    content = replace(content, cards=tuple(replace(card, kicker=kicker) for card in content.cards))
    *_, shown = page(content).xpath("//p[text() = $kicker and contains(@class, 'signal')]", kicker=kicker)
    assert ("uppercase" in shown.get("style")) == capitals


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
