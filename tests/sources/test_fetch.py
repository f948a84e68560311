"""The fetcher against a server that misbehaves, and against addresses that it must never dial."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace

import pytest

from newsletter.core.errors import FetchError
from newsletter.sources.fetch import Fetcher

from .conftest import Shop, answer


def test_a_page_is_fetched_with_its_validators_and_charset(shop: Shop, fetcher: Fetcher) -> None:
    url = shop.serve(
        "/feed",
        b"<rss/>",
        "application/rss+xml; charset=UTF-8",
        ETag='W/"a b"',
        Last_Modified="Mon, 02 Nov 2026 10:00:00 GMT",
    )
    got = fetcher.get(url)
    assert (got.status, got.body, got.media_type, got.charset) == (200, b"<rss/>", "application/rss+xml", "UTF-8")
    assert (got.etag, got.last_modified) == ('W/"a b"', "Mon, 02 Nov 2026 10:00:00 GMT")
    assert not got.unchanged
    assert len(got.sha256) == 64


def test_the_user_agent_says_who_asks(shop: Shop, fetcher: Fetcher) -> None:
    fetcher.get(shop.serve("/a", b"x"))
    headers = shop.asked[0][1]
    assert headers["user-agent"].startswith("newsletter/")
    assert headers["accept-encoding"] == "gzip, deflate"
    assert "cookie" not in headers and "authorization" not in headers


def test_validators_are_sent_back_exactly_and_304_is_no_error(shop: Shop, fetcher: Fetcher) -> None:
    shop.rules["/feed"] = lambda request: answer(request, 304, b"", {"ETag": '"v1"'})
    got = fetcher.get(shop.url("/feed"), etag='"v1"', last_modified="yesterday, as the server wrote it")
    assert got.unchanged and got.body == b"" and got.etag == '"v1"'
    sent = shop.asked[0][1]
    assert (sent["if-none-match"], sent["if-modified-since"]) == ('"v1"', "yesterday, as the server wrote it")


def test_a_304_that_nobody_asked_for_is_an_error(shop: Shop, fetcher: Fetcher) -> None:
    shop.rules["/feed"] = lambda request: answer(request, 304, b"")
    with pytest.raises(FetchError) as caught:
        fetcher.get(shop.url("/feed"))
    assert caught.value.status == 304


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 410, 418, 500, 502])
def test_an_error_names_the_address_and_the_status(shop: Shop, fetcher: Fetcher, status: int) -> None:
    shop.rules["/x"] = lambda request: answer(request, status, b"sorry")
    with pytest.raises(FetchError) as caught:
        fetcher.get(shop.url("/x"))
    assert caught.value.status == status
    assert shop.url("/x") in str(caught.value) and str(status) in str(caught.value)


def test_retry_after_in_seconds_is_kept_for_the_whole_host(shop: Shop, fetcher: Fetcher) -> None:
    shop.rules["/x"] = lambda request: answer(request, 429, b"", {"Retry-After": "120"})
    with pytest.raises(FetchError) as caught:
        fetcher.get(shop.url("/x"))
    assert (caught.value.status, caught.value.retry_after) == (429, 120)
    shop.serve("/other", b"x")
    with pytest.raises(FetchError, match="asked us to wait"):
        fetcher.get(shop.url("/other"))
    assert len(shop.asked) == 1


def test_retry_after_as_a_date_is_understood(shop: Shop, fetcher: Fetcher) -> None:
    shop.rules["/x"] = lambda request: answer(
        request, 503, b"", {"Retry-After": formatdate(time.time() + 600, usegmt=True)}
    )
    with pytest.raises(FetchError) as caught:
        fetcher.get(shop.url("/x"))
    assert caught.value.retry_after is not None and 590 <= caught.value.retry_after <= 600


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e9"])
def test_a_retry_after_that_says_nothing_makes_a_plain_error(shop: Shop, fetcher: Fetcher, value: str) -> None:
    shop.rules["/x"] = lambda request: answer(request, 503, b"", {"Retry-After": value})
    with pytest.raises(FetchError) as caught:
        fetcher.get(shop.url("/x"))
    assert caught.value.retry_after is None


def test_a_huge_retry_after_is_capped_at_a_week(shop: Shop, fetcher: Fetcher) -> None:
    shop.rules["/x"] = lambda request: answer(request, 429, b"", {"Retry-After": "999999999999"})
    with pytest.raises(FetchError) as caught:
        fetcher.get(shop.url("/x"))
    assert caught.value.retry_after == 7 * 24 * 3600


def test_permanent_redirects_give_the_new_address(shop: Shop, fetcher: Fetcher) -> None:
    shop.serve("/new", b"here")
    shop.redirect("/mid", "/new", 308)
    got = fetcher.get(shop.redirect("/old", shop.url("/mid"), 301))
    assert got.body == b"here"
    assert got.url == got.permanent_url == shop.url("/new")


def test_a_server_that_closes_after_a_redirect_without_a_word_is_asked_anew(shop: Shop, fetcher: Fetcher) -> None:
    shop.serve("/new", b"here")

    def lazy(request: BaseHTTPRequestHandler) -> None:
        answer(request, 301, b"", {"Location": "/new"})
        shop.stopping.wait(0.2)  # the connection stands as long, and nobody reads from it

    shop.rules["/old"] = lazy
    assert fetcher.get(shop.url("/old")).body == b"here"


def test_no_cookie_goes_along_to_the_next_hop(shop: Shop, fetcher: Fetcher) -> None:
    shop.serve("/new", b"here")
    shop.rules["/old"] = lambda request: answer(request, 302, b"", {"Location": "/new", "Set-Cookie": "who=me; Path=/"})
    fetcher.get(shop.url("/old"))
    assert [path for path, _ in shop.asked] == ["/old", "/new"]
    assert not any("cookie" in headers for _, headers in shop.asked)


def test_one_temporary_hop_keeps_the_old_address(shop: Shop, fetcher: Fetcher) -> None:
    shop.serve("/new", b"here")
    shop.redirect("/mid", "/new", 302)
    got = fetcher.get(shop.redirect("/old", "/mid", 301))
    assert got.url == shop.url("/new") and got.permanent_url == ""


def test_a_circle_of_redirects_ends(shop: Shop, fetcher: Fetcher) -> None:
    shop.redirect("/a", "/b")
    shop.redirect("/b", "/a")
    with pytest.raises(FetchError, match="more than 5 times"):
        fetcher.get(shop.url("/a"))
    assert len(shop.asked) == 6


def test_a_redirect_to_nowhere_is_an_error(shop: Shop, fetcher: Fetcher) -> None:
    shop.rules["/a"] = lambda request: answer(request, 302, b"")
    with pytest.raises(FetchError, match="redirects to nowhere"):
        fetcher.get(shop.url("/a"))


@pytest.mark.parametrize(
    "target",
    [
        "http://localhost:{other}/",
        "http://127.0.0.1:{other}/",
        "http://[::1]:{other}/",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "ftp://example.org/x",
        "http://2130706433:{other}/",
        "//127.1:{other}/",
    ],
)
def test_a_redirect_to_an_inner_address_is_refused(shop: Shop, fetcher: Fetcher, target: str) -> None:
    inner = Shop()
    inner.thread.start()
    try:
        inner.serve("/", b"secret")
        with pytest.raises(FetchError):
            fetcher.get(shop.redirect("/a", target.format(other=inner.port)))
        assert inner.asked == []
    finally:
        inner.server.shutdown()
        inner.server.server_close()


def test_the_opening_is_for_exactly_one_host_and_port(shop: Shop) -> None:
    shop.serve("/a", b"x")
    assert Fetcher(allow=frozenset({("127.0.0.1", shop.port)})).get(shop.url("/a")).body == b"x"
    for allow in (
        frozenset[tuple[str, int]](),
        frozenset({("localhost", shop.port)}),
        frozenset({("127.0.0.1", shop.port + 1)}),
    ):
        with pytest.raises(FetchError, match="private network"):
            Fetcher(allow=allow).get(shop.url("/a"))
    assert len(shop.asked) == 1


def test_a_name_that_changes_its_mind_gains_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: public when looked at, inner when dialled. The name is asked once, and that answer is dialled."""
    asked: list[str] = []
    dialled: list[str] = []
    real = socket.getaddrinfo

    def lying(host: str, port: int, *args: object, **kwargs: object) -> object:
        if host == "rebind.example.org":
            asked.append(host)
            address = "203.0.114.7" if len(asked) == 1 else "127.0.0.1"
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]
        dialled.append(host)
        return real(host, port, *args, **kwargs)  # type: ignore[arg-type]

    def no_dial(sock: socket.socket, address: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", lying)
    monkeypatch.setattr(socket.socket, "connect", no_dial)
    with pytest.raises(FetchError, match="could not be reached"):
        Fetcher(deadline=2.0).get(f"http://rebind.example.org:{shop.port}/")
    assert asked == ["rebind.example.org"]
    assert dialled == ["203.0.114.7"]


def test_one_inner_address_among_public_ones_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def mixed(host: str, port: int, *args: object, **kwargs: object) -> object:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in ("203.0.114.7", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", mixed)
    with pytest.raises(FetchError, match="private network"):
        Fetcher(deadline=2.0).get("http://mixed.example.org/")


def test_a_name_that_does_not_exist_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **kwargs: object) -> object:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(FetchError, match="No server has this name"):
        Fetcher(deadline=2.0).get("http://nowhere.example.org/")


def test_a_name_server_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hanging(*args: object, **kwargs: object) -> object:
        released.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    started = time.monotonic()
    with pytest.raises(FetchError, match="did not answer in time"):
        Fetcher(deadline=0.3).get("http://slow.example.org/")
    released.set()
    assert time.monotonic() - started < 2


def _slow(data: bytes, pause: float) -> object:
    def rule(request: BaseHTTPRequestHandler) -> None:
        for byte in data:
            request.wfile.write(bytes([byte]))
            request.wfile.flush()
            time.sleep(pause)

    return rule


def test_a_slow_drip_of_the_body_ends_at_the_deadline(shop: Shop) -> None:
    def rule(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "100000")
        request.end_headers()
        _slow(b"x" * 1000, 0.02)(request)  # type: ignore[operator]

    shop.rules["/drip"] = rule
    started = time.monotonic()
    with pytest.raises(FetchError, match="longer than"):
        Fetcher(allow=frozenset({("127.0.0.1", shop.port)}), deadline=0.5).get(shop.url("/drip"))
    assert time.monotonic() - started < 1.5


def test_a_slow_drip_of_the_headers_ends_at_the_deadline(shop: Shop) -> None:
    shop.rules["/drip"] = _slow(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000, 0.02)  # type: ignore[assignment]
    started = time.monotonic()
    with pytest.raises(FetchError, match=r"0\.5 seconds"):
        Fetcher(allow=frozenset({("127.0.0.1", shop.port)}), deadline=0.5).get(shop.url("/drip"))
    assert time.monotonic() - started < 1.5


def test_a_server_that_accepts_and_says_nothing_ends_at_the_deadline() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        port = silent.getsockname()[1]
        started = time.monotonic()
        with pytest.raises(FetchError, match="No answer within"):
            Fetcher(allow=frozenset({("127.0.0.1", port)}), deadline=0.4).get(f"http://127.0.0.1:{port}/")
        assert time.monotonic() - started < 1.5


def test_an_endless_answer_stops_at_the_byte_cap(shop: Shop, fetcher: Fetcher) -> None:
    def rule(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not shop.stopping.is_set():
            request.wfile.write(b"x" * 65536)

    shop.rules["/endless"] = rule
    with pytest.raises(FetchError, match="larger than 200,000 bytes"):
        fetcher.get(shop.url("/endless"))


def test_a_length_above_the_cap_is_refused_before_reading(shop: Shop, fetcher: Fetcher) -> None:
    def rule(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(10**15))
        request.end_headers()

    shop.rules["/long"] = rule
    with pytest.raises(FetchError, match="larger than"):
        fetcher.get(shop.url("/long"))


def test_an_answer_shorter_than_it_claims_is_not_half_a_feed(shop: Shop, fetcher: Fetcher) -> None:
    def rule(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "5000")
        request.end_headers()
        request.wfile.write(b"<rss>")

    shop.rules["/short"] = rule
    with pytest.raises(FetchError, match="broke off"):
        fetcher.get(shop.url("/short"))


def test_the_cap_can_be_lower_for_one_request(shop: Shop, fetcher: Fetcher) -> None:
    url = shop.serve("/a", b"x" * 1000)
    with pytest.raises(FetchError, match="larger than 999"):
        fetcher.get(url, max_bytes=999)
    assert len(fetcher.get(url, max_bytes=1000).body) == 1000


@pytest.mark.parametrize("layers", [1, 2])
def test_a_gzip_bomb_stops_at_the_byte_cap(shop: Shop, fetcher: Fetcher, layers: int) -> None:
    bomb = b"\0" * 50_000_000
    for _ in range(layers):
        bomb = gzip.compress(bomb, 9)
    url = shop.serve("/bomb", bomb, Content_Encoding=", ".join(["gzip"] * layers))
    with pytest.raises(FetchError):
        fetcher.get(url)


def test_many_gzip_members_are_read_as_one(shop: Shop, fetcher: Fetcher) -> None:
    url = shop.serve("/z", gzip.compress(b"one ") + gzip.compress(b"two"), Content_Encoding="x-gzip")
    assert fetcher.get(url).body == b"one two"


@pytest.mark.parametrize("bare", [False, True])
def test_deflate_is_read_with_and_without_its_header(shop: Shop, fetcher: Fetcher, bare: bool) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15 if bare else 15)
    data = packer.compress(b"words " * 50) + packer.flush()
    assert fetcher.get(shop.serve("/z", data, Content_Encoding="deflate")).body == b"words " * 50


def test_damaged_compression_is_an_error_and_not_a_crash(shop: Shop, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError, match="compression is damaged"):
        fetcher.get(shop.serve("/z", b"\x1f\x8b\x08\x00garbage and more garbage", Content_Encoding="gzip"))


def test_an_encoding_that_was_not_asked_for_is_refused(shop: Shop, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError, match="not asked for"):
        fetcher.get(shop.serve("/z", b"x", Content_Encoding="br"))


def test_a_server_that_speaks_no_http_is_an_error() -> None:
    with socket.socket() as odd:
        odd.bind(("127.0.0.1", 0))
        odd.listen(1)
        port = odd.getsockname()[1]

        def speak() -> None:
            peer, _ = odd.accept()
            peer.sendall(b"220 mail.example.org ESMTP\r\n")
            peer.close()

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(FetchError, match="could not be reached"):
            Fetcher(allow=frozenset({("127.0.0.1", port)}), deadline=2).get(f"http://127.0.0.1:{port}/")
        thread.join()


def test_https_without_a_certificate_is_refused(shop: Shop, fetcher: Fetcher) -> None:
    with pytest.raises(FetchError):
        fetcher.get(shop.url("/a").replace("http:", "https:"))


def test_two_requests_to_a_public_host_keep_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    # The fetcher's own name for the clock, not the module itself: other threads of this process sleep too.
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=naps.append)
    monkeypatch.setattr("newsletter.sources.fetch.time", clock)
    fetcher = Fetcher(pause=5.0, deadline=30.0)

    def unknown(*args: object, **kwargs: object) -> object:
        raise socket.gaierror(-2, "no")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for _ in range(2):
        with pytest.raises(FetchError):
            fetcher.get("http://polite.example.org/")
    assert naps[0] == 0.0
    assert 4.0 < naps[1] <= 5.0


def test_a_redirect_in_utf8_is_followed(shop: Shop, fetcher: Fetcher) -> None:
    shop.serve("/caf%C3%A9", b"au lait")

    def rule(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: /caf\xc3\xa9\r\nContent-Length: 0\r\n\r\n")

    shop.rules["/a"] = rule
    assert fetcher.get(shop.url("/a")).body == b"au lait"
