"""Lengths of time and clock times, as the studio says them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import ngettext


def span(length: timedelta) -> str:
    """ "2 days 3 hours", "41 minutes", "less than a minute"; what is past is 0 and so the last one."""
    seconds = max(0, int(length.total_seconds()))
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes = rest // 60
    parts = [
        (days, ngettext("%(num)s day", "%(num)s days", days)),
        (hours, ngettext("%(num)s hour", "%(num)s hours", hours)),
        (minutes, ngettext("%(num)s minute", "%(num)s minutes", minutes)),
    ]
    said = [words % {"num": number} for number, words in parts if number]
    # Minutes matter on the last day only.
    return " ".join(said[:2]) or _("less than a minute")


def clock_time(at: datetime, zone: str) -> str:
    """The value of a `datetime-local` field: wall time in `zone`, to the minute."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"
