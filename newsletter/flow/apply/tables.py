"""What magazine.toml may hold: each table, each key, its default, its meaning. The docs are checked against this."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import QuerySet

from newsletter.core.sentence import sentence
from newsletter.flow.apply import readers as read
from newsletter.models import Account, Magazine, Newsletter, SignupForm, Source
from subscribers.models import MailingList, Segment

NEEDED = object()


@dataclass(frozen=True, slots=True)
class Field:
    """One key. `default` is for a new row (`NEEDED`: there is none); `show` turns the model's value into the file's.

    A `link` names the table that the value points into by its key: "list" into "lists"; a list of them for sources.
    """

    name: str
    read: read.Reader
    help: str
    default: Any = NEEDED
    attribute: str = ""
    show: Callable[[Any], Any] = lambda value: value
    link: str = ""

    @property
    def column(self) -> str:
        return self.attribute or self.name


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of table: `key` is the field that names a row; `one` means [magazine], not [[magazine]]."""

    name: str
    model: type[models.Model]
    key: str
    fields: tuple[Field, ...]
    one: bool = False
    removable: bool = False

    def rows(self) -> QuerySet[Any]:
        """The rows that there are, for the file: what was removed is none, until it is written there again."""
        every = self.model._default_manager.all()
        return every.filter(removed_at=None) if self.removable else every

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


def tables(designs: Collection[str] | None = None) -> tuple[Table, ...]:
    """Every table, in an order in which what is pointed to comes first. `designs` limits a newsletter's design."""
    return (_MAGAZINE, _LISTS, _SEGMENTS, _ACCOUNTS, _SOURCES, _newsletters(designs), _FORMS)


_MAGAZINE = Table(
    "magazine",
    Magazine,
    "slug",
    (
        Field("slug", read.slug, sentence("its short name; cannot change later"), default="magazine"),
        Field("name", read.text(200, needed=True), sentence("its name")),
        Field("about", read.text(500), sentence("what it is, in one sentence"), default=""),
        Field("url", read.url, sentence("its site"), default=""),
        Field("legal_name", read.text(200), sentence("who answers for it; printed under every letter"), default=""),
        Field(
            "postal_address",
            read.text(1000, lines=True),
            sentence("where post reaches it; printed under every letter, as the law wants in most countries"),
            default="",
        ),
        Field("privacy_url", read.url, sentence("its privacy page; the line is left out when empty"), default=""),
    ),
    one=True,
)

_LISTS = Table(
    "lists",
    MailingList,
    "slug",
    (
        Field("slug", read.slug, sentence("its short name")),
        Field("name", read.text(200, needed=True), sentence("what readers see when they subscribe")),
    ),
)

_SEGMENTS = Table(
    "segments",
    Segment,
    "slug",
    (
        Field("slug", read.slug, sentence("its short name, by which an audience and an export name it")),
        Field(
            "list", read.slug, sentence("the list whose people it chooses from"), attribute="mailing_list", link="lists"
        ),
        Field("name", read.text(200, needed=True), sentence("what editors see")),
        Field("rule", read.segment_rule, "whom it takes: see howto/segments.md; {} is everybody", default={}),
    ),
)

_ACCOUNTS = Table(
    "accounts",
    Account,
    "name",
    (
        Field("name", read.slug, sentence("its short name")),
        Field(
            "kind",
            read.choice("outbox", "smtp", "esp"),
            sentence("outbox (writes files, mails nobody), smtp or esp (a provider's HTTP interface)"),
            default="outbox",
        ),
        Field(
            "settings",
            read.table,
            sentence("the provider's settings; a secret is named by password_env or password_file, never written here"),
            default={},
        ),
    ),
)

_SOURCES = Table(
    "sources",
    Source,
    "slug",
    (
        Field("slug", read.slug, sentence("its short name")),
        Field("name", read.text(200, needed=True), sentence("what editors see")),
        Field(
            "kind",
            read.choice("feed", "wordpress", "page", "folder", "paste"),
            sentence(
                "feed (RSS, Atom), wordpress (a site), page (one article), folder (a path) or paste (the text itself)"
            ),
        ),
        Field(
            "location",
            read.text(1_000_000, needed=True, lines=True),
            sentence("the address, the whole path, or the text"),
        ),
        Field("language", read.language, sentence("its language when a review does not say its own"), default=""),
        Field("timezone", read.timezone, sentence("the zone of its dates without one"), default="UTC"),
        Field(
            "rubric_map",
            read.rubric_map,
            sentence('pairs of pattern and rubric, like [["kino", "movie"]]; the first that fits wins'),
            default=[],
        ),
        Field(
            "preference",
            read.number(0, 1000),
            sentence("lower wins when two sources serve the same review"),
            default=100,
        ),
        Field("enabled", read.boolean, sentence("false: not gathered for now"), default=True),
    ),
    removable=True,
)


