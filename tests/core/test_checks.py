from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.core.checks import Level, Subject, check
from newsletter.core.context import IssueContent, Magazine, Sponsor
from newsletter.core.letter import Rendered, Weight
from tests.letters import issues

SLOT = datetime(2026, 11, 5, 13, 0, tzinfo=UTC)
URL = "https://news.example.test/u/AbCdEfGhIjKlMnOpQrStUvWx"
PAGE = f"""<p>12 Main Street</p><p>Lantern Press LLC</p><p>Port Ellery, ME 04101</p><p>USA</p><a href="{URL}">x</a>"""


WEIGHTS = (Weight("card", 29, 61_440), Weight("lines", 1, 8192), Weight("footer", 1, 3072), Weight("note", 1, 1))


def facts(content: IssueContent | None = None, **fields: object) -> Subject:
    content = content or issues.rich()
    defaults: dict[str, object] = {
        "content": content,
        "sample": Rendered(content.issue.subject, PAGE, PAGE),
        "unsubscribe_url": URL,
        "audience": 40,
        "now": SLOT - timedelta(hours=14),
        "slot_at": SLOT,
        "grace": timedelta(hours=6),
    }
    return Subject(**{**defaults, **fields})  # type: ignore[arg-type]


def texts(subject: Subject, level: Level) -> list[str]:
    return [str(row) for row in check(subject) if row.level is level]


def test_a_good_issue_is_not_blocked() -> None:
    assert texts(facts(), Level.BLOCK) == []
    assert len(texts(facts(), Level.NOT_CHECKED)) == 3
    assert len(texts(facts(mails_people=False), Level.NOT_CHECKED)) == 2


def html(text: str) -> Rendered:
    return Rendered("Subject", PAGE + text, PAGE)


def with_lead(**fields: object) -> IssueContent:
    content = issues.rich()
    assert content.lead
    return replace(content, lead=replace(content.lead, **fields))  # type: ignore[arg-type]


def with_sponsor(label: str) -> IssueContent:
    return replace(issues.rich(), sponsor=Sponsor(label, "Club", "", "Go", "https://orpheum.example/"))


def with_issue(**fields: object) -> IssueContent:
    content = issues.rich()
    return replace(content, issue=replace(content.issue, **fields))  # type: ignore[arg-type]


def with_card(**fields: object) -> IssueContent:
    content = issues.rich()
    return replace(content, cards=(replace(content.cards[0], **fields), *content.cards[1:]))  # type: ignore[arg-type]


LEAD = issues.rich().lead
assert LEAD and LEAD.picture


