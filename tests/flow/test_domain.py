"""The sending domain before a real name server on loopback: good zones, bad zones, silent ones."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import pytest
from django.core.cache import cache

from newsletter.core.errors import ConfigError, IssueError
from newsletter.flow import domain as sending
from newsletter.flow.deliver import start
from newsletter.flow.domain import Dns, Finding, KeyPair, Level, Setup
from newsletter.flow.week import WayOut, WeekReport, decide_newsletter
from newsletter.models import Account, Delivery, IssueState
from tests.factories import make_account, make_newsletter
from tests.nameserver import BROKEN, SILENT, Zone, nameserver
from tests.sending import SLOT, here, make_approved

DOMAIN = "news.example.org"
BOUNCE = f"bounce.{DOMAIN}"
IP = "192.0.2.25"
MAIL = "mail.example.org"
FROM, RETURN = f"weekly@{DOMAIN}", f"b@{BOUNCE}"
SETTINGS = {"host": "relay.example.org", "port": 25, "dkim": "own", "hello": MAIL}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def pair(home: Path) -> KeyPair:
    """The keys of `DOMAIN`; an older pair was there before."""
    sending.new_keys(home, DOMAIN, "old")
    return sending.new_keys(home, DOMAIN, "n1")


def _good(pair: KeyPair) -> Zone:
    return {
        DOMAIN: [("TXT", "google-site-verification=x"), ("TXT", f"v=spf1 ip4:{IP} -all")],
        BOUNCE: [("TXT", f"v=spf1 ip4:{IP} -all"), ("MX", f"10 {MAIL}.")],
        "_dmarc.example.org": [("TXT", "v=DMARC1; p=none; rua=mailto:dmarc@example.org")],
        "25.2.0.192.in-addr.arpa": [("PTR", f"{MAIL}.")],
        MAIL: [("A", IP)],
        **{record.name: [("TXT", record.value)] for record in pair.records},
    }


def _setup(pair: KeyPair, **fields: object) -> Setup:
    given = {"return_path": BOUNCE, "host": "relay.example.org", "hello": MAIL, "ip": IP, "own": True, **fields}
    return Setup(domain=DOMAIN, keys=tuple(pair.records) if given["own"] else (), **given)  # type: ignore[arg-type]


def _examine(zone: Zone, setup: Setup) -> list[Finding]:
    with nameserver(zone) as server:
        return sending.examine(setup, Dns(server))


def _missing(rows: list[Finding]) -> dict[str, Finding]:
    return {row.about: row for row in rows if row.level is Level.MISSING}


def test_a_domain_with_every_record_misses_nothing(pair: KeyPair) -> None:
    rows = _examine(_good(pair), _setup(pair))
    assert {row.level for row in rows} == {Level.OK}
    assert {row.about for row in rows} == {"dmarc", "alignment", "spf", "dkim", "return path", "ptr", "ehlo"}


def test_the_records_that_are_shown_make_a_domain_that_misses_nothing(pair: KeyPair) -> None:
    """Whoever adds all that `domain show` prints is done."""
    setup = _setup(pair)
    zone: Zone = {MAIL: [("A", IP)]}
    for record in sending.wanted(setup):
        zone.setdefault(record.name, []).append((record.kind, record.value))
    assert _missing(_examine(zone, setup)) == {}


Rows = list[tuple[str, str]]
MX = ("MX", f"10 {MAIL}.")
DMARC = "_dmarc.example.org"


def _txt(*values: str) -> Rows:
    return [("TXT", value) for value in values]


# What changes in the good zone (None: the name is gone), what is then missing, a word of it, and of the record to add.
_BAD: list[tuple[str, dict[str, Rows | None], str, str, str]] = [
    ("no spf", {BOUNCE: [MX]}, "spf", "no SPF record", f"v=spf1 ip4:{IP} ~all"),
    ("two spf", {BOUNCE: [*_txt("v=spf1 a -all", "v=spf1 mx -all"), MX]}, "spf", "2 SPF", IP),
    ("spf of others", {BOUNCE: [*_txt("v=spf1 mx -all"), ("MX", "10 x.test.")]}, "spf", "fail", f"mx ip4:{IP} -all"),
    ("spf too deep", {BOUNCE: [*_txt(f"v=spf1 {'a ' * 11}-all"), MX]}, "spf", "11 lookups", IP),
    ("spf for all", {BOUNCE: [*_txt("v=spf1 +all"), MX]}, "spf", "everybody", IP),
    ("spf loop", {BOUNCE: [*_txt(f"v=spf1 include:{BOUNCE} -all"), MX]}, "spf", "give up", IP),
    ("no dmarc", {DMARC: None}, "dmarc", "no DMARC", f"_dmarc.{DOMAIN}"),
    ("dmarc twice", {DMARC: _txt("v=DMARC1; p=none") * 2}, "", "", ""),
    ("two dmarc", {DMARC: _txt("v=DMARC1; p=none", "v=DMARC1; p=reject")}, "dmarc", "2 DMARC", "p=none"),
    ("bad dmarc", {DMARC: _txt("v=DMARC1; p=monitor")}, "dmarc", "no p=", "p=none"),
    ("dmarc elsewhere", {DMARC: None, f"_dmarc.{DOMAIN}": _txt("v=DMARC1; p=reject; aspf=s")}, "", "", ""),
    ("no key", {f"n1._domainkey.{DOMAIN}": None}, "dkim", "not there", "v=DKIM1; k=rsa; p=MII"),
    ("no second key", {f"n1-ed._domainkey.{DOMAIN}": None}, "dkim", "not there", "k=ed25519"),
    ("revoked key", {f"n1._domainkey.{DOMAIN}": _txt("v=DKIM1; k=rsa; p=")}, "dkim", "revoked", "p=MII"),
    ("other key", {f"n1._domainkey.{DOMAIN}": _txt("v=DKIM1; p=MIIBIjANBg")}, "dkim", "another key", "p=MII"),
    ("other kind", {f"n1-ed._domainkey.{DOMAIN}": _txt("v=DKIM1; p=abc=")}, "dkim", "k=rsa", "k=ed25519"),
    ("only sha1", {f"n1._domainkey.{DOMAIN}": _txt("v=DKIM1; h=sha1; p=abc")}, "dkim", "another key", "p=MII"),
    ("no dkim record", {f"n1._domainkey.{DOMAIN}": _txt("hello")}, "dkim", "no DKIM record", "p=MII"),
    ("no mx", {BOUNCE: _txt(f"v=spf1 ip4:{IP} -all")}, "return path", "takes no mail", f"MX 10 {MAIL}."),
    ("null mx", {BOUNCE: [*_txt(f"v=spf1 ip4:{IP} -all"), ("MX", "0 .")]}, "return path", "takes no mail", "MX 10"),
    ("no ptr", {"25.2.0.192.in-addr.arpa": None}, "ptr", "no name", f"25.2.0.192.in-addr.arpa. PTR {MAIL}."),
    ("ptr astray", {"25.2.0.192.in-addr.arpa": [("PTR", "other.example.org.")]}, "ptr", "lead back", f"A {IP}"),
    ("ehlo astray", {MAIL: [("A", "192.0.2.99")]}, "ehlo", "greet as", f"{MAIL}. A {IP}"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "about", "word", "record"), [row[1:] for row in _BAD], ids=[row[0] for row in _BAD]
)
def test_what_a_zone_lacks_is_named_with_the_record_to_add(
    pair: KeyPair, changed: dict[str, Rows | None], about: str, word: str, record: str
) -> None:
    zone = _good(pair)
    for name, rows in changed.items():
        if rows is None:
            del zone[name]
        else:
            zone[name] = rows
    missing = _missing(_examine(zone, _setup(pair)))
    if not about:
        # One more way to be right, or what only our own signature makes right.
        assert missing == {}
        return
    assert about in missing
    assert word in missing[about].text
    assert record in str(missing[about].record)


def test_a_mail_providers_domain_is_refused_as_from() -> None:
    rows = _examine({"_dmarc.gmail.com": [("TXT", "v=DMARC1; p=none")]}, Setup(domain="gmail.com"))
    assert "belongs to a mail provider" in _missing(rows)["from"].text


def test_a_return_path_of_another_organisation_does_not_align_unless_we_sign(pair: KeyPair) -> None:
    zone = {**_good(pair), "example.net": [("TXT", f"v=spf1 ip4:{IP} -all"), ("MX", "10 mx.example.net.")]}
    assert "alignment" in _missing(_examine(zone, _setup(pair, return_path="example.net", own=False)))
    rows = _examine(zone, _setup(pair, return_path="example.net"))
    assert _missing(rows) == {}
    assert next(row.text for row in rows if row.level is Level.NOTE).endswith("Only our DKIM signature aligns.")
    strict = {**_good(pair), "_dmarc.example.org": [("TXT", "v=DMARC1; p=none; aspf=s")]}
    found = _missing(_examine(strict, _setup(pair, own=False)))["alignment"]
    assert "aspf=s" in found.text and f"at {DOMAIN}" in found.hint


def test_a_key_that_is_being_tested_proves_nothing_yet_and_is_said(pair: KeyPair) -> None:
    zone = _good(pair)
    zone[f"n1._domainkey.{DOMAIN}"] = [("TXT", pair.records[0].value + "; t=y:s")]
    assert [row.about for row in _examine(zone, _setup(pair)) if "t=y" in row.text] == ["dkim"]


def test_a_provider_is_asked_for_dmarc_alone(pair: KeyPair) -> None:
    zone: Zone = {f"_dmarc.{DOMAIN}": [("TXT", "v=DMARC1; p=none")]}
    rows = _examine(zone, Setup(domain=DOMAIN, return_path=BOUNCE, kind="esp"))
    assert _missing(rows) == {}
    assert _missing(_examine({}, Setup(domain=DOMAIN, kind="esp"))).keys() == {"dmarc"}


@pytest.mark.parametrize("kind", [SILENT, BROKEN])
def test_a_dns_that_does_not_answer_is_a_note_and_takes_no_longer_than_allowed(pair: KeyPair, kind: str) -> None:
    zone = {**_good(pair), f"_dmarc.{DOMAIN}": [(kind, "")]}
    began = monotonic()
    with nameserver(zone) as server:
        rows = sending.examine(_setup(pair), Dns(server, seconds=0.4))
    assert monotonic() - began < 2
    assert _missing(rows) == {}
    assert "gave no answer about _dmarc.news.example.org" in rows[0].text


def test_a_resolver_is_an_address_or_a_name_with_a_port() -> None:
    with pytest.raises(ConfigError, match="is no resolver"):
        Dns("127.0.0.1:99999")
    with nameserver({"example.org": [("TXT", "x")]}) as server:
        assert Dns(server.replace("127.0.0.1", "localhost")).txt("example.org") == ["x"]
        assert Dns(server).txt("nowhere.example.org") == Dns(server).mx("example.org") == []
        assert Dns(server).txt("a..b") == Dns(server).txt("x" * 64 + ".org") == []


# --- keys --------------------------------------------------------------------------------------------------------


def test_keys_are_for_us_alone_and_never_written_over(tmp_path: Path) -> None:
    made = sending.new_keys(tmp_path, "News.Example.org", "a")
    files = sorted(made.folder.iterdir())
    assert [file.name for file in files] == ["ed25519.pem", "rsa.pem"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    folders = [made.folder, made.folder.parent, tmp_path / "keys"]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    before = [file.read_bytes() for file in files]
    for selector in ("a", "a-ed"):
        with pytest.raises(ConfigError, match="already"):
            sending.new_keys(tmp_path, DOMAIN, selector)
    assert [file.read_bytes() for file in files] == before
    assert [each.name for each in made.folder.parent.iterdir()] == ["1-a"]


def test_the_newest_pair_signs_and_older_ones_stay(tmp_path: Path) -> None:
    for selector in ("b", "a", "c9"):
        sending.new_keys(tmp_path, DOMAIN, selector)
    assert [each.selector for each in sending.key_pairs(tmp_path, DOMAIN)] == ["c9", "a", "b"]
    account = Account(name="relay", kind="smtp", settings=SETTINGS)
    signer = sending.signer_for(FROM, account, tmp_path)
    assert signer is not None and signer.selectors == ("c9", "c9-ed") and signer.domain == DOMAIN


@pytest.mark.parametrize("selector", ["", "A", "a b", "a/b", "..", "a;b", "-a", "x" * 61])
def test_a_selector_that_is_no_label_makes_no_key(tmp_path: Path, selector: str) -> None:
    with pytest.raises(ConfigError):
        sending.new_keys(tmp_path, DOMAIN, selector)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_key_is_named_and_not_quoted(tmp_path: Path) -> None:
    made = sending.new_keys(tmp_path, DOMAIN, "a")
    (made.folder / "rsa.pem").write_text("-----BEGIN PRIVATE KEY-----\nTOPSECRET\n-----END PRIVATE KEY-----\n")
    with pytest.raises(ConfigError, match=r"rsa\.pem: This file holds no private key") as caught:
        sending.key_pairs(tmp_path, DOMAIN)
    assert "TOPSECRET" not in str(caught.value)
    (made.folder / "rsa.pem").write_bytes((made.folder / "ed25519.pem").read_bytes())
    with pytest.raises(ConfigError, match="not the keys that their names say"):
        sending.key_pairs(tmp_path, DOMAIN)


# --- who signs, and what stops a send ------------------------------------------------------------------------------


def test_the_relay_signs_unless_the_account_says_otherwise(home: Path, pair: KeyPair) -> None:
    assert sending.signer_for(FROM, Account(name="relay", kind="smtp", settings={"host": "x"}), home) is None
    own = Account(name="relay", kind="smtp", settings=SETTINGS)
    assert sending.signer_for("Weekly@NEWS.example.org", own, home) is not None
    with pytest.raises(ConfigError, match=r"no DKIM key for example\.org.*newsletter domain new example\.org"):
        sending.signer_for("weekly@example.org", own, home)
    with pytest.raises(ConfigError, match="no DKIM key"):
        sending.signer_for(FROM, own, None)
    with pytest.raises(ConfigError, match="only it can sign"):
        sending.signer_for(FROM, Account(name="p", kind="esp", settings={"dkim": "own"}), home)


def test_a_bulk_send_is_stopped_by_what_is_missing_with_all_records_to_add(home: Path, pair: KeyPair) -> None:
    account = Account(name="relay", kind="smtp", settings=SETTINGS)
    with nameserver({}) as server:
        said = sending.obstacle(FROM, RETURN, account, home, resolver=Dns(server))
    assert said.startswith(f"{DOMAIN} is not ready for bulk mail.")
    assert f'Add: {BOUNCE}. TXT "v=spf1 a:relay.example.org ~all"' in said
    assert f'Add: _dmarc.{DOMAIN}. TXT "v=DMARC1; p=none; rua=mailto:dmarc@{DOMAIN}"' in said
    assert f"Add: n1._domainkey.{DOMAIN}. TXT" in said and f"Add: {BOUNCE}. MX 10 {MAIL}." in said
    with nameserver(_good(pair)) as server:
        assert sending.obstacle(FROM, RETURN, account, home, resolver=Dns(server)) == ""


def test_a_dns_that_does_not_answer_stops_no_send(home: Path, pair: KeyPair) -> None:
    account = Account(name="relay", kind="smtp", settings=SETTINGS)
    with nameserver({f"_dmarc.{DOMAIN}": [(SILENT, "")]}) as server:
        resolver = Dns(server, seconds=0.3)
        assert sending.obstacle(FROM, RETURN, account, home, resolver=resolver) == ""


class _Never:
    """A DNS that must not be asked."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"the DNS was asked for {name}")


