"""Three reference issues, a right-to-left one and their readers. Every work, person and place is invented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from newsletter.core import cards, context, suggest
from newsletter.core.content import EntryContent, Rating, Release, Work
from newsletter.core.reader import Reader
from newsletter.core.rubrics import label
from newsletter.core.words import long_date, words

DAY = date(2026, 11, 5)
HOST = "https://news.example.test"

_BODY = {
    "sunday": (
        "“See You Sunday” knows exactly how long a family lunch can last, and it stays for every minute of it. Orla "
        "Venn’s second film is set in one kitchen, on one afternoon, with eleven people who have all agreed not to "
        "mention the house. By the time the coffee is cold, three of them have mentioned it.\n"
        "What follows is the funniest argument of the year, and then, without a single raised voice, the saddest. "
        "Dara Okoye carries the last twenty minutes with nothing but a tea towel."
    ),
    "salt": (
        "The road of the title is forty miles long and white on both sides. Imre Vashti walks it twice in this novel, "
        "once at nineteen and once at seventy, and the trick is that we are never told which of the two is remembering."
    ),
    "tin": (
        "Recorded in a disused cannery over four nights, this is the first record by Low Tide Choir on which you can "
        "hear the building. Doors slam. Somebody laughs. The songs are better for it."
    ),
    "night": (
        "Nine episodes, one route, no plot to speak of: the number 14 leaves the depot at midnight and comes back at "
        "five. Every passenger gets ten minutes, and half of them deserve a series of their own."
    ),
    "hall": (
        "They came on late and said nothing for six songs. Then Pia Lund asked if anybody had the time, somebody told "
        "her, and she played the seventh one twice as fast to catch up with it. It was that sort of evening."
    ),
    "mara": (
        "Tove Adeyemi has written eleven plays about her mother and says that the twelfth is about a dog. We met in "
        "the empty theatre where it opens next week, and she answered every question but one."
    ),
    "garden": (
        "You plant things and they die. That is the whole of this small, stubborn game, and after ten hours I had "
        "learned the names of thirty weeds and the exact sound of a greenhouse in the rain."
    ),
    "list": (
        "Endings are hard. Here are seven that got away with it, from a film that stops in mid-sentence to a novel "
        "whose last page is a receipt. Spoilers throughout, naturally."
    ),
}


def entry(key: str, title: str, rubric: str, author: str, **more: object) -> EntryContent:
    """One review as a source would give it."""
    facts: dict[str, object] = {
        "title": title,
        "title_clean": title,
        "url": f"https://lantern.example/{rubric}/{key}",
        "rubric": rubric,
        "authors": (author,),
        "body_text": _BODY.get(key, ""),
        "reading_minutes": 3,
        "language": "en",
    }
    return EntryContent(**{**facts, **more})  # type: ignore[arg-type]


ENTRIES = {
    "sunday": entry(
        "sunday",
        "“See You Sunday” Stays for Every Minute of Lunch",
        "movie",
        "Mara Quill",
        work=Work("See You Sunday", "Movie", "2026", ("Orla Venn",), ("Dara Okoye", "Finn Abara")),
        release=Release(date(2026, 11, 6), "month-day", "premieres", "theaters", "premieres in theaters Nov. 6"),
        rating=Rating("4.5", "5"),
    ),
    "salt": entry(
        "salt",
        "The Salt Road Walks Itself",
        "book",
        "Ines Okafor",
        work=Work("The Salt Road", "Book", "2026", ("Imre Vashti",), (), "Harbour & Pike"),
        rating=Rating("8.3", "10"),
    ),
    "tin": entry(
        "tin",
        "Low Tide Choir Leave the Doors Open",
        "music",
        "Bo Lindqvist",
        work=Work("Tin Hymnal", "MusicAlbum", "2026", ("Low Tide Choir",), (), "Quay Records"),
        release=Release(date(2026, 10, 30), "day", "out", "", "Out Oct. 30"),
        rating=Rating("B+", ""),
    ),
    "night": entry(
        "night",
        "“Night Bus” Has Nowhere to Be",
        "tv",
        "Ada Marlow",
        work=Work("Night Bus", "TVSeries", "2026", ("Sol Whitaker",), ("Nia Frost",), "Channel Nine"),
        release=Release(date(2026, 11, 12), "day", "starts", "Channel Nine", "Starts Nov. 12 on Channel Nine"),
        rating=Rating("3", "5"),
    ),
    "hall": entry(
        "hall",
        "Pia Lund at Corn Hall: Six Songs and a Clock",
        "concert",
        "Theo Brandt",
        work=Work("Pia Lund", "MusicEvent", "", ("Pia Lund",), (), "Corn Hall"),
    ),
    "mara": entry("mara", "Tove Adeyemi Would Rather Talk About the Dog", "interview", "Mara Quill"),
    "garden": entry(
        "garden",
        "A Garden Game in Which Everything Dies, Beautifully",
        "game",
        "Kit Osei",
        work=Work("Weeds", "VideoGame", "2026", ("Small Spade",), (), "PC"),
        rating=Rating("4", "5"),
    ),
    "list": entry("list", "Seven Endings That Got Away With It", "list", "The Lantern Desk"),
}

_PICTURES = {
    "sunday": (1200, 675, "A kitchen table after lunch: eleven plates, one chair pushed back", "via See You Sunday"),
    "salt": (480, 720, "The cover of The Salt Road: a white line on white paper", ""),
    "tin": (720, 720, "The cover of Tin Hymnal: an open tin door, the sea behind it", "Quay Records"),
    "night": (720, 480, "A lit bus window at night with one passenger asleep", "Channel Nine"),
    "hall": (720, 480, "A singer at a microphone, looking at her wrist", "Theo Brandt"),
    "mara": (720, 480, "A playwright alone in the third row of an empty theatre", "Lena Moss"),
    "garden": (720, 480, "A drawn greenhouse in the rain", "Small Spade"),
}


MAGAZINE = context.Magazine(
    name="Lantern",
    url="https://lantern.example/",
    about="Reviews of what is worth an evening, by people who paid for their own ticket.",
    legal_name="Lantern Press LLC",
    address_lines=("Lantern Press LLC", "12 Main Street", "Port Ellery, ME 04101", "USA"),
    privacy_url="https://lantern.example/privacy",
    rights="© 2026 Lantern Press LLC",
)
NOTE = (
    "It rained on the press screening, the reading and the concert, and still this was the best week of the autumn. "
    "If you only have one evening, give it to Orla Venn’s lunch.",
    "And if you have two: Imre Vashti’s road is 300 pages long and I missed my stop twice.",
)


@dataclass(frozen=True)
class Stock:
    """What issues are built from, in one language. `pictures` are width, height, alternative text and credit;
    `earlier` key, title and rubric; `promo` title, text and button, and `cover` the alternative text of its picture.
    """

    language: str
    entries: Mapping[str, EntryContent]
    pictures: Mapping[str, tuple[int, int, str, str]]
    magazine: context.Magazine
    newsletter: str
    tagline: str
    note: tuple[str, ...]
    signature: str
    earlier: tuple[tuple[str, str, str], ...]
    promo: tuple[str, str, str]
    cover: str


ENGLISH = Stock(
    language="en",
    entries=ENTRIES,
    pictures=_PICTURES,
    magazine=MAGAZINE,
    newsletter="The Lantern Weekly",
    tagline="What is worth an evening",
    note=NOTE,
    signature="Mara Quill, editor",
    earlier=(
        ("9", "The Long Afternoon Gets Longer", "movie"),
        ("8", "#30DaysLive: Night Nineteen", "concert"),
        ("7", "Orla Venn Is Not Done Cooking", "interview"),
    ),
    promo=(
        "The print magazine",
        "Issue 38 is 96 pages of long reads, with Orla Venn’s lunch recipes.",
        "Get the print magazine",
    ),
    cover="The cover of issue 38: a lunch table from above",
)


def picture(key: str, language: str = "en", stock: Stock = ENGLISH) -> context.Picture | None:
    """The picture of a review on our own host."""
    if key not in stock.pictures:
        return None
    width, height, alt, by = stock.pictures[key]
    credit, shape = cards.credit(by, language), cards.shape_of(width, height)
    return context.Picture(f"{HOST}/media/{key}.jpg", alt, width, height, credit, shape)


def _earlier(key: str, title: str, rubric: str, language: str) -> context.Line:
    bare = context.Line(key, title, f"https://lantern.example/{rubric}/{key}", rubric, label(rubric, language))
    return cards.titled(bare, title, language)


def build(
    lead: str | None,
    keys: Sequence[str],
    lines: Sequence[str] = (),
    *,
    pictures: bool = True,
    language: str = "",
    note: tuple[str, ...] | None = None,
    more: bool = True,
    promo: bool = True,
    stock: Stock = ENGLISH,
) -> context.IssueContent:
    """An issue of the named reviews of `stock`, spoken in `language` (by default the stock's own)."""
    language = language or stock.language
    note = stock.note if note is None else note
    shown = [*([lead] if lead else []), *keys]
    made = [
        replace(
            cards.card(
                key,
                stock.entries[key],
                on=DAY,
                language=language,
                picture=picture(key, language, stock) if pictures else None,
                lead=key == lead,
            ),
            number=place,
        )
        for place, key in enumerate(shown, 1)
    ]
    hooks = [
        suggest.Hook(cards.work_title(stock.entries[key]), stock.entries[key].title_clean, stock.entries[key].body_text)
        for key in shown
    ]
    subject = suggest.subjects(hooks, language)[0]
    title, text, button = stock.promo
    return context.IssueContent(
        language=language,
        magazine=stock.magazine,
        newsletter=context.Newsletter("weekly", stock.newsletter, stock.tagline, True),
        issue=context.Issue(
            slot=DAY.isoformat(),
            number=words(language)["number"].format(n=214),
            date=long_date(DAY, language),
            subject=subject,
            preview_text=suggest.preview_text(hooks, subject, language),
            contents=suggest.contents(hooks, language),
            note=note,
            note_signature=stock.signature if note else "",
        ),
        lead=made[0] if lead else None,
        cards=tuple(made[1 if lead else 0 :]),
        lines=tuple(
            replace(cards.line(key, stock.entries[key], language=language), number=len(shown) + place)
            for place, key in enumerate(lines, 1)
        ),
        more=tuple(_earlier(*each, language) for each in stock.earlier) if more else (),
        promo=context.Promo(
            title,
            text,
            button,
            "https://lantern.example/print",
            context.Picture(f"{HOST}/media/cover.jpg", stock.cover, 480, 640, shape="tall") if pictures else None,
        )
        if promo
        else None,
        view_online_url=f"{HOST}/issues/weekly/{DAY.isoformat()}/",
    )


def rich() -> context.IssueContent:
    """Everything a week can hold."""
    return build("sunday", ["night", "salt", "tin", "hall", "mara"], ["garden", "list"])


def thin() -> context.IssueContent:
    """Three reviews, one without a picture, no note."""
    return build("sunday", ["salt", "list"], note=(), more=False, promo=False)


def without_pictures() -> context.IssueContent:
    """The same rich week with no picture at all."""
    return build("sunday", ["night", "salt", "tin", "mara"], ["garden"], pictures=False)


READER = Reader(
    address="ada@readers.example.test",
    name="Ada Marlow",
    joined_on=date(2026, 3, 14),
    unsubscribe_url=f"{HOST}/u/AbCdEfGhIjKlMnOpQrStUvWx",
)
NAMELESS = replace(READER, name="", topics=("book", "music"))


def right_to_left() -> context.IssueContent:
    """An Arabic issue whose reviews have Latin titles."""
    return build(
        "sunday", ["night", "salt", "garden"], ["list"], language="ar", note=("أمطرت هذا الأسبوع، وكان أسبوعًا جميلًا.",)
    )