def test_a_picture_with_an_automatic_description_warns_and_does_not_block() -> None:
    assert LEAD and LEAD.picture
    content = with_lead(picture=replace(LEAD.picture, alt=LEAD.title))
    assert texts(facts(content), Level.BLOCK) == []
    (warned,) = [text for text in texts(facts(content), Level.WARN) if "title only" in text]
    assert warned.startswith(f"The picture of {LEAD.title} is described by its title only.")
    assert not any("title only" in text for text in texts(facts(), Level.WARN))


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (lambda: facts(replace(issues.rich(), magazine=Magazine("Lantern"))), "postal address is missing"),
        (lambda: facts(sample=Rendered("x", PAGE, URL)), "does not print the postal address"),
        (lambda: facts(sample=Rendered("x", PAGE.replace(URL, ""), PAGE)), "no unsubscribe link"),
        (lambda: facts(sample=Rendered("x", PAGE, PAGE.replace(URL, ""))), "no unsubscribe link"),
        (lambda: facts(audience=0), "nobody to send to"),
        (lambda: facts(sample=html("x" * 92_161)), "90 is the most"),
        (
            lambda: facts(sample=html("x" * 92_161), weights=WEIGHTS),
            "Most of it: card × 29 60.0 KB, lines 8.0 KB, footer 3.0 KB. Use fewer cards",
        ),
        (lambda: facts(with_sponsor(label="Sponsored"), sample=html("")), "does not label the sponsor"),
        (lambda: facts(with_sponsor(label=""), sample=html("")), "does not label the sponsor"),
        (lambda: facts(sample=Rendered("", PAGE, PAGE)), "subject is empty"),
        (lambda: facts(sample=html("Hi {{ name }}")), "leftover '{{'"),
        (lambda: facts(sample=html("Lorem Ipsum dolor")), "leftover 'Lorem Ipsum'"),
        (lambda: facts(with_lead(picture=replace(LEAD.picture, alt=""))), "not described"),
        (lambda: facts(with_lead(url="")), "no address to link to"),
        (lambda: facts(sample=html('<a href="javascript:alert(1)">x</a>')), "'javascript:alert(1)'"),
        (
            lambda: facts(sample=html("<a title=\"a > b\" HREF='java&#115;cript:alert(1)'>x</a>")),
            "'javascript:alert(1)'",
        ),
        (lambda: facts(sample=html("<a href=/review>x</a>")), "'/review'"),
        (lambda: facts(headers="List-Unsubscribe: <https://x.example/>\r\n"), "no List-Unsubscribe-Post header"),
        (lambda: facts(headers="Subject: x\r\n"), "no List-Unsubscribe header"),
        (lambda: facts(sent_before={LEAD.key: "2026-10-29"}), "went out with the issue of 2026-10-29"),
        (lambda: facts(dead={"https://lantern.example/gone": "Not found (status 404)."}), "leads nowhere: Not found"),
        (lambda: facts(sample=html('<a href="">x</a>')), "''"),
        (lambda: facts(sample=html('<a href="https://x.example/&#34;onmouseover=a">x</a>')), "no web or mail"),
        (lambda: facts(sample=html('<a href="https://user:pw@x.example/">x</a>')), "'https://…@x.example/'"),
        (lambda: facts(sample=html('<!--[if mso]><v:rect href="data:text/html,x"><![endif]-->')), "'data:text/html,x'"),
    ],
)
def test_what_blocks(subject: Callable[[], Subject], words: str) -> None:
    assert any(words in text for text in texts(subject(), Level.BLOCK))


def test_links_to_the_web_and_to_mail_and_words_about_links_do_not_block() -> None:
    links = '<a href="https://x.example/a?b=1&amp;c=2">x</a><a href="mailto:desk@lantern.example">x</a>'
    assert texts(facts(sample=html(f'{links}<p>Write href="javascript:" in no page.</p>')), Level.BLOCK) == []


def test_a_link_within_the_letter_blocks_where_it_leads_nowhere() -> None:
    there = '<p><a href="#n1">down</a></p><h2><a id="n1" name="n1">The Salt Road</a></h2>'
    assert texts(facts(sample=html(there)), Level.BLOCK) == []
    assert any("'#n2'" in text for text in texts(facts(sample=html(there.replace("#n1", "#n2"))), Level.BLOCK))


def test_links_without_https_block_only_where_people_are_mailed() -> None:
    plain = URL.replace("https", "http")
    page = PAGE.replace(URL, plain)
    subject = facts(sample=Rendered("x", page, page), unsubscribe_url=plain)
    assert any("need https" in text for text in texts(subject, Level.BLOCK))
    assert any("need https" in text for text in texts(replace(subject, mails_people=False), Level.WARN))


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (lambda: facts(sample=html("x" * 82_000)), "80.2 KB of HTML, and 90 is the most"),
        (lambda: facts(sample=html("x" * (92_160 - len(PAGE.encode())))), "90.0 KB"),
        (lambda: facts(sample=Rendered("x" * 61, PAGE, PAGE)), "61 characters"),
        (lambda: facts(with_issue(preview_text="")), "no preview text"),
        (lambda: facts(with_issue(preview_text="See you SUNDAY")), "repeats the subject"),
        (lambda: facts(sample=html('<a href="http://lantern.example/">x</a>')), "without https"),
        (lambda: facts(with_lead(picture=replace(LEAD.picture, width=600))), "600 pixels"),
        (lambda: facts(with_lead(picture=replace(LEAD.picture, credit=""))), "no credit"),
        (lambda: facts(with_lead(dek="It stays for every minute of it")), "says the dek again"),
        (lambda: facts(with_lead(lang="fr")), "another language (fr)"),
        (lambda: facts(with_lead(sponsored=True)), "sponsored"),
        (lambda: facts(with_card(picture=replace(LEAD.picture, width=479))), "The card's picture is 479 pixels"),
        (lambda: facts(with_lead(dek="By rule."), automatic_deks=frozenset({LEAD.key})), "made by rule"),
        (lambda: facts(released={LEAD.key: SLOT.date() - timedelta(days=43)}), "release is long past"),
        (lambda: facts(with_card(work=LEAD.work, rubric=LEAD.rubric)), "is reviewed twice"),
        (lambda: facts(with_lead(title="The Salt Road Walks Itself")), "twice"),
        (lambda: facts(issues.build("salt", ["salt"] * 4)), "5 of 5 cards are of one rubric"),
        (lambda: facts(now=SLOT + timedelta(minutes=16)), "goes out late"),
        (lambda: facts(now=SLOT + timedelta(hours=7)), "long past"),
        (lambda: facts(guessed_dates=("Night Bus",)), "no date"),
        (lambda: facts(approved_differs=True), "changed since the approval"),
    ],
)
def test_what_warns(subject: Callable[[], Subject], words: str) -> None:
    assert any(words in text for text in texts(subject(), Level.WARN))
    assert not any(words in text for text in texts(subject(), Level.BLOCK))