@pytest.mark.parametrize(
    ("kind", "settings", "address"),
    [
        ("smtp", {"host": "127.0.0.1"}, FROM),
        ("smtp", {"host": "localhost", "dkim": "own"}, FROM),
        ("smtp", {"host": "relay.example.org"}, "weekly@news.example.test"),
        ("smtp", {"host": "relay.example.org"}, "weekly@lantern.invalid"),
        ("smtp", {"host": "relay.example.org", "domain_check": False}, FROM),
        ("esp", {"esp": "postmark", "domain_check": False}, FROM),
        ("outbox", {}, FROM),
        ("memory", {}, FROM),
    ],
)
def test_the_dns_is_not_asked_where_nobody_is_mailed_or_it_can_not_know(
    kind: str, settings: dict[str, object], address: str
) -> None:
    account = Account(name="a", kind=kind, settings=settings)
    assert sending.obstacle(address, "", account, None, resolver=_Never()) == ""  # type: ignore[arg-type]


def test_without_the_domain_check_our_own_keys_are_still_looked_up(home: Path, pair: KeyPair) -> None:
    account = Account(name="relay", kind="smtp", settings={**SETTINGS, "domain_check": False})
    with nameserver({}) as server:
        said = sending.obstacle(FROM, RETURN, account, home, resolver=Dns(server))
    assert "_domainkey" in said and "SPF" not in said and "DMARC" not in said


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The machine's own resolver, which here is a server of the test; each examination leaves a line."""
    cache.clear()
    lines: list[str] = []
    real = Dns
    with nameserver({"_dmarc.example.net": _txt("v=DMARC1; p=none")}) as server:

        def own(*, seconds: float) -> Dns:
            lines.append("asked")
            return real(server, seconds=seconds)

        monkeypatch.setattr(sending, "Dns", own)
        yield lines
    cache.clear()


