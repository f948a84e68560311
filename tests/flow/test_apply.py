from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, time
from pathlib import Path

import pytest

from newsletter.config.create import sample_magazine
from newsletter.core.errors import ConfigError
from newsletter.flow.apply import apply_text, dump_text
from newsletter.flow.apply.readers import RESERVED
from newsletter.models import Account, Magazine, Newsletter, Source
from newsletter.web.studio import urls
from subscribers.models import MailingList, Segment
from tests.factories import make_newsletter, make_source

pytestmark = pytest.mark.django_db

FULL = """\
[magazine]
name = "Lantern"
postal_address = \"\"\"
12 Wick Street
Harbour Town 10001\"\"\"

[[lists]]
slug = "weekly"
name = "Lantern Weekly"

[[accounts]]
name = "main"
kind = "outbox"

[[sources]]
slug = "site"
name = "Site"
kind = "feed"
location = "https://lantern.example.org/feed/"
rubric_map = [["kino", "movie"]]

[[sources]]
slug = "desk"
name = "Desk"
kind = "folder"
location = "/srv/desk"

[[newsletters]]
slug = "weekly"
name = "Lantern Weekly"
list = "weekly"
account = "main"
sources = ["site", "desk"]
from_name = "Lantern"
from_address = "weekly@lantern.example.org"
weekday = "friday"
send_time = "07:30"
timezone = "Europe/Berlin"
audience = { languages = ["de"] }
"""


def _all_rows() -> list[dict[str, object]]:
    models = (Magazine, MailingList, Segment, Account, Source, Newsletter)
    return [row for model in models for row in model._default_manager.order_by("pk").values()]


def test_a_file_makes_a_whole_magazine(now: datetime) -> None:
    changes = apply_text(FULL, now=now)
    newsletter = Newsletter.objects.select_related("magazine", "mailing_list", "account").get()
    assert newsletter.magazine.postal_address == "12 Wick Street\nHarbour Town 10001"
    assert (newsletter.mailing_list.slug, newsletter.account.kind) == ("weekly", "outbox")
    assert sorted(newsletter.sources.values_list("slug", flat=True)) == ["desk", "site"]
    assert (newsletter.weekday, newsletter.send_time, newsletter.timezone) == (4, time(7, 30), "Europe/Berlin")
    assert newsletter.starts_at == now
    assert newsletter.audience == {"languages": ["de"]}
    assert Source.objects.get(slug="site").rubric_map == [["kino", "movie"]]
    assert all(change.created and change.before is None for change in changes)
    assert 'newsletters weekly: weekday = "friday" (new)' in map(str, changes)


SEGMENT = """
[[segments]]
slug = "regulars"
list = "weekly"
name = "Regulars"
rule = { state = ["active"], any = [{ joined = { after = 2026-01-01 } }, { name = { is = "Jo" } }] }
"""


def test_segments_go_in_before_the_newsletters_that_go_to_them_and_come_out_again(now: datetime) -> None:
    text = FULL.replace('{ languages = ["de"] }', '{ segment = "regulars" }') + SEGMENT
    apply_text(text, now=now)
    rule = Segment.objects.get().rule
    assert rule["any"][0] == {"joined": {"after": "2026-01-01"}}
    assert apply_text(dump_text(), now=now) == []
    for wrong, said in (
        (
            text.replace('segment = "regulars"', 'segment = "regular"'),
            '"audience" will not do: .*Did you mean "regulars"',
        ),
        (text.replace("2026-01-01", '"May"'), '"rule" is not a segment.s rule: any.0..joined.after: takes a day'),
    ):
        with pytest.raises(ConfigError, match=said):
            apply_text(wrong, now=now)


def test_applied_twice_it_changes_nothing(now: datetime) -> None:
    apply_text(FULL, now=now)
    rows = _all_rows()
    assert apply_text(FULL, now=now.replace(day=20)) == []
    assert _all_rows() == rows


def test_a_dump_applied_changes_nothing_and_makes_the_same_magazine_elsewhere(now: datetime) -> None:
    apply_text(FULL, now=now)
    dumped = dump_text()
    assert apply_text(dumped, now=now) == []
    Newsletter.objects.all().delete()
    for model in (Magazine, MailingList, Account, Source):
        model._default_manager.all().delete()
    apply_text(dumped, now=datetime(2030, 1, 1, tzinfo=UTC))
    assert dump_text() == dumped


def test_the_sample_that_init_leaves_applies_and_round_trips(now: datetime) -> None:
    apply_text(sample_magazine(), now=now, designs={"marquee"})
    assert apply_text(sample_magazine(), now=now) == []
    assert apply_text(dump_text(), now=now) == []