def test_a_card_without_alt_is_a_warning_not_a_block() -> None:
    content = issues.rich()
    card = content.cards[0]
    assert card.picture
    content = replace(content, cards=(replace(card, picture=replace(card.picture, alt="")), *content.cards[1:]))
    assert any("not described" in text for text in texts(facts(content), Level.WARN))


def test_marks_that_a_review_quotes_are_no_leftover() -> None:
    content = with_lead(excerpt="In Jinja2 you write {{ name }}.")
    assert texts(facts(content, sample=html("In Jinja2 you write {{ name }}.")), Level.BLOCK) == []


def test_our_own_pages_without_https_are_named_once() -> None:
    plain = "http://127.0.0.1:8000/u/x"
    page = PAGE.replace(URL, plain) + '<a href="http://127.0.0.1:8000/i/weekly/x">y</a>'
    subject = facts(sample=Rendered("x", page, page), unsubscribe_url=plain, mails_people=False)
    assert sum("https" in text for text in texts(subject, Level.WARN)) == 1


def test_a_fresh_release_and_second_opinions_are_no_finding() -> None:
    assert LEAD
    assert texts(facts(released={LEAD.key: SLOT.date() - timedelta(days=42)}), Level.WARN) == texts(facts(), Level.WARN)
    assert not any("reviewed twice" in text for text in texts(facts(), Level.WARN))


def test_links_that_were_asked_are_not_said_to_be_unchecked() -> None:
    assert not any("still answers" in text for text in texts(facts(dead={}), Level.NOT_CHECKED))


def test_every_finding_has_a_code_and_only_some_can_be_ignored() -> None:
    assert LEAD and LEAD.picture
    bad = with_lead(picture=replace(LEAD.picture, alt="", credit=""), dek="By rule.", lang="fr")
    rows = check(facts(bad, audience=0, now=SLOT + timedelta(hours=7), headers="", guessed_dates=(LEAD.title,)))
    assert all(row.code for row in rows)
    assert {row.code for row in rows if row.level is Level.BLOCK and not row.can_be_ignored} == {
        "audience-empty",
        "unsubscribe-header",
    }
    assert {row.anchor for row in rows if row.code in ("alt-missing", "date-guessed")} == {
        f"review/{LEAD.key}/picture_alt",
        f"review/{LEAD.key}/title",
    }


def test_the_mark_of_a_finding_changes_with_what_it_is_about() -> None:
    assert LEAD and LEAD.picture

    def mark(**fields: object) -> str:
        rows = check(facts(with_lead(picture=replace(LEAD.picture, credit="", **fields))))  # type: ignore[arg-type]
        return next(row.mark for row in rows if row.code == "no-credit")

    assert mark() == mark(alt="Other words")
    assert mark() != mark(url="https://news.example.test/media/other.jpg")
