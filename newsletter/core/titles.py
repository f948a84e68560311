"""Titles as magazines print them: the rubric at the end, the site's name after a bar, quotes round a work."""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.core.prose import folded, plain
from newsletter.core.rubrics import rubric_for_label

_SITE_BARS = (" | ", " – ", " — ", " - ", " « ", " » ", " · ", " :: ")
_QUOTED = re.compile(r"[‘“«„\"']([^‘’“”«»„\"]{2,120}?)[’”»“\"',.!?]*[’”»“\"'](?=$|[\s,.:;!?–—)])")
_DASHES = (": ", " – ", " — ", " - ", " | ")


@dataclass(frozen=True, slots=True)
class TitleParts:
    """A title as published, the same without its rubric, and the rubric: `label` as printed, `rubric` its key or ""."""

    title: str
    clean: str
    label: str = ""
    rubric: str = ""


def split_title(title: str, *, language: str = "", brand: str = "") -> TitleParts:
    """Take a rubric off the end of a title, or off its front.

    1. The tail after the *last* `: ` is looked up in the rubric dictionary, with or without `brand` before it ("LANTERN
       Interview"): titles have colons inside, so the first one never splits.
    2. Then the head before the first `: ` ("Movie Review: Nightjar").
    3. No match keeps the whole title: "Love: A History" is not a rubric.
    """
    title = plain(title)
    head, colon, tail = title.rpartition(": ")
    if colon and head and (rubric := _rubric(tail, language, brand)):
        return TitleParts(title, head.rstrip(" :"), tail, rubric)
    head, colon, tail = title.partition(": ")
    if colon and tail and (rubric := _rubric(head, language, brand)):
        return TitleParts(title, tail, head, rubric)
    return TitleParts(title, title)


def _rubric(label: str, language: str, brand: str) -> str:
    label = label.strip().rstrip(".")
    if not label or len(label) > 40:
        return ""
    if brand and label.casefold().startswith(brand.casefold() + " "):
        label = label[len(brand) :].strip()
    return rubric_for_label(label, language) or ""


def without_site(title: str, site: str) -> str:
    """`<title>` without the site's name at its end, however often it stands there."""
    title, key = plain(title), folded(site)
    while key:
        for bar in _SITE_BARS:
            head, found, tail = title.rpartition(bar)
            if found and head and folded(tail) == key:
                title = head.rstrip()
                break
        else:
            break
    return title


def quoted_work(title: str) -> str:
    """The work that a title names in quotes, "" when there is none or more than one."""
    found = {match.group(1).strip(" ,.") for match in _QUOTED.finditer(f"{title} ")}
    return found.pop() if len(found) == 1 else ""
