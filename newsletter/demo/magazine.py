"""The magazine's web server: on loopback, read-only, as polite about caching as a good host."""

from __future__ import annotations

import logging
import threading
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qs, urlsplit

from newsletter.demo.pages import Answer, Site

logger = logging.getLogger(__name__)


class Magazine:
    """Serves the site of `began` on (host, port); port 0 takes a free one. A context manager: started on entry."""

    def __init__(self, began: datetime, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Binds at once, so that `origin` is known. Raises OSError when the port is taken."""
        self._server = _Server((host, port), _Handler)
        self.host, self.port = host, int(self._server.server_address[1])
        self.origin = f"http://{host}:{self.port}"
        self._server.site = Site(began, self.origin)
        self._server.changed = began.replace(microsecond=0)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="magazine", daemon=True)

    def __enter__(self) -> Magazine:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def carry(self, form: str) -> None:
        """Put this sign-up form, HTML of our own making, at the foot of every review."""
        self._server.site.form = form

    @property
    def requests(self) -> list[str]:
        """What has been asked for so far, as "status path"."""
        return list(self._server.log)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    site: Site
    changed: datetime

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.log: list[str] = []
        super().__init__(address, handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Lantern/1"
    sys_version = ""
    timeout = 20  # an idle connection must not hold its thread for ever
    wbufsize = -1  # header and body leave in one packet: unbuffered, each answer costs a delayed acknowledgement
    server: _Server

    def do_GET(self) -> None:
        """Answer with the page, or 304 when the reader has it."""
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        answer = self.server.site.answer(parts.path, query)
        tag = f'"{sha256(answer.body).hexdigest()[:20]}"'
        if answer.status is HTTPStatus.OK and self._has_it(tag):
            answer = Answer(HTTPStatus.NOT_MODIFIED, "", b"", answer.headers)
        self.server.log.append(f"{answer.status.value} {self.path}")
        self.send_response(answer.status)
        if answer.status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            self.send_header("ETag", tag)
            self.send_header("Last-Modified", format_datetime(self.server.changed, usegmt=True))
            self.send_header("Cache-Control", "no-cache")
        if answer.media_type:
            self.send_header("Content-Type", answer.media_type)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status is not HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_HEAD = do_GET

    def _has_it(self, tag: str) -> bool:
        """RFC 9110 13.2.2: If-None-Match, where there is one, makes If-Modified-Since void."""
        if known := self.headers.get("If-None-Match"):
            return known.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in known.split(",")]
        try:
            return parsedate_to_datetime(self.headers.get("If-Modified-Since", "")) >= self.server.changed
        except (TypeError, ValueError):
            return False

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Django's and our own log go to stderr; a page view is worth no line there."""
        logger.debug(format, *args)