def test_an_empty_database_dumps_to_nothing() -> None:
    assert tomllib.loads(dump_text()) == {}


def test_rows_made_elsewhere_are_dumped_too(now: datetime) -> None:
    make_newsletter().sources.add(make_source("feed"))
    data = tomllib.loads(dump_text())
    assert data["newsletters"][0]["starts_at"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert data["newsletters"][0]["sources"] == ["feed"]


def test_what_changed_is_said_field_by_field(now: datetime) -> None:
    apply_text(FULL, now=now)
    text = FULL.replace('"friday"', '"thursday"').replace('["site", "desk"]', '["site"]')
    assert [str(change) for change in apply_text(text, now=now)] == [
        'newsletters weekly: sources: ["desk", "site"] -> ["site"]',
        'newsletters weekly: weekday: "friday" -> "thursday"',
    ]
    assert list(Newsletter.objects.get().sources.values_list("slug", flat=True)) == ["site"]


def test_what_the_file_does_not_mention_stays(now: datetime) -> None:
    apply_text(FULL, now=now)
    changes = apply_text('[[newsletters]]\nslug = "weekly"\ntagline = "Out on Fridays"\n', now=now)
    assert [change.field for change in changes] == ["tagline"]
    assert Newsletter.objects.get().from_name == "Lantern"
    assert Source.objects.count() == 2


def test_the_magazine_can_be_renamed_but_keeps_its_slug(now: datetime) -> None:
    apply_text('[magazine]\nname = "Old"\n', now=now)
    apply_text('[magazine]\nname = "New"\n', now=now)
    assert Magazine.objects.get().name == "New"
    with pytest.raises(ConfigError, match=r"magazine\.toml:2: The magazine's slug can't change"):
        apply_text('[magazine]\nslug = "other"\nname = "New"\n', now=now)


def test_a_dry_run_says_the_same_and_changes_nothing(now: datetime) -> None:
    changes = apply_text(FULL, now=now, dry_run=True)
    assert _all_rows() == []
    assert changes == apply_text(FULL, now=now)


def test_one_mistake_and_nothing_at_all_is_written(now: datetime) -> None:
    with pytest.raises(ConfigError):
        apply_text(FULL.replace('account = "main"', 'account = "mian"'), now=now)
    assert _all_rows() == []


def _swap(old: str, new: str) -> Callable[[], str]:
    assert old in FULL, old
    return lambda: FULL.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_swap('"friday"', '"frieday"'), r':36: "weekday" can\'t be \'frieday\'\. Did you mean "friday"\?'),
        (_swap("weekday", "wekday"), r':36: newsletters has no "wekday"\. Did you mean "weekday"\?'),
        (
            _swap("[[newsletters]]", "[[newsleters]]"),
            r':28: There is no table "newsleters"\. Did you mean "newsletters"',
        ),
        (_swap("[magazine]", "[[magazine]]"), r':1: "magazine" is written as \[magazine\]'),
        (_swap("[[lists]]", "[lists]"), r':7: "lists" is written as \[\[lists\]\]'),
        (_swap('account = "main"', 'account = "mian"'), r':32: "account" names "mian".*Did you mean "main"\?'),
        (_swap('["site", "desk"]', '["sight"]'), r':33: "sources" names "sight", which is not among sources'),
        (_swap('["site", "desk"]', '"site"'), r':33: "sources" takes a list of names'),
        (_swap('list = "weekly"\n', ""), r':28: "list" is missing\. It is whom it goes to'),
        (_swap('slug = "desk"\n', ""), r':22: "slug" is missing'),
        (_swap('slug = "desk"', 'slug = "site"'), r':22: "site" is there twice; the first is on line 15'),
        (_swap('slug = "desk"', 'slug = "Desk!"'), r':23: "slug" takes a short name'),
        (_swap('"07:30"', '"7.30"'), r':37: "send_time" takes a time like "08:00"'),
        (_swap('"07:30"', "07:30:15"), r':37: "send_time" takes a time'),
        (_swap('"07:30"', "7"), r':37: "send_time" takes a time'),
        (
            _swap("Europe/Berlin", "Europe/Berlim"),
            r':38: "timezone" knows no time zone.*Did you mean "Europe/Berlin"\?',
        ),
        (_swap("Europe/Berlin", "my kitchen"), r':38: "timezone" knows no time zone.*Write it like "Europe/Berlin"'),
        (
            _swap('languages = ["de"]', "languges = []"),
            r":39: \"audience\" is not an audience: .*did you mean 'languages'",
        ),
        (_swap("{ languages", "[1] #"), r':39: "audience" takes a table'),
        (_swap('"weekly@lantern.example.org"', '"weekly"'), r':35: "from_address" takes one mail address'),
        (_swap('"weekly@lantern.example.org"', '"a@x.example.org, b@x.example.org"'), r':35: "from_address" takes one'),
        (_swap('from_name = "Lantern"', 'from_name = "L\\nBcc: x"'), r':34: "from_name" takes one line of text'),
        (_swap('from_name = "Lantern"', 'from_name = " "'), r':34: "from_name" must not be empty'),
        (_swap('from_name = "Lantern"', "from_name = 3"), r':34: "from_name" takes a text in quotes'),
        (_swap("[magazine]", f'[magazine]\nabout = "{"x" * 501}"'), r':2: "about" takes at most 500 letters, not 501'),
        (_swap("[magazine]", '[magazine]\nurl = "ftp://x"'), r':2: "url" takes an address that starts with https'),
        (_swap("[magazine]", '[magazine]\nurl = "https://[x"'), r':2: "url" takes an address that starts with https'),
        (_swap("12 Wick", "12\\u0007Wick"), r':3: "postal_address" holds a control character'),
        (_swap('kind = "outbox"', 'kind = "smpt"'), r':13: "kind" can\'t be \'smpt\'\. Did you mean "smtp"\?'),
        (_swap('kind = "outbox"', 'kind = "memory"'), r':13: "kind" can\'t be'),
        (_swap('kind = "outbox"', 'settings = { pasword = "x" }'), r':13: "settings" will not do: There is no setting'),
        (_swap('kind = "feed"', 'kind = "feeed"'), r':18: "kind" can\'t be \'feeed\'\. Did you mean "feed"'),
        (_swap("https://lantern.example.org/feed/", "lantern/feed"), r':19: "location" takes an address that starts'),
        (_swap('"/srv/desk"', '"desk"'), r':26: "location" takes the whole path of a folder'),
        (
            _swap('"kino", "movie"', '"kino", "movy"'),
            r':20: "rubric_map" knows no rubric "movy"\. Did you mean "movie"',
        ),
        (_swap('["kino", "movie"]', '"kino"'), r':20: "rubric_map" takes pairs'),
        (_swap('[["kino", "movie"]]', "3"), r':20: "rubric_map" takes a list of pairs'),
        (_swap('kind = "folder"', 'enabled = "no"'), r':25: "enabled" takes true or false'),
        (
            _swap('kind = "folder"', 'preference = 5000\nkind = "folder"'),
            r':25: "preference" takes a whole number from 0',
        ),
        (_swap('kind = "folder"', "preference = true"), r':25: "preference" takes a whole number'),
        (_swap('kind = "folder"', 'language = "english!"'), r':25: "language" takes a language tag'),
        (
            _swap('weekday = "friday"', "starts_at = 2026-01-01T00:00:00"),
            r':36: "starts_at" takes a date and time with',
        ),
        (_swap('weekday = "friday"', 'starts_at = "soon"'), r':36: "starts_at" takes a date and time with'),
        (_swap('weekday = "friday"', 'design = "marqee"'), r':36: "design" knows no design.*Did you mean "marquee"'),
        (_swap('weekday = "friday"', 'reply_to = "nobody"'), r':36: "reply_to" takes one mail address'),
        (lambda: "[magazine\n", r":1: This is not valid TOML"),
        (lambda: FULL[FULL.index("[[lists]]") :], r":22: There is no magazine yet\. Write \[magazine\] first"),
    ],
)
def test_a_mistake_is_named_with_file_and_line(now: datetime, text: Callable[[], str], message: str) -> None:
    with pytest.raises(ConfigError, match=r"^my\.toml" + message):
        apply_text(text(), now=now, file="my.toml", designs={"marquee"})


