"""Conditions -> a Q over Subscription, with no join that could multiply a row. Nothing of a rule is pasted into SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import and_, or_

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q

from subscribers.models import ConsentEvent, Suppression
from subscribers.segments import conditions as c
from subscribers.segments import functions as f

_WIDEST = 16
_EVERYBODY = Q(pk__isnull=False)
_COLUMNS = {"joined": "joined_at", "confirmed": "confirmed_at", "accepted": "last_accepted_at"}
_SIGNS = {"is": "=", "at_least": ">=", "at_most": "<=", "more_than": ">", "less_than": "<"}


def compile_rule(condition: c.Condition, now: datetime) -> Q:
    """The Q that selects who `condition` is true of. `now` is what days ago are counted from, aware."""
    match condition:
        case c.All(parts):
            return _joined(and_, [compile_rule(part, now) for part in parts]) if parts else _EVERYBODY
        case c.AnyOf(parts):
            return _joined(or_, [compile_rule(part, now) for part in parts])
        case c.Not(part):
            return ~compile_rule(part, now)
        case c.States(values):
            return Q(state__in=values)
        case c.Suppressed(value):
            found = Q(Exists(Suppression.objects.filter(address_key=OuterRef("subscriber__address_key"))))
            return found if value else ~found
        case c.Domains(values):
            return _joined(or_, _at(values))
        case c.Languages(values):
            return _joined(or_, [_speaks(language) for language in values])
        case c.Topics(values):
            return Q(topics=[]) | f.follows(values)
        case c.Name(c.Given(value)):
            return ~Q(subscriber__name="") if value else Q(subscriber__name="")
        case c.Name(c.Text(how, value)):
            return f.text_of("subscriber__name", how, value)
        case c.Moment(field, test):
            return _moment(_COLUMNS[field], test, now)
        case c.Attribute(key, test):
            return _attribute(key, test, now)
        case c.Consent(kinds, origin):
            return _agreed(kinds, origin)
    raise AssertionError(condition)


def _joined(join: Callable[[Q, Q], Q], parts: list[Q]) -> Q:
    """All of many parts as a tree: SQLite takes no expression deeper than 1,000, and reads a OR b OR c ... as deep as
    it is long.
    """
    if len(parts) <= _WIDEST:
        return reduce(join, parts)
    half = len(parts) // 2
    # Wrapped, or Django would write both halves as one row again.
    halves = (ExpressionWrapper(_joined(join, some), BooleanField()) for some in (parts[:half], parts[half:]))
    return reduce(join, map(Q, halves))


def _at(domains: c.Words) -> list[Q]:
    exact = [domain for domain in domains if not domain.startswith("*.")]
    under = [f.ends_with("subscriber__address_key", domain[1:]) for domain in domains if domain.startswith("*.")]
    return [f.at_domains(exact), *under] if exact else under


def _speaks(language: str) -> Q:
    itself = f.text_of("subscriber__language", "is", language) if language else Q(subscriber__language="")
    return itself | f.text_of("subscriber__language", "starts_with", f"{language}-") if language else itself


def _agreed(kinds: c.Words, origin: str) -> Q:
    events = ConsentEvent.objects.filter(subscription=OuterRef("pk"))
    if kinds:
        events = events.filter(kind__in=kinds)
    if origin:
        events = events.filter(f.begins_with("origin", origin))
    return Q(Exists(events))


def _moment(column: str, test: c.Day | c.Given, now: datetime) -> Q:
    there = Q(**{f"{column}__isnull": False})
    if isinstance(test, c.Given):
        return there if test.value else ~there
    # "Is there" stands beside each comparison, so that its opposite is true of who has no date.
    match test.how, test.value:
        case "after", date() as day:
            return there & Q(**{f"{column}__gte": _instant(day)})
        case "before", date() as day:
            return there & Q(**{f"{column}__lt": _instant(day)})
        case "within_days", int(days):
            return there & Q(**{f"{column}__gte": _ago(now, days), f"{column}__lte": now})
        case _, int(days):
            return there & Q(**{f"{column}__lt": _ago(now, days)})
    raise AssertionError(test)


def _attribute(key: str, test: c.Test, now: datetime) -> Q:
    match test:
        case c.Text(how, value):
            return f.attribute_text(key, how, value)
        case c.Number(how, value):
            return f.attribute_number(key, _SIGNS[how], value)
        case c.Truth(value):
            return f.attribute_truth(key, value)
        case c.Given(value):
            return f.attribute_given(key) if value else ~f.attribute_given(key)
        case c.Member(value):
            return f.attribute_has(key, value)
        case c.Day("after", date() as day):
            return f.attribute_day(key, ">=", _calendar(day))
        case c.Day("before", date() as day):
            return f.attribute_day(key, "<", _calendar(day))
        case c.Day("within_days", int(days)):
            today = _calendar(now)
            return f.attribute_day(key, ">=", _calendar(_ago(now, days))) & f.attribute_day(key, "<=", today)
        case c.Day(_, int(days)):
            return f.attribute_day(key, "<", _calendar(_ago(now, days)))
    raise AssertionError(test)


def _instant(day: date | datetime) -> datetime:
    return day if isinstance(day, datetime) else datetime.combine(day, time.min, UTC)


def _calendar(day: date | datetime) -> str:
    """The day in UTC as attributes write it."""
    return f"{day.astimezone(UTC).date() if isinstance(day, datetime) else day}"


def _ago(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)
