"""The send panel and its outcome in a browser: the minute runs down, undo is real, the bar moves by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter.flow import deliver as flow
from newsletter.models import Delivery, DeliveryState, Issue, IssueState
from tests.browser.conftest import Visitor
from tests.browser.looking import inspect
from tests.browser.test_pages import HERE
from tests.browser.test_pages import issue as issue
from tests.browser.test_pages import letter as letter
from tests.browser.test_pages import mara as mara
from tests.browser.test_pages import newsletter as newsletter
from tests.sending import make_people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_an_issue_is_approved_sent_off_taken_back_and_watched(mara: Visitor, letter: Issue) -> None:
    make_people([f"p{number}@box.test" for number in range(399)])
    page = mara.go(f"{HERE}send")
    inspect(mara, "send-draft", lambda: mara.go(f"{HERE}send"))
    page.get_by_role("button", name="Approve this letter").click()
    page.get_by_text("Approved. It goes out").wait_for()
    page.get_by_label("To", exact=True).fill("me@example.org")
    page.get_by_role("button", name="Send the test").click()
    page.get_by_text("The test is on its way.").wait_for()
    inspect(mara, "send-approved", lambda: mara.go(f"{HERE}send"))

    page.locator("summary", has_text="Send now").click()
    page.get_by_role("button", name="Send now").click()
    counting = page.locator("[data-seconds]")
    before = int(counting.inner_text())
    # The countdown moves by itself, without the page being loaded anew.
    mara.until(f"Number(document.querySelector('[data-seconds]').textContent) < {before}")
    inspect(mara, "send-minute", lambda: mara.go(f"{HERE}send"))
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Taken back. Nothing has left.").wait_for()
    assert Delivery.objects.count() == 0

    flow.start(letter, timezone.now())
    rows = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    mara.go(f"{HERE}send")
    for number, row in enumerate(rows[:240]):
        at = timezone.now() - timedelta(seconds=number % 90)
        Delivery.objects.filter(pk=row).update(state=DeliveryState.ACCEPTED, at=at)
    # What workers do meanwhile shows without a press.
    page.get_by_text("240 of 400 decided.").wait_for()
    full = "refused (full): 452 4.2.2 over quota"
    Delivery.objects.filter(pk__in=rows[240:252]).update(state=DeliveryState.FAILED, reason=full, at=timezone.now())
    lost = "the connection broke"
    Delivery.objects.filter(pk__in=rows[252:254]).update(state=DeliveryState.UNCERTAIN, reason=lost, at=timezone.now())
    inspect(mara, "send-sending", lambda: mara.go(f"{HERE}send"))
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("Paused by mara.").wait_for()
    inspect(mara, "send-paused", lambda: mara.go(f"{HERE}send"))
    for number, row in enumerate(rows[254:]):
        at = timezone.now() + timedelta(seconds=3 * number)
        Delivery.objects.filter(pk=row).update(state=DeliveryState.ACCEPTED, at=at)
    Issue.objects.update(state=IssueState.SENT, finished_at=timezone.now() + timedelta(minutes=8))
    inspect(mara, "outcome", lambda: mara.go(f"{HERE}outcome?show=failed"))
