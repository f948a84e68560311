"""What an editor must not have to ask for stands on the studio's pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from newsletter.models import Event, Issue, IssueState, Magazine, Placement, Review, Source
from tests.factories import make_source
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import make_review
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = pytest.mark.django_db
HERE = "/studio/weekly/2026-11-05/"
LATE = "Low Tide Choir Leave the Doors Open"


@pytest.fixture(autouse=True)
def late(issue: Issue) -> Issue:
    """A draft past its cutoff, for which one review came too late."""
    now = timezone.now()
    Issue.objects.update(
        slot_at=now + timedelta(hours=10), cutoff_at=now - timedelta(hours=4), placed_at=now - timedelta(hours=4)
    )
    Magazine.objects.update(postal_address="12 Wick Street\nHarbour Town 10001")
    review = make_review("tin")
    review.first_seen_at = now - timedelta(hours=1)
    review.save()
    issue.refresh_from_db()
    return issue


def person(name: str, *rights: str) -> Client:
    user = User.objects.create_user(name)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def editor() -> Client:
    return person("edda")


@pytest.fixture
def approver() -> Client:
    return person("mara", "approve_issue")


def text(client: Client, path: str) -> str:
    return client.get(path).content.decode()


@pytest.mark.parametrize("path", ["/studio/", HERE])
def test_late_reviews_are_named_with_what_happens_to_them(editor: Client, path: str) -> None:
    page = text(editor, path)
    assert "1 review came in after the cutoff." in page
    assert LATE in page
    assert "into the next issue, unless" in page
    assert ">Add<" not in page, "who may not approve may not add either"
    Issue.objects.update(state=IssueState.SENT)
    assert "after the cutoff" not in text(editor, path)


def test_a_late_review_is_added_with_one_press_and_the_approval_is_void(approver: Client) -> None:
    Issue.objects.update(state=IssueState.APPROVED, approved_at=timezone.now(), approved_by="mara")
    page = text(approver, HERE)
    assert "approved again" in page
    number = _late_number()
    assert f'name="review" value="{number}"' in page
    answer = approver.post(f"{HERE}add", {"review": number})
    assert (answer.status_code, answer.headers["Location"]) == (302, HERE)
    issue = Issue.objects.get()
    assert issue.state == IssueState.DRAFT
    assert Placement.objects.filter(issue=issue, review=int(number), state="reserved", pinned=True).exists()
    page = text(approver, HERE)
    assert "after the cutoff" not in page
    assert "is void: a review was pinned. Approve again." in page


def _late_number() -> str:
    return str(Review.objects.get(representative__title=LATE).pk)


@pytest.mark.parametrize("wanted", ["", "999999", "x"])
def test_only_what_came_late_is_added(approver: Client, wanted: str) -> None:
    answer = approver.post(f"{HERE}add", {"review": wanted})
    assert answer.status_code == 409
    assert "does not wait for a place" in answer.content.decode()


def test_adding_takes_the_right_to_approve_and_a_post(editor: Client, approver: Client) -> None:
    assert editor.post(f"{HERE}add", {"review": _late_number()}).status_code == 403
    assert approver.get(f"{HERE}add").status_code == 405
    assert Client().post(f"{HERE}add").status_code == 302
    assert not Placement.objects.filter(review=int(_late_number())).exists()


@pytest.mark.parametrize("path", ["/studio/", HERE])
def test_a_failing_source_is_named_with_since_when_and_why(editor: Client, path: str) -> None:
    assert "can’t be read" not in text(editor, path)
    source = make_source("gone", name="The Gone")
    at = Issue.objects.get().slot_at.replace(month=11, day=2, hour=15, minute=12)
    Source.objects.filter(pk=source.pk).update(failures_in_row=3, last_tried_at=at, last_error="It answers <503>.")
    page = text(editor, path)
    assert "The Gone can’t be read since" in page and "10:12 New York (15:12 UTC)" in page
    assert "It answers &lt;503&gt;." in page
    Source.objects.filter(pk=source.pk).update(enabled=False)
    assert "can’t be read" not in text(editor, path)


@pytest.mark.parametrize("path", ["/studio/", HERE])
def test_what_changed_after_the_approval_is_said(editor: Client, path: str, issue: Issue) -> None:
    now = timezone.now()
    Issue.objects.update(state=IssueState.APPROVED, approved_at=now, approved_by="mara")
    for at, what in ((now - timedelta(hours=1), "Before"), (now + timedelta(hours=1), "After")):
        Event.objects.create(
            newsletter=issue.newsletter, issue=issue, at=at, kind="source changed", text=f"{what} <i>changed</i>."
        )
    page = text(editor, path)
    assert '<p class="note warn">After &lt;i&gt;changed&lt;/i&gt;.' in page
    assert '<p class="note warn">Before' not in page


def test_the_last_ten_events_are_listed_newest_first(editor: Client, issue: Issue) -> None:
    now = timezone.now()
    for number in range(12):
        Event.objects.create(
            newsletter=issue.newsletter, issue=issue, at=now + timedelta(minutes=number), kind="test",
            text=f"Number {number}.", by="Edda",
        )  # fmt: skip
    Event.objects.create(at=now + timedelta(hours=1), kind="source failed", text="The Gone could not be read.")
    page = text(editor, HERE)
    assert "Number 2." in page and "Number 1." not in page and "The Gone" not in page
    assert page.index("Number 11.") < page.index("Number 3.")
    page = text(editor, "/studio/")
    assert "The Gone could not be read." in page and "Number 3." in page and "Number 2." not in page
