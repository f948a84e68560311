"""Issues of an invented magazine, to try designs on: a rich week, a thin one, one without pictures, one of 30 cards.

They say everything that a letter can say, so that a design which is fine with them is fine with a magazine's own weeks.
Works, people and places are invented.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from newsletter.core import cards, context, suggest
from newsletter.core.content import EntryContent, Rating, Release, Work
from newsletter.core.reader import Reader
from newsletter.core.words import long_date, week_of, words

HOST = "https://letters.example.org"
SITE = "https://magazine.example.org"
DAY = date(2026, 11, 5)
MOST = 30

_TEXTS = {
    "clockmaker": (
        "The town in “The Clockmaker’s Strike” stops at ten past four, and so, for a while, does the film. Ida Norrell "
        "lets us look at a square in which nothing happens until nothing is all that we want to see. Then a boy winds "
        "his watch. What follows is an hour of small disobedience, told with the patience of people who have time.\n"
        "Whoever leaves early misses the quietest riot that was ever put on a screen."
    ),
    "again": (
        "An hour of stopped clocks is an hour, and I felt each minute. The riot that others praise is eleven people "
        "who walk round a fountain. Ida Norrell has made a film about patience and spends all of ours."
    ),
    "ferry": (
        "Four women take the last ferry, and the novel stays on the quay with the one who missed it. Petra Anselm "
        "writes a night in nine phone calls, none of which we hear from the other side."
    ),
    "kettle": (
        "The band recorded in a kitchen and left the kettle in. It comes to the boil in the third song, and from there "
        "on you wait for it in every other one. No record this year made so much of so little steam."
    ),
    "tram": (
        "They played the old depot with the doors open, and twice a real tram went by. The second time the singer "
        "waved, and somebody on the upper deck waved back. The encore was about them."
    ),
    "widow": (
        "Selma Castellan has been dead in four plays and says that it is restful. We met in the wings of the fifth, "
        "where she waits eleven minutes for her murder."
    ),
    "atlas": (
        "You draw the map and the map sulks. That is most of this game, and the rest is learning to apologise to a "
        "coastline. I have not been so moved by a peninsula since school."
    ),
    "nines": "Nine last lines that should have been the first. Some of them are receipts, and one is a recipe.",
    "signal": "Six episodes about a lighthouse without a light, and the best of them is the one in fog.",
}
_PICTURES = {
    "clockmaker": (1200, 675, "A square at noon, every clock on it showing ten past four"),
    "ferry": (480, 720, "The cover: a timetable with one line crossed out"),
    "kettle": (720, 720, "The sleeve: a kettle on an amplifier"),
    "tram": (720, 480, "A singer waving at a lit tram"),
    "widow": (720, 480, "An actress in the wings, looking at her watch"),
    "atlas": (720, 480, "A drawn coastline with folded arms"),
}
_EXCHANGE = (
    "<p>We met in the wings.</p><p><strong>What do you do for eleven minutes?</strong> The first year I read. Now I "
    "listen to the others lie about where they were.</p>"
    "<p><strong>And then you die.</strong> And then I take the tram.</p>"
)


def _entry(key: str, title: str, rubric: str, author: str, **more: object) -> EntryContent:
    facts: dict[str, object] = {
        "title": title,
        "title_clean": title,
        "url": f"{SITE}/{rubric}/{key}",
        "rubric": rubric,
        "authors": (author,),
        "body_text": _TEXTS[key],
        "reading_minutes": 4,
        "language": "en",
    }
    return EntryContent(**{**facts, **more})  # type: ignore[arg-type]


_STRIKE = Work("The Clockmaker’s Strike", "Movie", "2026", ("Ida Norrell",), ("Jonas Attwell", "Mina Rao"))
_ENTRIES = {
    entry.url.rpartition("/")[2]: entry
    for entry in (
        _entry(
            "clockmaker", "“The Clockmaker’s Strike” Takes Its Time and Keeps It", "movie", "Greta Sand", work=_STRIKE,
            release=Release(date(2026, 11, 6), "day", "opens", "theaters", "Opens in theaters Nov. 6"),
            rating=Rating("4.5", "5"),
        ),
        _entry("again", "An Hour Is an Hour", "movie", "Otis Vane", work=_STRIKE, rating=Rating("2", "5")),
        _entry(
            "ferry", "Nine Calls From the Quay", "book", "Noor Haddad", rating=Rating("8.3", "10"),
            work=Work("The Last Ferry", "Book", "2026", ("Petra Anselm",), (), "Quill & Oar"),
        ),
        _entry(
            "kettle", "Tin Kettle Let It Boil", "music", "Otis Vane", rating=Rating("A-", "A+"),
            work=Work("Steam", "MusicAlbum", "2026", ("Tin Kettle",), (), "Hob Records"),
            release=Release(date(2026, 10, 30), "day", "out", "", "Out Oct. 30"),
        ),
        _entry(
            "tram", "A Tram Went By, and They Waved", "concert", "Lou Farrow", event_date=date(2026, 11, 2),
            work=Work("The Sidings", "MusicEvent", "", ("The Sidings",), (), "The Old Depot"),
        ),
        _entry(
            "widow", "Selma Castellan Dies at Ten to Nine", "interview", "Greta Sand", body_html=_EXCHANGE,
            work=Work("Selma Castellan", "Person"),
        ),
        _entry(
            "atlas", "A Map That Sulks", "game", "Lou Farrow", rating=Rating("87", "100"),
            work=Work("Coastline", "VideoGame", "2026", ("Two Compasses",)),
        ),
        _entry("nines", "Nine Last Lines", "list", "The Desk"),
        _entry(
            "signal", "A Lighthouse Without a Light", "tv", "Noor Haddad", rating=Rating("must see", ""),
            work=Work("Signal Hill", "TVSeries", "2026", ("Bea Moran",), (), "Channel Four"),
            release=Release(date(2026, 11, 12), "day", "starts", "Channel Four", "Starts Nov. 12"),
        ),
    )
}  # fmt: skip


def _picture(key: str, language: str) -> context.Picture | None:
    if key not in _PICTURES:
        return None
    width, height, alt = _PICTURES[key]
    credit = cards.credit("Hana Loft", language)
    return context.Picture(f"{HOST}/media/{key}.jpg", alt, width, height, credit, cards.shape_of(width, height))


def _card(key: str, language: str, *, lead: bool = False) -> context.Card:
    entry = _ENTRIES[key]
    return cards.card(key, entry, on=DAY, language=language, picture=_picture(key, language), lead=lead)


def rich(language: str = "en") -> context.IssueContent:
    """A week with every block that a letter has."""
    spoken = words(language)
    shown = [_card(key, language) for key in ("signal", "ferry", "kettle", "tram", "widow")]
    shown[1] = replace(shown[1], pick=True)
    lead = _card("clockmaker", language, lead=True)
    hooks = [suggest.Hook(card.work or card.title, card.title, card.excerpt) for card in (lead, *shown)]
    subject = suggest.subjects(hooks, language)[0]
    picture = context.Picture(f"{HOST}/media/print.jpg", "The cover: a stopped clock", 400, 560, "", "tall")
    earlier = [cards.line(f"e{key}", _ENTRIES[key], language=language) for key in ("atlas", "nines")]
    return context.numbered(
        context.IssueContent(
            language=language,
            magazine=context.Magazine(
                name="The Evening Post Box",
                url=f"{SITE}/",
                about="What to see, hear and read, by people who stay to the end.",
                legal_name="Post Box Press",
                address_lines=("Post Box Press", "3 Ropewalk Lane", "Marlow Quay 20417"),
                privacy_url=f"{SITE}/privacy",
                rights="© 2026 Post Box Press",
            ),
            newsletter=context.Newsletter("weekly", "Post Box Weekly", "Seven evenings, sorted", True),
            issue=context.Issue(
                slot=DAY.isoformat(),
                number=spoken["number"].format(n=58),
                date=long_date(DAY, language),
                subject=subject,
                preview_text=suggest.preview_text(hooks, subject, language),
                contents=suggest.contents(hooks, language),
                note=(
                    "Every clock in this office is wrong this week, and for once that is the point. If you have one "
                    "evening, give it to Ida Norrell.",
                    "And if you have two, miss a ferry.",
                ),
                note_signature="Greta Sand",
                week=week_of(DAY, language),
                listen=context.Link("Steam, side A", f"{SITE}/listen/steam"),
            ),
            lead=lead,
            quote=context.Quote(
                "Whoever leaves early misses the quietest riot that was ever put on a screen.",
                spoken["quote_of"].format(critic=lead.critics, work=lead.work),
                lead.rubric,
                lead.url,
                lead.lang,
                lead.dir,
            ),
            cards=tuple(shown),
            pairs=(context.Pair(lead.work, "movie", (_card("again", language),), with_lead=True),),
            sponsor=context.Sponsor(
                spoken["sponsored"],
                "The Slow Cinema Club",
                "Twelve films a year, none of them under two hours.",
                "See the programme",
                f"{SITE}/sponsors/slow",
                context.Picture(f"{HOST}/media/club.jpg", "An empty row of seats", 720, 480, "", "wide"),
            ),
            lines=tuple(cards.line(key, _ENTRIES[key], language=language) for key in ("atlas", "nines")),
            corrections=(
                context.Correction(
                    "Nine Calls From the Quay",
                    f"{SITE}/book/ferry",
                    "There are nine calls in the novel, not ten.",
                    cards.isolated("Nine Calls From the Quay", language),
                ),
            ),
            also_like=tuple(earlier[:1]),
            more=tuple(earlier[1:]),
            promo=context.Promo(
                "The Clock Issue",
                "112 pages on paper, for evenings without a screen.",
                "Get the print magazine",
                f"{SITE}/print",
                picture,
            ),
            view_online_url=f"{HOST}/i/weekly/{DAY.isoformat()}",
            forward_url=f"{HOST}/i/weekly/{DAY.isoformat()}/forward",
            subscribe_url=f"{HOST}/s/weekly",
        )
    )


def thin(language: str = "en") -> context.IssueContent:
    """Three reviews and nothing else: no note, no picture of the lead, no line, no insert."""
    whole = rich(language)
    assert whole.lead
    return context.numbered(
        replace(
            whole,
            issue=replace(whole.issue, note=(), note_signature="", listen=None),
            lead=replace(whole.lead, picture=None, stub=None, rating=None),
            quote=None, cards=whole.cards[1:3], pairs=(), sponsor=None, lines=(), corrections=(), also_like=(), more=(),
            promo=None, forward_url="", subscribe_url="",
        )
    )  # fmt: skip


def bare(language: str = "en") -> context.IssueContent:
    """The rich week without one picture, and with a pair of its own."""
    whole = rich(language)
    assert whole.lead and whole.sponsor and whole.promo
    plain = tuple(replace(card, picture=None) for card in whole.cards)
    opinions = (replace(_card("again", language), picture=None), replace(plain[0], rubric="movie"))
    return context.numbered(
        replace(
            whole,
            lead=replace(whole.lead, picture=None),
            cards=plain[1:],
            pairs=(context.Pair(whole.lead.work, "movie", opinions),),
            sponsor=replace(whole.sponsor, picture=None),
            promo=replace(whole.promo, picture=None),
        )
    )


def full(language: str = "en", count: int = MOST) -> context.IssueContent:
    """As many cards as a letter may have, ten lines, addresses as long as real ones."""
    whole = rich(language)
    slug = f"{SITE}/2026/11/05/reviews/a-headline-of-eight-words-makes-a-slug"

    def far(number: int, card: context.Card) -> context.Card:
        picture = card.picture and replace(card.picture, url=f"{HOST}/media/ab/{number:064x}.jpg")
        return replace(card, key=f"f{number}", url=f"{slug}-{number}", picture=picture)

    made = tuple(far(number, whole.cards[number % len(whole.cards)]) for number in range(count - 2))
    lines = tuple(replace(whole.lines[number % 2], key=f"l{number}", url=f"{slug}-{number}") for number in range(10))
    links = tuple(replace(whole.more[0], url=f"{slug}-{number}") for number in range(3))
    return context.numbered(replace(whole, cards=made, lines=lines, also_like=links, more=links))


SAMPLES = {"rich": rich, "thin": thin, "bare": bare, "full": full}


def readers() -> tuple[Reader, ...]:
    """Who a design must please: nobody in particular, one who wants everything, one who follows one rubric and has a
    name that is no English one.
    """
    token = "S" * 24
    everything = Reader(
        "reader@example.org",
        name="Ada Lund",
        joined_on=date(2024, 2, 29),
        unsubscribe_url=f"{HOST}/u/{token}",
        preferences_url=f"{HOST}/p/{token}",
    )
    picky = replace(everything, name="نور", topics=("book",), language="ar", attributes={"city": "Lisbon"})
    return Reader(""), everything, picky
