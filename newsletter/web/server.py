"""Pages and clock in one process: gunicorn's worker with threads, and the ticker beside them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.db import connections
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from newsletter.config.schema import Config
from newsletter.scheduler import Clock

# The worker is killed after this many seconds; a message on the wire is answered long before.
GRACE = 60
KEPT_SECONDS = 60
SWITCH_SECONDS = 0.0005


class Server(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    """One worker: pages by threads, the clock in a thread of its own. SIGTERM ends both gracefully.

    gunicorn's parent process only holds the socket and starts the worker anew should it die.
    """

    def __init__(
        self, config: Config, *, bind: str, port: int, ready: Callable[[str], None], with_clock: bool = True
    ) -> None:
        """`ready` is told the address once the socket listens (with `port` 0 only then is it known)."""
        self._newsletter = config
        self._address = f"[{bind}]:{port}" if ":" in bind else f"{bind}:{port}"
        self._ready = ready
        self._with_clock = with_clock
        self._clock: Clock | None = None
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's own hook: its settings, from ours."""
        wanted: dict[str, Any] = {
            "bind": self._address,
            "workers": 1,
            "worker_class": "gthread",
            "threads": self._newsletter.threads,
            "graceful_timeout": GRACE,
            "timeout": GRACE,
            "loglevel": "warning",
            "accesslog": None,  # addresses of pages hold readers' tokens
            "control_socket_disable": True,
            # Whether a proxy's word on https counts is decided by https_proxy alone.
            "secure_scheme_headers": {},
            "when_ready": self._listening,
            "post_worker_init": self._begin,
            "worker_exit": self._end,
        }
        for name, value in wanted.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """gunicorn's own hook: the pages, loaded in the worker."""
        from django.core.wsgi import get_wsgi_application

        return get_wsgi_application()

    def _listening(self, arbiter: Any) -> None:
        host, port = arbiter.LISTENERS[0].sock.getsockname()[:2]
        self._ready(f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/")

    def _begin(self, worker: Any) -> None:
        # A thread answers many requests: a connection of its own for each would cost more than most of them.
        for settings in connections.settings.values():
            settings.update(CONN_MAX_AGE=KEPT_SECONDS, CONN_HEALTH_CHECKS=True)
        # The clock works beside the pages in one interpreter: whoever waits for a page gets a turn ten times as often
        # as Python would give it, each time the database or the network has kept it waiting.
        sys.setswitchinterval(SWITCH_SECONDS)
        if not self._with_clock:
            return
        self._clock = clock = Clock(self._newsletter)
        before = signal.getsignal(signal.SIGTERM)

        def leave(number: int, frame: FrameType | None) -> None:
            # At once, not after the last request: no further message should begin to leave.
            clock.leave()
            if callable(before):
                before(number, frame)

        signal.signal(signal.SIGTERM, leave)
        clock.start()

    def _end(self, arbiter: Any, worker: Any) -> None:
        # Also called in the parent, which has no clock.
        if self._clock is not None and worker.pid == os.getpid():
            self._clock.stop()
