"""Made-up issues of any kind a source could give: twelve languages, every block there or not, any length and rating.

Seeded: the same number gives the same issue. The letters go the way of a send: `Composer`, then both DKIM signatures.
"""

from __future__ import annotations

import html
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from newsletter.core import cards, context, suggest
from newsletter.core.content import EntryContent, Release, Work
from newsletter.core.context import build_context
from newsletter.core.dkim import PrivateKey, Signer
from newsletter.core.domain import dkim_record
from newsletter.core.letter import Compiler
from newsletter.core.ratings import read_rating
from newsletter.core.rubrics import RUBRICS
from newsletter.core.tokens import Keys
from newsletter.core.words import long_date, week_of, words
from newsletter.flow.compile import Composer, Frozen, Recipient, Sender
from newsletter.flow.compile.people import preferences_prefix, unsubscribe_prefix
from tests.letters import issues
from tests.letters.drawn import SIZES
from tests.looks.letters import DESIGNS, design
from tests.looks.stocks import ODDITIES, STOCKS, Stock
from tests.tools import check_message

DOMAIN = "news.example.test"
ADDRESS = "198.18.0.7"
"""Of the range for measurements (RFC 2544): those for documentation count against a mail."""

NOW = datetime(2026, 11, 5, 13, 0, tzinfo=UTC)
SENDER = Sender(
    "The Lantern, weekly", f"weekly@{DOMAIN}", "", f"The Lantern Weekly <weekly.{DOMAIN}>", "45:weekly:issue:lantern",
    f"b@{DOMAIN}",
)  # fmt: skip
RATINGS = ("", "", "4.5/5", "3/4", "8.3/10", "83%", "B+", "17/20", "F", "0.5/5", "5/5", "10/10")
LANGUAGES = tuple(STOCKS)
MARKS = ("{{", "[[")


@dataclass(frozen=True, slots=True)
class Made:
    """One generated issue: its number, design, language, content and one reader's copy."""

    number: int
    design: str
    language: str
    content: context.IssueContent
    message: bytes


class _Dice(Random):
    """Random choices of a review's parts."""

    def __init__(self, number: int, language: str) -> None:
        super().__init__(f"{number} {language}")
        self.stock: Stock = STOCKS[language]

    def _word(self) -> str:
        """A word of the stock, or the beginning of one with the end of another: a few dozen words grow to hundreds."""
        word = self.choice(self.stock.words)
        return word if self.random() < 0.4 else word[: self.randint(2, 5)] + self.choice(self.stock.words)[-4:]

    def text(self, low: int, high: int) -> str:
        """A sentence of so many words, now and then with something odd in it."""
        picked = [self._word() for _ in range(self.randint(low, high))]
        if self.random() < 0.06:
            # Where lines break between any two letters, a quoted "{{" may be cut, and looks like another one.
            known = [odd for odd in ODDITIES if self.stock.space or not any(mark in odd for mark in MARKS)]
            picked.insert(self.randrange(len(picked) + 1), self.choice(known))
        joined = self.stock.space.join(picked)
        return joined[:1].upper() + joined[1:]

    def prose(self, sentences: int) -> str:
        """Some sentences."""
        after = self.stock.stop + self.stock.space
        return "".join(self.text(6, 18) + after for _ in range(sentences)).strip()

    def people(self, most: int) -> tuple[str, ...]:
        """Nobody, or up to `most` names."""
        return tuple(self.choice(self.stock.names) for _ in range(self.randint(0, most)))

    def day(self) -> date:
        """A day around the issue's."""
        return issues.DAY + timedelta(days=self.randint(-60, 60))


_escaped = html.escape


def _entry(dice: _Dice, key: str, language: str) -> EntryContent:
    rubric = dice.choice([*RUBRICS, ""])
    title = dice.text(1, dice.choice((3, 6, 9, 40)))
    rating, _ = read_rating(dice.choice(RATINGS))
    work = None
    if dice.random() < 0.8:
        work = Work(
            dice.text(1, 4),
            "",
            dice.choice(("", "2026")),
            dice.people(3),
            dice.people(4),
            dice.choice(("", dice.text(1, 2))),
        )
    release = None
    if dice.random() < 0.4:
        release = Release(dice.day(), "day", "", dice.choice(("", "theaters", dice.text(1, 2))), dice.text(2, 5))
    return EntryContent(
        title=title,
        title_clean=title,
        url=f"https://lantern.example/{rubric or 'news'}/{key}?utm_source=feed&n={dice.randint(1, 9999)}",
        rubric=rubric,
        rubric_label="" if rubric else dice.choice(("", dice.text(1, 3))),
        authors=dice.people(dice.choice((1, 1, 2, 12))),
        dek=dice.choice(("", dice.text(6, 24))),
        body_text="\n".join(dice.prose(dice.randint(0, 7)) for _ in range(dice.randint(0, 3))),
        body_html=f"<p><strong>{_escaped(dice.text(4, 12))}?</strong> {_escaped(dice.prose(3))}</p>",
        reading_minutes=dice.choice((0, 1, 2, 7, 23)),
        language=language,
        work=work,
        release=release,
        event_date=dice.day() if dice.random() < 0.3 else None,
        rating=rating,
        sponsored=dice.random() < 0.05,
    )


