"""Settings at a glance, identity and schedule; and how magazine.toml stands to what is set here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from newsletter.core.errors import ConfigError, NewsletterError
from newsletter.core.week import Ahead, Schedule, slots_ahead
from newsletter.flow.apply import apply_text, changed, dump_text, read_values
from newsletter.flow.deliver.control import spoken_time
from newsletter.flow.issue.facts import schedule_of
from newsletter.flow.people import Role, admins
from newsletter.ledger.issues import OPEN, due_at
from newsletter.models import Issue, Magazine, Newsletter
from newsletter.web.headers import private
from newsletter.web.studio.access import allowed
from newsletter.web.studio.settings.forms import IDENTITY, INSERT, MAGAZINE, RULES, SCHEDULE, Form, table_of
from newsletter.web.studio.settings.showing import METHODS, find, handle, render_part, show
from newsletter.web.studio.spans import span
from newsletter.web.studio.words import gettext as _

FILE = "magazine.toml"
_LARGEST_FILE = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One of the next slots in words."""

    when: str
    cutoff: str
    said: str
    off: bool


@allowed(Role.ADMIN)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """What there is to set, and how it stands."""
    now = timezone.now()
    rows = []
    for newsletter in Newsletter.objects.select_related("account", "magazine").order_by("name"):
        ahead = slots_ahead(schedule_of(newsletter), max(now, newsletter.starts_at), 1)[0]
        rows.append((newsletter, spoken_time(ahead.slot.at, newsletter.timezone)))
    context = {
        "magazine": Magazine.objects.order_by("pk").first(),
        "rows": rows,
        "admins": [row.get_username() for row in admins()],
        "changed_here": changed(),
        "file": FILE,
    }
    return render_part(request, "index", context)


@allowed(Role.ADMIN)
@require_http_methods(METHODS)
def identity(request: HttpRequest, newsletter: str) -> HttpResponse:
    """Who writes: the magazine's and the newsletter's names and addresses, and the print magazine's insert."""
    row = find(newsletter)
    forms = [
        Form("newsletter", table_of("newsletters"), row, IDENTITY),
        Form("magazine", table_of("magazine"), row.magazine, MAGAZINE),
        Form("insert", table_of("newsletters"), row, INSERT),
    ]
    done = handle(request, forms)
    if isinstance(done, HttpResponse):
        return done
    return show(request, "identity", row, {"forms": forms}, status=done)


@allowed(Role.ADMIN)
@require_http_methods(METHODS)
def schedule(request: HttpRequest, newsletter: str) -> HttpResponse:
    """When: with the next five slots of what is set, or of what was typed while `look` is pressed."""
    row, now = find(newsletter), timezone.now()
    forms = [
        Form("schedule", table_of("newsletters"), row, SCHEDULE),
        Form("rules", table_of("newsletters"), row, RULES),
    ]
    shown, status = schedule_of(row), 200
    looks = request.method == "POST" and "look" in request.POST
    if looks:
        forms[0].take(request.POST)
        try:
            shown = _schedule(read_values("newsletters", forms[0].values))
        except ConfigError as error:
            forms[0].problem, status = error, 400
    else:
        done = handle(request, forms)
        if isinstance(done, HttpResponse):
            return done
        status = done
    open_one = Issue.objects.filter(newsletter=row, state__in=OPEN).order_by("slot_at", "pk").first()
    context = {
        "forms": forms,
        "open_one": open_one,
        "open_when": spoken_time(due_at(open_one), row.timezone) if open_one else "",
        "looks": looks and status == 200,
        "slots": _slots(row, shown, max(now, row.starts_at)),
        "zones": sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC"),
    }
    return show(request, "schedule", row, context, status=status)


@allowed(Role.ADMIN)
@require_safe
def file(request: HttpRequest) -> HttpResponse:
    """What the home's magazine.toml says otherwise than the settings do: what applying it would change."""
    context: dict[str, Any] = {"file": FILE, "there": False, "changes": [], "problem": None}
    home = settings.NEWSLETTER.home
    path = Path(home) / FILE if home else None
    if path is not None and path.is_file():
        context["there"] = True
        try:
            context["changes"] = _differences(path)
        except NewsletterError as error:
            context["problem"] = error
    return render_part(request, "file", context)


@allowed(Role.ADMIN)
@require_safe
def dump(request: HttpRequest) -> HttpResponse:
    """The file that says what the settings do."""
    answer = HttpResponse(dump_text(), content_type="application/toml; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{FILE}"'
    return private(answer)


def _differences(path: Path) -> list[Any]:
    if path.stat().st_size > _LARGEST_FILE:
        raise ConfigError(
            _("%(file)s is too large to compare here.") % {"file": FILE}, hint=_("Type: newsletter apply --dry-run")
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(_("%(file)s can’t be read.") % {"file": FILE}, hint=_("It must be UTF-8 text.")) from error
    return apply_text(text, now=timezone.now(), file=FILE, home=path.parent, dry_run=True)


def _schedule(values: Mapping[str, Any]) -> Schedule:
    return Schedule(values["weekday"], values["send_time"], values["timezone"], values["cutoff_hours"])


def _slots(newsletter: Newsletter, schedule: Schedule, after: datetime) -> list[Line]:
    """The next five in words, with what clocks and weeks off do to them."""
    ahead = slots_ahead(schedule, after)
    off = dict(newsletter.weeks_off.values_list("slot", "reason"))
    return [
        Line(
            spoken_time(one.slot.at, schedule.timezone),
            spoken_time(one.slot.cutoff, schedule.timezone),
            _clocks(one, schedule),
            one.slot.key in {day.isoformat() for day in off},
        )
        for one in ahead
    ]


def _clocks(one: Ahead, schedule: Schedule) -> str:
    at = f"{schedule.send_time:%H:%M}"
    if one.skipped:
        return _("%(time)s does not exist on that day: the clocks go forward.") % {"time": at}
    if one.twice:
        return _("%(time)s comes twice on that day: the first is meant.") % {"time": at}
    if one.shift > timedelta(0):
        more = _("The clocks change in the week before: %(span)s more than seven days.")
        return more % {"span": span(one.shift)}
    if one.shift:
        less = _("The clocks change in the week before: %(span)s less than seven days.")
        return less % {"span": span(-one.shift)}
    return ""
