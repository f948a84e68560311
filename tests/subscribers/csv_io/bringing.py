"""A file brought in as an editor would, and what is on the list then."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

from subscribers.csv_io import ImportReport, import_file
from subscribers.models import Subscription
from tests.factories import make_list

CONSENT = "Asked for the weekly on paper cards at the door, March 2026."
TOPICS = ("movie", "book", "concert")


def bring_in(text: str | bytes, now: datetime, **options: Any) -> ImportReport:
    data = text if isinstance(text, bytes) else text.encode()
    options = {"name": "door.csv", "wording": CONSENT, "known_topics": TOPICS, **options}
    return import_file(io.BytesIO(data), make_list(), now=now, **options)


def states() -> dict[str, str]:
    return dict(Subscription.objects.order_by("pk").values_list("subscriber__address", "state"))


def counts(report: ImportReport) -> dict[str, int]:
    names = ("rows", "added", "stopped", "already", "kept_out", "refused")
    return {name: getattr(report, name) for name in names if getattr(report, name)}
