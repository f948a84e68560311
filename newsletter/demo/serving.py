"""The demo's pages in a browser: preview, mailbox and public page, in a thread of this process."""

from __future__ import annotations

import logging
import re
import signal
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.urls import reverse

from newsletter.core.errors import ConfigError
from newsletter.demo.reviews import PUBLIC
from newsletter.models import Issue
from newsletter.web.studio.login import login_link

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_LINK = re.compile(rf"""(href=["']){re.escape(PUBLIC)}(?=/)""".encode())


class _QuietHandler(WSGIRequestHandler):
    """A page view is worth no line on a terminal that shows where to click."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        logging.getLogger(__name__).debug(format, *args)


class MagazineHere:
    """WSGI around the pages: links to the magazine's public name, which no server answers to, lead to where the demo
    serves it. For display only, and in links only: a mail's source is shown as it is.
    """

    def __init__(self, pages: WSGIApplication, magazine: str) -> None:
        """`magazine` is the origin of the demo's magazine."""
        self._pages, self._link = pages, rb"\g<1>" + magazine.encode()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """PEP 3333."""
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def note(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
            started[:] = [(status, headers)]

        answer = self._pages(environ, note)  # type: ignore[arg-type]
        status, headers = started[0]
        if not any(name.lower() == "content-type" and value.startswith("text/html") for name, value in headers):
            start_response(status, headers)
            return answer
        try:
            body = _LINK.sub(self._link, b"".join(answer))
        finally:
            # Django ends the request, and gives its database connection back, when its answer is closed.
            if hasattr(answer, "close"):
                answer.close()
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [body]


class Pages:
    """Every page of the product on (bind, port); port 0 takes a free one. A context manager: serving inside it."""

    def __init__(self, bind: str, port: int, *, magazine: str) -> None:
        """`magazine` is the origin of the demo's magazine. Raises `ConfigError` when the port is taken."""
        try:
            self._server = ThreadedWSGIServer((bind, port), _QuietHandler, ipv6=":" in bind)
        except OSError as error:
            raise ConfigError(
                f"Nothing can listen on {bind}:{port}: {error.strerror}.", hint="Give another: --port PORT"
            ) from error
        if bind not in ("127.0.0.1", "::1", "localhost"):
            # Whoever opens the demo to other machines is asked for it by names that nobody can know here.
            settings.ALLOWED_HOSTS.append("*")
        self._server.set_app(MagazineHere(WSGIHandler(), magazine))
        self.magazine = magazine
        self._server.daemon_threads = True
        host = "127.0.0.1" if bind in ("", "0.0.0.0", "::") else bind
        self.origin = f"http://{f'[{host}]' if ':' in host else host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="pages", daemon=True)

    def __enter__(self) -> Pages:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def links(self, issue: Issue, user: User, now: datetime) -> dict[str, str]:
        """Where to click: the way in for `user` (works once, for a day), and the pages that the demo is about."""
        name = [issue.newsletter.slug, issue.slot]
        return {
            "login": login_link(user, self.origin, now),
            "issue": self.origin + reverse("issue", args=name),
            "mailbox": self.origin + reverse("mailbox"),
            "view online": self.origin + reverse("view-online", args=name),
            "magazine": self.magazine + "/",
        }

    def wait(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Until Ctrl-C, or until the process is asked to end; `meanwhile` is called twice a second. Belongs into the
        main thread, where signals arrive.
        """
        over = threading.Event()
        before = {each: signal.signal(each, lambda *_: over.set()) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            # In slices: a wait without end hears no signal on some systems.
            while not over.wait(0.5):
                meanwhile()
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
