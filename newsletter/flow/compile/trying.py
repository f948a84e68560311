"""A letter with words in it that nobody has saved: what an editor sees while typing.

It is the stock render, which every compiled letter is compared with before its first use (core.letter): the bytes that
would go out if these words were saved now, in a third of the time of compiling them. Nothing is written, so nobody's
approval is void by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from newsletter.core.content import EntryContent
from newsletter.core.context import IssueContent, build_context
from newsletter.core.errors import DesignError
from newsletter.core.kept import Kept
from newsletter.core.letter import Rendered, mended
from newsletter.core.tokens import Keys
from newsletter.flow.compile import extras
from newsletter.flow.compile.freezing import compiler_of, design_of
from newsletter.flow.compile.gathering import gather_content
from newsletter.flow.compile.previewing import reader_as
from newsletter.models import Event, Issue, Poll
from subscribers.models import Subscription

_BESIDE: Kept[tuple[object, ...], extras.Related] = Kept(64)


@dataclass(frozen=True, slots=True)
class Tried:
    """The letter, and what it says. With a `fault` it is there to look at: red cards stand for what can't be made."""

    rendered: Rendered
    content: IssueContent
    fault: DesignError | None = None


def tried(
    issue: Issue,
    subscription: Subscription | None,
    *,
    words: Mapping[str, Any],
    edits: Mapping[int, dict[str, Any]],
    keys: Keys,
    now: datetime,
    with_text: bool = True,
) -> Tried:
    """The letter of `subscription` (None: of nobody in particular) as it would be with `words` in place of the issue's
    own, by field, and `edits` in place of those of its placements, by key; `with_text`: its text part too. Raises
    `DesignError` where not even a part of it can be shown.
    """
    trial = copy(issue)
    for name, value in words.items():
        setattr(trial, name, value)
    base_url = str(settings.NEWSLETTER.base_url).rstrip("/")
    content = gather_content(trial, base_url, edits=edits, related=_related)
    _, reader = reader_as(subscription, base_url, keys=keys, now=now, links=False)
    design = design_of(issue.newsletter)
    try:
        return Tried(compiler_of(content, design, base_url).full_render(reader, with_text=with_text), content)
    except DesignError as error:
        return Tried(mended(design, build_context(content, design.tokens), reader, error), content, error)


def _related(issue: Issue, entries: Sequence[EntryContent]) -> extras.Related:
    """As `extras.related`, asked once until something happens: no words of an editor change what is related. What the
    sources bring leaves a poll, what people and the flow do an event.
    """
    last = (rows.order_by("-pk").values_list("pk", flat=True).first() for rows in (Event.objects, Poll.objects))
    key = (issue.pk, issue.slot_at, *last, *[entry.url for entry in entries])
    return _BESIDE.get(key, lambda: extras.related(issue, entries))
