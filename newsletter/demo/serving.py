"""The demo's pages in a browser: preview, mailbox and public page, in a thread of this process."""

from __future__ import annotations

import logging
import threading
from types import TracebackType

from django.core.handlers.wsgi import WSGIHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.urls import reverse

from newsletter.core.errors import ConfigError
from newsletter.models import Issue


class _QuietHandler(WSGIRequestHandler):
    """A page view is worth no line on a terminal that shows where to click."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        logging.getLogger(__name__).debug(format, *args)


class Pages:
    """Every page of the product on (bind, port); port 0 takes a free one. A context manager: serving inside it."""

    def __init__(self, bind: str, port: int) -> None:
        """Raises `ConfigError` when the port is taken."""
        try:
            self._server = ThreadedWSGIServer((bind, port), _QuietHandler, ipv6=":" in bind)
        except OSError as error:
            raise ConfigError(
                f"Nothing can listen on {bind}:{port}: {error.strerror}.", hint="Give another: --port PORT"
            ) from error
        self._server.set_app(WSGIHandler())
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

    def text(self, issue: Issue) -> str:
        """Where to click."""
        public = reverse("view-online", args=[issue.newsletter.slug, issue.slot])
        return "\n".join(
            [
                "",
                f"  mailbox      {self.origin}{reverse('mailbox')}",
                f"  view online  {self.origin}{public}",
                "",
                "Ctrl-C ends it.\n",
            ]
        )

    def wait(self) -> None:
        """Until Ctrl-C."""
        try:
            while self._thread.is_alive():
                self._thread.join(0.5)
        except KeyboardInterrupt:
            return
