"""What two reviews have in common: a work, people, a rubric; and when two are opinions on one thing."""

from __future__ import annotations

from collections.abc import Sequence

from newsletter.core.content import EntryContent
from newsletter.core.identity import bounded, is_second_opinion, title_key

KEY_LENGTH = 200


def mentions(entry: EntryContent) -> tuple[str, ...]:
    """What an entry is about, as keys to find it by: "title:…", "work:…", "person:…", "rubric:…", each once."""
    work = entry.work
    found = [title_mention(entry.title), f"rubric:{entry.rubric}" if entry.rubric else ""]
    if work:
        found.append(_key("work", work.title))
        found += [_key("person", name) for name in (*work.creators, *work.cast)]
        if work.type == "Person":  # an interview's subject
            found.append(_key("person", work.title))
    return tuple(dict.fromkeys(filter(None, found)))


def title_mention(title: str) -> str:
    """The key of a review by its title, as a page names it under "More from"; "" for nothing."""
    return _key("title", title)


def _key(kind: str, text: str) -> str:
    key = title_key(text)
    return bounded(f"{kind}:{key}", KEY_LENGTH) if key else ""


def second_opinions(entries: Sequence[EntryContent]) -> list[tuple[int, int]]:
    """The places of two reviews of one work by different critics, in order; no review is in two pairs (R19)."""
    found: list[tuple[int, int]] = []
    taken: set[int] = set()
    works = [_work_key(entry) for entry in entries]
    for one, first in enumerate(entries):
        if one in taken or not works[one]:
            continue
        for other in range(one + 1, len(entries)):
            second = entries[other]
            same = works[one] == works[other] and first.rubric == second.rubric
            if other not in taken and same and is_second_opinion(first, second):
                found.append((one, other))
                taken |= {one, other}
                break
    return found


def _work_key(entry: EntryContent) -> str:
    """An interview about a film is no second opinion on it."""
    return title_key(entry.work.title) if entry.work and entry.rubric not in ("interview", "list", "news") else ""
