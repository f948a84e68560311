"""Segments by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from subscribers.errors import SegmentError
from subscribers.models import MailingList, Segment
from subscribers.segments.parsing import parse


def find(slug: str, mailing_list: MailingList | None = None) -> Segment:
    """The segment of that name, of that list when one is given. Raises `SegmentError` with the nearest name."""
    segments = Segment.objects.select_related("mailing_list")
    if mailing_list is not None:
        segments = segments.filter(mailing_list=mailing_list)
    found = segments.filter(slug=slug).first()
    if found is not None:
        return found
    where = f' on the list "{mailing_list.slug}"' if mailing_list is not None else ""
    known = list(segments.order_by("slug").values_list("slug", flat=True))
    near = difflib.get_close_matches(slug, known, n=1)
    hint = f'Did you mean "{near[0]}"?' if near else f"Known here: {', '.join(known[:20]) or 'none yet'}."
    raise SegmentError(f'There is no segment "{slug[:60]}"{where}. {hint}')


def save(slug: str, mailing_list: MailingList, *, rule: Mapping[str, Any], name: str = "") -> tuple[Segment, bool]:
    """Create or change a segment; True when it is new. Raises `SegmentError` when the rule can't be read, or the name
    is taken by another list: a segment's people are those of one list.
    """
    parse(rule)
    found = Segment.objects.select_related("mailing_list").filter(slug=slug).first()
    if found is None:
        fields = {"mailing_list": mailing_list, "name": name or slug, "rule": dict(rule)}
        return Segment.objects.create(slug=slug, **fields), True
    if found.mailing_list_id != mailing_list.pk:
        raise SegmentError(f'The segment "{slug}" is one of the list "{found.mailing_list.slug}" already.')
    found.name, found.rule = name or found.name, dict(rule)
    found.save(update_fields=["name", "rule"])
    return found, False


def delete(segment: Segment) -> None:
    """Forget a segment. Issues that were approved for it keep the rule that was frozen with them."""
    segment.delete()
