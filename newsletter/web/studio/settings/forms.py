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
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy, said

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
            found.append(
                Row(each, value, said(str(words)), self.sentence.removeprefix(f"{each.label}: ") if wrong else "")
            )
        return found

    @property
    def sentence(self) -> str:
        """What is wrong, with the words of the form in place of the file's."""
        error = self.problem
        if error is None:
            return ""
        text = said(error.message)
        if isinstance(error, KeyRefusedError):
            label = next((each.label for each in self.inputs if each.name == error.field), _("The insert"))
            quoted = f'"{error.field}" '
            text = f"{label}: {text.removeprefix(quoted)}"
        return f"{text} {said(error.hint)}".strip()

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
                    _("Somebody changed this meanwhile. Now: %(values)s.") % {"values": self._now()},
                    hint=_("Look at both, and save again."),
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
        self.said = _("Saved.") if changes else _("Nothing was different, so nothing changed.")
        return changes

    def _now(self) -> str:
        assert self.typed is not None
        typed = self.values
        differs = [each for each in self.inputs if typed[each.name] != self._shown[each.name]]
        said = [f"{each.label} {write_value(self._shown[each.name])[:120]}" for each in differs]
        return "; ".join(said) or _("as typed")

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
    Input("name", gettext_lazy("Name"), about=""),
    Input("about", gettext_lazy("About"), "area", longest=500),
    Input("url", gettext_lazy("Site"), "url", about="", longest=500),
    Input("legal_name", gettext_lazy("Legal name")),
    Input("postal_address", gettext_lazy("Postal address"), "area", longest=1000),
    Input("privacy_url", gettext_lazy("Privacy page"), "url", longest=500),
)
IDENTITY = (
    Input("name", gettext_lazy("Name"), about=""),
    Input("tagline", gettext_lazy("Tagline"), about=gettext_lazy("the line under its name")),
    Input("from_name", gettext_lazy("Sender’s name"), about=gettext_lazy("what mailboxes show")),
    Input("from_address", gettext_lazy("Sender’s address"), "email", about=""),
    Input("reply_to", gettext_lazy("Reply to"), "email"),
    Input("return_path", gettext_lazy("Return path"), "email"),
    Input("language", gettext_lazy("Language"), longest=35),
    Input(
        "ratings",
        gettext_lazy("Ratings"),
        "choice",
        (
            ("show", gettext_lazy("show every rating")),
            ("hide", gettext_lazy("hide them")),
            ("rated rubrics", gettext_lazy("only where one is expected")),
        ),
        about=gettext_lazy("whether a review’s stars or points are printed"),
    ),
)
INSERT = (
    Input("print_promo.title", gettext_lazy("Title"), about=gettext_lazy("empty: no insert")),
    Input("print_promo.text", gettext_lazy("Text"), "area", about=gettext_lazy("one or two sentences"), longest=1000),
    Input("print_promo.button", gettext_lazy("Words of the link"), about=gettext_lazy("empty: the title")),
    Input("print_promo.url", gettext_lazy("Where it leads"), "url", about="https://…", longest=500),
    Input(
        "print_promo.picture", gettext_lazy("Picture"), "url", about=gettext_lazy("the cover’s address"), longest=500
    ),
    Input("print_promo.alt", gettext_lazy("What the picture shows"), about=gettext_lazy("for who can’t see it")),
    Input(
        "print_promo.start",
        gettext_lazy("First day"),
        about=gettext_lazy("like 2026-11-05; empty: at once"),
        longest=10,
    ),
    Input("print_promo.end", gettext_lazy("Last day"), about=gettext_lazy("the same; empty: for good"), longest=10),
)
_DAYS = (
    ("monday", gettext_lazy("Monday")),
    ("tuesday", gettext_lazy("Tuesday")),
    ("wednesday", gettext_lazy("Wednesday")),
    ("thursday", gettext_lazy("Thursday")),
    ("friday", gettext_lazy("Friday")),
    ("saturday", gettext_lazy("Saturday")),
    ("sunday", gettext_lazy("Sunday")),
)
SCHEDULE = (
    Input("weekday", gettext_lazy("Day"), "choice", _DAYS, about=""),
    Input("send_time", gettext_lazy("Time"), "time", about=gettext_lazy("by the clocks of the zone below"), longest=5),
    Input("timezone", gettext_lazy("Time zone"), about=gettext_lazy("its summer time included"), longest=64),
    Input(
        "cutoff_hours",
        gettext_lazy("Cutoff, hours before"),
        "number",
        about=gettext_lazy("reviews are placed until then"),
    ),
    Input(
        "approval",
        gettext_lazy("Approval"),
        "choice",
        (
            ("required", gettext_lazy("a person approves every issue")),
            ("automatic", gettext_lazy("by itself when nothing speaks against it")),
        ),
        about=gettext_lazy("who says that an issue goes out"),
    ),
    Input(
        "approval_by_another",
        gettext_lazy("Who edited an issue can’t approve it"),
        "tick",
        about=gettext_lazy("somebody else has to"),
    ),
)
RULES = (
    Input("min_reviews", gettext_lazy("At least, reviews"), "number"),
    Input(
        "under_minimum",
        gettext_lazy("With fewer"),
        "choice",
        (
            ("hold", gettext_lazy("hold for a person")),
            ("send", gettext_lazy("send anyway")),
            ("skip", gettext_lazy("skip the week")),
        ),
        about=gettext_lazy("what happens under the minimum"),
    ),
    Input("max_cards", gettext_lazy("Shown in full, at most"), "number", about=gettext_lazy("reviews")),
    Input("max_lines", gettext_lazy("In one line, at most"), "number", about=gettext_lazy("reviews")),
    Input("freshness_days", gettext_lazy("Fresh for, days"), "number"),
    Input("first_import_days", gettext_lazy("News of a new source, days"), "number"),
    Input("grace_hours", gettext_lazy("Late by at most, hours"), "number"),
    Input("min_gap_hours", gettext_lazy("Between two issues, hours"), "number"),
    Input("quiet_weeks", gettext_lazy("Quiet for, weeks"), "number"),
)


def account_input(names: Sequence[str]) -> tuple[Input, ...]:
    """The choice among the accounts that there are."""
    return (Input("account", gettext_lazy("Account"), "choice", tuple((name, name) for name in names), about=""),)
