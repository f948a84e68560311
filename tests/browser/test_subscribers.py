"""Everything about subscribers as people see it: no fault in any state, on a phone, by night; and an import by hand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from newsletter.flow.membership import uploads
from newsletter.models import Issue, Newsletter, Signup, SignupForm
from subscribers import segments
from subscribers.models import Subscriber, Subscription
from tests.browser.conftest import Visitor
from tests.browser.looking import inspect
from tests.browser.test_pages import letter as letter
from tests.browser.test_pages import mara as mara
from tests.factories import make_subscription
from tests.flow.compile.fixtures import home as home
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.web.test_subscriber_parts import bounced
from tests.web.test_subscribers import ada as ada

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HERE = "/studio/subscribers/"


def people(newsletter: Newsletter) -> None:
    """A list that grew for twelve weeks."""
    now = timezone.now()
    for number in range(60):
        at = now - timedelta(days=(number * 7) % 80, hours=3)
        state = ("active", "active", "active", "unsubscribed", "pending", "paused")[number % 6]
        name = ("iris", "noor", "tomasz", "wen")[number % 4]
        make_subscription(
            f"{name}{number}@readers.example.test", name=f"{name.title()} Vale" if number % 3 else "", state=state,
            joined_at=at, confirmed_at=at, state_at=at + (now - at) / 2,
            topics=["book", "movie"] if number % 2 else [],
        )  # fmt: skip
    segments.save("german", newsletter.mailing_list, rule={"language": ["de"]}, name="Readers in German")
    segments.save(
        "regulars", newsletter.mailing_list, rule={"accepted": {"within_days": 90}}, name="Took a letter lately"
    )
    form = SignupForm.objects.create(slug="homepage", newsletter=newsletter)
    Signup.objects.create(form=form, address="a@b.test", wording="x", at=now, page="https://lantern.example.org/about")


def test_the_pages_about_subscribers_have_no_fault(
    mara: Visitor, letter: Issue, ada: Subscriber, home: Path, tmp_path: Path
) -> None:
    people(letter.newsletter)
    for number in range(3):
        bounced(number)
    (home / "bounced" / "aside").mkdir(parents=True)
    (home / "bounced" / "aside" / "20261103T170000-0a1b.eml").write_bytes(b"From: x@box.test\r\n\r\nWhat is this?\r\n")
    inspect(mara, "subscribers-people", lambda: mara.go(HERE))
    inspect(mara, "subscribers-person", lambda: mara.go(f"{HERE}{ada.pk}/"))
    inspect(mara, "subscribers-segments", lambda: mara.go(f"{HERE}segments/"))
    inspect(mara, "subscribers-segment", lambda: mara.go(f"{HERE}segments/german/"))
    inspect(mara, "subscribers-bounces", lambda: mara.go(f"{HERE}bounces/"))
    inspect(mara, "subscribers-aside", lambda: mara.go(f"{HERE}bounces/aside/20261103T170000-0a1b.eml"))
    inspect(mara, "subscribers-forms", lambda: mara.go(f"{HERE}forms/"))
    inspect(mara, "subscribers-form", lambda: mara.go(f"{HERE}forms/homepage/"))
    inspect(mara, "subscribers-form-new", lambda: mara.go(f"{HERE}new-form"))
    inspect(mara, "subscribers-form-edit", lambda: mara.go(f"{HERE}forms/homepage/edit"))
    inspect(mara, "subscribers-import", lambda: mara.go(f"{HERE}import/"))
    inspect(mara, "subscribers-segment-new", lambda: mara.go(f"{HERE}new-segment"))
    page = mara.go(f"{HERE}segments/")
    page.locator(".people b").nth(1).wait_for()  # the numbers have come by themselves
    page = mara.go(f"{HERE}forms/homepage/")
    assert page.frames[1].get_by_label("Email address").is_visible()
    page.get_by_role("button", name="Copy the code: A link").click()
    page.get_by_text("Copied.").or_(page.get_by_text("Selected: press Ctrl+C.")).wait_for()


def test_a_file_is_brought_in_by_hand_and_a_rule_is_mended(
    mara: Visitor, letter: Issue, tmp_path: Path, home: Path
) -> None:
    people(letter.newsletter)
    file = tmp_path / "members.csv"
    rows = [f"new{number}@box.test,New {number},Ulm,{'unsubscribed' if number == 3 else ''}\n" for number in range(9)]
    file.write_text(f"Kontakt,Wer,Ort,status\n{''.join(rows)}no address,,,\niris0@readers.example.test,Iris,,\n")
    page = mara.go(f"{HERE}import/")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Look at it").click()
    page.get_by_label("What Kontakt is").select_option("email")
    page.get_by_label("What Wer is").select_option("name")
    page.get_by_label("How did these people agree?").fill("Double opt-in at our old service since 2019.")
    columns = page.url.removeprefix(mara.server)
    page.get_by_role("button", name="Try it").click()
    page.get_by_role("heading", name="What would happen").wait_for()
    inspect(mara, "subscribers-tried", lambda: mara.go(columns))
    (lock := home / "imports" / columns.split("/")[-2] / "running").write_text("4500")
    inspect(mara, "subscribers-running", lambda: mara.go(columns))
    lock.unlink()
    mara.go(columns)
    page.get_by_role("button", name="Bring in 8 people and stop 1").click()
    page.get_by_role("heading", name="Brought in").wait_for()
    assert Subscription.objects.filter(subscriber__address__startswith="new").count() == 9
    inspect(mara, "subscribers-done", lambda: mara.go(columns))
    assert uploads.find(home, columns.split("/")[-2], owner=User.objects.get(username="mara").pk, now=timezone.now())

    mara.go(f"{HERE}new-segment")
    page.get_by_label("Short name").fill("actives")
    page.get_by_role("textbox", name="Rule").fill('{\n  "state": ["actve"]\n}')
    page.get_by_role("button", name="Count, without saving").click()
    assert page.locator("mark").inner_text() == '"actve"'
    inspect(mara, "subscribers-wrong-rule")
    mara.errors[:] = [said for said in mara.errors if "422" not in said]
    page.get_by_role("textbox", name="Rule").fill('{"state": ["active"]}')
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/segments/?count=actives")
