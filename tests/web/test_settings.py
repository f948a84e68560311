"""Settings in the studio: each screen, each act, and what nobody should be able to type."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from newsletter.core.errors import DnsError
from newsletter.core.week import Schedule, slots_ahead
from newsletter.flow import people, sourcing
from newsletter.flow.apply import dump_text
from newsletter.flow.issue import approve
from newsletter.flow.people import Role, give
from newsletter.flow.trying import AN_HOUR, TRIED
from newsletter.models import Account, Event, Issue, IssueState, Magazine, Newsletter, StudioChange, WeekOff
from newsletter.web.studio.settings import dns, pages
from tests.factories import make_account, make_source
from tests.flow.compile.fixtures import home as home
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.providers.servers import SmtpServer

pytestmark = pytest.mark.django_db
HERE = "/studio/settings/"
SECRET = "open sesame to all"


@pytest.fixture
def admin(newsletter: Newsletter) -> Client:
    user = User.objects.create_user("mara", email="mara@lantern.example.test")
    give(user, Role.ADMIN)
    client = Client()
    client.force_login(user)
    return client


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """Let the pages, and nothing else of Django, think that it is `now`."""
    monkeypatch.setattr(pages, "timezone", SimpleNamespace(now=lambda: now))


def page(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def fields(client: Client, part: str, form: str) -> dict[str, str]:
    """What a browser would send back from a form as it is shown."""
    text = client.get(f"{HERE}weekly/{part}").content.decode()
    body = next(each for each in text.split("<form")[1:] if f'name="form" value="{form}"' in each).split("</form>")[0]
    found = {
        name: html.unescape(value) for name, value in re.findall(r'<input[^>]*name="([\w.]+)" value="([^"]*)"', body)
    }
    found |= {
        name: html.unescape(value) for name, value in re.findall(r'<textarea[^>]*name="([\w.]+)"[^>]*>([^<]*)<', body)
    }
    for name, options in re.findall(r'<select[^>]*name="([\w.]+)"[^>]*>(.*?)</select>', body, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    for name in re.findall(r'<input type="checkbox"[^>]*name="([\w.]+)" value="1"(?! checked)', body):
        found.pop(name, None)
    return {name: value for name, value in found.items() if name != "csrfmiddlewaretoken"}


def send(client: Client, part: str, form: str, **typed: Any) -> Any:
    return client.post(f"{HERE}weekly/{part}", {**fields(client, part, form), **typed})


# --- at a glance ------------------------------------------------------------------------------------------------------


def test_the_first_page_leads_to_every_part_and_to_the_team_the_log_and_the_privacy_page(admin: Client) -> None:
    shown = page(admin.get(HERE))
    for path in ("identity", "sending", "dns", "schedule"):
        assert f'href="{HERE}weekly/{path}"' in shown
        assert admin.get(f"{HERE}weekly/{path}").status_code == 200
        assert admin.get(f"{HERE}nothing/{path}").status_code == 404
    assert 'href="/studio/team/"' in shown and 'href="/studio/audit/"' in shown and 'href="/privacy/weekly"' in shown
    assert "next: Thursday, " in shown and "08:00 New York" in shown
    assert f'href="{HERE}">Settings</a>' in page(admin.get("/studio/"))


def test_without_a_magazine_the_page_says_how_to_begin(db: None) -> None:
    user = User.objects.create_superuser("root")
    client = Client()
    client.force_login(user)
    assert "newsletter apply magazine.toml" in page(client.get(HERE))


def test_only_an_admin_comes_in(admin: Client) -> None:
    for role in (Role.EDITOR, Role.APPROVER):
        user = User.objects.create_user(role.word)
        give(user, role)
        client = Client()
        client.force_login(user)
        assert client.get(HERE).status_code == 403
        assert client.post(f"{HERE}weekly/identity", {"form": "magazine"}).status_code == 403
        assert "Settings</a>" not in page(client.get("/studio/"))


# --- identity ---------------------------------------------------------------------------------------------------------


def test_what_was_shown_and_sent_back_changes_nothing(admin: Client) -> None:
    before = dump_text()
    for part, form in (
        ("identity", "newsletter"), ("identity", "magazine"), ("identity", "insert"), ("schedule", "schedule"),
        ("schedule", "rules"), ("sending", "account"),
    ):  # fmt: skip
        make_account(name="other")
        answer = send(admin, part, form)
        assert answer.headers["Location"] == f"{HERE}weekly/{part}?said=same&form={form}"
    assert dump_text().replace('[[accounts]]\nname = "other"\nkind = "memory"\nsettings = {}\n\n', "") == before
    assert not StudioChange.objects.exists()


def test_names_and_addresses_are_saved_logged_and_void_an_approval(admin: Client, issue: Issue) -> None:
    Magazine.objects.update(postal_address="12 Wick Street\nHarbour Town 10001")
    approve(issue, "otto", now=timezone.now())
    answer = send(admin, "identity", "magazine", postal_address="1 Lock Lane\r\nHarbour Town 10002")
    assert answer.status_code == 302
    assert Magazine.objects.get().postal_address == "1 Lock Lane\nHarbour Town 10002"
    assert Issue.objects.get().state == IssueState.DRAFT
    assert Event.objects.get(kind="setting changed").by == "mara"
    assert "Saved." in page(admin.get(answer.headers["Location"]))
    assert send(admin, "identity", "newsletter", from_name="  LANTERN & <b>friends</b> ").status_code == 302
    assert Newsletter.objects.get().from_name == "LANTERN & <b>friends</b>"
    raw = admin.get(f"{HERE}weekly/identity").content.decode()
    assert "<b>friends" not in raw and "&lt;b&gt;friends" in raw
    assert "<b>friends" not in admin.get(HERE).content.decode()
    assert "<b>friends" not in admin.get("/studio/audit/").content.decode()


@pytest.mark.parametrize(
    ("form", "field", "value", "says"),
    [
        ("newsletter", "from_name", "LANTERN\r\nBcc: all@example.org", "Sender’s name: takes one line of text."),
        ("newsletter", "from_name", "LANTERN\x00", "Sender’s name: takes one line of text."),
        ("newsletter", "name", "", "Name: must not be empty."),
        ("newsletter", "name", "x" * 3000, "Name: takes at most 200 letters, not 3000."),
        ("newsletter", "from_address", "a@b@c", "Sender’s address: takes one mail address"),
        ("newsletter", "from_address", "a@b.test\nBcc: c@d.test", "Sender’s address: takes one"),
        ("newsletter", "return_path", "bounces@elsewhere.example.net", "Return path: is at another domain"),
        ("newsletter", "language", "klingon!", "Language: takes a language tag"),
        ("newsletter", "ratings", "sometimes", "Ratings: can't be 'sometimes'."),
        ("magazine", "url", "javascript:alert(1)", "Site: takes an address that starts with https://"),
        ("magazine", "privacy_url", "https://[", "Privacy page: takes an address"),
        ("insert", "print_promo.url", "ftp://x", "The insert: needs a title."),
    ],
)
def test_what_cannot_stand_there_is_refused_in_the_forms_own_words_and_kept(
    admin: Client, form: str, field: str, value: str, says: str
) -> None:
    before = dump_text()
    answer = send(admin, "identity", form, **{field: value})
    assert answer.status_code == 409
    shown = page(answer)
    assert says in shown
    if value and value.isprintable():
        assert value in shown
    assert dump_text() == before


def test_names_from_right_to_left_are_fine(admin: Client) -> None:
    assert send(admin, "identity", "newsletter", name="الفانوس الأسبوعي").status_code == 302
    assert 'dir="auto"' in page(admin.get(f"{HERE}weekly/identity"))
    assert Newsletter.objects.get().name == "الفانوس الأسبوعي"


def test_the_print_magazines_insert_is_one_table_in_the_file(admin: Client) -> None:
    typed = {"title": "No. 12 is out", "url": "https://lantern.example.test/print", "start": "2026-11-01"}
    assert (
        send(admin, "identity", "insert", **{f"print_promo.{key}": value for key, value in typed.items()}).status_code
        == 302
    )
    assert Newsletter.objects.get().print_promo == typed
    assert fields(admin, "identity", "insert")["print_promo.title"] == "No. 12 is out"
    assert send(admin, "identity", "insert", **{f"print_promo.{key}": "" for key in typed}).status_code == 302
    assert Newsletter.objects.get().print_promo == {}


def test_two_admins_who_save_the_same_form_do_not_take_each_other_back(admin: Client) -> None:
    mine = fields(admin, "identity", "newsletter")
    assert send(admin, "identity", "newsletter", tagline="Theirs").status_code == 302
    answer = admin.post(f"{HERE}weekly/identity", {**mine, "from_name": "Mine"})
    assert answer.status_code == 409
    shown = page(answer)
    assert "Somebody changed this meanwhile." in shown and 'Tagline "Theirs"' in shown
    assert 'value="Mine"' in shown
    assert Newsletter.objects.get().tagline == "Theirs"


def test_a_form_that_is_none_and_ten_megabytes_are_a_clear_no(admin: Client) -> None:
    admin.raise_request_exception = False
    assert admin.post(f"{HERE}weekly/identity", {"form": "everything"}).status_code == 400
    sent = fields(admin, "identity", "magazine")
    assert admin.post(f"{HERE}weekly/identity", {**sent, "about": "x" * 10_000_000}).status_code in (400, 413)


# --- schedule ---------------------------------------------------------------------------------------------------------


def test_the_next_five_slots_are_printed_with_what_clocks_and_weeks_off_do(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, datetime(2026, 10, 20, tzinfo=UTC))
    WeekOff.objects.create(newsletter=Newsletter.objects.get(), slot="2026-11-12")
    shown = page(admin.get(f"{HERE}weekly/schedule"))
    assert re.findall(r"<strong>([^<]*)</strong>", shown) == [
        "Thursday, October 22, 08:00 New York (12:00 UTC)",
        "Thursday, October 29, 08:00 New York (12:00 UTC)",
        "Thursday, November 5, 08:00 New York (13:00 UTC)",
        "Thursday, November 12, 08:00 New York (13:00 UTC)",
        "Thursday, November 19, 08:00 New York (13:00 UTC)",
    ]
    assert "The clocks change in the week before: 1 hour more than seven days." in shown
    assert shown.count("week off") == 1
    assert "cutoff Wednesday, November 4, 18:00 New York (23:00 UTC)" in shown


def test_a_slot_in_the_gap_is_looked_at_before_it_is_saved(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, datetime(2027, 3, 2, tzinfo=UTC))
    answer = send(admin, "schedule", "schedule", weekday="sunday", send_time="02:30", look="1")
    assert answer.status_code == 200
    shown = page(answer)
    assert "The next five slots, as typed" in shown
    assert "Sunday, March 14, 03:30 New York (07:30 UTC)" in shown
    assert "02:30 does not exist on that day: the clocks go forward." in shown
    assert 'value="02:30"' in shown
    assert Newsletter.objects.get().weekday == 3
    assert send(admin, "schedule", "schedule", weekday="sunday", send_time="02:30").status_code == 302
    assert Newsletter.objects.get().weekday == 6
    at(monkeypatch, datetime(2026, 10, 28, tzinfo=UTC))
    twice = page(send(admin, "schedule", "schedule", send_time="01:30", look="1"))
    assert "Sunday, November 1, 01:30 New York (05:30 UTC)" in twice
    assert "01:30 comes twice on that day: the first is meant." in twice


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("timezone", "Mars/Olympus", "Time zone: knows no time zone 'Mars/Olympus'."),
        ("timezone", "Europe/Berlim", 'Did you mean "Europe/Berlin"?'),
        ("timezone", "../../etc/passwd", "Time zone: knows no time zone"),
        ("send_time", "24:00", 'Time: takes a time like "08:00"'),
        ("send_time", "٠٨:٠٠", "Time: takes a time"),
        ("weekday", "someday", "Day: can't be 'someday'."),
        ("cutoff_hours", "9" * 30, "Cutoff, hours before: takes a whole number from 0 to 160"),
        ("cutoff_hours", "-1", "Cutoff, hours before: takes a whole number"),
        ("cutoff_hours", "1e3", "Cutoff, hours before: takes a whole number"),
        ("approval", "never", "Approval: can't be 'never'."),
    ],
)
@pytest.mark.parametrize("look", [False, True])
def test_a_schedule_that_cannot_be_is_refused(admin: Client, field: str, value: str, says: str, look: bool) -> None:
    answer = send(admin, "schedule", "schedule", **{field: value}, **({"look": "1"} if look else {}))
    assert answer.status_code == (400 if look else 409)
    assert says in page(answer)
    assert not StudioChange.objects.exists()


def test_the_rules_of_the_week_and_who_approves_are_set_here_too(admin: Client) -> None:
    assert send(admin, "schedule", "rules", min_reviews="1", under_minimum="skip").status_code == 302
    assert send(admin, "schedule", "schedule", approval_by_another="1").status_code == 302
    row = Newsletter.objects.get()
    assert (row.min_reviews, row.under_minimum, row.approval_by_another) == (1, "skip", True)
    sent = fields(admin, "schedule", "schedule")
    sent.pop("approval_by_another", None)
    assert admin.post(f"{HERE}weekly/schedule", sent).status_code == 302
    assert Newsletter.objects.get().approval_by_another is False


def test_an_open_issue_keeps_its_time_and_the_page_says_so(admin: Client, issue: Issue) -> None:
    shown = page(admin.get(f"{HERE}weekly/schedule"))
    assert "keeps its own time: Thursday, November 5, 08:00 New York (13:00 UTC)" in shown


def test_a_zone_that_skips_a_whole_day_is_counted_right() -> None:
    apia = Schedule(4, time(8), "Pacific/Apia")
    found = slots_ahead(apia, datetime(2011, 12, 26, tzinfo=UTC), 2)
    assert [each.slot.key for each in found] == ["2011-12-30", "2012-01-06"]
    assert [each.skipped for each in found] == [True, False]


# --- sending ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer(login=("letters", SECRET)) as made:
        yield made


def use(server: SmtpServer, **fields: Any) -> Account:
    host, port = server.address
    made = make_account(
        name="main", kind="smtp",
        settings={"host": host, "port": port, "username": "letters", "password_env": "SMTP_PASSWORD", **fields},
    )  # fmt: skip
    Newsletter.objects.update(account=made)
    return made


def test_a_test_leaves_signed_with_our_sender_and_the_page_says_taken(
    admin: Client, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", SECRET)
    use(server)
    Newsletter.objects.update(from_name='LANTERN, "the" <weekly>')
    answer = admin.post(f"{HERE}weekly/sending", {"test": "1", "to": "ada@readers.example.test"})
    assert answer.status_code == 200
    shown = page(answer)
    assert "Taken." in shown and "250 2.0.0 queued as 4F2A" in shown
    (taken,) = server.taken
    assert (taken.sender, taken.recipient) == ("weekly@news.example.test", "ada@readers.example.test")
    assert b"Auto-Submitted: auto-generated" in taken.message
    assert b"Subject: [Test] LANTERN Weekly: mail leaves" in taken.message
    event = Event.objects.get(kind=TRIED)
    assert (event.text, event.by) == ("A test through main was taken.", "mara")
    assert "ada@" not in event.text


def test_a_refused_login_shows_the_whole_dialogue_and_no_secret(
    admin: Client, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "wrong and long enough")
    use(server)
    answer = admin.post(f"{HERE}weekly/sending", {"test": "1", "to": "ada@readers.example.test"})
    shown = page(answer)
    assert answer.status_code == 200
    assert "The test to ada@readers.example.test did not leave." in shown
    assert "<details open>" in shown
    assert "AUTH PLAIN (hidden)" in shown and "535 5.7.8" in shown
    assert "wrong and long enough" not in shown
    assert "d3JvbmcgYW5kIGxvbmcgZW5vdWdo" not in shown
    assert Event.objects.get(kind=TRIED).text == "A test through main was not taken."
    assert server.taken == []


def test_a_server_that_is_not_there_and_a_missing_secret_are_told(admin: Client, server: SmtpServer) -> None:
    use(server)
    shown = page(admin.post(f"{HERE}weekly/sending", {"test": "1", "to": "ada@readers.example.test"}))
    assert "The variable SMTP_PASSWORD is not set." in shown
    row = Account.objects.get(name="main")
    row.settings = {"host": "127.0.0.1", "port": 1, "timeout": 1}
    row.save()
    shown = page(admin.post(f"{HERE}weekly/sending", {"test": "1", "to": "ada@readers.example.test"}))
    assert "Connecting to 127.0.0.1, port 1." in shown and "did not leave" in shown


@pytest.mark.parametrize(
    "to", ["", "nobody", "a@b.test\nBcc: c@d.test", "a@b.test, c@d.test", "<script>@x", "\x00", "x" * 9000]
)
def test_what_is_no_one_address_gets_no_test(admin: Client, to: str) -> None:
    answer = admin.post(f"{HERE}weekly/sending", {"test": "1", "to": to})
    assert answer.status_code == 409
    assert "is no address" in page(answer)
    assert "<script>@x" not in answer.content.decode()
    assert not Event.objects.filter(kind=TRIED).exists()


def test_tests_are_limited_by_the_hour(admin: Client) -> None:
    now = timezone.now()
    row = Newsletter.objects.get()
    for _ in range(AN_HOUR):
        Event.objects.create(newsletter=row, at=now - timedelta(minutes=5), kind=TRIED, text="", by="mara")
    answer = admin.post(f"{HERE}weekly/sending", {"test": "1", "to": "ada@readers.example.test"})
    assert answer.status_code == 409
    assert f"{AN_HOUR} tests an hour are the most." in page(answer)


def test_settings_are_shown_and_secrets_never(
    admin: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_VARIABLE", SECRET)
    (tmp_path / "key.txt").write_text(SECRET)
    settings.NEWSLETTER = replace(
        settings.NEWSLETTER, database_url=f"postgresql://u:{SECRET}@h/d", bounces_imap_password=SECRET
    )
    row = make_account(
        name="main", kind="esp",
        settings={
            "esp": "postmark", "api_key_env": "THE_VARIABLE", "secret_key_file": "key.txt", "timeout": 10,
            "api_url": f"https://user:{SECRET}@api.test/", "options": {"token": SECRET}, "password": SECRET,
            "x_env": "NOT_THERE",
        },
    )  # fmt: skip
    Newsletter.objects.update(account=row)
    answer = admin.get(f"{HERE}weekly/sending")
    shown = page(answer)
    assert SECRET not in shown
    assert settings.NEWSLETTER.secret_key not in shown
    assert "the variable is set" in shown and "the file is there" in shown and "the variable is not set" in shown
    assert "postmark" in shown and "(hidden)" in shown
    assert "bounces.imap_password" in shown and "(set)" in shown


def test_a_newsletter_is_sent_through_another_account(admin: Client) -> None:
    assert "There is no other account." in page(admin.get(f"{HERE}weekly/sending"))
    make_account(name="other")
    assert send(admin, "sending", "account", account="other").status_code == 302
    assert Newsletter.objects.get().account.name == "other"
    answer = send(admin, "sending", "account", account="third")
    assert answer.status_code == 409
    assert 'names "third", which is not among accounts' in page(answer)


# --- DNS --------------------------------------------------------------------------------------------------------------


class Zone:
    """A DNS of a few records."""

    def __init__(self, txt: dict[str, list[str]], *, silent: bool = False) -> None:
        self.records, self.silent, self.asked = txt, silent, 0

    def txt(self, name: str) -> list[str]:
        self.asked += 1
        if self.silent:
            raise DnsError("The DNS gave no answer about it.")
        return self.records.get(name, [])

    def addresses(self, name: str) -> list[str]:
        return ["192.0.2.7"]

    def mx(self, name: str) -> list[str]:
        return []

    def ptr(self, ip: str) -> list[str]:
        return []


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch, newsletter: Newsletter) -> Zone:
    made = Zone({"lantern.example.org": ["v=spf1 a:mail.lantern.example.org ~all"]})
    monkeypatch.setattr(dns, "resolver", lambda: made)
    account = make_account(name="main", kind="smtp", settings={"host": "mail.lantern.example.org"})
    Newsletter.objects.update(from_address="weekly@lantern.example.org", account=account)
    return made


def test_records_are_there_to_copy_and_the_dns_is_asked_only_on_demand(admin: Client, zone: Zone) -> None:
    shown = page(admin.get(f"{HERE}weekly/dns"))
    assert zone.asked == 0
    assert 'data-copy="the name">_dmarc.lantern.example.org<' in shown
    assert "v=spf1 a:mail.lantern.example.org ~all" in shown
    assert 'class="state' not in shown
    answered = page(admin.post(f"{HERE}weekly/dns"))
    assert zone.asked
    assert "1 thing is missing." in answered
    assert "lantern.example.org has no DMARC record." in answered
    assert answered.count('class="state sent"') == 1 and answered.count('class="state missed"') == 1
    assert not Event.objects.exists()


def test_a_dns_that_says_nothing_proves_nothing(admin: Client, zone: Zone) -> None:
    zone.silent = True
    shown = page(admin.post(f"{HERE}weekly/dns"))
    assert "The DNS gave no answer: nothing is known, good or bad." in shown
    assert 'class="state' not in shown


def test_a_record_that_says_markup_stays_text(admin: Client, zone: Zone) -> None:
    zone.records["_dmarc.lantern.example.org"] = ["v=DMARC1; p=<script>alert(1)</script>"]
    answer = admin.post(f"{HERE}weekly/dns")
    assert "<script>alert" not in answer.content.decode()


def test_a_made_up_domain_is_never_asked_about(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "resolver", lambda: pytest.fail("asked"))
    for answer in (admin.get(f"{HERE}weekly/dns"), admin.post(f"{HERE}weekly/dns")):
        assert "which the DNS can’t know" in page(answer)


# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_file_in_the_home_is_compared_and_the_settings_can_be_taken_along(admin: Client, tmp_path: Path) -> None:
    assert "There is none in the home" in page(admin.get(f"{HERE}file"))
    Newsletter.objects.update(account=make_account(name="main", kind="outbox"))
    Account.objects.exclude(name="main").delete()
    answer = admin.get(f"{HERE}magazine.toml")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="magazine.toml"'
    (tmp_path / "magazine.toml").write_bytes(answer.content)
    assert "says the same as the settings" in page(admin.get(f"{HERE}file"))
    send(admin, "identity", "newsletter", tagline="New <i>line</i>")
    shown = admin.get(f"{HERE}file").content.decode()
    assert "Set here by mara, " in html.unescape(shown)
    assert 'tagline: "New <i>line</i>" -> "What is worth an evening"' in html.unescape(shown)
    assert "<i>line" not in shown
    assert "1 setting changed here" in page(admin.get(HERE))
    assert StudioChange.objects.count() == 1
    lake = make_source("lake", kind="feed", location="https://lake.example.org/feed/")
    (tmp_path / "magazine.toml").write_bytes(admin.get(f"{HERE}magazine.toml").content)
    sourcing.remove(lake, "lake", now=timezone.now(), by="otto")
    assert "Removed here by otto, " in page(admin.get(f"{HERE}file"))
    assert "1 setting changed here" in page(admin.get(HERE))
    (tmp_path / "magazine.toml").write_text('[magazine]\nnam = "x"')
    assert 'magazine has no "nam"' in page(admin.get(f"{HERE}file"))
    (tmp_path / "magazine.toml").write_bytes(b"\xff\xfe")
    assert "can’t be read" in page(admin.get(f"{HERE}file"))


def test_who_is_admin_is_named(admin: Client) -> None:
    assert [row.get_username() for row in people.admins()] == ["mara"]
    assert "admins: mara" in page(admin.get(HERE))
