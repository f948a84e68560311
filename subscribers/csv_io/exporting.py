"""The list as a file: complete, safe to open in a spreadsheet, and read back by `import_file` as it was."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db.models import OuterRef, Prefetch, Subquery

from subscribers import segments
from subscribers.csv_io.cells import guard
from subscribers.models import ConsentEvent, MailingList, Subscription, Suppression, SuppressionReason

HEADER = ("email", "name", "language", "topics", "status", "subscription", "joined_at", "confirmed_at", "state_at",
          "last_accepted_at", "refusals_in_row", "frequency", "paused_until", "plain_text", "attributes",
          "consent")  # fmt: skip
PAGE = 1000
_STATUS = {
    SuppressionReason.BOUNCE: "bounced",
    SuppressionReason.COMPLAINT: "complained",
    SuppressionReason.ERASED: "blocked",
    SuppressionReason.MANUAL: "blocked",
}


class _Echo:
    """What csv.writer writes to: it hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def export_lines(mailing_list: MailingList, rule: Mapping[str, Any] | None = None, *, now: datetime) -> Iterator[str]:
    """The lines of the file (RFC 4180), the first with a byte order mark: spreadsheets take UTF-8 for it only then.

    Everybody ever on the list is in it, the unsubscribed and suppressed by their `status`; with a segment's `rule`, who
    is in the segment. `status` is what any importer may go by, `subscription` the state behind a suppression. Memory
    stays flat. Raises `SegmentError`.
    """
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield f"\ufeff{writer.writerow(HEADER)}"
    reason = Suppression.objects.filter(address_key=OuterRef("subscriber__address_key")).values("reason")
    events = Prefetch("consent_events", ConsentEvent.objects.order_by("at", "pk"))
    rows = (
        Subscription.objects.select_related("subscriber")
        .prefetch_related(events)
        .annotate(suppressed=Subquery(reason))
        .order_by("pk")
    )
    for page in segments.pages(mailing_list, rule or {}, now=now, size=PAGE):
        for row in rows.filter(pk__in=page):
            yield str(writer.writerow([guard(cell) for cell in _cells(row, row.suppressed)]))


def _cells(row: Subscription, suppressed: str | None) -> tuple[str, ...]:
    person = row.subscriber
    return (
        person.address,
        person.name,
        person.language,
        ";".join(row.topics),
        _STATUS[SuppressionReason(suppressed)] if suppressed else row.state,
        row.state,
        _instant(row.joined_at),
        _instant(row.confirmed_at),
        _instant(row.state_at),
        _instant(row.last_accepted_at),
        str(row.refusals_in_row or ""),
        row.frequency,
        _instant(row.paused_until),
        "true" if person.plain_text else "",
        _json(person.attributes) if person.attributes else "",
        _json([_event(event) for event in row.consent_events.all()]),
    )


def _event(event: ConsentEvent) -> dict[str, Any]:
    kept = {"kind": event.kind, "at": _instant(event.at), "origin": event.origin}
    return {**kept, **({"wording": event.wording} if event.wording else {}), **_evidence(event)}


def _evidence(event: ConsentEvent) -> dict[str, Any]:
    return {"evidence": event.evidence} if event.evidence else {}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _instant(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat() if at else ""
