"""Whom an issue goes to: a small rule, a queryset that can stand inside an INSERT ... SELECT, and counts that add up.

A rule is plain JSON, stored on the newsletter and frozen with an issue:

    {}                                          every active subscription that is not suppressed
    {"topics_any": ["movie", "book"]}           who follows at least one of these (no topics chosen means every topic)
    {"languages": ["en", "de"]}                 whose language is one of these; "en" takes in "en-GB", "" who gave none

Both keys together mean both. Anything else is an `AudienceError` that names the key.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Case, CharField, Count, Exists, F, Func, OuterRef, Q, QuerySet, Value, When
from django.db.models.sql.compiler import SQLCompiler

from subscribers.errors import AudienceError
from subscribers.models import MailingList, Subscription, SubscriptionState, Suppression

TOPIC = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
KEYS = ("languages", "topics_any")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that has been checked. Empty tuples ask nothing."""

    topics_any: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    def as_json(self) -> dict[str, list[str]]:
        """The shortest JSON that means this rule."""
        pairs = (("languages", self.languages), ("topics_any", self.topics_any))
        return {key: list(values) for key, values in pairs if values}


@dataclass(frozen=True, slots=True)
class Counts:
    """Every subscription of the list, once: `selected` get the issue, `excluded` says why the others do not.

    The reasons are `pending`, `paused`, `unsubscribed`, `suppressed`, `other topics`, `other language`; a reason with
    nobody behind it is left out. `total` is always `selected` plus all of `excluded`.
    """

    total: int
    selected: int
    excluded: Mapping[str, int]


def parse(rule: object) -> Rule:
    """Check a stored or typed rule. Raises `AudienceError` naming the key that is wrong."""
    if not isinstance(rule, Mapping):
        raise AudienceError(f"An audience rule is a table such as {{'topics_any': ['movie']}}, not {rule!r}.")
    for key in rule:
        if key not in KEYS:
            near = difflib.get_close_matches(str(key), KEYS, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"it knows {' and '.join(KEYS)}."
            raise AudienceError(f"An audience rule has no '{key}': {hint}")
    topics = _words(rule, "topics_any")
    for topic in topics:
        if not TOPIC.fullmatch(topic):
            raise AudienceError(f"audience.topics_any: '{topic}' is not a topic's key (lower case, such as 'movie').")
    languages = _words(rule, "languages")
    for language in languages:
        if language and not LANGUAGE.fullmatch(language):
            raise AudienceError(f"audience.languages: '{language}' is not a language code such as 'en' or 'pt-BR'.")
    return Rule(topics_any=topics, languages=tuple(dict.fromkeys(language.lower() for language in languages)))


def queryset(mailing_list: MailingList, rule: object) -> QuerySet[Subscription]:
    """The subscriptions that an issue under `rule` goes to, in no order: each exactly once, no join multiplies it.

    Only conditions, no Python in between, so it can be the SELECT of an INSERT ... SELECT. Raises `AudienceError`.
    """
    checked = parse(rule)
    everybody = Subscription.objects.filter(mailing_list=mailing_list, state=SubscriptionState.ACTIVE)
    return everybody.filter(~_suppressed(), _follows(checked), _speaks(checked))


def counts(mailing_list: MailingList, rule: object) -> Counts:
    """How many the rule selects, and why it leaves the others out, in one query. Raises `AudienceError`."""
    checked = parse(rule)
    not_active = ~Q(state=SubscriptionState.ACTIVE)
    reason = Case(
        When(not_active, then=F("state")),
        When(_suppressed(), then=Value("suppressed")),
        When(~_follows(checked), then=Value("other topics")),
        When(~_speaks(checked), then=Value("other language")),
        default=Value(""),
        output_field=CharField(),
    )
    rows = (
        Subscription.objects.filter(mailing_list=mailing_list)
        .annotate(left_out=reason)
        .values("left_out")
        .annotate(number=Count("pk"))
        .order_by("left_out")
    )
    found: dict[str, int] = {row["left_out"]: row["number"] for row in rows}
    excluded = {name: number for name, number in found.items() if name}
    return Counts(total=sum(found.values()), selected=found.get("", 0), excluded=excluded)


class HasTopic(Func):
    """Whether a subscription's JSON list of topics holds one key. `jsonb ?` on PostgreSQL, `json_each` on SQLite:
    Django's own `contains` does not exist on SQLite, and its `has_key` looks at keys of objects there.
    """

    output_field = BooleanField()

    def __init__(self, topic: str, **extra: Any) -> None:
        """`topic` is bound as a parameter, never pasted."""
        super().__init__(F("topics"), Value(topic), **extra)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        return self._with(compiler, "EXISTS (SELECT 1 FROM json_each({0}) AS topic WHERE topic.value = {1})")

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        return self._with(compiler, "jsonb_exists({0}, {1})")

    def _with(self, compiler: SQLCompiler, shape: str) -> tuple[str, tuple[str | int, ...]]:
        column, topic = self.get_source_expressions()
        column_sql, column_params = compiler.compile(column)
        topic_sql, topic_params = compiler.compile(topic)
        return shape.format(column_sql, topic_sql), (*column_params, *topic_params)


def _words(rule: Mapping[Any, Any], key: str) -> tuple[str, ...]:
    values = rule.get(key, [])
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise AudienceError(f"audience.{key} is a list of words, not {values!r}.")
    if key in rule and not values:
        raise AudienceError(f"audience.{key} is empty and would select nobody: leave it out to select everybody.")
    return tuple(dict.fromkeys(values))


def _suppressed() -> Exists:
    return Exists(Suppression.objects.filter(address_key=OuterRef("subscriber__address_key")))


def _follows(rule: Rule) -> Q:
    if not rule.topics_any:
        return Q(pk__isnull=False)
    wanted = Q(topics=[])
    for topic in rule.topics_any:
        wanted |= Q(HasTopic(topic))
    return wanted


def _speaks(rule: Rule) -> Q:
    if not rule.languages:
        return Q(pk__isnull=False)
    spoken = Q()
    for language in rule.languages:
        spoken |= Q(subscriber__language__iexact=language)
        if language:
            spoken |= Q(subscriber__language__istartswith=f"{language}-")
    return spoken
