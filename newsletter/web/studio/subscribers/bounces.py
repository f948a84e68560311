"""What came back, with the words that were said, and taking it back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from newsletter.core.bounce.parts import LARGEST, decoded
from newsletter.flow import bounce
from newsletter.flow.membership.timeline import words_of
from newsletter.flow.people import Role
from newsletter.models import Evidence
from newsletter.web.studio.access import allowed
from newsletter.web.studio.plots import Row, bars_of
from newsletter.web.studio.subscribers.showing import minute, number, sees, show, shown
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy
from subscribers import suppression
from subscribers.models import Subscription

PER_PAGE = 50
LOOKED_AT = 1_000
"""Of the latest reports the plot is drawn."""
ASIDE = 50
_ABOUT = {
    "address": gettext_lazy("No such mailbox or domain"),
    "mailbox": gettext_lazy("Mailbox full or closed"),
    "transient": gettext_lazy("A fault on the way"),
    "policy": gettext_lazy("They refuse us as a sender"),
    "content": gettext_lazy("They refuse this letter"),
}
_KINDS = {
    "complaint": gettext_lazy("Called spam"),
    "delay": gettext_lazy("Held up"),
    "auto-reply": gettext_lazy("Automatic answer"),
}


@allowed(Role.EDITOR)
@require_safe
def index(request: HttpRequest) -> HttpResponseBase:
    """The latest first; `after` is where a page begins."""
    rows = Evidence.objects.select_related("issue__newsletter").defer("issue__public_html").order_by("-pk")
    after = number(request, "after")
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows[: PER_PAGE + 1])
    older = f"{reverse('bounces')}?after={found[PER_PAGE - 1].pk}" if len(found) > PER_PAGE else ""
    bars = _bars() if after is None else []
    kept = bounce.aside(settings.NEWSLETTER.home) if settings.NEWSLETTER.home else []
    context = {
        "rows": _rows(request, found[:PER_PAGE]),
        "older": older,
        "newest": reverse("bounces") if after is not None else "",
        "bars": bars,
        "looked_at": sum(one.number for one in bars),
        "aside": [(path.name, _when(path.name), path.stat().st_size // 1000 + 1) for path in kept[: -ASIDE - 1 : -1]],
        "kept_aside": len(kept),
    }
    return show(request, "bounces", context)


@allowed(Role.APPROVER)
@require_safe
def aside(request: HttpRequest, name: str) -> HttpResponseBase:
    """One mail that nobody understood, as text: it may name readers, so it takes the right to see them."""
    home = settings.NEWSLETTER.home
    path = next((one for one in (bounce.aside(home) if home else []) if one.name == name), None)
    if path is None:
        raise Http404("There is no such mail.")
    with path.open("rb") as file:
        text = decoded(file.read(LARGEST), "")
    return show(request, "aside", {"name": name, "when": _when(name), "text": text[:200_000].replace("\x00", "�")})


def _rows(request: HttpRequest, found: list[Evidence]) -> list[dict[str, Any]]:
    numbers = {row.subscription_id for row in found if row.subscription_id}
    people = {
        row.pk: row.subscriber for row in Subscription.objects.filter(pk__in=numbers).select_related("subscriber")
    }
    reasons = suppression.reasons(person.address_key for person in people.values())
    made = []
    for row in found:
        person = people.get(row.subscription_id or 0)
        reason = reasons.get(person.address_key, "") if person else ""
        made.append(
            {
                "pk": row.pk,
                "when": minute(row.at),
                "address": shown(request, person) if person else _("somebody who is gone"),
                "person": person.pk if person and sees(request) else None,
                "kind": _KINDS.get(row.kind, _ABOUT.get(row.about, row.about or row.kind)),
                "bad": row.kind == "complaint" or row.hard,
                "decision": row.decision or _("noted"),
                "words": words_of(row),
                "issue": row.issue,
                "forgiven": bool(row.forgiven_at),
                # What was held against the address, and still is.
                "undo": reason in ("bounce", "complaint")
                and row.forgiven_at is None
                and row.kind in ("bounce", "complaint"),
            }
        )
    return made


def _bars() -> list[Row]:
    counted: dict[str, int] = {}
    for kind, about in Evidence.objects.order_by("-pk").values_list("kind", "about")[:LOOKED_AT]:
        words = str(_KINDS.get(kind, _ABOUT.get(about, about or kind)))
        counted[words] = counted.get(words, 0) + 1
    return bars_of(sorted(counted.items(), key=lambda item: -item[1]))


def _when(name: str) -> str:
    """The time in a file's name: "20261103T170000-0a1b.eml"."""
    try:
        return minute(datetime.strptime(name.partition("-")[0], "%Y%m%dT%H%M%S").replace(tzinfo=UTC))
    except ValueError:
        return ""