def _picture(dice: _Dice, language: str) -> context.Picture | None:
    if dice.random() < 0.25:
        return None
    name = dice.choice(list(SIZES))
    width, height = SIZES[name]
    credit = cards.credit(dice.choice(("", dice.text(1, 3))), language)
    shape = cards.shape_of(width, height)
    return context.Picture(f"{issues.HOST}/media/{name}.jpg", dice.text(3, 9), width, height, credit, shape)


def content(number: int, language: str) -> context.IssueContent:
    """The issue of that number in one language. One review in seven is written in another."""
    dice = _Dice(number, language)
    shown = dice.choice((1, 2, 3, 5, 8, 12))
    entries: list[tuple[str, EntryContent]] = []
    for place in range(shown + dice.choice((0, 0, 1, 4, 9))):
        other = dice.choice(LANGUAGES) if dice.random() < 1 / 7 else language
        entries.append((f"k{place}", _entry(dice if other == language else _Dice(place, other), f"k{place}", other)))
    has_lead = dice.random() < 0.9
    made = []
    for place, (key, entry) in enumerate(entries[:shown], 1):
        lead = has_lead and place == 1
        card = cards.card(key, entry, on=issues.DAY, language=language, picture=_picture(dice, language), lead=lead)
        made.append(cards.described(card))
    hooks = [suggest.Hook(cards.work_title(entry), entry.title_clean, entry.body_text) for _, entry in entries[:shown]]
    bare = context.IssueContent(
        language=language,
        magazine=replace(issues.MAGAZINE, about=dice.choice(("", dice.prose(1)))),
        newsletter=context.Newsletter(
            "weekly",
            dice.choice(("The Lantern Weekly", dice.text(2, 4))),
            dice.choice(("", dice.text(3, 6))),
            dice.random() < 0.7,
        ),
        issue=_issue(dice, language, hooks),
        lead=made[0] if has_lead else None,
        cards=tuple(made[1 if has_lead else 0 :]),
        lines=tuple(cards.line(key, entry, language=language) for key, entry in entries[shown:]),
        view_online_url=f"{issues.HOST}/issues/weekly/{issues.DAY.isoformat()}/" if dice.random() < 0.9 else "",
        forward_url=dice.choice(("", f"{issues.HOST}/i/weekly/2026-11-05/forward")),
        subscribe_url=dice.choice(("", f"{issues.HOST}/s/weekly")),
    )
    return context.numbered(_beside(dice, bare))


def _issue(dice: _Dice, language: str, hooks: list[suggest.Hook]) -> context.Issue:
    subject = suggest.subjects(hooks, language)[0]
    note = tuple(dice.prose(dice.randint(1, 3)) for _ in range(dice.choice((0, 0, 1, 2))))
    return context.Issue(
        slot=issues.DAY.isoformat(),
        number=words(language)["number"].format(n=dice.randint(1, 999)) if dice.random() < 0.8 else "",
        date=long_date(issues.DAY, language),
        subject=subject,
        preview_text=suggest.preview_text(hooks, subject, language),
        contents=suggest.contents(hooks, language),
        note=note,
        note_signature=dice.choice(("", dice.choice(dice.stock.names))) if note else "",
        week=week_of(issues.DAY, language),
        listen=context.Link(dice.text(1, 4), "https://lantern.example/listen") if dice.random() < 0.3 else None,
    )


def _beside(dice: _Dice, bare: context.IssueContent) -> context.IssueContent:
    """`bare` with what stands beside its reviews, each now and then."""
    language, shown = bare.language, list(bare.cards)
    pairs: tuple[context.Pair, ...] = ()
    if len(shown) > 3 and dice.random() < 0.4:
        two = (shown.pop(), shown.pop())
        pairs = (context.Pair(two[0].work or two[0].title, two[0].rubric, two),)
    elif bare.lead and shown and dice.random() < 0.3:
        other = shown.pop()
        pairs = (context.Pair(other.work or other.title, other.rubric, (other,), with_lead=True),)
    if shown and dice.random() < 0.5:
        shown[0] = replace(shown[0], pick=True)
    said = bare.lead or (shown[0] if shown else None)
    return replace(
        bare,
        cards=tuple(shown),
        pairs=pairs,
        quote=context.Quote(
            dice.text(8, 28), dice.choice(("", dice.text(3, 8))), said.rubric, said.url, said.lang, said.dir
        )
        if said and dice.random() < 0.5
        else None,
        sponsor=context.Sponsor(
            words(language)["sponsored"],
            dice.text(2, 8),
            dice.choice(("", dice.prose(1))),
            dice.text(1, 3),
            "https://orpheum.example/club",
            dice.choice(
                (None, context.Picture(f"{issues.HOST}/media/club.jpg", dice.text(2, 5), 720, 480, "", "wide"))
            ),
        )
        if dice.random() < 0.3
        else None,
        corrections=tuple(
            context.Correction(title, "https://lantern.example/old", dice.prose(1), cards.isolated(title, language))
            for title in [dice.text(2, 6)] * (dice.random() < 0.15)
        ),
        also_like=_earlier(dice, language, dice.choice((0, 0, 1, 3))),
        more=_earlier(dice, language, dice.choice((0, 3, 4))),
        promo=context.Promo(
            dice.text(2, 4),
            dice.choice(("", dice.prose(1))),
            dice.text(2, 4),
            "https://lantern.example/print",
            dice.choice(
                (None, context.Picture(f"{issues.HOST}/media/cover.jpg", dice.text(2, 5), 480, 640, "", "tall"))
            ),
        )
        if dice.random() < 0.4
        else None,
    )


