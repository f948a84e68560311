"""An issue in which every field of the content model says something: for the reference of designers, and to try that no
block of a design was forgotten. Every work, person and place is invented.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from newsletter.core import cards, context
from newsletter.core.content import EntryContent, Rating, Work
from newsletter.core.words import week_of
from tests.letters import issues

LUNCH_AGAIN = replace(
    issues.entry(
        "night",
        "Eleven Plates and No Appetite: A Second Look at “See You Sunday”",
        "movie",
        "Bo Lindqvist",
        body_text=(
            "I laughed, and on the way home I could not say at what. Eleven people argue about a house that we never "
            "see, and after an hour I longed for the house. Orla Venn frames all of it as if the walls were listening."
        ),
        work=Work("See You Sunday", "Movie", "2026", ("Orla Venn",), ("Dara Okoye", "Finn Abara")),
        rating=Rating("2.5", "5"),
    ),
    url="https://lantern.example/movie/sunday-again",
)
LUNCH_TWICE = replace(
    LUNCH_AGAIN,
    title="The Best Argument of the Year Is About a House",
    title_clean="The Best Argument of the Year Is About a House",
    authors=("Ada Marlow",),
    body_text=(
        "Nobody leaves the table, and nobody wants to. Orla Venn’s lunch is a thriller with potatoes, and its villain "
        "is a sentence that starts with “your father always said”."
    ),
    url="https://lantern.example/movie/sunday-third",
    rating=Rating("4", "5"),
)
INTERVIEW = replace(
    issues.ENTRIES["mara"],
    body_html=(
        "<p>We met in the empty theatre where it opens next week.</p>"
        "<p><strong>Why a dog, after eleven plays about your mother?</strong> Because my mother has seen the first "
        "eleven, and she asked for a part in which she could lie down.</p>"
        "<p><strong>Did she take it?</strong> She is in the next room, learning to bark.</p>"
    ),
)
CONCERT = replace(issues.ENTRIES["hall"], event_date=date(2026, 11, 2))


def _shaped(card: context.Card) -> context.Card:
    picture = card.picture
    shaped = picture and replace(picture, shape=cards.shape_of(picture.width, picture.height, card.rubric))
    return replace(card, picture=shaped)


def _card(key: str, entry: EntryContent, **more: object) -> context.Card:
    card = cards.card(key, entry, on=issues.DAY, language="en", picture=issues.picture(key))
    return replace(_shaped(card), **more)  # type: ignore[arg-type]


def everything(*, with_lead: bool = True) -> context.IssueContent:
    """A rich week with a quote, a second opinion on the lead (or a pair of its own), a sponsor, and all the rest."""
    base = issues.rich()
    assert base.lead
    base = replace(base, lead=_shaped(base.lead), cards=tuple(map(_shaped, base.cards)))
    opinions = [_card("again", LUNCH_AGAIN), _card("third", LUNCH_TWICE)]
    shown = [
        _card("mara", INTERVIEW) if card.key == "mara" else _card("hall", CONCERT) if card.key == "hall" else card
        for card in base.cards
    ]
    shown[1] = replace(shown[1], pick=True)
    first = issues.ENTRIES["sunday"]
    other = Work("The Quiet Floor", "Movie", "2026", ("Sol Whitaker",))
    return context.numbered(
        replace(
            base,
            issue=replace(
                base.issue,
                week=week_of(issues.DAY, "en"),
                listen=context.Link("Tin Hymnal, side A", "https://lantern.example/listen/tin-hymnal"),
            ),
            quote=context.Quote(
                "Dara Okoye carries the last twenty minutes with nothing but a tea towel.",
                "Mara Quill on See You Sunday",
                "movie",
                first.url,
            ),
            cards=tuple(shown),
            pairs=(
                context.Pair("See You Sunday", "movie", (opinions[0],), with_lead=True)
                if with_lead
                else context.Pair(
                    other.title,
                    "movie",
                    tuple(replace(card, work=other.title, picture=None) for card in opinions),
                ),
            ),
            sponsor=context.Sponsor(
                "Sponsored",
                "The Orpheum Club: four seats, four films, one price",
                "A season ticket for people who decide at half past seven.",
                "See the season",
                "https://orpheum.example/club",
                context.Picture(f"{issues.HOST}/media/club.jpg", "Four red seats", 720, 480, "", "wide"),
            ),
            corrections=(
                context.Correction(
                    "The Salt Road Walks Itself",
                    "https://lantern.example/book/salt",
                    "The road is forty miles long, not fourteen.",
                    "The Salt Road Walks Itself",
                ),
            ),
            also_like=(
                context.Line(
                    "5", "A Kitchen Has Two Doors", "https://lantern.example/movie/doors", "movie", "Movie review",
                    "By Theo Brandt", "Theo Brandt", isolated="A Kitchen Has Two Doors",
                ),
            ),
            forward_url=f"{issues.HOST}/i/weekly/{issues.DAY.isoformat()}/forward",
            subscribe_url=f"{issues.HOST}/s/weekly",
        )
    )  # fmt: skip
