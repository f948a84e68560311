"""An export: complete, harmless in a spreadsheet, and the same when it comes back."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from subscribers import consent, suppression
from subscribers.csv_io import export_lines, exporting
from subscribers.models import (
    ConsentEvent,
    ConsentKind,
    Subscriber,
    Subscription,
    SubscriptionState,
    Suppression,
    SuppressionReason,
)
from tests.factories import make_list, make_subscription
from tests.subscribers.csv_io.bringing import bring_in, counts

pytestmark = pytest.mark.django_db


def everything() -> list[dict[str, Any]]:
    """Every row of every person on the list, as the export gives it."""
    lines = "".join(export_lines(make_list(), now=datetime.now(UTC))).removeprefix("\ufeff")
    return sorted(csv.DictReader(io.StringIO(lines)), key=lambda row: row["email"])


def test_an_export_comes_back_as_it_was(now: datetime) -> None:
    day = timedelta(days=1)
    ana = make_subscription(
        "ana@example.org", name="=SUM(A1)", language="de", topics=["book", "movie"], plain_text=True,
        joined_at=now - 9 * day, confirmed_at=now - 8 * day, state_at=now - 7 * day, last_accepted_at=now - day,
        refusals_in_row=2, attributes={"city": "Köln", "size": 4.5, "tags": ["a", "b"], "vip": True, "gone": None},
    )  # fmt: skip
    consent.record(ana, ConsentKind.CONFIRMED, now=now - 8 * day, origin="link", wording="Yes.", evidence={"ip": "::1"})
    make_subscription("bo@example.org", name='"Quill", \'Bo', state=SubscriptionState.UNSUBSCRIBED)
    make_subscription("cy@example.org", name="'t Hooft", state=SubscriptionState.PENDING, confirmed_at=None)
    make_subscription("di@example.org", name="-Di-", state=SubscriptionState.PAUSED)
    make_subscription("=el@example.org", name="El la", confirmed_at=None)
    for address, reason in (
        ("fa@example.org", "bounce"),
        ("gu@example.org", "complaint"),
        ("ha@example.org", "manual"),
    ):
        make_subscription(address)
        suppression.suppress(address, SuppressionReason(reason), now=now)
    before = everything()
    text = "".join(export_lines(make_list(), now=now))
    assert "'=SUM(A1)" in text and ",'=el@" not in text.split("\n")[0]
    for table in (ConsentEvent, Subscription, Subscriber, Suppression):
        table.objects.all().delete()  # type: ignore[attr-defined]
    report = bring_in(text, now)
    assert counts(report) == {"rows": 8, "added": 4, "stopped": 4}
    assert (report.tables[0].service, report.tables[0].ignored_columns) == ("newsletter", [])
    after = everything()
    for was, row in zip(before, after, strict=True):
        events = json.loads(row.pop("consent"))
        assert events[0]["evidence"]["columns"]["consent"] == json.loads(was.pop("consent"))
        assert row == was
    assert bring_in(text, now).already == 8


def test_every_field_of_a_person_is_in_the_export() -> None:
    columns = {"address": "email", "state": "status", "address_key": "email", "created_at": "", "id": "",
               "mailing_list": "", "subscriber": "", "generation": "", "new_address": "", "erase_at": "",
               "quiet_asks": "", "quiet_asked_at": ""}  # fmt: skip
    fields = [field.name for model in (Subscriber, Subscription) for field in model._meta.concrete_fields]
    assert {columns.get(name, name) for name in fields} - {""} <= set(exporting.HEADER)


def test_an_export_of_a_segment_holds_its_people_alone(now: datetime) -> None:
    make_subscription("ana@example.org", language="en")
    make_subscription("bo@example.org", language="de")
    lines = list(export_lines(make_list(), {"language": ["de"]}, now=now))
    assert [line.partition(",")[0] for line in lines[1:]] == ["bo@example.org"]


def test_no_cell_of_an_export_begins_like_a_formula(now: datetime) -> None:
    for number, name in enumerate(("=1+1", "+1", "-1", "@x", "\t=1", "＝1")):
        make_subscription(f"p{number}@example.org", name=name, attributes={"=cmd": "=1"}, language="-")
    cells = [cell for row in csv.reader("".join(export_lines(make_list(), now=now)).splitlines()) for cell in row]
    assert not [cell for cell in cells if cell.lstrip()[:1] in set("=+-@＝")]
