"""The invented magazine's reviews: Markdown files with front matter, dated back from the moment the demo began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

import frontmatter
from markdown_it import MarkdownIt

from newsletter.core.errors import ContentError

MAGAZINE = "LANTERN"
PUBLIC = "https://lantern.example.test"
"""The magazine's own address, as its links and its readers' mails have it. Nothing on this machine answers to it."""

# The months as the magazine prints them: no year, so that the release date has to be worked out.
_MONTHS = ("Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec.")
_KEYS = {
    *("id", "title", "rubric", "critic", "hours", "channels", "category", "tags", "picture", "work", "rating"),
    *("release", "release_in", "sponsored"),
}


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """A picture to draw: `scene` names how, `shape` is "wide", "card", "square" or "tall"."""

    scene: str
    shape: str
    alt: str
    credit: str


@dataclass(frozen=True, slots=True)
class DemoReview:
    """One page of the magazine. `body_html` holds its paragraphs, the release line the last; `channels` is a subset of
    "rss", "wordpress" and "atom"; `work` and `rating` are JSON-LD fields as the file gives them.
    """

    slug: str
    post_id: int
    title: str
    rubric: str
    critic: str
    published_at: datetime
    channels: tuple[str, ...]
    category: str
    tags: tuple[str, ...]
    body_html: str
    excerpt: str
    picture: DrawnPicture | None
    work: Mapping[str, Any]
    rating: Mapping[str, str]
    sponsored: bool

    @property
    def path(self) -> str:
        """Where the magazine prints it."""
        return f"/reviews/{self.slug}/"


def load_reviews(began: datetime) -> tuple[DemoReview, ...]:
    """Every review, newest first, dated `hours` before `began` (aware)."""
    reviews = [_review(slug, text, began) for slug, text in _files().items()]
    return tuple(sorted(reviews, key=lambda review: review.published_at, reverse=True))


@cache
def _files() -> dict[str, str]:
    folder = resources.files(__package__) / "content"
    return {
        file.name.removesuffix(".md"): file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".md")
    }


def _review(slug: str, text: str, began: datetime) -> DemoReview:
    page = frontmatter.loads(text)
    fields: dict[str, Any] = page.metadata
    if unknown := sorted(set(fields) - _KEYS):
        raise ContentError(f"Unknown keys: {', '.join(unknown)}.", where=f"{slug}.md")
    body = page.content.strip()
    if release := fields.get("release"):
        day = began + timedelta(days=fields["release_in"])
        body += "\n\n" + release.format(date=f"{_MONTHS[day.month - 1]} {day.day}")
    published = began - timedelta(hours=fields["hours"])
    return DemoReview(
        slug=slug,
        post_id=fields["id"],
        title=fields["title"],
        rubric=fields["rubric"],
        critic=fields["critic"],
        published_at=published.replace(minute=(fields["id"] * 7) % 60, second=0, microsecond=0),
        channels=tuple(fields["channels"]),
        category=fields["category"],
        tags=tuple(fields["tags"]),
        body_html=MarkdownIt("commonmark").render(body).strip(),
        excerpt=MarkdownIt("commonmark").renderInline(body.split("\n\n", 1)[0]),
        picture=DrawnPicture(**fields["picture"]) if fields.get("picture") else None,
        work=fields.get("work", {}),
        rating={key: str(value) for key, value in fields.get("rating", {}).items()},
        sponsored=bool(fields.get("sponsored")),
    )
