"""The checks before approval: rows that block, that warn, and that say honestly what was not checked."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.core.context import IssueContent, to_json
from newsletter.core.letter import Rendered, Weight
from newsletter.core.markup import is_web, shown_address
from newsletter.core.prose import folded

LIMIT = 90 * 1024
"""Bytes of HTML that a letter may have. Gmail clips at about 102 KB, and with the end goes the unsubscribe link; what a
mail program or a link tracker adds on its way must fit, too.
"""

HEAVY = 80 * 1024
HEAVIEST = 3
SUBJECT_LENGTH = 60
LATE = timedelta(minutes=15)
LEAD_WIDTH = 1200
ONE_RUBRIC = 0.6

_MARKS = re.compile(r"\{\{|\}\}|\{%|%\}|\[\[|\*\||lorem ipsum", re.IGNORECASE)
_LINK = re.compile(r'(?:href|src)="(http://[^"]*)"')
_TAG = re.compile(r"""<[A-Za-z](?:[^<>"']|"[^"]*"|'[^']*')*>""")
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""")


class Level(StrEnum):
    BLOCK = "block"
    WARN = "warn"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Row:
    """One finding: what, where it is, what to do."""

    level: Level
    text: str
    where: str = ""
    hint: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (f"{self.where}:" if self.where else "", self.text, self.hint)))


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked. `sample` is a letter to a subscriber whose unsubscribe address is `unsubscribe_url`;
    `mails_people` is False for an account that writes files only; `audience` is the number of people it would go to;
    `domain` what the DNS says of the From domain, None when it was not asked; `approved_differs` when an approved issue
    would be frozen differently now. `weights` are the blocks of a heavy sample, the heaviest first.
    """

    content: IssueContent
    sample: Rendered
    unsubscribe_url: str
    audience: int
    now: datetime
    slot_at: datetime
    grace: timedelta
    mails_people: bool = True
    domain: tuple[Row, ...] | None = None
    weights: tuple[Weight, ...] = ()
    guessed_dates: tuple[str, ...] = ()
    approved_differs: bool = False


def check(subject: Subject) -> list[Row]:
    """Every finding, blocking ones first."""
    found = [
        *_envelope(subject),
        *_links(subject),
        *_words(subject),
        *_reviews(subject.content),
        *_time(subject),
        *_not_checked(subject),
    ]
    order = list(Level)
    return sorted(found, key=lambda row: order.index(row.level))


def _envelope(subject: Subject) -> Iterator[Row]:
    content, sample, url = subject.content, subject.sample, subject.unsubscribe_url
    address = content.magazine.address_lines
    if not address:
        yield Row(
            Level.BLOCK, "The postal address is missing.", "magazine", "Set its postal_address: the law asks for it."
        )
    elif not all(_has(sample, line) for line in address):
        yield Row(Level.BLOCK, "The design does not print the postal address.", "design", "Add it to both parts.")
    if not _has(sample, url):
        yield Row(Level.BLOCK, "The letter has no unsubscribe link.", "design", "Print subscriber.unsubscribe_url.")
    if not url.startswith("https://"):
        level = Level.BLOCK if subject.mails_people else Level.WARN
        yield Row(
            level, "Links in mails need https.", "base_url", "Set base_url in newsletter.toml to an https address."
        )
    if subject.audience == 0:
        yield Row(Level.BLOCK, "There is nobody to send to.", "audience", "newsletter subscribers import FILE")
    size = len(sample.html.encode())
    if size >= HEAVY:
        level, limit = (Level.BLOCK, LIMIT) if size > LIMIT else (Level.WARN, LIMIT)
        heaviest = ", ".join(str(weight) for weight in subject.weights[:HEAVIEST])
        most = f" Most of it: {heaviest}." if heaviest else ""
        text = f"The letter is {size / 1024:.1f} KB of HTML, and {limit // 1024} is the most.{most}"
        yield Row(level, text, "design", "Use fewer cards: newsletter issue note ISSUE --max-cards N.")
    sponsor = content.sponsor
    if sponsor and not (sponsor.label and _has(sample, sponsor.label)):
        yield Row(Level.BLOCK, "The design does not label the sponsor.", "design", "Print sponsor.label in both parts.")
    for link in sorted(set(_LINK.findall(sample.html))):
        if link.startswith(url.partition("/u/")[0]):
            continue  # our own host: said once, above
        yield Row(Level.WARN, "A link without https.", link, "Readers' mail programs may warn.")


def _links(subject: Subject) -> Iterator[Row]:
    """The last gate: whatever way an address came in, a letter links to the web, to mail and to places within itself
    that there are, and to nothing else.
    """
    places = {f"#{place}" for place in _values(subject.sample.html, "id")}
    others = {address for address in _values(subject.sample.html, "href") if not _is_link(address)}
    for address in sorted(others - places):
        yield Row(
            Level.BLOCK,
            f"The letter links to {shown_address(address)}, which is no web or mail address.",
            "links",
            "Mend the address, or leave the review out.",
        )


def _values(letter: str, wanted: str) -> Iterator[str]:
    """What each attribute of that name says in the letter, those for Outlook in its comments included."""
    for tag in _TAG.finditer(letter):
        for name, *values in _ATTRIBUTE.findall(tag.group()):
            if name.lower().rpartition(":")[2] == wanted:
                yield html.unescape("".join(values))


def _is_link(address: str) -> bool:
    return is_web(address) or re.fullmatch(r"mailto:[^\s\"<>]+", address, re.IGNORECASE) is not None


def _words(subject: Subject) -> Iterator[Row]:
    content, sample = subject.content, subject.sample
    line, preview = sample.subject, content.issue.preview_text
    if not line:
        yield Row(Level.BLOCK, "The subject is empty.", "issue", "Write one.")
    elif len(line) > SUBJECT_LENGTH:
        yield Row(Level.WARN, f"The subject has {len(line)} characters.", "issue", f"Keep it within {SUBJECT_LENGTH}.")
    if not preview:
        yield Row(Level.WARN, "There is no preview text.", "issue", "Inboxes show it after the subject.")
    elif folded(preview) and (folded(preview) in folded(line) or folded(line) in folded(preview)):
        yield Row(Level.WARN, "The preview text repeats the subject.", "issue", "Let it say something more.")
    quoted = json.dumps(to_json(content), ensure_ascii=False)
    for part, text in (("subject", line), ("letter.mjml", sample.html), ("letter.txt", sample.text)):
        for mark in sorted({match.group() for match in _MARKS.finditer(text)} - set(_MARKS.findall(quoted))):
            yield Row(Level.BLOCK, f"A leftover {mark!r} is in the letter.", part, "Mend the template.")


def _reviews(content: IssueContent) -> Iterator[Row]:
    lead = content.lead
    shown, placed = content.shown, content.placed
    if lead and lead.picture:
        if not lead.picture.alt:
            yield Row(Level.BLOCK, "The lead's picture is not described.", lead.title, "Write its alt text.")
        if 0 < lead.picture.width < LEAD_WIDTH:
            yield Row(
                Level.WARN, f"The lead's picture is {lead.picture.width} pixels wide.", lead.title, "1200 look sharp."
            )
    for each in placed:
        if not each.url:
            yield Row(
                Level.BLOCK, "This review has no address to link to.", each.title, "Give it one, or leave it out."
            )
    for card in shown:
        if card.picture and not card.picture.credit:
            yield Row(Level.WARN, "The picture has no credit.", card.title, "Say whose it is.")
        if card is not lead and card.picture and not card.picture.alt:
            yield Row(Level.WARN, "The picture is not described.", card.title, "Write its alt text.")
        if card.picture and card.picture.alt and folded(card.picture.alt) == folded(card.title):
            yield Row(
                Level.WARN,
                f"The picture of {card.title} is described by its title only.",
                hint="Say what it shows: newsletter issue edit REVIEW --alt TEXT",
            )
        if card.dek and folded(card.dek) and folded(card.dek) in folded(card.excerpt):
            yield Row(Level.WARN, "The excerpt says the dek again.", card.title, "Change one of them.")
        if card.lang:
            yield Row(Level.WARN, f"This review is in another language ({card.lang}).", card.title)
        if card.sponsored:
            yield Row(Level.WARN, "This review is sponsored.", card.title, "Its label must say so.")
    twice = [title for title, count in Counter(folded(each.title) for each in placed).items() if count > 1 and title]
    for title in twice:
        yield Row(Level.WARN, "The same title stands in this issue twice.", title)
    rubrics = Counter(card.kicker for card in shown if card.rubric)
    for kicker, count in rubrics.items():
        if len(shown) >= 5 and count / len(shown) > ONE_RUBRIC:
            yield Row(Level.WARN, f"{count} of {len(shown)} cards are of one rubric: {kicker}.", "issue")


def _time(subject: Subject) -> Iterator[Row]:
    late = subject.now - subject.slot_at
    if late > subject.grace:
        yield Row(Level.WARN, "Its slot is long past.", "issue", "It goes out only when a person sends it.")
    elif late > LATE:
        yield Row(Level.WARN, "Its slot is past: it goes out late.", "issue")
    for title in subject.guessed_dates:
        yield Row(Level.WARN, "The source gave no date that can be believed.", title, "The day we saw it is used.")
    if subject.approved_differs:
        yield Row(
            Level.WARN,
            "Something changed since the approval; what was approved is what goes out.",
            "issue",
            "Edit it, or approve it again, to take the change.",
        )


def _not_checked(subject: Subject) -> Iterator[Row]:
    yield Row(Level.NOT_CHECKED, "Whether each link still answers.", "links", "Click them in the preview.")
    yield Row(Level.NOT_CHECKED, "How Outlook draws this.", "design", "newsletter preview ISSUE --mail YOU")
    if subject.domain is not None:
        yield from subject.domain
    elif subject.mails_people:
        yield Row(
            Level.NOT_CHECKED,
            "Whether the From domain has SPF, DKIM and DMARC.",
            "sender",
            "newsletter domain check",
        )


def _has(sample: Rendered, words: str) -> bool:
    """Whether both parts hold the words, whatever the escapes and line breaks."""
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    in_html = any(each in sample.html for each in (words, escaped, escaped.replace('"', "&#34;").replace("'", "&#39;")))
    return in_html and "".join(words.split()) in "".join(sample.text.split())
