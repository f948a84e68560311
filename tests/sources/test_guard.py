"""Hostile addresses: each is refused before one byte leaves for the wrong place."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.errors import FetchError
from newsletter.sources.fetch import Fetcher
from newsletter.sources.guard import check_url, is_public, resolve

HOSTILE = [
    "",
    "http://127.0.0.1/",
    "http://127.0.0.1:8123/",
    "http://127.1/",
    "http://127.000.000.001/",
    "http://0/",
    "http://0.0.0.0/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.0.0.1.:80/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25lo]/",
    "http://[fec0::1]/",
    "http://[fc00::1]/",
    "http://[fd12:3456:789a::1]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://[100::1]/",
    "http://[5f00::1]/",
    "http://10.0.0.1/",
    "http://10.255.255.255/",
    "http://172.16.0.1/",
    "http://172.31.255.254/",
    "http://192.168.0.1/",
    "http://192.168.1.254:8080/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://100.100.100.200/latest/meta-data/",
    "http://100.64.0.1/",
    "http://192.0.0.192/opc/v1/instance/",
    "http://192.0.2.1/",
    "http://198.18.0.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://192.88.99.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://0.1.2.3/",
    "file:///etc/passwd",
    "file://localhost/etc/passwd",
    "ftp://ftp.example.org/x",
    "gopher://127.0.0.1:6379/_INFO",
    "dict://127.0.0.1:11211/stats",
    "data:text/html,hello",
    "javascript:alert(1)",
    "//example.org/feed",
    "example.org/feed",
    "http:///feed",
    "http://",
    "http://user:word@example.org/feed",
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1#@example.org/",
    "http://127.0.0.1\\@example.org/",
    "http://example.org\\@127.0.0.1/",
    "http://exa mple.org/",
    "http://example.org:22/",
    "http://example.org:25/",
    "http://example.org:0/",
    "http://example.org:99999/",
    "http://example.org:port/",
    "http://[::1/",
    "",
]
HOSTILE = [url for url in HOSTILE if url] + [
    "http://exam\x00ple.org/",
    "http://example.org/\r\nHost: evil",
    "http://example.org/" + "a" * 5000,
]


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_address_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[object] = []

    def dial(sock: socket.socket, address: object) -> None:
        dialled.append(address)
        raise OSError("dialled")

    monkeypatch.setattr(socket.socket, "connect", dial)
    with pytest.raises(FetchError):
        Fetcher(deadline=3.0).get(url)
    assert dialled == []


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "2a00:1450:4001::1"]
)
def test_public_addresses_may_be_dialled(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/feed",
        "https://example.org:8443/a?b=c#d",
        "http://xn--bcher-kva.example/",
        "https://example.org./",
    ],
)
def test_ordinary_addresses_pass(url: str) -> None:
    assert check_url(url).host


@given(st.ip_addresses(v=4))
def test_an_inner_address_stays_inner_inside_an_ipv6_one(address: ipaddress.IPv4Address) -> None:
    mapped = ipaddress.IPv6Address(f"::ffff:{address}")
    assert is_public(mapped) == is_public(address)
    for wrapped in (f"64:ff9b::{address}", f"::{address}"):
        assert not is_public(ipaddress.IPv6Address(wrapped))
    if not address.is_global:
        assert not is_public(address)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        check_url(text)
    except FetchError as error:
        assert error.message


def test_a_name_that_idna_can_not_write_has_no_server() -> None:
    with pytest.raises(FetchError):
        resolve("a" * 70 + ".example.org", 80, 2.0)
