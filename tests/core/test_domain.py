from __future__ import annotations

from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import load_der_public_key

from newsletter.core import domain
from newsletter.core.domain import spf
from newsletter.core.errors import ConfigError


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("News.Example.ORG.", "news.example.org"),
        ("müller.example", "xn--mller-kva.example"),
        (" example.org ", "example.org"),
    ],
)
def test_a_domain_has_one_spelling(typed: str, name: str) -> None:
    assert domain.a_label(typed) == name


@pytest.mark.parametrize(
    "typed", ["", "example", "a b.org", "-a.org", "a..org", "x" * 64 + ".org", "a.org/b", "../a.org"]
)
def test_what_is_no_domain_is_refused(typed: str) -> None:
    with pytest.raises(ConfigError, match="is not a domain"):
        domain.a_label(typed)


def test_a_published_key_is_the_key() -> None:
    rsa, ed25519 = generate_private_key(65537, 2048).public_key(), Ed25519PrivateKey.generate().public_key()
    tags = domain.read_tags(domain.dkim_record(rsa))
    assert tags is not None and tags["k"] == "rsa"
    read = load_der_public_key(b64decode(tags["p"]))
    assert isinstance(read, RSAPublicKey) and read.public_numbers() == rsa.public_numbers()
    tags = domain.read_tags(domain.dkim_record(ed25519))
    assert tags is not None and tags["k"] == "ed25519"
    assert Ed25519PublicKey.from_public_bytes(b64decode(tags["p"])) == ed25519


def test_a_long_value_is_shown_in_strings_that_join_to_it() -> None:
    record = domain.wanted_dkim("example.org", "n1", generate_private_key(65537, 2048).public_key())
    assert len(record.value) > 255
    assert all(len(part) <= 255 for part in record.strings)
    assert "".join(record.strings) == record.value
    assert str(record).startswith('n1._domainkey.example.org. TXT "v=DKIM1; k=rsa; p=')
    assert str(record).count('"') == 4


@pytest.mark.parametrize(
    ("was", "hosts", "wanted"),
    [
        ("", [], "v=spf1 include:SPF-NAME-OF-YOUR-RELAY ~all"),
        ("", ["192.0.2.1", "2001:db8::", "m.example.org"], "v=spf1 ip4:192.0.2.1 ip6:2001:db8:: a:m.example.org ~all"),
        ("v=spf1 mx -all", ["192.0.2.1"], "v=spf1 mx ip4:192.0.2.1 -all"),
        ("v=spf1 mx redirect=_spf.example.org", ["192.0.2.1"], "v=spf1 mx ip4:192.0.2.1 redirect=_spf.example.org"),
        ("v=spf1 ip4:192.0.2.1 ~all", ["192.0.2.1"], "v=spf1 ip4:192.0.2.1 ~all"),
    ],
)  # fmt: skip
def test_an_spf_record_gets_only_what_it_lacks(was: str, hosts: list[str], wanted: str) -> None:
    assert domain.wanted_spf("example.org", hosts, was=was).value == wanted


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("v=DMARC1; p=none", ""),
        ("v=DMARC1;p=reject; sp=quarantine; adkim=s; aspf=r; rua=mailto:a@example.org,mailto:b@example.org;", ""),
        ("p=none; v=DMARC1", "begin"),
        ("v=DMARC2; p=none", "begin"),
        ("v=DMARC1; p=none; p=reject", "begin"),
        ("v=DMARC1 p=none", "begin"),
        ("v=DMARC1", "no p="),
        ("v=DMARC1; p=monitor", "no p="),
        ("v=DMARC1; p=none; sp=off", "sp=off"),
        ("v=DMARC1; p=none; adkim=strict", "adkim"),
        ("v=DMARC1; p=none; rua=dmarc@example.org", "no mailto"),
    ],
)
def test_a_dmarc_record_is_read_strictly(value: str, problem: str) -> None:
    found = domain.dmarc_problem(value)
    assert (problem in found) if problem else found == ""


def test_the_way_up_ends_at_two_labels() -> None:
    assert domain.parents("a.news.example.org") == ["a.news.example.org", "news.example.org", "example.org"]
    assert domain.parents("example.org") == ["example.org"]
    assert len(domain.parents("a." * 60 + "org")) <= 8


