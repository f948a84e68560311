"""The job: one issue of twelve reviews in a design of ours, about 48 KB a letter, and its readers. Run in a home.

job prepare PEOPLE     the rows, and the approved issue
job export FOLDER      the same letter as templates for the rivals: {{ name }}, {{ address }}, {{ unsubscribe }}
job check FOLDER       messages that a sink wrote down, against the full render for their readers
"""

from __future__ import annotations

import email
import email.policy
import json
import os
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402

from newsletter.core.content import EntryContent, PictureRef, Rating, Release, Work, to_json  # noqa: E402
from newsletter.core.reader import Reader  # noqa: E402
from newsletter.flow import compile as letters  # noqa: E402
from newsletter.flow import issue as issue_flow  # noqa: E402
from newsletter.flow.deliver import Installation  # noqa: E402
from newsletter.models import Account, Entry, Issue, Picture, Placement, Review  # noqa: E402
from subscribers.models import Subscriber, Subscription, SubscriptionState  # noqa: E402
from tests.factories import LONG_AGO, make_account, make_list, make_magazine, make_newsletter, make_source  # noqa: E402

HERE = Path(__file__).resolve().parent
DESIGN = "broadsheet"
SEED = 7
AT_ONCE = 10_000
REVIEWS = 12
RUBRICS = ("movie", "book", "music", "concert", "tv", "game")
WORDS = (
    *("a", "quiet", "novel", "about", "the", "river", "and", "city", "winter", "light", "music", "machine", "garden"),
    *("paper", "glass", "family", "border", "memory", "engine", "kitchen", "summer", "patient", "small", "wonderful"),
    *(
        "strange",
        "careful",
        "funny",
        "warm",
        "sharp",
        "odd",
        "honest",
        "slow",
        "brilliant",
        "uneven",
        "it",
        "is",
        "was",
    ),
    *("has", "told", "with", "without", "between", "after", "before", "under", "over", "every", "never", "always"),
    *("again", "almost", "reader", "writer", "page", "chapter", "ending", "café", "naïve"),
)
FIRST = ("Ada", "Bo", "Cléo", "Dmitri", "Edda", "Farah", "Göran", "Hana", "Inés", "Jun", "Kit", "Łucja")
LAST = ("Marlow", "Lindqvist", "Núñez", "Petrov", "Quill", "Rahimi", "Åberg", "Sato", "Vale", "Watanabe", "Osei", "Żuk")
MARKS = {"name": "Xnamex", "address": "x@xaddressx.test", "unsubscribe": "https://news.example.test/u/XunsubscribeX"}


# --- prepare ----------------------------------------------------------------------------------------------------------


def prepare(people: int) -> dict[str, Any]:
    """An approved issue, due a minute ago, for so many readers."""
    now = datetime.now(UTC)
    account = make_account(name="relay", kind=Account.Kind.SMTP, settings={"host": "127.0.0.1", "port": 25})
    shutil.copytree(HERE / "design", settings.NEWSLETTER.home / "templates" / "email" / DESIGN)
    series = make_newsletter(
        account=account, magazine=make_magazine(), reply_to="editors@news.example.test", design=DESIGN
    )
    for rows in _people(people):
        Subscriber.objects.bulk_create(rows)
        times = dict.fromkeys(("joined_at", "confirmed_at", "state_at"), LONG_AGO)
        fields = {"mailing_list": make_list(), "state": SubscriptionState.ACTIVE, **times}
        Subscription.objects.bulk_create([Subscription(subscriber=person, **fields) for person in rows])
    issue = Issue.objects.create(
        newsletter=series,
        slot=f"{now:%Y-%m-%d}",
        slot_at=now - timedelta(minutes=1),
        cutoff_at=now - timedelta(hours=1),
        number=47,
        created_at=now - timedelta(days=1),
        note=sentence(Random(SEED), 40),
        note_signature="Mara Quill",
        subject="Twelve reviews for a wet week",
    )
    source = make_source()
    for position in range(1, REVIEWS + 1):
        _place(issue, source, position, now - timedelta(days=2))
    issue_flow.approve(issue, "Mara", now=now)
    return {"people": people, "issue": issue.pk}


def sentence(rnd: Random, words: int) -> str:
    return " ".join(rnd.choice(WORDS) for _ in range(words)).capitalize() + "."


def _people(count: int) -> Iterator[list[Subscriber]]:
    rnd = Random(SEED)
    for start in range(0, count, AT_ONCE):
        yield [
            Subscriber(
                address=f"reader{number}@readers.example.org",
                address_key=f"reader{number}@readers.example.org",
                name=f"{rnd.choice(FIRST)} {rnd.choice(LAST)}",
                created_at=LONG_AGO,
            )
            for number in range(start, min(count, start + AT_ONCE))
        ]


