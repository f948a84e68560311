"""Dates as sources write them, read into aware datetimes (product rule R3); and the day on which a work opens.

Nothing here looks at a clock. Whether a date can be *believed* is decided by the weekly rule, not here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from email.utils import parsedate_tz
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from newsletter.core.content import Release
from newsletter.core.prose import plain

RELEASE_WINDOW = (timedelta(days=-30), timedelta(days=180))

# Month names in the languages that feeds were seen in: en de fr es it pt nl da no sv.
_MONTH_NAMES = {
    1: "january jan januar jänner janvier janv enero ene gennaio gen janeiro januari",
    2: "february feb februar februari février fevrier févr fevr fév febrero febbraio febb fevereiro fev",
    3: "march mar märz maerz mrz mars marzo março marco maart mrt marts",
    4: "april apr avril avr abril abr aprile",
    5: "may mai mayo maggio mag maio mei maj",
    6: "june jun juni juin junio giugno giu junho",
    7: "july jul juli juillet juil julio luglio lug julho",
    8: "august aug août aout agosto ago augustus augusti",
    9: "september sep sept septembre septiembre set settembre sett setembro",
    10: "october oct oktober okt octobre octubre ottobre ott outubro out",
    11: "november nov novembre noviembre novembro",
    12: "december dec dezember dez décembre decembre déc diciembre dic dicembre dezembro desember des",
}
_MONTHS = {name: number for number, names in _MONTH_NAMES.items() for name in names.split()}
_MONTH = "(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")(?![^\W\d_])\.?"
_DAY = r"(?:\d{1,2})(?:st|nd|rd|th|er|º|\.)?"
_CLOCK = r"(?P<hour>\d{1,2})(?::|\.|h)(?P<minute>\d{2})(?::(?P<second>\d{2}))?\s*(?P<half>[ap]\.?m\.?)?"
_ZONE = r"(?P<zone>Z|[A-Z]{2,5}|[+-]\d{2}:?\d{2})"
_NAMED = re.compile(
    rf"(?<!\w)(?:(?P<month1>{_MONTH})\s+(?P<day1>{_DAY}),?\s+(?P<year1>\d{{4}})"
    rf"|(?P<day2>{_DAY})\s+(?:de\s+|d[’'])?(?P<month2>{_MONTH}),?\s+(?:de\s+)?(?P<year2>\d{{4}}))"
    rf"(?:\W+(?:(?:at|um|à|a las|alle|às|om|kl\.?)\s+)?{_CLOCK}(?:\s*(?:Uhr\s*)?{_ZONE})?)?",
    re.IGNORECASE,
)
_ISO = re.compile(
    r"^(\d{4})-?(\d{2})-?(\d{2})(?:(?:T|\s+)(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,]\d+)?)?\s*"
    r"(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?$",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"^1\d{9}(?:\d{3})?$")
# Zone names that RFC 5322 does not know but feeds use. Ambiguous ones (IST, BST outside Britain) read as Europe's.
_ZONES = {"CET": 60, "MEZ": 60, "CEST": 120, "MESZ": 120, "WET": 0, "WEST": 60, "BST": 60, "EET": 120, "EEST": 180,
          "MSK": 180, "JST": 540, "AEST": 600, "AEDT": 660, "UTC": 0, "GMT": 0, "Z": 0, "EST": -300, "EDT": -240,
          "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420}  # fmt: skip

_RELEASE_DATE = re.compile(
    rf"(?P<month1>{_MONTH})\s+(?P<day1>\d{{1,2}})(?:st|nd|rd|th)?(?![\w:])(?:,?\s+(?P<year1>(?:19|20)\d{{2}}))?"
    rf"|(?P<day2>\d{{1,2}})(?:st|nd|rd|th|er|\.)?\s+(?:de\s+)?(?P<month2>{_MONTH})"
    rf"(?:,?\s+(?:de\s+)?(?P<year2>(?:19|20)\d{{2}}))?",
    re.IGNORECASE,
)
_RELEASE_VERB = re.compile(
    r"\b(?P<verb>premieres?|premiered|opens?|opened|arrives?|releases|(?:is|was|will be) (?:released|published|out)|"
    r"hits|streams|airs|debuts?|lands|drops|comes out|starts|launches|publishes|plays|returns|"
    r"startet|läuft|erscheint|kommt|sort(?:ira)?|paraît|se estrena|estrena|estreia|esce|uscirà|udkommer|"
    r"har premiere)\b",
    re.IGNORECASE,
)
_RELEASE_WHERE = re.compile(
    r"\b(?:in|at|on|im|ins|au|aux|en|al|nei|nas|nos|i)\s+(?:(?:the|select|selected|den|die|der|les|los|las)\s+)?"
    r"[^\s,.;:][^,.;:]*?(?=\s+(?:on|from|am|ab|le|el|il|em|den|this)\b|\s*$|\s*[,.;:])",
    re.IGNORECASE,
)
MAX_RELEASE_LINE = 160


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time as read: `precision` is "time", or "day" (then local noon stands for it); `zoned` is False when
    the source's zone had to be supplied.
    """

    when: datetime
    precision: str = "time"
    zoned: bool = True


