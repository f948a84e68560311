"""The list as a file: safe to open in a spreadsheet, and read back by `import_file` as it was."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from django.db.models import OuterRef, Subquery

from subscribers.csv_io.cells import guard
from subscribers.models import MailingList, Subscription, Suppression, SuppressionReason

HEADER = ("email", "name", "language", "topics", "status", "joined_at", "confirmed_at")
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


def export_lines(mailing_list: MailingList) -> Iterator[str]:
    """The lines of the file (RFC 4180), the first with a byte order mark: spreadsheets take UTF-8 for it only then.

    Everybody ever on the list is in it, the unsubscribed and suppressed by their status. Memory stays flat.
    """
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    yield f"\ufeff{writer.writerow(HEADER)}"
    reason = Suppression.objects.filter(address_key=OuterRef("subscriber__address_key")).values("reason")
    rows = (
        Subscription.objects.filter(mailing_list=mailing_list)
        .select_related("subscriber")
        .annotate(suppressed=Subquery(reason))
        .order_by("pk")
    )
    for row in rows.iterator(chunk_size=2000):
        cells = (
            row.subscriber.address,
            row.subscriber.name,
            row.subscriber.language,
            ";".join(row.topics),
            _STATUS[SuppressionReason(row.suppressed)] if row.suppressed else row.state,
            row.joined_at.isoformat(timespec="seconds"),
            row.confirmed_at.isoformat(timespec="seconds") if row.confirmed_at else "",
        )
        yield str(writer.writerow([guard(cell) for cell in cells]))