def _earlier(dice: _Dice, language: str, count: int) -> tuple[context.Line, ...]:
    bare = context.Line("", "", "", "movie", dice.text(1, 2), dice.choice(("", dice.text(1, 3))))
    return tuple(
        cards.titled(
            replace(bare, key=f"m{place}", url=f"https://lantern.example/old/{place}"), dice.text(2, 8), language
        )
        for place in range(count)
    )


@cache
def _keys() -> tuple[tuple[str, PrivateKey], ...]:
    return ("n1", generate_private_key(65537, 2048)), ("n1e", Ed25519PrivateKey.generate())


def zone() -> dict[str, list[tuple[str, str]]]:
    """The DNS of the sending domain, as `tests.nameserver` takes it: keys, SPF, DMARC, and the sending host by name."""
    host = f"out.{DOMAIN}"
    return {
        **{f"{selector}._domainkey.{DOMAIN}": [("TXT", dkim_record(key.public_key()))] for selector, key in _keys()},
        DOMAIN: [("TXT", f"v=spf1 ip4:{ADDRESS} -all"), ("MX", f"10 {host}."), ("A", ADDRESS)],
        f"_dmarc.{DOMAIN}": [("TXT", "v=DMARC1; p=reject")],
        host: [("A", ADDRESS), ("TXT", f"v=spf1 ip4:{ADDRESS} -all")],
        ".".join([*reversed(ADDRESS.split(".")), "in-addr", "arpa"]): [("PTR", f"{host}.")],
    }


def signed(name: str, shown: context.IssueContent, reader: Recipient, now: datetime = NOW) -> bytes:
    """One reader's copy of an issue in one design, as it leaves at `now`: composed, and signed twice."""
    found = design(name)
    frozen = Frozen(shown, found, SENDER, issues.HOST)
    links = {
        "unsubscribe_url": unsubscribe_prefix(frozen.base_url),
        "preferences_url": preferences_prefix(frozen.base_url),
    }
    compiler = Compiler(found, build_context(shown, found.tokens), links=links)
    composer = Composer(frozen, compiler, Keys(b"k" * 32), now, one_click=True, by_mail=True)
    message = composer.message(reader)
    return Signer(DOMAIN, _keys()).sign(message, at=int(now.timestamp())) + message


def reader(number: int, language: str) -> Recipient:
    """Somebody who gets it: names in any script, topics followed or not."""
    dice = _Dice(number, language)
    return Recipient(
        subscription=number + 1,
        address=f"reader{number}@example.org",
        name=dice.choice(("", dice.choice(dice.stock.names), dice.choice(ODDITIES), "Ünal, the Boss")),
        language=language,
        topics=(),
        attributes={},
        plain_text=False,
        joined_on=date(2026, 1, 1) + timedelta(days=number % 300),
    )


def made(number: int) -> Made:
    """The generated issue of that number: languages and designs take turns, so that each meets each."""
    language = LANGUAGES[number % len(LANGUAGES)]
    name = DESIGNS[number // len(LANGUAGES) % len(DESIGNS)]
    shown = content(number, language)
    return Made(number, name, language, shown, signed(name, shown, reader(number, language)))


@contextmanager
def judging() -> Iterator[None]:
    """The environment in which `check_message` looks for keys, postal address and envelope sender."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "zone.txt"
        lines = [f"{name} {kind} {value}" for name, rows in zone().items() for kind, value in rows]
        path.write_text("\n".join(lines))
        marks = "|||".join(each for each in ODDITIES if any(mark in each for mark in MARKS))
        told = {
            "ZONE": str(path), "POSTAL": "12 Main Street", "ENVELOPE_FROM": f"b+1@{DOMAIN}", "ALLOW_TEXT": marks,
        }  # fmt: skip
        before = {name: os.environ.get(name) for name in told}
        os.environ.update(told)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def failures(message: bytes) -> list[str]:
    """The MUSTs of the mail standards that a message fails, a line each. Inside of `judging`."""
    return [
        f"{name} [{note}]" for level, name, kept, note in check_message.check(message) if level == "MUST" and not kept
    ]