def _place(issue: Issue, source: Any, position: int, at: datetime) -> None:
    rnd = Random(SEED * 100 + position)
    rubric = RUBRICS[position % len(RUBRICS)]
    title = sentence(rnd, 6)[:-1]
    text = " ".join(sentence(rnd, 14) for _ in range(8))
    picture = f"https://lantern.example.test/pictures/{position}.jpg"
    content = EntryContent(
        title=title,
        title_clean=title,
        url=f"https://lantern.example.test/2026/11/{rubric}/review-number-{position}/",
        guid=f"review-{position}",
        rubric=rubric,
        authors=(f"{rnd.choice(FIRST)} {rnd.choice(LAST)}",),
        dek=sentence(rnd, 12),
        body_html=f"<p>{text}</p>",
        body_text=text,
        word_count=len(text.split()),
        published_at=at,
        work=Work(title, "Movie", "2026", (f"{rnd.choice(FIRST)} {rnd.choice(LAST)}",), (), "Quay Pictures"),
        release=Release(date(2026, 11, 6), "day", "opens", "cinemas", "Opens Nov. 6 in cinemas"),
        rating=Rating(str(rnd.randrange(2, 6)), "5"),
        pictures=(PictureRef(picture, alt=sentence(rnd, 9), credit="Quay Pictures"),),
    )
    Picture.objects.create(source_url=picture, name=f"{position:064x}.jpg", width=720, height=480, fetched_at=at)
    review = Review.objects.create(first_seen_at=at, effective_at=at)
    review.representative = Entry.objects.create(
        source=source,
        review=review,
        guid_key=content.guid,
        title=title,
        content=to_json(content),
        content_hash="",
        first_seen_at=at,
        last_seen_at=at,
    )
    review.save()
    Placement.objects.create(
        newsletter=issue.newsletter, issue=issue, review=review, kind=Placement.Kind.CARD, position=position,
        state="reserved", at=at,
    )  # fmt: skip


# --- export -----------------------------------------------------------------------------------------------------------


def export(folder: Path) -> dict[str, Any]:
    """The letter for a reader whose values can be found again, with marks in their places."""
    compiler = letters.compiler(Issue.objects.get())
    full = compiler.full_render(Reader(MARKS["address"], name=MARKS["name"], unsubscribe_url=MARKS["unsubscribe"]))
    for file, text in (("issue.html", full.html), ("issue.txt", full.text)):
        assert "{{" not in text
        for name, mark in MARKS.items():
            assert mark in text, (file, name)
            text = text.replace(mark, f"{{{{ {name} }}}}")
        (folder / file).write_text(text)
    (folder / "subject.txt").write_text(full.subject)
    return {"subject": full.subject}


# --- check ------------------------------------------------------------------------------------------------------------


def check(folder: Path) -> dict[str, Any]:
    """Decode each message by the standard library's parser and compare it with the full render for its reader."""
    issue = Issue.objects.get()
    assert issue.started_at is not None
    frozen, compiler = letters.frozen(issue), letters.compiler(issue)
    keys = Installation.of(settings.NEWSLETTER, os.environ).keys
    sizes: list[int] = []
    addresses: set[str] = set()
    different: list[str] = []
    for file in sorted(folder.glob("*.eml")):
        envelope, _, wire = file.read_bytes().partition(b"\r\n")
        address = envelope.decode().split(">")[0].lstrip("< ")
        row = Subscription.objects.select_related("subscriber").get(subscriber__address=address)
        reader = letters.reader_of(row, base_url=frozen.base_url, keys=keys, day=issue.started_at.date())
        wanted = compiler.full_render(reader)
        found: Any = email.message_from_bytes(_unstuffed(wire), policy=email.policy.default)
        plain, html = found.get_payload()
        same = (
            str(found["Subject"]) == wanted.subject
            and _text(plain) == wanted.text
            and _text(html) == wanted.html
            and found["To"].addresses[0].addr_spec == address
            and found["To"].addresses[0].display_name == row.subscriber.name
        )
        if not same:
            different.append(address)
        sizes.append(len(wire))
        addresses.add(address)
    return {
        "messages": len(sizes),
        "readers": len(addresses),
        "different": different[:5],
        "bytes": sum(sizes) // max(1, len(sizes)),
    }


def _unstuffed(wire: bytes) -> bytes:
    """Without the transparency of RFC 5321 section 4.5.2 and the final dot."""
    assert wire.endswith(b"\r\n.\r\n")
    return wire[:-3].replace(b"\r\n..", b"\r\n.")


def _text(part: Any) -> str:
    return str(part.get_payload(decode=True).decode("utf-8").replace("\r\n", "\n"))


if __name__ == "__main__":
    verb, argument = sys.argv[1:]
    made = {"prepare": lambda: prepare(int(argument)), "export": lambda: export(Path(argument))}
    print(json.dumps(made[verb]() if verb in made else check(Path(argument))))