def test_every_week_day_and_both_ways_to_write_a_time_work(now: datetime) -> None:
    apply_text(FULL, now=now)
    for number, day in enumerate(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "Sunday")):
        apply_text(f'[[newsletters]]\nslug = "weekly"\nweekday = "{day}"\nsend_time = 09:1{number}:00\n', now=now)
        newsletter = Newsletter.objects.get()
        assert (newsletter.weekday, newsletter.send_time) == (number, time(9, 10 + number))


def test_settings_of_an_account_are_checked_without_its_secret(now: datetime, tmp_path: Path) -> None:
    text = (
        '[[accounts]]\nname = "real"\nkind = "smtp"\nsettings = { host = "mail.example.org", tls = "starttls", %s }\n'
    )
    apply_text(text % 'username = "me", password_env = "NOT_SET_HERE"', now=now)
    assert Account.objects.get().settings["password_env"] == "NOT_SET_HERE"
    with pytest.raises(ConfigError, match=r"magazine\.toml:4: .*password") as caught:
        apply_text(text % 'username = "me", password = "hush"', now=now)
    assert "hush" not in str(caught.value)


def test_an_accounts_rules_stand_beside_its_providers_settings_and_are_checked_too(now: datetime) -> None:
    table = '[[accounts]]\nname = "real"\nkind = "smtp"\nsettings = { host = "mail.example.org", %s }\n'
    apply_text(table % 'dkim = "own", per_hour = 500', now=now)
    assert Account.objects.get().settings == {"host": "mail.example.org", "dkim": "own", "per_hour": 500}
    assert apply_text(dump_text(), now=now) == []
    with pytest.raises(ConfigError, match=r':4: "settings" will not do: The setting "dkim" is \'maybe\''):
        apply_text(table % 'dkim = "maybe"', now=now)


