"""Whom an issue goes to: a small rule, a queryset that can stand inside an INSERT ... SELECT, and counts that add up.

A rule is plain JSON, stored on the newsletter and frozen with an issue:

    {}                                          every active subscription that is not suppressed
    {"topics_any": ["movie", "book"]}           who follows at least one of these (no topics chosen means every topic)
    {"languages": ["en", "de"]}                 whose language is one of these; "en" takes in "en-GB", "" who gave none
    {"segment": "regulars"}                     who is in this saved segment of the list
    {"where": {"joined": {"after": ...}}}       the same, its rule written out (`segments.parsing`): how it is frozen

Several keys together mean all of them. Anything else is an `AudienceError` that names the key.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value, When

from subscribers import segments
from subscribers.errors import AudienceError, SegmentError
from subscribers.models import Frequency, MailingList, Subscription, SubscriptionState, Suppression
from subscribers.segments.compiling import compile_rule
from subscribers.segments.functions import follows
from subscribers.words import LANGUAGE, TOPIC

KEYS = ("languages", "topics_any", "segment", "where")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that has been checked. Empty tuples ask nothing."""

    topics_any: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    segment: str = ""
    where: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """The shortest JSON that means this rule."""
        pairs = (("languages", list(self.languages)), ("topics_any", list(self.topics_any)))
        named = (("segment", self.segment), ("where", self.where))
        return {key: value for key, value in (*pairs, *named) if value}


@dataclass(frozen=True, slots=True)
class Counts:
    """Every subscription of the list, once: `selected` get the issue, `excluded` says why the others do not.

    The reasons are `pending`, `paused`, `unsubscribed`, `suppressed`, `other topics`, `other language`,
    `outside the segment`; a reason with nobody behind it is left out. `total` is always `selected` plus all of
    `excluded`.
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
            hint = f"did you mean '{near[0]}'?" if near else f"it knows {', '.join(KEYS)}."
            raise AudienceError(f"An audience rule has no '{key}': {hint}")
    topics = _words(rule, "topics_any")
    for topic in topics:
        if not TOPIC.fullmatch(topic):
            raise AudienceError(f"audience.topics_any: '{topic}' is not a topic's key (lower case, such as 'movie').")
    languages = _words(rule, "languages")
    for language in languages:
        if language and not LANGUAGE.fullmatch(language):
            raise AudienceError(f"audience.languages: '{language}' is not a language code such as 'en' or 'pt-BR'.")
    segment, where = rule.get("segment", ""), rule.get("where")
    if not isinstance(segment, str) or ("segment" in rule and not segment):
        raise AudienceError(f"audience.segment is the short name of one segment, not {segment!r}.")
    if segment and "where" in rule:
        raise AudienceError("audience.where: leave it out, or audience.segment: each says who is in the segment.")
    if "where" in rule:
        try:
            segments.parse(where)
        except SegmentError as error:
            raise AudienceError(f"audience.where: {error}") from error
    spoken = tuple(dict.fromkeys(language.lower() for language in languages))
    return Rule(topics_any=topics, languages=spoken, segment=segment, where=where)


def written_out(mailing_list: MailingList, rule: object) -> dict[str, Any]:
    """The rule with its segment's own rule in place of the name, as an issue freezes it: a segment that changes later
    changes no approved issue. Raises `AudienceError` when the list has no such segment.
    """
    checked = parse(rule)
    if not checked.segment:
        return checked.as_json()
    found = segments.find(checked.segment, mailing_list)
    return dataclasses.replace(checked, segment="", where=found.rule).as_json()


def queryset(mailing_list: MailingList, rule: object, *, now: datetime, monthly: bool = True) -> QuerySet[Subscription]:
    """The subscriptions that an issue under `rule` goes to, in no order: each exactly once, no join multiplies it.

    Only conditions, no Python in between, so it can be the SELECT of an INSERT ... SELECT. `now` is what a segment's
    days ago are counted from; without `monthly` those who want one issue a month are left out. Raises `AudienceError`.
    """
    checked = parse(written_out(mailing_list, rule))
    everybody = Subscription.objects.filter(mailing_list=mailing_list, state=SubscriptionState.ACTIVE)
    if not monthly:
        everybody = everybody.exclude(frequency=Frequency.MONTHLY)
    return everybody.filter(~_suppressed(), _follows(checked), _speaks(checked), _inside(checked, now))


def counts(mailing_list: MailingList, rule: object, *, now: datetime, monthly: bool = True) -> Counts:
    """How many the rule selects, and why it leaves the others out, in one query. Raises `AudienceError`."""
    checked = parse(written_out(mailing_list, rule))
    # A pause that is over has no one to end it until the audience is frozen.
    back = Q(state=SubscriptionState.PAUSED, paused_until__lte=now)
    not_active = ~(Q(state=SubscriptionState.ACTIVE) | back)
    reason = Case(
        When(not_active, then=F("state")),
        *([] if monthly else [When(frequency=Frequency.MONTHLY, then=Value("monthly"))]),
        When(_suppressed(), then=Value("suppressed")),
        When(~_follows(checked), then=Value("other topics")),
        When(~_speaks(checked), then=Value("other language")),
        When(~_inside(checked, now), then=Value("outside the segment")),
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
    return Q(topics=[]) | follows(rule.topics_any)


def _speaks(rule: Rule) -> Q:
    if not rule.languages:
        return Q(pk__isnull=False)
    spoken = Q()
    for language in rule.languages:
        spoken |= Q(subscriber__language__iexact=language)
        if language:
            spoken |= Q(subscriber__language__istartswith=f"{language}-")
    return spoken


def _inside(rule: Rule, now: datetime) -> Q:
    return compile_rule(segments.parse(rule.where), now) if rule.where else Q(pk__isnull=False)
