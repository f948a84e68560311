"""Turn what stands in magazine.toml into what a model holds, and back; refuse what is neither."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from newsletter.config.toml import nearest
from newsletter.core import verp
from newsletter.core.account import ESP, OWN, AccountRules
from newsletter.core.domain import a_label, domain_of, may_align
from newsletter.core.errors import NewsletterError
from newsletter.core.inserts import insert_fault
from newsletter.core.rubrics import RUBRICS
from newsletter.core.sentence import ended, sentence
from newsletter.providers import build
from subscribers import address, audience, segments
from subscribers.errors import SubscribersError
from subscribers.models import MailingList

Reader = Callable[[object], Any]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class Refused(ValueError):
    """This value can't stand here: what is wrong with it, and perhaps what was meant."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(ended(message))
        self.message, self.hint = message, hint


def text(longest: int, *, needed: bool = False, lines: bool = False) -> Reader:
    """A text of at most `longest` letters; of one line unless `lines`."""

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise Refused(sentence("takes a text in quotes"))
        value = value.strip()
        if needed and not value:
            raise Refused(sentence("must not be empty"))
        if len(value) > longest:
            raise Refused(sentence("takes at most {longest} letters, not {number}", longest=longest, number=len(value)))
        # A line break in a sender's or a newsletter's name would end a header.
        if any(ord(letter) < 32 and not (lines and letter == "\n") for letter in value) or "\x7f" in value:
            raise Refused(sentence("takes one line of text") if not lines else sentence("holds a control character"))
        return value

    return read


def slug(value: object) -> str:
    if not isinstance(value, str) or not _SLUG.fullmatch(value) or len(value) > 50:
        raise Refused(sentence('takes a short name like "weekly" (small letters, digits, - and _)'))
    return value


RESERVED = (
    "account", "again", "audit", "designs", "mail", "plan", "settings", "source", "sources", "subscribers", "team",
    "welcome",
)  # fmt: skip
"""Pages behind /studio/ that belong to no newsletter: an issue of one that is called so could never be opened."""


def newsletter_slug(value: object) -> str:
    """A short name that is no page of the studio."""
    found = slug(value)
    if found in RESERVED:
        raise Refused(
            sentence('can\'t be "{found}": pages of the studio have that name', found=found),
            sentence('Take another, like "{found}-weekly".', found=found),
        )
    return found


def choice(*choices: str) -> Reader:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise Refused(sentence("can't be {value}", value=repr(value)), nearest(str(value), choices))
        return value

    return read


def number(at_least: int, at_most: int) -> Reader:
    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not at_least <= value <= at_most:
            raise Refused(
                sentence(
                    "takes a whole number from {at_least} to {at_most}, not {value}",
                    at_least=at_least,
                    at_most=at_most,
                    value=repr(value),
                )
            )
        return value

    return read


def boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused(sentence("takes true or false"))
    return value


def url(value: object) -> str:
    found = str(text(500)(value))
    if found:
        _need_web_address(found)
    return found


def mail_address(value: object) -> str:
    try:
        return address.parse(str(text(254, needed=True)(value))).shown
    except SubscribersError as error:
        raise Refused(sentence("takes one mail address: {error}", error=error)) from error


def optional_mail_address(value: object) -> str:
    return mail_address(value) if value != "" else ""


def return_path(value: object) -> str:
    """An address of plain ASCII into which a token fits, its domain as A-labels; "" for none."""
    found = optional_mail_address(value)
    if not found:
        return ""
    local, _, domain = found.rpartition("@")
    try:
        found = f"{local}@{a_label(domain)}"
        verp.check_return_path(found)
    except NewsletterError as error:
        raise Refused(sentence("will not do: {message}", message=error.message), error.hint) from error
    return found


def language(value: object) -> str:
    if not isinstance(value, str) or (value and not _LANGUAGE.fullmatch(value)) or len(value) > 35:
        raise Refused(sentence('takes a language tag like "en" or "pt-BR", not {value}', value=repr(value)))
    return value


def timezone(value: object) -> str:
    known = available_timezones()
    if not isinstance(value, str) or value not in known:
        raise Refused(
            sentence("knows no time zone {value}", value=repr(value)),
            nearest(str(value), sorted(known)) or sentence('Write it like "Europe/Berlin".'),
        )
    return value


def weekday(value: object) -> int:
    if not isinstance(value, str) or value.lower() not in WEEKDAYS:
        raise Refused(sentence("can't be {value}", value=repr(value)), nearest(str(value).lower(), WEEKDAYS))
    return WEEKDAYS.index(value.lower())


def clock_time(value: object) -> time:
    """ "08:00" in quotes, or TOML's own 08:00:00. Seconds are refused: no clock of ours ticks that fine."""
    if isinstance(value, time) and not (value.second or value.microsecond):
        return value
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Refused(sentence('takes a time like "08:00", not {value}', value=repr(value)))
    return time(int(match[1]), int(match[2]))


