"""The team, the log, an invitation and a refusal, as people see them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from newsletter.flow import people
from newsletter.flow.issue import edit_issue
from newsletter.flow.people import Role, give
from newsletter.models import Issue
from tests.browser.conftest import Visitor
from tests.browser.looking import inspect
from tests.browser.test_pages import letter as letter
from tests.browser.test_pages import mara as mara
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_person_is_invited_joins_and_is_told_what_is_not_theirs(mara: Visitor, letter: Issue) -> None:
    now = timezone.now()
    for name, role in (("Otto Vane", Role.APPROVER), ("Wanda Quist", Role.EDITOR)):
        give(User.objects.create_user(name.split()[0].lower()), role)
        people.invite(role, name, now=now, by="mara")
    people.remove(User.objects.get(username="wanda").pk, now=now, by="mara")
    edit_issue(letter, {"note": "A short week."}, now=now, by="otto")
    page = mara.go("/studio/team/")
    page.get_by_label("Who is it?").fill("Edda Lind, film")
    page.get_by_label("Approver").check()
    page.get_by_role("button", name="Invite").click()
    link = page.locator(".secret code").inner_text()
    inspect(mara, "team-link")
    inspect(mara, "team", lambda: mara.go("/studio/team/"))
    inspect(mara, "log", lambda: mara.go("/studio/audit/"))
    page.get_by_role("button", name="Log out mara").click()
    path = "/" + link.split("/", 3)[3]
    inspect(mara, "join", lambda: mara.go(path))
    page.get_by_label("Name").fill("edda")
    page.get_by_label("Password").fill("seven herons over the weir")
    page.get_by_role("button", name="Join").click()
    page.wait_for_url("**/studio/")
    assert page.get_by_role("link", name="Team").count() == 0
    # The browser itself logs a 403 as an error of the page.
    inspect(mara, "denied", lambda: mara.go("/studio/team/"))
    assert page.get_by_text("This takes an admin. You are logged in as edda, an approver.").is_visible()
    mara.errors[:] = [said for said in mara.errors if "403" not in said]
