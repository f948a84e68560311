"""What a segment's rule may ask: plain, frozen values. `parsing` makes them, `compiling` turns them into SQL.

Every condition is true or false of every subscription, never unknown: a date that is not there is neither before nor
after anything, and `not` of that is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Every part is true; with no part, everybody."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part is true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part is false."""

    part: Condition


@dataclass(frozen=True, slots=True)
class States:
    """The subscription is in one of these states."""

    values: Words


@dataclass(frozen=True, slots=True)
class Suppressed:
    """The address is on the suppression list, or (`value` false) is not."""

    value: bool


@dataclass(frozen=True, slots=True)
class Domains:
    """The address is at one of these domains; "*.example.org" means any name under it, not itself."""

    values: Words


@dataclass(frozen=True, slots=True)
class Languages:
    """As in an audience: "en" takes in "en-GB", "" who gave none. Lower case."""

    values: Words


@dataclass(frozen=True, slots=True)
class Topics:
    """Follows at least one of these; who chose no topics follows all."""

    values: Words


@dataclass(frozen=True, slots=True)
class Text:
    """One test of a text, capitals and small letters alike: `how` is is, contains, starts_with."""

    how: str
    value: str


@dataclass(frozen=True, slots=True)
class Number:
    """One test of a number: `how` is is, at_least, at_most, more_than, less_than."""

    how: str
    value: int | float


@dataclass(frozen=True, slots=True)
class Truth:
    """A value that is true, or is false."""

    value: bool


@dataclass(frozen=True, slots=True)
class Day:
    """One test of a date: `how` is after, before (a day, or an instant), within_days, older_than_days (a number)."""

    how: str
    value: int | date | datetime


@dataclass(frozen=True, slots=True)
class Given:
    """A value is there, or (`value` false) is not."""

    value: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A list holds this word."""

    value: str


Test = Text | Number | Truth | Day | Given | Member


@dataclass(frozen=True, slots=True)
class Name:
    """The person's name passes the test; `Given` asks whether there is one."""

    test: Text | Given


@dataclass(frozen=True, slots=True)
class Moment:
    """A date of the subscription: `field` is joined, confirmed, accepted (the last letter that a mailbox took)."""

    field: str
    test: Day | Given


@dataclass(frozen=True, slots=True)
class Attribute:
    """A custom attribute of the person. A value of another type than the test asks for never passes it."""

    key: str
    test: Test


@dataclass(frozen=True, slots=True)
class Consent:
    """Some consent event of the subscription is of one of these kinds (empty: any), its origin beginning so."""

    kinds: Words
    origin: str


Condition = All | AnyOf | Not | States | Suppressed | Domains | Languages | Topics | Name | Moment | Attribute | Consent
