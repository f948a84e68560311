"""A loopback web server that answers as it is told, one rule a path; real HTTP, real sockets."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from newsletter.sources.fetch import Fetcher

Rule = Callable[[BaseHTTPRequestHandler], None]


class Shop:
    """The server: `rules` by path (without query), `asked` the path and headers of every request."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                shop.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                self.close_connection = True
                rule = shop.rules.get(self.path.split("?")[0])
                with contextlib.suppress(OSError):
                    if rule is None:
                        answer(self, 404, b"nothing here")
                    else:
                        rule(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server gives it
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = int(self.server.server_address[1])
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def serve(self, path: str, body: bytes | str, media_type: str = "text/plain", **headers: str) -> str:
        """Answer `path` with 200 and these headers (underscores become hyphens); returns its address."""
        data = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.rules[path] = lambda request: answer(request, 200, data, {"Content-Type": media_type, **named})
        return self.url(path)

    def redirect(self, path: str, target: str, status: int = 302) -> str:
        self.rules[path] = lambda request: answer(request, status, b"", {"Location": target})
        return self.url(path)


def answer(request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    request.send_response(status)
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    if status != 304:
        request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    shop.thread.start()
    yield shop
    shop.stopping.set()
    shop.server.shutdown()
    shop.server.server_close()


@pytest.fixture
def fetcher(shop: Shop) -> Fetcher:
    """A fetcher that may dial exactly the loopback server of this test."""
    return Fetcher(allow=frozenset({("127.0.0.1", shop.port)}), deadline=3.0, max_bytes=200_000)
