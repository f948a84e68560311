"""An issue of LANTERN Weekly with the reference reviews placed in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings

from newsletter.core.content import PictureRef, to_json
from newsletter.core.identity import url_key
from newsletter.flow.gather.mentioning import note
from newsletter.models import Entry, Issue, Newsletter, Picture, Placement, Review
from tests.factories import make_newsletter, make_source, make_subscription
from tests.letters import issues as reference

NOW = datetime(2026, 11, 4, 23, 0, tzinfo=UTC)
BASE = "https://news.example.test"


@pytest.fixture(autouse=True)
def home(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """A home with no files, and an https address."""
    settings.NEWSLETTER = replace(settings.NEWSLETTER, home=tmp_path, base_url=BASE, secret_key="not a secret")
    yield tmp_path


@pytest.fixture
def newsletter(db: None) -> Newsletter:
    made = make_newsletter(reply_to="editors@lantern.example.test", tagline="What is worth an evening")
    make_subscription("ada@readers.example.test", name="Ada Marlow")
    return made


@pytest.fixture
def issue(newsletter: Newsletter) -> Issue:
    """A draft for Thursday 5 November 2026 with a lead, two cards and a line."""
    made = Issue.objects.create(
        newsletter=newsletter,
        slot="2026-11-05",
        slot_at=datetime(2026, 11, 5, 13, 0, tzinfo=UTC),
        cutoff_at=datetime(2026, 11, 4, 23, 0, tzinfo=UTC),
        number=214,
        created_at=NOW,
        note="It rained.\nIt was worth it.",
        note_signature="Mara Quill",
    )
    for position, key in enumerate(("sunday", "salt", "night"), 1):
        add(made, key, position=position)
    add(made, "list", kind=Placement.Kind.LINE, position=1)
    return made


def add(
    issue: Issue, key: str, *, kind: str = Placement.Kind.CARD, position: int = 1, state: str = "reserved"
) -> Placement:
    """Place one of the reference reviews."""
    return Placement.objects.create(
        newsletter=issue.newsletter,
        issue=issue,
        review=make_review(key),
        kind=kind,
        position=position,
        at=NOW,
        state=state,
    )


def make_review(key: str, **fields: object) -> Review:
    """One of the reference reviews in the store, its picture fetched."""
    source = issue_source()
    content = reference.ENTRIES[key]
    known = reference.picture(key)
    if known:
        address = f"https://lantern.example/pictures/{key}.png"
        content = replace(content, pictures=(PictureRef(address, alt=known.alt, credit="Halo Pictures"),))
        Picture.objects.get_or_create(
            source_url=address,
            defaults={"name": f"{len(key):064x}.jpg", "width": known.width, "height": known.height, "fetched_at": NOW},
        )
    review = Review.objects.create(first_seen_at=NOW, effective_at=NOW, **fields)
    entry = Entry.objects.create(
        source=source,
        review=review,
        guid_key=f"{key}-{review.pk}",
        url_key=url_key(content.url),
        title=content.title,
        content=to_json(content),
        content_hash="0",
        first_seen_at=NOW,
        last_seen_at=NOW,
    )
    note(entry, content)
    review.representative = entry
    review.save()
    return review


def issue_source() -> object:
    from newsletter.models import Source

    return Source.objects.first() or make_source()


@pytest.fixture
def edit() -> Callable[..., None]:
    """Change a placement's edits."""

    def change(issue: Issue, position: int, **edits: str) -> None:
        row = Placement.objects.get(issue=issue, kind="card", position=position)
        row.edits = edits
        row.save()

    return change
