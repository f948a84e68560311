"""Forms over tables of magazine.toml: which keys, in which words; limits and checks are the table's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.http import QueryDict

from newsletter.config.home import template_folders
from newsletter.config.toml import write_value
from newsletter.core.errors import ConfigError, KeyRefusedError, NewsletterError
from newsletter.core.inserts import FIELDS as PROMO
from newsletter.flow.apply import Change, Table, change_in_studio, dump_row, tables
from newsletter.flow.compile import design_names
from newsletter.models import Magazine, Newsletter

Kind = Literal["text", "area", "email", "url", "time", "number", "choice", "tick"]
_LONGEST_NUMBER = 9
_INSERT = "print_promo"


@dataclass(frozen=True, slots=True)
class Input:
    """One key in a form. `choices` are (value, words); `about` stands in place of the table's words, "" for none."""

    name: str
    label: str
    kind: Kind = "text"
    choices: tuple[tuple[str, str], ...] = ()
    about: str | None = None
    longest: int = 300


@dataclass(frozen=True, slots=True)
class Row:
    """One input as it is shown: with what stands there or was typed, and what is wrong with it."""

    input: Input
    value: str
    help: str
    problem: str = ""


@dataclass(slots=True)
class Form:
    """A form for one row of a table; `name` tells it from the others of its page."""

    name: str
    table: Table
    model: Magazine | Newsletter
    inputs: Sequence[Input]
    typed: Mapping[str, str] | None = None
    problem: NewsletterError | None = None
    said: str = ""
    _shown: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole = dump_row(self.table, self.model)
        if _INSERT in whole:
            whole |= {f"{_INSERT}.{key}": whole[_INSERT].get(key, "") for key in PROMO}
        self._shown = {each.name: whole[each.name] for each in self.inputs}

    @property
    def seen(self) -> str:
        """A mark of what the form shows: who saves over other values than these is told so."""
        return sha256(repr(sorted(self._shown.items())).encode()).hexdigest()[:16]

    @property
    def rows(self) -> list[Row]:
        """The inputs to show, with what was typed if anything was."""
        refused = self.problem.field if isinstance(self.problem, KeyRefusedError) else ""
        found = []
        for each in self.inputs:
            wrong = each.name == refused
            if self.typed is None:
                value = _as_text(self._shown[each.name])
            else:
                value = self.typed.get(each.name, "" if each.kind != "tick" else "false")
            words = self.table.field(each.name).help if each.about is None else each.about
            found.append(Row(each, value, words, self.sentence.removeprefix(f"{each.label}: ") if wrong else ""))
        return found

    @property
    def sentence(self) -> str:
        """What is wrong, with the words of the form in place of the file's."""
        error = self.problem
        if error is None:
            return ""
        text = error.message
        if isinstance(error, KeyRefusedError):
            label = next((each.label for each in self.inputs if each.name == error.field), "The insert")
            quoted = f'"{error.field}" '
            text = f"{label}: {text.removeprefix(quoted)}"
        return f"{text} {error.hint}".strip()

    def take(self, post: QueryDict) -> None:
        """Remember what was typed."""
        typed = {each.name: post.get(each.name, "").replace("\r\n", "\n") for each in self.inputs}
        self.typed = typed | {each.name: _tick(post, each.name) for each in self.inputs if each.kind == "tick"}

    @property
    def values(self) -> dict[str, Any]:
        """What was typed, as a file would have it. What is no number stays a text, for the table to refuse."""
        assert self.typed is not None
        return {each.name: _as_value(each, self.typed[each.name]) for each in self.inputs}

    def save(self, seen: str, *, now: datetime, by: str) -> list[Change]:
        """Write what differs from what is there. Raises `ConfigError`; what is wrong is shown with the form then."""
        try:
            if seen != self.seen:
                raise ConfigError(
                    f"Somebody changed this meanwhile. Now: {self._now()}.", hint="Look at both, and save again."
                )
            values = {name: value for name, value in self.values.items() if value != self._shown[name]}
            home = settings.NEWSLETTER.home
            changes = change_in_studio(
                self.table.name, self.model.slug, self._whole(values), now=now, by=by,
                designs=design_names(_folders()), home=home,
            )  # fmt: skip
        except ConfigError as error:
            self.problem = error
            raise
        self.said = "Saved." if changes else "Nothing was different, so nothing changed."
        return changes

    def _now(self) -> str:
        assert self.typed is not None
        typed = self.values
        differs = [each for each in self.inputs if typed[each.name] != self._shown[each.name]]
        return "; ".join(f"{each.label} {write_value(self._shown[each.name])[:120]}" for each in differs) or "as typed"

    def _whole(self, values: dict[str, Any]) -> dict[str, Any]:
        """The parts of the insert as the one table that the file has."""
        if not any(name.startswith(f"{_INSERT}.") for name in values):
            return values
        parts = {name.partition(".")[2]: value for name, value in self.values.items() if name.startswith(f"{_INSERT}.")}
        return {
            **{name: value for name, value in values.items() if not name.startswith(f"{_INSERT}.")},
            _INSERT: {name: value for name, value in parts.items() if value},
        }


