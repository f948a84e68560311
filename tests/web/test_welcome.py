"""The first run: three steps, each left and taken up again; and the page of a test mail in the outbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from newsletter.flow.gather.ingest import ingest
from newsletter.flow.people import Role
from newsletter.models import Account, Issue, Newsletter, Placement, Review, Source, TestMail
from tests.factories import make_account, make_magazine, make_newsletter, make_source
from tests.web.test_access import somebody
from tests.web.test_sources import entry, press, read

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(settings: Settings, tmp_path: Path, configured: Path) -> Path:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, home=tmp_path, outbox_folder=tmp_path / "outbox")
    return tmp_path


@pytest.fixture
def admin() -> Client:
    return somebody(Role.ADMIN)


@pytest.fixture
def newsletter() -> Newsletter:
    """A newsletter that takes from one source with two reviews of this week and two old ones."""
    made = make_newsletter(account=make_account(name="main", kind=Account.Kind.OUTBOX), magazine=make_magazine())
    source = make_source("lake", first_gathered_at=None)
    made.sources.add(source)
    old = timezone.now() - timedelta(days=60)
    reviews = [entry("Open Door"), entry("Late Bus"), replace(entry("Salt"), published_at=old)]
    ingest(source, [*reviews, replace(entry("Two Spoons"), published_at=old)], {}, timezone.now())
    return made


def test_home_begins_with_the_steps_and_leads_back_to_them_until_a_mail_was_seen(admin: Client) -> None:
    assert 'href="/studio/welcome/">Begin with the first step' in read(admin, "/studio/")
    make_newsletter(account=make_account(name="main", kind=Account.Kind.OUTBOX))
    make_source("lake")
    assert 'href="/studio/welcome/">Go on with these steps' in read(admin, "/studio/")
    assert "An admin takes these steps." in read(somebody(Role.EDITOR), "/studio/")
    assert somebody(Role.APPROVER).get("/studio/welcome/").status_code == 403


def test_whoever_came_by_a_link_is_told_to_set_a_password_and_nobody_else_is(
    admin: Client, newsletter: Newsletter
) -> None:
    first = Client()
    first.force_login(User.objects.create_superuser("root"))
    press(first, "/studio/welcome/sample", to="ada@example.org")
    for path in ("/studio/welcome/", f"/studio/mail/{TestMail.objects.get().pk}/"):
        shown = read(first, path)
        assert "You are logged in as root, by a link that worked once" in shown
        assert "newsletter people link root" in shown and 'href="/studio/account/#pass"' in shown
        assert "by a link that worked once" not in read(admin, path)


def test_steps_that_cannot_be_taken_yet_say_why(admin: Client) -> None:
    shown = read(admin, "/studio/welcome/")
    assert "0 of 3 done." in shown
    assert "as soon as there is a source" in shown and "It needs a source first." in shown
    assert press(admin, "/studio/welcome/design", design="marquee")[0] == 409
    assert press(admin, "/studio/welcome/sample", to="ada@example.org")[0] == 409
    assert read(admin, "/studio/welcome/letter/marquee", status=404)


def test_each_design_is_shown_with_the_latest_reviews_and_looking_keeps_nothing(
    admin: Client, newsletter: Newsletter
) -> None:
    shown = read(admin, "/studio/welcome/")
    assert "1 of 3 done." in shown
    for design in ("colophon", "encore", "marquee"):
        assert f'src="/studio/welcome/letter/{design}"' in shown
        answer = admin.get(f"/studio/welcome/letter/{design}")
        letter = answer.content.decode()
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert all(title in letter for title in ("Open Door", "Late Bus", "Salt", "Two Spoons"))
    assert not Issue.objects.exists() and not Placement.objects.exists()
    assert Review.objects.filter(tray="baseline").count() == 2
    assert admin.get("/studio/welcome/letter/none").status_code == 404


def test_a_design_is_chosen_through_the_file_and_no_other_than_there_are(admin: Client, newsletter: Newsletter) -> None:
    status, shown = press(admin, "/studio/welcome/design", design="colophon")
    assert (status, "2 of 3 done." in shown) == (200, True)
    assert Newsletter.objects.get().design == "colophon"
    for wrong in ("", "no-such", "../marquee", "\x00", "x" * 100_000, "<b>"):
        status, shown = press(admin, "/studio/welcome/design", design=wrong)
        assert (status, 'role="alert"' in shown) == (409, True)
    assert Newsletter.objects.get().design == "colophon"


def test_the_sample_is_a_real_mail_in_the_outbox_that_opens_at_once(
    admin: Client, newsletter: Newsletter, home: Path
) -> None:
    status, shown = press(admin, "/studio/welcome/sample", to="ada@example.org")
    assert status == 200
    assert "[Test] " in shown and "nothing has left this machine" in shown
    (file,) = (home / "outbox").glob("*.eml")
    assert b"To: ada@example.org" in file.read_bytes()
    row = TestMail.objects.get()
    assert row.reply == file.name
    frame = admin.get(f"/studio/mail/{row.pk}/letter")
    assert "sandbox" in frame.headers["Content-Security-Policy"]
    assert "Salt" in frame.content.decode()
    assert "Open Door" in read(admin, f"/studio/mail/{row.pk}/?way=text")
    assert "It works" in read(admin, "/studio/welcome/")
    assert "/studio/welcome/" not in read(admin, "/studio/")
    # The issue itself has only what the rules let in: the old ones were there for the look.
    issue = Issue.objects.get()
    assert {str(one.review) for one in issue.placements.filter(state="reserved")} == {"Open Door", "Late Bus"}


@pytest.mark.parametrize(
    "typed",
    ["", "nobody", "a@b@c", "ada@example.org\r\nBcc: eve@example.org", "x" * 1_000_000, "\x00", "<b>@example.org",
     ", ".join(f"p{number}@example.org" for number in range(6))],
)  # fmt: skip
def test_an_address_that_is_none_sends_nothing(admin: Client, newsletter: Newsletter, home: Path, typed: str) -> None:
    status, shown = press(admin, "/studio/welcome/sample", to=typed)
    assert (status, 'role="alert"' in shown) == (409, True)
    assert "<b>@" not in shown
    assert not (home / "outbox").exists()


def test_samples_count_as_test_mails_do(admin: Client, newsletter: Newsletter) -> None:
    five = " ".join(f"p{number}@example.org" for number in range(5))
    for _ in range(4):
        assert press(admin, "/studio/welcome/sample", to=five)[0] == 200
    status, shown = press(admin, "/studio/welcome/sample", to="ada@example.org")
    assert (status, "20 test mails went out within the hour" in shown) == (409, True)


def test_a_source_without_reviews_makes_no_mail(admin: Client, newsletter: Newsletter) -> None:
    Review.objects.all().delete()
    status, shown = press(admin, "/studio/welcome/sample", to="ada@example.org")
    assert (status, "No review is known yet." in shown) == (409, True)
    assert "can’t be shown yet" in read(admin, "/studio/welcome/letter/marquee")


def test_a_mail_that_is_gone_went_out_or_was_refused_is_told_apart(
    admin: Client, newsletter: Newsletter, home: Path
) -> None:
    press(admin, "/studio/welcome/sample", to="ada@example.org")
    row = TestMail.objects.get()
    for name in ("../secret.key", "/etc/passwd", "..", "", ".hidden.eml", "none.eml"):
        TestMail.objects.update(reply=name)
        assert "in the outbox no more" in read(admin, f"/studio/mail/{row.pk}/")
        assert admin.get(f"/studio/mail/{row.pk}/letter").status_code == 404
    TestMail.objects.update(error="It was not taken.")
    assert "It did not go out to" in read(admin, f"/studio/mail/{row.pk}/")
    settings = {"host": "mail.example.test", "tls": "none"}
    Account.objects.update(kind=Account.Kind.SMTP, settings=settings)
    TestMail.objects.update(error="", reply="250 Ok")
    assert "It was taken by the mail server for" in read(admin, f"/studio/mail/{row.pk}/")
    for number in (0, 10**9, 10**30):
        assert admin.get(f"/studio/mail/{number}/").status_code == 404


def test_only_test_mails_open_and_only_to_people_who_work_here(admin: Client, newsletter: Newsletter) -> None:
    press(admin, "/studio/welcome/sample", to="ada@example.org")
    path = f"/studio/mail/{TestMail.objects.get().pk}/"
    assert Client().get(path).status_code == 302
    assert Client().get(f"{path}letter").status_code == 302
    assert somebody(Role.EDITOR).get(path).status_code == 200


def test_a_removed_source_opens_the_first_step_again(admin: Client, newsletter: Newsletter) -> None:
    Source.objects.update(removed_at=timezone.now(), enabled=False)
    newsletter.sources.clear()
    assert "0 of 3 done." in read(admin, "/studio/welcome/")
    assert "Begin with the first step" in read(admin, "/studio/")