def test_a_return_path_goes_in_and_out_and_must_be_at_the_senders_organisation(now: datetime) -> None:
    def with_path(path: str) -> str:
        return FULL.replace('account = "main"', f'account = "main"\nreturn_path = "{path}"')

    sender = tomllib.loads(FULL)["newsletters"][0]["from_address"].partition("@")[2]
    apply_text(with_path(f"Bounce@b.{sender}"), now=now)
    assert Newsletter.objects.get().return_path == f"Bounce@b.{sender}"
    assert apply_text(dump_text(), now=now) == []
    for path, words in (
        ("bounce@elsewhere.net", "another domain than the sender"),
        (f"a+b@{sender}", "can't be a return path"),
        (f"{'b' * 40}@{sender}", "too long for a return path"),
        ("nobody", "takes one mail address"),
    ):
        with pytest.raises(ConfigError, match=rf':\d+: "return_path" .*{words}'):
            apply_text(with_path(path), now=now)


def test_a_providers_interface_is_never_told_to_let_us_sign(now: datetime) -> None:
    table = '[[accounts]]\nname = "p"\nkind = "esp"\nsettings = { esp = "postmark", api_key_env = "K", dkim = "own" }\n'
    with pytest.raises(ConfigError, match="only it can sign"):
        apply_text(table, now=now)


INSERTS = """ratings = "rated rubrics"

[newsletters.print_promo]
title = "The Moth Issue"
url = "https://lantern.example.org/print"
end = 2026-12-01

[[newsletters.sponsors]]
title = "The Orpheum Club"
url = "https://orpheum.example.org/club"
start = "2026-11-01"

[[newsletters.sponsors]]
title = "Night Trams"
url = "https://trams.example.org/"
"""


def test_sponsors_and_their_days_go_in_and_come_out_again(now: datetime) -> None:
    text = f"{FULL}{INSERTS}"
    apply_text(text, now=now)
    newsletter = Newsletter.objects.get()
    assert [each["title"] for each in newsletter.sponsors] == ["The Orpheum Club", "Night Trams"]
    assert newsletter.print_promo["end"] == "2026-12-01"
    assert newsletter.ratings == "rated rubrics"
    assert apply_text(text, now=now) == []
    assert apply_text(dump_text(), now=now) == []
    for wrong, said in (
        (text.replace("end = 2026-12-01", 'end = "soon"'), '"print_promo" has a end that is no date'),
        (text.replace("https://trams", "ftp://trams"), '"sponsors" needs a url that begins with https'),
        (text.replace('"Night Trams"\n', '"Night Trams"\ntexte = "x"\n'), "did you mean text?"),
        (text.replace('"rated rubrics"', '"rated"'), '"ratings" can.t be .rated'),
    ):
        with pytest.raises(ConfigError, match=said):
            apply_text(wrong, now=now)


@pytest.mark.parametrize("name", RESERVED)
def test_a_newsletter_that_is_called_like_a_page_of_the_studio_is_refused(now: datetime, name: str) -> None:
    text = FULL.replace('[[newsletters]]\nslug = "weekly"', f'[[newsletters]]\nslug = "{name}"')
    with pytest.raises(ConfigError, match=f'"{name}": pages of the studio have that name. Take another'):
        apply_text(text, now=now)
    assert not Newsletter.objects.exists()
    other = text.replace(f'slug = "{name}"', f'slug = "{name}-weekly"')
    apply_text(other, now=now)
    assert Newsletter.objects.get().slug == f"{name}-weekly"


def test_every_fixed_page_of_the_studio_is_a_name_that_no_newsletter_takes() -> None:
    first = {str(entry.pattern).split("/")[1] for entry in urls.urlpatterns if str(entry.pattern).startswith("studio/")}
    assert {name for name in first if name and not name.startswith("<")} <= set(RESERVED)
