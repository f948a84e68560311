"""Pages and clock, each in a process of its own under one parent: gunicorn with two kinds of worker.

Python runs one thread of a process at a time, so a send or a rush of confirmations in the pages' own process would make
every reader wait for it.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.db import connections
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from newsletter.config.schema import Config
from newsletter.scheduler import Clock

# A worker is killed after this many seconds; a message on the wire is answered long before.
GRACE = 60
KEPT_SECONDS = 60
BEAT_SECONDS = 1.0


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """Serves pages by threads, or keeps the clock where `Server` has said so before it was forked."""

    clock_of: Config | None = None

    def run(self) -> None:
        """gunicorn's own hook: until the parent says stop, or is gone."""
        if self.clock_of is None:
            # A thread answers many requests: a connection of its own for each would cost more than most of them.
            for settings in connections.settings.values():
                settings.update(CONN_MAX_AGE=KEPT_SECONDS, CONN_HEALTH_CHECKS=True)
            super().run()
            return
        leaving = threading.Event()
        clock = Clock(self.clock_of)

        def leave(number: int, frame: FrameType | None) -> None:
            # At once, not after the next beat: no further message should begin to leave.
            clock.leave()
            leaving.set()

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, leave)
        clock.start()
        while not leaving.wait(BEAT_SECONDS) and os.getppid() == self.ppid:
            self.notify()
        clock.stop()


class Server(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    """One worker for the pages and one for the clock. SIGTERM ends both gracefully.

    gunicorn's parent process only holds the socket and starts a worker anew should it die.
    """

    def __init__(
        self, config: Config, *, bind: str, port: int, ready: Callable[[str], None], with_clock: bool = True
    ) -> None:
        """`ready` is told the address once the socket listens (with `port` 0 only then is it known)."""
        self._newsletter = config
        self._address = f"[{bind}]:{port}" if ":" in bind else f"{bind}:{port}"
        self._ready = ready
        self._with_clock = with_clock
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's own hook: its settings, from ours."""
        wanted: dict[str, Any] = {
            "bind": self._address,
            "workers": 2 if self._with_clock else 1,
            "worker_class": Worker,
            "threads": self._newsletter.threads,
            "graceful_timeout": GRACE,
            "timeout": GRACE,
            "loglevel": "warning",
            "accesslog": None,  # addresses of pages hold readers' tokens
            "control_socket_disable": True,
            # Whether a proxy's word on https counts is decided by https_proxy alone.
            "secure_scheme_headers": {},
            "when_ready": self._listening,
            "pre_fork": self._assign,
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

    def _assign(self, arbiter: Any, worker: Worker) -> None:
        # In the parent, which knows of all that live: the place of a clock that died is filled by a clock.
        if self._with_clock and not any(each.clock_of for each in arbiter.WORKERS.values()):
            worker.clock_of = self._newsletter