def zone_named(name: str) -> ZoneInfo | timezone:
    """The zone of an IANA name; UTC for one that does not exist."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def read_moment(text: str, *, zone: str = "UTC", language: str = "") -> Moment | None:
    """Read one date, with or without a time and a zone; None when it can't be read.

    Tried in turn: ISO 8601 (a space for the T, no colon in the offset), seconds since 1970, RFC 5322 (3.3, with the
    obsolete zones), month names in nine languages, and at last dateparser, told the order of `language`. A time
    without a zone is in `zone`; one that the clocks skip is moved on, one that they repeat is the first.
    """
    text = plain(text)
    if not text or len(text) > 120:
        return None
    for reader in (_read_iso, _read_epoch, _read_mail, _read_named):
        if moment := _attempt(reader, text, zone):
            return moment
    return _read_otherwise(text, zone, language)


def _attempt(reader: object, text: str, zone: str) -> Moment | None:
    try:
        moment: Moment | None = reader(text, zone)  # type: ignore[operator]
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment and 1900 <= moment.when.year <= 2200 else None


def _read_iso(text: str, zone: str) -> Moment | None:
    match = _ISO.match(text)
    if not match:
        return None
    year, month, day, hour, minute, second, offset = match.groups()
    if hour is None:
        return _day(date(int(year), int(month), int(day)), zone)
    seconds = min(int(second or 0), 59)
    if hour == "24":
        return _day(date(int(year), int(month), int(day)), zone)
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), seconds)  # noqa: DTZ001 - placed below
    return _placed(moment, _offset(offset), zone)


def _read_epoch(text: str, zone: str) -> Moment | None:
    if not _EPOCH.match(text):
        return None
    return Moment(datetime.fromtimestamp(int(text[:10]), UTC))


def _read_mail(text: str, zone: str) -> Moment | None:
    parts = parsedate_tz(text)
    if not parts or not re.search(r"\d:\d", text) or not re.search(r"[A-Za-z]{3}", text):
        return None
    moment = datetime(*parts[:5], min(parts[5], 59))  # noqa: DTZ001 - placed below
    named = re.search(r"\b([A-Z]{1,5})$", text)
    offset: timezone | None
    if named and named.group(1) in _ZONES:
        offset = _offset(named.group(1))
    elif re.search(r"[+-]\d{4}$", text):
        # RFC 5322, 3.3: -0000 is universal time from a machine that says nothing of its own zone.
        offset = timezone(timedelta(seconds=parts[9] or 0))
    else:
        offset = None
    return _placed(moment, offset, zone)


def _read_named(text: str, zone: str) -> Moment | None:
    match = _NAMED.search(text)
    if not match:
        return None
    day = date(
        int(match["year1"] or match["year2"]),
        _month(match["month1"] or match["month2"]),
        _number(match["day1"] or match["day2"]),
    )
    if match["hour"] is None:
        return _day(day, zone)
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % 12 + (12 if match["half"].lower().startswith("p") else 0)
    moment = datetime.combine(day, time(hour, int(match["minute"]), int(match["second"] or 0)))
    return _placed(moment, _offset(match["zone"]), zone)


def _read_otherwise(text: str, zone: str, language: str) -> Moment | None:
    import dateparser  # 220 ms to load, and hardly ever wanted

    order = "MDY" if language.lower() in ("en-us", "en_us") else "DMY"
    languages = [language.split("-")[0].lower()] if language else None
    try:
        found = dateparser.parse(
            text,
            languages=languages,
            settings={
                "DATE_ORDER": order,
                "REQUIRE_PARTS": ["day", "month", "year"],
                # Relative words ("2 hours ago") would need a clock.
                "PARSERS": ["custom-formats", "absolute-time"],
                "PREFER_LOCALE_DATE_ORDER": False,
            },
        )
    except (ValueError, OverflowError, TypeError):
        return None
    if found is None or not 1900 <= found.year <= 2200:
        return None
    if not re.search(r"\d[:.h]\d\d", text):
        return _day(found.date(), zone)
    return Moment(found) if found.tzinfo else _placed(found, None, zone)


def _day(day: date, zone: str) -> Moment:
    return Moment(datetime.combine(day, time(12), zone_named(zone)), "day", zoned=False)


def _placed(moment: datetime, offset: timezone | None, zone: str) -> Moment:
    if offset is not None:
        return Moment(moment.replace(tzinfo=offset))
    # Through UTC and back: an hour that the clocks skip comes out as the hour after the gap.
    local = moment.replace(tzinfo=zone_named(zone), fold=0)
    return Moment(local.astimezone(UTC).astimezone(zone_named(zone)), zoned=False)


def _offset(text: str | None) -> timezone | None:
    if not text:
        return None
    if text.upper() in _ZONES:
        return timezone(timedelta(minutes=_ZONES[text.upper()]))
    match = re.fullmatch(r"([+-])(\d{2}):?(\d{2})?", text)
    if not match:
        return None
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    return timezone(timedelta(minutes=minutes if match[1] == "+" else -minutes))


def _month(name: str) -> int:
    return _MONTHS[name.rstrip(".").casefold()]


def _number(day: str) -> int:
    return int(re.match(r"\d+", day)[0])  # type: ignore[index]


def read_release(line: str, published: date | None) -> Release | None:
    """Read a release line ("premieres in theaters Nov. 6"); None when the line is not one.

    A line is one sentence of at most 160 characters with a verb of opening and a month and day. Without a year the
    nearest such day within 30 days before and 180 days after `published` is meant; when there is none, or no date of
    publication, `date` is None and only `raw` speaks.
    """
    line = plain(line)
    if not line or len(line) > MAX_RELEASE_LINE or re.search(r"(?<!\d)[.!?]\s+[A-ZÀ-Þ][^.!?]*\s[^.!?]*[.!?]$", line):
        return None
    verb = _RELEASE_VERB.search(line)
    day = _RELEASE_DATE.search(line, verb.end()) if verb else None
    if not verb or not day:
        return None
    between = line[verb.end() : day.start()]
    if len(between) > 60:
        return None
    where = _RELEASE_WHERE.search(between.strip())
    month, number = _month(day["month1"] or day["month2"]), int(day["day1"] or day["day2"])
    year = day["year1"] or day["year2"]
    return Release(
        date=_exact(int(year), month, number) if year else nearest(month, number, published),
        precision="day" if year else "month-day",
        verb=verb["verb"].lower(),
        where=where[0].strip() if where else "",
        raw=line,
    )


def nearest(month: int, day: int, published: date | None) -> date | None:
    """The date with this month and day that lies nearest to `published`, within the release window."""
    if published is None:
        return None
    candidates = [_exact(published.year + step, month, day) for step in (-1, 0, 1)]
    fitting = [c for c in candidates if c and RELEASE_WINDOW[0] <= c - published <= RELEASE_WINDOW[1]]
    return min(fitting, key=lambda c: abs(c - published), default=None)


def _exact(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
