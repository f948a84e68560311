"""The reviews of an issue: each one, its words, its picture, and all of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from newsletter.core.checks.rows import Level, Row, Subject
from newsletter.core.context import Card, IssueContent, Line
from newsletter.core.prose import folded
from newsletter.core.sentence import counted, sentence

LEAD_WIDTH = 1200
CARD_WIDTH = 480
"""Pixels: twice what a card's picture is wide where two stand side by side."""

ONE_RUBRIC = 0.6
OLD_RELEASE = timedelta(weeks=6)
"""What has been out for longer than this is hardly news; a week or two are what reviews need."""


def _row(
    level: Level,
    item: Card | Line,
    field: str,
    code: str,
    text: str,
    hint: str = "",
    *,
    about: str = "",
    titled: bool = True,
) -> Row:
    """A finding about one review's `field`."""
    where = item.title if titled else ""
    return Row(level, text, where, hint, code=code, anchor=f"review/{item.key}/{field}", about=about)


def reviews(subject: Subject) -> Iterator[Row]:
    """What concerns each review of the issue, card or line, and all of them together."""
    content = subject.content
    shown, placed = content.shown, content.placed
    for each in placed:
        if not each.url:
            text, hint = sentence("This review has no address to link to."), sentence("Give it one, or leave it out.")
            yield _row(Level.BLOCK, each, "title", "no-link", text, hint)
        if before := subject.sent_before.get(each.key):
            text, hint = (
                sentence("This address went out with the issue of {before}.", before=before),
                sentence("Leave it out, or run it again on purpose."),
            )
            yield _row(Level.BLOCK, each, "title", "sent-before", text, hint)
    titles = Counter(folded(each.title) for each in placed)
    twice = [title for title, count in titles.items() if count > 1 and title]
    for title in twice:
        yield Row(
            Level.WARN,
            sentence("The same title stands in this issue twice."),
            title,
            sentence("Leave one of them out."),
            code="title-twice",
        )
    # Second opinions stand together on purpose; other cards on one work are a slip.
    paired = {card.key for pair in content.pairs for card in pair.cards}
    alone = [card for card in shown if card.work and card.key not in paired and folded(card.title) not in twice]
    works = Counter((card.rubric, folded(card.work)) for card in alone)
    for card in {(card.rubric, folded(card.work)): card for card in reversed(alone)}.values():
        if works[card.rubric, folded(card.work)] > 1:
            text, hint = (
                sentence("{work} is reviewed twice in this issue.", work=card.work),
                sentence("Leave one of the reviews for another week."),
            )
            yield _row(Level.WARN, card, "title", "work-twice", text, hint)
    rubrics = Counter(card.kicker for card in shown if card.rubric)
    for kicker, count in rubrics.items():
        if len(shown) >= 5 and count / len(shown) > ONE_RUBRIC:
            text = counted(
                "{n} of {all} cards is of one rubric: {kicker}.",
                "{n} of {all} cards are of one rubric: {kicker}.",
                count,
                all=len(shown),
                kicker=kicker,
            )
            yield Row(
                Level.WARN,
                text,
                sentence("issue"),
                sentence("Make lines of some of them."),
                code="one-rubric",
                anchor="outline",
            )


def cards(subject: Subject) -> Iterator[Row]:
    """The words of each card."""
    day = subject.slot_at.date()
    for card in subject.content.shown:
        if card.dek and folded(card.dek) and folded(card.dek) in folded(card.excerpt):
            text, about = sentence("The excerpt says the dek again."), f"{card.dek}\n{card.excerpt}"
            yield _row(Level.WARN, card, "excerpt", "dek-twice", text, sentence("Change one of them."), about=about)
        if card.dek and card.key in subject.automatic_deks:
            text, hint = (
                sentence("Its dek was made by rule from the text, and nobody has looked at it."),
                sentence("Read it; write a better one."),
            )
            yield _row(Level.WARN, card, "dek", "dek-unseen", text, hint, about=card.dek)
        if card.lang:
            text, hint = (
                sentence("This review is in another language ({lang}).", lang=card.lang),
                sentence("Do your readers know it?"),
            )
            yield _row(Level.WARN, card, "title", "language", text, hint)
        if card.sponsored:
            yield _row(
                Level.WARN,
                card,
                "title",
                "sponsored",
                sentence("This review is sponsored."),
                sentence("Its label must say so."),
            )
        since = subject.released.get(card.key)
        if since is not None and day - since > OLD_RELEASE:
            text = sentence("Its release is long past: {since}.", since=since.isoformat())
            yield _row(
                Level.WARN, card, "facts", "release-past", text, sentence("Say why it runs now, or leave it out.")
            )


def pictures(content: IssueContent) -> Iterator[Row]:
    """The pictures of the lead and the cards: described, credited, sharp."""
    for card in content.shown:
        if not (picture := card.picture):
            continue
        lead = card is content.lead
        at = f"{picture.url}\n{picture.alt}"
        if not picture.alt:
            level, text = Level.WARN, sentence("The picture is not described.")
            if lead:
                level, text = Level.BLOCK, sentence("The lead's picture is not described.")
            yield _row(level, card, "picture_alt", "alt-missing", text, sentence("Write its alt text."), about=at)
        elif folded(picture.alt) == folded(card.title):
            text = sentence("The picture of {title} is described by its title only.", title=card.title)
            hint = sentence("Say what it shows: newsletter issue edit REVIEW --alt TEXT")
            yield _row(Level.WARN, card, "picture_alt", "alt-title", text, hint, about=at, titled=False)
        least = LEAD_WIDTH if lead else CARD_WIDTH
        if 0 < picture.width < least:
            text = counted(
                "The card's picture is {n} pixel wide.", "The card's picture is {n} pixels wide.", picture.width
            )
            if lead:
                text = counted(
                    "The lead's picture is {n} pixel wide.", "The lead's picture is {n} pixels wide.", picture.width
                )
            yield _row(
                Level.WARN,
                card,
                "picture",
                "picture-small",
                text,
                sentence("{least} look sharp.", least=least),
                about=picture.url,
            )
        if not picture.credit:
            text = sentence("The picture has no credit.")
            yield _row(
                Level.WARN, card, "picture_credit", "no-credit", text, sentence("Say whose it is."), about=picture.url
            )