@pytest.mark.django_db
def test_a_good_result_is_remembered_and_a_bad_one_is_not(asked: list[str]) -> None:
    account = make_account(name="provider", kind=Account.Kind.ESP, settings={"esp": "postmark"})
    assert sending.obstacle("a@example.net", "", account, None) == ""
    assert sending.obstacle("a@example.net", "", account, None) == ""
    assert len(asked) == 1
    assert "no DMARC" in sending.obstacle("a@example.com", "", account, None)
    assert "no DMARC" in sending.obstacle("a@example.com", "", account, None)
    assert len(asked) == 3


@pytest.mark.django_db
def test_a_send_begins_only_once_the_domain_is_ready(asked: list[str], tmp_path: Path) -> None:
    account = make_account(name="provider", kind=Account.Kind.ESP, settings={"esp": "postmark"})
    issue = make_approved(3, newsletter=make_newsletter(account=account, from_address="weekly@example.com"))
    installation = replace(here(tmp_path), home=tmp_path)
    with pytest.raises(IssueError, match=r'weekly/2026-11-05: .*Add: _dmarc\.example\.com\. TXT "v=DMARC1; p=none'):
        start(issue, SLOT, installation=installation)
    issue.refresh_from_db()
    assert issue.state == IssueState.APPROVED and not Delivery.objects.exists()
    report = WeekReport(SLOT)
    way_out = WayOut(lambda: SLOT, installation, lambda: False, lambda _: None)
    decide_newsletter(report, issue.newsletter, way_out.begin)
    assert "_dmarc.example.com" in report.problems[0].text and report.problems[0].held
    account.settings = {**account.settings, "domain_check": False}
    account.save()
    assert start(issue, SLOT, installation=installation) == 3
    assert start(issue, SLOT, installation=installation) == 3, "what is sending already is left alone"