def instant(value: object) -> datetime:
    """A date with time and offset, as UTC: 2026-11-05T08:00:00-05:00."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Refused(
            sentence(
                "takes a date and time with its offset, like 2026-11-05T08:00:00Z, not {value}", value=_shown(value)
            )
        )
    return value.astimezone(UTC)


def table(value: object) -> dict[str, Any]:
    """A table of plain values, as JSON can hold it."""
    if not isinstance(value, Mapping):
        raise Refused(sentence("takes a table, like {example}", example="{ key = 1 }"))
    return {key: _plain(item) for key, item in value.items()}


def insert(value: object) -> dict[str, Any]:
    """A bought or house insert with its dates; {} for none."""
    found = table(value)
    if found and (fault := insert_fault(found)):
        raise Refused(fault)
    return found


def inserts(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise Refused(sentence("takes a list of tables: write [[newsletters.sponsors]] over each"))
    return [insert(item) for item in value]


def audience_rule(value: object) -> dict[str, Any]:
    rule = table(value)
    try:
        return dict(audience.parse(rule).as_json())
    except SubscribersError as error:
        raise Refused(sentence("is not an audience: {error}", error=error)) from error


def segment_rule(value: object) -> dict[str, Any]:
    rule = table(value)
    try:
        segments.parse(rule)
    except SubscribersError as error:
        raise Refused(sentence("is not a segment's rule: {error}", error=error)) from error
    return rule


def check_segment(mailing_list: MailingList, rule: Mapping[str, Any]) -> None:
    """Raises `Refused` when the audience names a segment that the list has not."""
    try:
        audience.written_out(mailing_list, rule)
    except SubscribersError as error:
        raise Refused(sentence("will not do: {error}", error=error)) from error


def slugs(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refused(sentence('takes a list of names, like ["site"]'))
    return sorted(set(value))


def rubrics(value: object) -> list[str]:
    """Rubrics by their keys, once each."""
    found = slugs(value)
    for rubric in found:
        if rubric not in RUBRICS:
            raise Refused(sentence('knows no rubric "{rubric}"', rubric=rubric), nearest(rubric, sorted(RUBRICS)))
    return found


_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", re.ASCII)


def origins(value: object) -> list[str]:
    """Sites as a browser names them in Origin (RFC 6454 section 6.2): scheme, host, port, nothing behind."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refused(sentence('takes a list of sites, like ["https://magazine.example.org"]'))
    found = sorted({item.strip().rstrip("/").lower() for item in value})
    for site in found:
        if not _ORIGIN.fullmatch(site):
            raise Refused(
                sentence("takes sites like https://magazine.example.org, without a path, not {site}", site=repr(site))
            )
    return found


def rubric_map(value: object) -> list[list[str]]:
    """[[pattern, rubric], ...]: the first pattern that fits a category, tag, path or suffix decides."""
    if not isinstance(value, list):
        raise Refused(sentence('takes a list of pairs, like [["kino", "movie"]]'))
    pairs = []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(part, str) and part for part in pair):
            raise Refused(sentence('takes pairs like ["kino", "movie"], not {pair}', pair=repr(pair)))
        if pair[1] not in RUBRICS:
            raise Refused(sentence('knows no rubric "{pair}"', pair=pair[1]), nearest(pair[1], sorted(RUBRICS)))
        pairs.append([pair[0], pair[1]])
    return pairs


def design(known: Collection[str] | None) -> Reader:
    """A design's name; one of `known` unless that is None."""

    def read(value: object) -> str:
        name = str(slug(value))
        if known is not None and name not in known:
            raise Refused(sentence('knows no design "{name}"', name=name), nearest(name, sorted(known)))
        return name

    return read


def check_location(kind: str, location: str) -> None:
    """Raises `Refused` when a source of `kind` can't be at `location`."""
    if kind in ("feed", "wordpress", "page"):
        _need_web_address(location)
    elif kind == "folder" and not location.startswith(("/", "~")) and ":" not in location[:3]:
        # Cron starts elsewhere than the person who typed it.
        raise Refused(sentence("takes the whole path of a folder, not {location}.", location=repr(location)))


def check_return_path(from_address: str, return_path: str) -> None:
    """Raises `Refused` when the return path can't align with the sender (DMARC, RFC 7489 section 3.1)."""
    if return_path and not may_align(domain_of(from_address), domain_of(return_path)):
        raise Refused(
            sentence(
                "is at another domain than the sender ({from_address}): receivers would take it for a forgery.",
                from_address=domain_of(from_address),
            ),
            sentence("Use an address at or under {from_address}.", from_address=domain_of(from_address)),
        )


def check_account(kind: str, settings: Mapping[str, Any], home: Path | None) -> None:
    """Raises `Refused` when `settings` can't make a provider of `kind`. A secret's variable may be unset yet."""
    try:
        rules, own = AccountRules.split(settings)
        if kind == ESP and rules.dkim == OWN:
            raise Refused(
                sentence('will not do: a provider makes the message anew, so only it can sign; take dkim = "own" out.')
            )
        build(kind, own, folder=Path("outbox"), environ=_AnySecret(), home=home)
    except NewsletterError as error:
        raise Refused(sentence("will not do: {message}", message=error.message), error.hint) from error


class _AnySecret(Mapping[str, str]):
    """Stands for an environment in which each secret is set: `apply` may run where the sending account's is not."""

    def __getitem__(self, key: str) -> str:
        return "set"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1


def _need_web_address(value: str) -> None:
    try:
        parts = urlsplit(value)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        right = False
    if not right or any(letter.isspace() for letter in value):
        raise Refused(sentence("takes an address that starts with https://, not {value}.", value=repr(value)))


def _plain(value: object) -> Any:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _shown(value: object) -> str:
    return value.isoformat() if isinstance(value, date | time) else repr(value)
