"""All connections of one account on one loop, between them and the dispatch."""

from __future__ import annotations

import random
import selectors
import socket
import ssl
import time
from collections import deque

from newsletter.core.errors import ProviderError
from newsletter.providers.base import Dispatch, Outgoing, SendResult, WithdrawnError
from newsletter.providers.dialogue import Dialogue
from newsletter.providers.smtp import opening
from newsletter.providers.smtp.link import Fault
from newsletter.providers.smtp.listening import ListeningWire
from newsletter.providers.smtp.session import Session
from newsletter.providers.smtp.settings import SmtpSettings
from newsletter.providers.smtp.wire import Address, Wire

TICK_SECONDS = 0.5
# Longer, and the server may have forgotten us without a word: a firewall on the way drops what says nothing.
IDLE_SECONDS = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 60.0
# So many connections in a row that ended within their first message, and the server is of no use to us now.
MOST_FRESH_ENDS = 5
LOOK_AGAIN = 60.0
ADDRESS_SECONDS = 60.0


class Engine:
    """Keeps its connections between runs. All of it happens in the thread that calls."""

    def __init__(self, settings: SmtpSettings, dialogue: Dialogue | None = None) -> None:
        """Does not connect."""
        self.settings = settings
        self._dialogue = dialogue
        self.selector = selectors.DefaultSelector()
        self.sessions: list[Session] = []
        self.look = True  # something has changed that may let a message begin or a connection open
        self._context: ssl.SSLContext | None = None
        self._jitter = random.Random()
        self._addresses: list[tuple[int, Address]] = []
        self._addresses_until = 0.0
        self._reset(None)

    def _reset(self, dispatch: Dispatch | None) -> None:
        self._dispatch = dispatch
        self._waiting: deque[Outgoing] = deque()
        self._more = dispatch is not None
        self._not_before = 0.0
        self._failure: BaseException | None = None
        self.stopped = False  # nothing more may leave
        self._trouble: ProviderError | None = None  # why the last connection failed
        self._troubles = self._fresh_ends = 0
        self._since = 0.0  # when the first of these failures was
        self._worked = False
        self._open_after = 0.0
        self.check_at = 0.0  # when the deadlines are to be looked at, at the latest
        self._tick_at = time.monotonic() + TICK_SECONDS
        self.look = True

    @property
    def context(self) -> ssl.SSLContext:
        """One for all connections. Raises `ConfigError`."""
        if self._context is None:
            self._context = opening.context(self.settings)
        return self._context

    # --- what the provider asks -------------------------------------------------------------------------------

    def connect(self) -> None:
        """See to one connection that is ready. Raises `ProviderError`."""
        self._reset(None)
        self._refresh()
        while not any(session.ready for session in self.sessions):
            if self._trouble is not None and not self.sessions:
                raise self._trouble
            if not self.sessions:
                self._open()
            self.look = False
            self._turn()

    def run(self, dispatch: Dispatch) -> None:
        """Everything that the dispatch gives; see `Provider.run`."""
        self._reset(dispatch)
        finished = False
        try:
            self._refresh()
            while True:
                if self.look or (self._not_before and time.monotonic() >= self._not_before):
                    self._fill()
                    idle = not any(session.busy for session in self.sessions)
                    if idle and not self._waiting and (self.stopped or not self._more):
                        break
                self._turn()
            finished = True
        finally:
            for session in list(self.sessions):
                if not finished or session.busy:
                    # Torn out of the loop (a signal): what is on the wire stays in doubt, and nothing more may go.
                    session.abandon()
                    self.sessions.remove(session)
                elif not session.ready:
                    session.quit()
            self._dispatch = None
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """QUIT where nothing is under way."""
        for session in list(self.sessions):
            session.quit()

    def wire(self, owner: object) -> Wire:
        """A socket for one of our sessions; one that writes down what is said where somebody wants to read it."""
        if self._dialogue is None:
            return Wire(self.selector, owner)
        return ListeningWire(self.selector, owner, self._dialogue)

    # --- what the sessions tell -------------------------------------------------------------------------------

    def stop(self, error: BaseException) -> None:
        """End the run with this once all that left is answered; the first one counts."""
        if self._failure is None:
            self._failure = error
        self.stopped = True
        self.look = True
        while self._waiting:
            self.returned(self._waiting.popleft(), str(error))

    def next(self) -> Outgoing | None:
        """A message to begin now, if there is one."""
        if self._waiting:
            return self._waiting.popleft()
        return self._take()

    def leaving(self, item: Outgoing) -> bool:
        """Whether it may leave; if not, the run is stopped, or its dispatch has taken it back."""
        assert self._dispatch is not None
        try:
            self._dispatch.leaving(item)
        except WithdrawnError:
            return False
        except Exception as error:
            self.stop(error)
            return False
        return True

    def answered(self, item: Outgoing, result: SendResult) -> None:
        """It has its answer."""
        assert self._dispatch is not None
        self._worked = True
        self._troubles = self._fresh_ends = 0
        try:
            self._dispatch.answered(item, result)
        except Exception as error:
            self.stop(error)

    def returned(self, item: Outgoing, why: str) -> None:
        """It has not left."""
        assert self._dispatch is not None
        try:
            self._dispatch.returned(item, why)
        except Exception as error:
            self.stop(error)

    def again(self, item: Outgoing) -> None:
        """It has not even begun: another connection takes it."""
        if self.stopped:
            self.returned(item, "The run ended before it left.")
        else:
            self._waiting.appendleft(item)
        self.look = True

    def gone(self, session: Session, error: ProviderError | None, fault: Fault) -> None:
        """A connection has ended."""
        self.sessions.remove(session)
        self.look = True
        if fault is Fault.WORN:
            return
        now = time.monotonic()
        if not self._troubles:
            self._since = now
        self._troubles += 1
        if fault is Fault.FRESH:
            self._fresh_ends += 1
        if fault is Fault.OPENING or self._fresh_ends >= MOST_FRESH_ENDS:
            self._trouble = error
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._troubles - 1, 20))
        self._open_after = now + pause * self._jitter.uniform(0.5, 1.0)

    # --- the loop ---------------------------------------------------------------------------------------------

    def _take(self) -> Outgoing | None:
        if not self._more or self.stopped or (self._not_before and time.monotonic() < self._not_before):
            return None
        assert self._dispatch is not None
        try:
            item = self._dispatch.take()
        except Exception as error:
            self.stop(error)
            return None
        if item is None:
            self._more = False
        elif isinstance(item, float):
            self._not_before = time.monotonic() + item
        else:
            return item
        return None

    def _fill(self) -> None:
        """Give every connection that is free a message, and open more while there are messages for them."""
        self.look = False
        if time.monotonic() >= self._not_before:
            self._not_before = 0.0
        free = self.settings.connections - sum(session.busy for session in self.sessions)
        while len(self._waiting) < free and (item := self._take()) is not None:
            self._waiting.append(item)
        for session in list(self.sessions):
            if not self._waiting:
                return
            if session.idle:
                session.start(self._waiting.popleft())
        if not self._waiting or self.stopped:
            return
        if not self.sessions and self._trouble is not None and self._hopeless():
            self.stop(self._trouble)
            return
        now = time.monotonic()
        opening_now = sum(not session.ready for session in self.sessions)
        while opening_now < len(self._waiting) and len(self.sessions) < self.settings.connections:
            if now < self._open_after:
                return
            opening_now += 1
            if not self._open():
                return

    def _hopeless(self) -> bool:
        assert self._trouble is not None
        if self._trouble.permanent or not self._worked or self._fresh_ends >= MOST_FRESH_ENDS:
            return True
        return time.monotonic() - self._since > self.settings.patience

    def _open(self) -> bool:
        """Begin one more connection. The look-up of the name is the one thing here that waits."""
        settings = self.settings
        try:
            if settings.tls != "none":
                _ = self.context
            addresses = self._look_up()
        except UnicodeError as error:
            words = opening.reason(error)
            self._trouble = opening.trouble(settings, "has a name that can't be looked up", words, permanent=True)
        except OSError as error:
            self._trouble = opening.trouble(settings, "can't be reached", opening.reason(error))
        except Exception as error:
            self.stop(error)
            if self._dispatch is None:
                raise
            return False
        else:
            session = Session(self, addresses)
            self.sessions.append(session)
            session.begin()
            return True
        now = time.monotonic()
        self._since = self._since if self._troubles else now
        self._troubles += 1
        self._open_after = now + FIRST_PAUSE * 2.0 ** min(self._troubles, 9)
        self.look = True
        return False

    def _look_up(self) -> list[tuple[int, Address]]:
        """The host's addresses. Remembered for a while: no connection should wait for the resolver of another."""
        now = time.monotonic()
        if not self._addresses or now >= self._addresses_until:
            found = socket.getaddrinfo(self.settings.host, self.settings.port, type=socket.SOCK_STREAM)
            self._addresses = [(family, address) for family, _, _, _, address in found]
            self._addresses_until = now + ADDRESS_SECONDS
        return self._addresses

    def _refresh(self) -> None:
        """Notice which connections ended since the last run, and let go those that were silent for long."""
        self._poll(0.0)
        now = time.monotonic()
        for session in list(self.sessions):
            if session.idle and now - session.idle_since > IDLE_SECONDS:
                session.quit()
        self._troubles, self._trouble, self._open_after = 0, None, 0.0

    def _turn(self) -> None:
        """Wait for whatever comes first, and see to it."""
        now = time.monotonic()
        until = min(self._tick_at, self.check_at)
        if self._more and self._not_before > now:
            until = min(until, self._not_before)
        if self._waiting and self._open_after > now:
            until = min(until, self._open_after)
            self.look = True
        self._poll(0.0 if self.look and self._open_after <= now else max(0.0, until - now))
        now = time.monotonic()
        if now >= self._tick_at:
            self._tick_at = now + TICK_SECONDS
            if self._dispatch is not None:
                try:
                    self._dispatch.tick()
                except Exception as error:
                    self.stop(error)
        if now >= self.check_at:
            self.check_at = now + LOOK_AGAIN
            for session in list(self.sessions):
                if session.deadline <= now:
                    session.timed_out()
                elif session.deadline < self.check_at:
                    self.check_at = session.deadline

    def _poll(self, seconds: float) -> None:
        events = self.selector.select(seconds)
        for key, _ in events:
            key.data.event()
        # Where several answers come at once the machine is the limit: what their connections send next is made once
        # all of them were served, while the server works.
        while 1 < len(events) > len(self._waiting) and (item := self._take()) is not None:
            self._waiting.append(item)
