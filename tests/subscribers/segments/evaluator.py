"""What a segment's rule means, in plain Python and straight from its JSON: nothing of the product's parser or SQL."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from subscribers.models import ConsentEvent, Subscription, Suppression


def matches(rule: dict[str, Any], row: Subscription, now: datetime) -> bool:
    """Whether `row` is in the segment."""
    return all(_condition(key, value, row, now) for key, value in rule.items())


def _condition(key: str, value: Any, row: Subscription, now: datetime) -> bool:
    person = row.subscriber
    match key:
        case "all":
            return all(matches(part, row, now) for part in value)
        case "any":
            return any(matches(part, row, now) for part in value)
        case "not":
            return not matches(value, row, now)
        case "state":
            return row.state in value
        case "suppressed":
            return Suppression.objects.filter(address_key=person.address_key).exists() == value
        case "domain":
            domain = person.address_key.rpartition("@")[2]
            wanted = [one.lower() for one in value]
            return any(domain.endswith(one[1:]) if one.startswith("*.") else domain == one for one in wanted)
        case "language":
            spoken = _low(person.language)
            return any(spoken == _low(one) or (one and spoken.startswith(f"{_low(one)}-")) for one in value)
        case "topics":
            return not row.topics or bool(set(row.topics) & set(value))
        case "name":
            return all(_text(how, want, person.name) for how, want in value.items())
        case "attributes":
            return all(
                _attribute(how, want, person.attributes.get(name), now)
                for name, tests in value.items()
                for how, want in tests.items()
            )
        case "consent":
            return any(
                event.kind in value.get("kind", [event.kind]) and event.origin.startswith(value.get("origin", ""))
                for event in ConsentEvent.objects.filter(subscription=row)
            )
    at = {"joined": row.joined_at, "confirmed": row.confirmed_at, "accepted": row.last_accepted_at}[key]
    return all(_moment(how, want, at, now) for how, want in value.items())


def _low(text: str) -> str:
    return "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in text)


def _text(how: str, want: Any, text: str) -> bool:
    if how == "given":
        return bool(text) is want
    ways = [_low(way) for way in (want, want.lower(), want.upper(), want.title(), want.capitalize())]
    tests = {"is": str.__eq__, "contains": str.__contains__, "starts_with": str.startswith}
    return any(tests[how](_low(text), way) for way in ways)


def _moment(how: str, want: Any, at: datetime | None, now: datetime) -> bool:
    if how == "given":
        return (at is not None) is want
    if at is None:
        return False
    match how:
        case "after":
            return at >= _instant(want)
        case "before":
            return at < _instant(want)
        case "within_days":
            return now - timedelta(days=want) <= at <= now
        case _:
            return at < now - timedelta(days=want)


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _attribute(how: str, want: Any, value: Any, now: datetime) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match how:
        case "given":
            return (value is not None) is want
        case "has":
            return isinstance(value, list) and want in [item for item in value if isinstance(item, str)]
        case "is" if isinstance(want, bool):
            return value is want
        case "is" if not isinstance(want, str):
            return number and value == want
        case "is" | "contains" | "starts_with":
            return isinstance(value, str) and _text(how, want, value)
        case "at_least":
            return number and value >= want
        case "at_most":
            return number and value <= want
        case "more_than":
            return number and value > want
        case "less_than":
            return number and value < want
    if not isinstance(value, str) or not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    day, today = value[:10], now.date()
    match how:
        case "after":
            return day >= _calendar(want)
        case "before":
            return day < _calendar(want)
        case "within_days":
            return str(today - timedelta(days=want)) <= day <= str(today)
        case _:
            return day < str(today - timedelta(days=want))


def _calendar(text: str) -> str:
    return str(date.fromisoformat(text)) if len(text) == 10 else str(_instant(text).astimezone(UTC).date())
