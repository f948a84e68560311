from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.models import Delivery, DeliveryState, Issue, IssueState
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.sending import make_people
from tests.web.test_studio import person

pytestmark = pytest.mark.django_db
HERE = "/studio/weekly/2026-11-05/outcome"


@pytest.fixture
def sent(issue: Issue) -> Issue:
    """Sent to eight of ten within three minutes."""
    now = timezone.now() - timedelta(hours=1)
    people = make_people(["=1+1@box.test", *[f"p{n}@box.test" for n in range(9)]])
    states = [DeliveryState.FAILED, *[DeliveryState.ACCEPTED] * 8, DeliveryState.UNCERTAIN]
    reasons = {DeliveryState.FAILED: "refused (full): =HYPERLINK(1)", DeliveryState.UNCERTAIN: "the connection broke"}
    for number, (row, state) in enumerate(zip(people, states, strict=True)):
        Delivery.objects.create(issue=issue, subscription=row, address=row.subscriber.address, state=state,
                                reason=reasons.get(state, ""), at=now + timedelta(seconds=20 * number))  # fmt: skip
    Issue.objects.update(
        state=IssueState.SENT, started_at=now, finished_at=now + timedelta(minutes=3), audience_count=10
    )
    return issue


def test_the_outcome_shows_plots_first_and_names_behind_them(sent: Issue) -> None:
    mara = person("mara", "view_subscriber")
    page = mara.get(HERE).content.decode()
    assert "Sent to <strong>8</strong> of 10." in page
    assert 'href="/studio/weekly/2026-11-05/outcome?show=failed#who">1 refused</a>' in page
    assert page.index('<svg class="plot"') < page.index("<table>")
    assert "Mailbox full" in page
    assert "It took 3 minutes." in page
    assert "=1+1@box.test" not in page
    assert "=1+1@box.test" in mara.get(f"{HERE}?show=failed").content.decode()


def test_the_file_has_every_delivery_and_no_cell_is_a_formula(sent: Issue) -> None:
    answer = person("mara", "approve_issue").get(f"{HERE}.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="weekly-2026-11-05.csv"'
    rows = list(csv.reader(io.StringIO(b"".join(answer).decode())))  # type: ignore[arg-type]
    assert rows[0] == ["address", "state", "group", "reason", "at"]
    assert len(rows) == 11
    assert rows[1][:4] == ["'=1+1@box.test", "failed", "Mailbox full", "refused (full): =HYPERLINK(1)"]
    assert not any(cell.startswith("=") for row in rows for cell in row)


def test_who_may_not_see_subscribers_sees_numbers_and_no_names(sent: Issue) -> None:
    edda = person("edda")
    page = edda.get(f"{HERE}?show=failed").content.decode()
    assert "1 refused" in page
    assert "box.test" not in page
    assert edda.get(f"{HERE}.csv").status_code == 403


def test_an_issue_that_never_began_has_no_outcome(issue: Issue) -> None:
    mara = person("mara", "approve_issue")
    assert mara.get(HERE).status_code == 404
    assert mara.get(f"{HERE}.csv").status_code == 404
