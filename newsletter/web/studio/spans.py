"""Lengths of time and clock times, as the studio says them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy, ngettext

_MONTHS = (
    gettext_lazy("Jan"), gettext_lazy("Feb"), gettext_lazy("Mar"), gettext_lazy("Apr"), gettext_lazy("May"),
    gettext_lazy("Jun"), gettext_lazy("Jul"), gettext_lazy("Aug"), gettext_lazy("Sep"), gettext_lazy("Oct"),
    gettext_lazy("Nov"), gettext_lazy("Dec"),
)  # fmt: skip


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


def short_day(day: date, *, year: bool = False) -> str:
    """ "5 Nov", or "5 Nov 2026"."""
    values = {"day": day.day, "month": _MONTHS[day.month - 1], "year": day.year}
    return (_("%(day)s %(month)s %(year)s") if year else _("%(day)s %(month)s")) % values


def clock_time(at: datetime, zone: str) -> str:
    """The value of a `datetime-local` field: wall time in `zone`, to the minute."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"