def table_of(name: str) -> Table:
    """The table of magazine.toml with that name."""
    return next(table for table in tables() if table.name == name)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_value(each: Input, typed: str) -> Any:
    if each.kind == "tick":
        return typed == "true"
    number = typed.strip()
    if each.kind == "number" and number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER:
        return int(number)
    return typed if each.kind == "area" else typed.strip()


def _tick(post: QueryDict, name: str) -> str:
    return "true" if name in post else "false"


def _folders() -> list[Path]:
    home = settings.NEWSLETTER.home
    return template_folders(Path(home) if home else None)


MAGAZINE = (
    Input("name", "Name", about=""),
    Input("about", "About", "area", longest=500),
    Input("url", "Site", "url", about="", longest=500),
    Input("legal_name", "Legal name"),
    Input("postal_address", "Postal address", "area", longest=1000),
    Input("privacy_url", "Privacy page", "url", longest=500),
)
IDENTITY = (
    Input("name", "Name", about=""),
    Input("tagline", "Tagline", about="the line under its name"),
    Input("from_name", "Sender’s name", about="what mailboxes show"),
    Input("from_address", "Sender’s address", "email", about=""),
    Input("reply_to", "Reply to", "email"),
    Input("return_path", "Return path", "email"),
    Input("language", "Language", longest=35),
    Input(
        "ratings",
        "Ratings",
        "choice",
        (("show", "show every rating"), ("hide", "hide them"), ("rated rubrics", "only where one is expected")),
        about="whether a review’s stars or points are printed",
    ),
)
INSERT = (
    Input("print_promo.title", "Title", about="empty: no insert"),
    Input("print_promo.text", "Text", "area", about="one or two sentences", longest=1000),
    Input("print_promo.button", "Words of the link", about="empty: the title"),
    Input("print_promo.url", "Where it leads", "url", about="https://…", longest=500),
    Input("print_promo.picture", "Picture", "url", about="the cover’s address", longest=500),
    Input("print_promo.alt", "What the picture shows", about="for who can’t see it"),
    Input("print_promo.start", "First day", about="like 2026-11-05; empty: at once", longest=10),
    Input("print_promo.end", "Last day", about="the same; empty: for good", longest=10),
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SCHEDULE = (
    Input("weekday", "Day", "choice", tuple((day, day.capitalize()) for day in _DAYS), about=""),
    Input("send_time", "Time", "time", about="by the clocks of the zone below", longest=5),
    Input("timezone", "Time zone", about="its summer time included", longest=64),
    Input("cutoff_hours", "Cutoff, hours before", "number", about="reviews are placed until then"),
    Input(
        "approval",
        "Approval",
        "choice",
        (("required", "a person approves every issue"), ("automatic", "by itself when nothing speaks against it")),
        about="who says that an issue goes out",
    ),
    Input("approval_by_another", "Who edited an issue can’t approve it", "tick", about="somebody else has to"),
)
RULES = (
    Input("min_reviews", "At least, reviews", "number"),
    Input(
        "under_minimum",
        "With fewer",
        "choice",
        (("hold", "hold for a person"), ("send", "send anyway"), ("skip", "skip the week")),
        about="what happens under the minimum",
    ),
    Input("max_cards", "Shown in full, at most", "number", about="reviews"),
    Input("max_lines", "In one line, at most", "number", about="reviews"),
    Input("freshness_days", "Fresh for, days", "number"),
    Input("first_import_days", "News of a new source, days", "number"),
    Input("grace_hours", "Late by at most, hours", "number"),
    Input("min_gap_hours", "Between two issues, hours", "number"),
    Input("quiet_weeks", "Quiet for, weeks", "number"),
)


def account_input(names: Sequence[str]) -> tuple[Input, ...]:
    """The choice among the accounts that there are."""
    return (Input("account", "Account", "choice", tuple((name, name) for name in names), about=""),)
