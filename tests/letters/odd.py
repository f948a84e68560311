"""Weeks that go wrong, each a reference issue that must keep its layout. Every work and person is invented."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from newsletter.core.content import EntryContent
from newsletter.core.context import IssueContent, numbered
from newsletter.core.ratings import read_rating
from tests.letters import arabic, issues
from tests.letters.everything import everything

LONG_TITLE = (
    "The Complete and Unabridged History of Everybody Who Ever Waited for the Number Fourteen Bus on the Corner of "
    "Harbour Street and Pike Lane, Told in Nine Episodes, Eleven Interludes and One Apology, by the Driver Who Was "
    "Late, the Woman Who Was Later and the Dog Who Was Early, with a Map of Puddles"
)
COMPOUND = "Lichtspielhausdachrinnenreinigungsverordnungsentwurf"
TWELVE = (
    "Ada Marlow", "Bo Lindqvist", "Chidi Anand", "Dara Okoye", "Esi Brandt", "Finn Abara", "Gwen Llewellyn-Fairweather",
    "Hana Sato", "Ines Okafor", "Juno Applewhite", "Kit Osei", "Leonora von Hohenfels-Tauber",
)  # fmt: skip
SCALES = ("4.5/5", "3/4", "8.3/10", "83%", "B+", "17/20", "6/6", "A-", "0.5/5", "1/10")


def _changed(content: IssueContent, **entries: EntryContent) -> IssueContent:
    """`content` with these entries in place of those of its stock, laid out as `issues.build` does."""
    stock = replace(issues.ENGLISH, entries={**issues.ENGLISH.entries, **entries})
    keys = [card.key for card in content.cards]
    lead = content.lead.key if content.lead else None
    return issues.build(lead, keys, [line.key for line in content.lines], stock=stock)


def _all(**fields: object) -> IssueContent:
    """The rich week with the same `fields` in every review."""
    return _changed(
        issues.rich(),
        **{key: replace(entry, **fields) for key, entry in issues.ENTRIES.items()},  # type: ignore[arg-type]
    )


def long_title() -> IssueContent:
    """Titles of 300 characters, of lead, cards and lines."""
    return _all(title=LONG_TITLE, title_clean=LONG_TITLE)


def no_dek() -> IssueContent:
    """Neither a dek nor a text to take one from."""
    return _all(dek="", body_text="")


def no_author() -> IssueContent:
    """Nobody has signed."""
    return _all(authors=(), byline="")


def twelve_authors() -> IssueContent:
    """A round table."""
    return _all(authors=TWELVE)


def every_scale() -> IssueContent:
    """A rating on each scale that is read, one a card."""
    entries = dict(issues.ENTRIES)
    for number, scale in enumerate(SCALES):
        rating, reason = read_rating(scale)
        assert rating, reason
        entries[f"scale{number}"] = replace(
            entries["salt"], title=scale, title_clean=f"A Novel Worth {scale}", rating=rating
        )
    stock = replace(issues.ENGLISH, entries=entries)
    return issues.build("sunday", [f"scale{number}" for number in range(len(SCALES))], stock=stock)


def middle_without_picture() -> IssueContent:
    """A review without a picture between two that have one."""
    return issues.build("sunday", ["night", "list", "hall"])


def compound() -> IssueContent:
    """A headline of one German word, which no client breaks by itself."""
    works = {
        key: replace(
            entry,
            title=COMPOUND,
            title_clean=COMPOUND,
            language="de",
            work=replace(entry.work, title=COMPOUND) if entry.work else None,
        )
        for key, entry in issues.ENTRIES.items()
    }
    stock = replace(issues.ENGLISH, language="de", entries=works, newsletter=f"Die {COMPOUND}-Woche")
    return issues.build("sunday", ["night", "salt", "tin", "list"], ["garden"], stock=stock)


def arabic_titles() -> IssueContent:
    """Arabic reviews, and Arabic titles over English reviews, in an English issue."""
    mixed = {
        **issues.ENTRIES,
        "bread": arabic.ENTRIES["bread"],
        "orange": arabic.ENTRIES["orange"],
        "night": replace(issues.ENTRIES["night"], title_clean="«حافلة الليل» Has Nowhere to Be"),
        "garden": replace(issues.ENTRIES["garden"], title_clean="لعبة حديقة يموت فيها كل شيء"),
    }
    stock = replace(issues.ENGLISH, entries=mixed, pictures={**issues.ENGLISH.pictures, **arabic.STOCK.pictures})
    return issues.build("bread", ["night", "orange", "salt"], ["garden"], stock=stock)


def tall_lead() -> IssueContent:
    """A book leads: its cover is no picture for the whole width. Another's measures are not known."""
    content = issues.build("salt", ["tin", "night", "hall"])
    first, *others = content.cards
    assert first.picture
    unknown = replace(first, picture=replace(first.picture, width=0, height=0, shape=""))
    return replace(content, cards=(unknown, *others))


def one_review() -> IssueContent:
    """One review only, and no note."""
    return issues.build("sunday", [], note=(), more=False, promo=False)


def thirty_one() -> IssueContent:
    """Thirty-one reviews: a lead and twenty-nine cards, as many as `max_cards` = 30 allows, and one line. Their links
    and pictures have addresses as long as a magazine's own.
    """
    keys = ["night", "salt", "tin", "hall", "mara", "garden"]
    content = issues.build("sunday", keys, ["list"])
    slug = "a-headline-with-all-its-words-joined-by-dashes-as-blogs-do"
    made = []
    for number in range(2, 31):
        card = content.cards[(number - 2) % len(keys)]
        assert card.picture
        picture = replace(card.picture, url=f"{card.picture.url.removesuffix('.jpg')}.{number:060x}.jpg")
        made.append(
            replace(
                card,
                key=f"{card.key}{number}",
                url=f"https://lantern.example/reviews/2026/11/05/{slug}-{number}/",
                number=number,
                picture=picture,
            )
        )
    line = replace(content.lines[0], number=31)
    return replace(content, cards=tuple(made), lines=(line,))


def records(count: int = 4) -> IssueContent:
    """`count` albums on end, among other reviews, and two critics on one work."""
    content = everything(with_lead=False)
    tin = next(card for card in content.cards if card.rubric == "music")
    rest = [card for card in content.cards if card.rubric != "music"]
    albums = [replace(tin, key=f"tin{n}", title=f"Record {n}", work=f"Record {n}") for n in range(count)]
    return numbered(replace(content, cards=(rest[0], *albums, *rest[1:])))


ODD: Mapping[str, Callable[[], IssueContent]] = {
    "title-of-300-characters": long_title,
    "no-dek": no_dek,
    "no-author": no_author,
    "twelve-authors": twelve_authors,
    "every-scale": every_scale,
    "middle-without-picture": middle_without_picture,
    "german-compound": compound,
    "arabic-titles": arabic_titles,
    "tall-lead": tall_lead,
    "four-records": records,
    "one-review": one_review,
    "thirty-one-reviews": thirty_one,
}
"""The issues of this module, by name."""
