"""Segments by those who go to them: one that a newsletter needs is not deleted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from newsletter.core.errors import SubscriberError
from newsletter.core.sentence import sentence
from newsletter.flow.apply.readers import slug as read_slug
from newsletter.flow.membership.acts import tell
from newsletter.models import Issue, IssueState, Newsletter
from subscribers import segments
from subscribers.models import MailingList, Segment


def users_of(segment: Segment) -> tuple[list[Newsletter], list[Issue]]:
    """The newsletters that go to it; and their issues that are not frozen yet, so that its change is theirs too."""
    rows = Newsletter.objects.filter(mailing_list=segment.mailing_list).order_by("slug")
    users = [row for row in rows if row.audience.get("segment") == segment.slug]
    open_issues = Issue.objects.filter(newsletter__in=users, state=IssueState.DRAFT).defer("public_html")
    return users, list(open_issues.select_related("newsletter").order_by("slot_at"))


def save_segment(
    name: str, mailing_list: MailingList, *, rule: Mapping[str, Any], title: str, now: datetime, by: str
) -> tuple[Segment, bool]:
    """Create or change a segment; True when it is new. Raises `SegmentError` for its rule, `Refused` for its name."""
    with transaction.atomic():
        row, new = segments.save(read_slug(name), mailing_list, rule=rule, name=title)
        tell("segment saved", f"The segment {row.slug} was {'made' if new else 'changed'}.", now, by)
    return row, new


def delete_segment(segment: Segment, *, now: datetime, by: str) -> None:
    """Forget a segment. Issues that were approved for it keep the rule that was frozen with them. Raises
    `SubscriberError` while a newsletter goes to it.
    """
    with transaction.atomic():
        users, _ = users_of(segment)
        if users:
            names = ", ".join(row.slug for row in users)
            raise SubscriberError(
                sentence("{names} goes to {slug}.", names=names, slug=segment.slug),
                hint=sentence("Give it another audience first."),
            )
        segments.delete(segment)
        tell("segment deleted", f"The segment {segment.slug} was deleted.", now, by)