_FORMS = Table(
    "forms",
    SignupForm,
    "slug",
    (
        Field("slug", read.slug, sentence("its short name; part of its address")),
        Field("newsletter", read.slug, sentence("what one signs up for"), link="newsletters"),
        Field(
            "heading", read.text(200), sentence("what it promises; empty: ours, in the reader's language"), default=""
        ),
        Field("sub", read.text(500), sentence("the line under it: rhythm and honesty"), default=""),
        Field("button", read.text(60), sentence("a verb"), default=""),
        Field(
            "consent",
            read.text(2000, lines=True),
            sentence("the sentence that one agrees to; kept as proof"),
            default="",
        ),
        Field("ask_name", read.boolean, sentence("whether a first name may be given"), default=False),
        Field("topics", read.rubrics, sentence("the rubrics offered as a choice; none: every topic"), default=[]),
        Field(
            "origins",
            read.origins,
            sentence("the sites that may carry it, like https://magazine.example.org"),
            default=[],
        ),
        Field("open", read.boolean, sentence("false: it takes nobody for now"), default=True, attribute="is_open"),
        Field(
            "mails_per_hour",
            read.number(1, 1_000_000),
            sentence("confirmations that it may cause an hour; what comes above it waits, and a notice says so"),
            default=500,
        ),
    ),
)


def _newsletters(designs: Collection[str] | None) -> Table:
    return Table(
        "newsletters",
        Newsletter,
        "slug",
        (
            Field("slug", read.newsletter_slug, sentence("its short name; part of its links")),
            Field("name", read.text(200, needed=True), sentence("its name")),
            Field("tagline", read.text(300), sentence("the line under its name"), default=""),
            Field("list", read.slug, sentence("whom it goes to"), attribute="mailing_list", link="lists"),
            Field("account", read.slug, sentence("the way out"), link="accounts"),
            Field("sources", read.slugs, sentence("what it is made of"), default=[], link="sources"),
            Field("design", read.design(designs), sentence("the folder of its look"), default="marquee"),
            Field(
                "design_tokens",
                read.table,
                sentence("colours and measures that differ from the design's own"),
                default={},
            ),
            Field("language", read.language, sentence("the language of its labels and dates"), default="en"),
            Field("from_name", read.text(200, needed=True), sentence("the sender's name")),
            Field("from_address", read.mail_address, sentence("the sender's address")),
            Field(
                "reply_to", read.optional_mail_address, sentence("where answers go, when not to the sender"), default=""
            ),
            Field(
                "return_path",
                read.return_path,
                sentence(
                    "where bounces go: an address under the sender's domain, into which each message puts its "
                    "own mark; empty: to the sender"
                ),
                default="",
            ),
            Field(
                "audience",
                read.audience_rule,
                "who of the list gets it, by languages, topics_any or a segment's name; {} is everybody active",
                default={},
            ),
            Field(
                "print_promo",
                read.insert,
                sentence(
                    "the print magazine's insert: title, text, button, url, picture, alt, the days of its start and end"
                ),
                default={},
            ),
            Field(
                "sponsors",
                read.inserts,
                sentence("sponsors' inserts, each like print_promo; an issue shows the first whose days hold its own"),
                default=[],
            ),
            Field(
                "ratings",
                read.choice("show", "hide", "rated rubrics"),
                sentence(
                    "show: every rating that a review brings; hide: none; rated rubrics: only where one is expected"
                ),
                default="show",
            ),
            Field(
                "weekday", read.weekday, sentence("the day it goes out"), default=3, show=lambda day: read.WEEKDAYS[day]
            ),
            Field("send_time", read.clock_time, sentence("the wall time it goes out"), show=lambda at: f"{at:%H:%M}"),
            Field("timezone", read.timezone, sentence("the zone of that wall time"), default="UTC"),
            Field(
                "cutoff_hours",
                read.number(0, 160),
                sentence("hours before that until which reviews are placed"),
                default=14,
            ),
            Field(
                "approval",
                read.choice("required", "automatic"),
                sentence(
                    "required: a person approves every issue; automatic: it goes out when nothing speaks against it"
                ),
                default="required",
                attribute="approval_mode",
            ),
            Field(
                "approval_by_another",
                read.boolean,
                sentence("true: who edited an issue since its last approval can't approve it; somebody else has to"),
                default=False,
            ),
            Field(
                "quiet_weeks",
                read.number(0, 520),
                sentence(
                    "weeks without an act of their own after which readers whose mail bounces are asked whether "
                    "they still want it; 0: never"
                ),
                default=0,
            ),
            Field(
                "starts_at",
                read.instant,
                sentence("no issue before this instant; by default the moment of the first apply"),
            ),
            Field("min_reviews", read.number(0, 100), sentence("fewer than this is under the minimum"), default=3),
            Field(
                "under_minimum",
                read.choice("hold", "send", "skip"),
                sentence("what to do then: hold for a person, send anyway, or skip the week"),
                default="hold",
            ),
            Field("max_cards", read.number(1, 100), sentence("reviews shown in full"), default=12),
            Field("max_lines", read.number(0, 100), sentence("reviews shown in one line"), default=10),
            Field(
                "freshness_days", read.number(1, 3650), sentence("older at first sight waits in the tray"), default=21
            ),
            Field(
                "first_import_days",
                read.number(0, 3650),
                sentence("how far back a new source counts as news"),
                default=7,
            ),
            Field("grace_hours", read.number(0, 160), sentence("how late an issue may still go out"), default=6),
            Field("min_gap_hours", read.number(0, 160), sentence("the least time between two issues"), default=20),
        ),
    )