def test_names_know_who_is_above_whom_and_which_are_nobodys() -> None:
    assert domain.is_within("a.example.org", "example.org") and domain.is_within("example.org", "example.org")
    assert not domain.is_within("badexample.org", "example.org")
    assert [domain.is_reserved(name) for name in ("a.test", "x.example", "example.org", "test.org")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert domain.may_align("bounce.example.org", "news.example.org")
    assert not domain.may_align("example.net", "example.org")


class Zone:
    """A dictionary that answers as the DNS does."""

    def __init__(self, txt: dict[str, list[str]], addresses: dict[str, list[str]], mx: dict[str, list[str]]) -> None:
        self._txt, self._addresses, self._mx = txt, addresses, mx

    def txt(self, name: str) -> list[str]:
        return self._txt.get(name, [])

    def addresses(self, name: str) -> list[str]:
        return self._addresses.get(name, [])

    def mx(self, name: str) -> list[str]:
        return self._mx.get(name, [])


def _spf(record: str, ip: str = "192.0.2.1", **others: str) -> spf.Spf:
    names = {"example.org": [record], **{f"{name}.example.org": [value] for name, value in others.items()}}
    zone = Zone(
        names, {"example.org": ["192.0.2.1"], "mx.example.org": ["192.0.2.9"]}, {"example.org": ["mx.example.org"]}
    )
    return spf.examine("example.org", zone, ip=ip)


@pytest.mark.parametrize(
    ("record", "ip", "result", "lookups"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", "192.0.2.1", "pass", 0),
        ("v=spf1 ip4:192.0.2.0/24 -all", "198.51.100.1", "fail", 0),
        ("v=spf1 ip6:2001:db8::/32 ~all", "2001:db8::7", "pass", 0),
        ("v=spf1 a -all", "192.0.2.1", "pass", 1),
        ("v=spf1 a/28 -all", "192.0.2.14", "pass", 1),
        ("v=spf1 a:mx.example.org -all", "192.0.2.9", "pass", 1),
        ("v=spf1 mx ?all", "192.0.2.9", "pass", 1),
        ("v=spf1 mx ?all", "192.0.2.1", "neutral", 1),
        ("v=spf1 -ip4:192.0.2.1 ip4:192.0.2.0/24 -all", "192.0.2.1", "fail", 0),
        ("v=spf1 include:one.example.org ~all", "192.0.2.1", "pass", 1),
        ("v=spf1 include:two.example.org ~all", "192.0.2.1", "softfail", 1),
        ("v=spf1 redirect=one.example.org", "192.0.2.1", "pass", 1),
        ("v=spf1 exists:%{i}.example.org ptr -all", "192.0.2.1", "fail", 2),
        ("V=SPF1 IP4:192.0.2.1 -ALL", "192.0.2.1", "pass", 0),
    ],
)
def test_spf_is_judged_as_a_receiver_would(record: str, ip: str, result: str, lookups: int) -> None:
    found = _spf(record, ip, one="v=spf1 ip4:192.0.2.1 -all", two="v=spf1 ip4:198.51.100.1 -all")
    assert (found.result, found.lookups, found.problems) == (result, lookups, [])


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ("v=spf1 +all", "everybody"),
        ("v=spf1 all", "everybody"),
        ("v=spf1 ipv4:192.0.2.1 -all", '"ipv4:192.0.2.1"'),
        ("v=spf1 ip4:2001:db8::1 -all", "no ip4 address"),
        ("v=spf1 ip4:192.0.2.300 -all", "no ip4 address"),
        ("v=spf1 include:nowhere.example.org -all", "no SPF record"),
        ("v=spf1 include: -all", "includes nothing"),
        ("v=spf1 include:example.org -all", "receivers give up"),
        ("v=spf1 " + "a " * 11 + "-all", "costs 11 lookups"),
    ],
)
def test_an_spf_record_that_would_fail_at_receivers_is_named(record: str, problem: str) -> None:
    assert any(problem in each for each in _spf(record).problems)


def test_two_spf_records_are_as_bad_as_none() -> None:
    zone = Zone({"example.org": ["v=spf1 a -all", "v=spf1 mx -all", "v=spf10 x"]}, {}, {})
    assert "2 SPF records" in spf.examine("example.org", zone).problems[0]
    assert "no SPF record" in spf.examine("example.net", zone).problems[0]
