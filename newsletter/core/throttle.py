"""Slow down when the other side asks for it, and find the fastest rate that it takes (additive feel, one sender).

A server that limits us says so with temporary refusals. The first one sets the rate a little below what it has lately
accepted; from there it grows by one per cent a second, and faster the longer nothing is refused. So a limit of 50 a
second is approached from below and overstepped by a handful of messages in a minute, not by every second one.
"""

from __future__ import annotations

from collections import deque

BELOW = 0.95
GROWTH = 0.01
QUICKENS = 8.0
"""Seconds without a refusal after which the rate grows twice as fast, and so on."""
SLOWEST = 0.2
"""Messages a second; a server that refuses this as well does not want us now."""
WINDOW = 2.0
# Refusals of one overstepping arrive together, from every connection: they count once.
EPISODE = 1.0
FORGET = 600.0
"""Seconds without a refusal after which there is no limit any more."""


class Throttle:
    """Times in seconds of any one clock; `accepted` are running totals of the caller's."""

    def __init__(self) -> None:
        self.rate: float | None = None
        self._samples: deque[tuple[float, int]] = deque()
        self._next = self._grown = self._refused = 0.0
        self._in_vain = 0

    @property
    def hopeless(self) -> bool:
        """Whether even the slowest rate was refused, many times in a row."""
        return self._in_vain >= 10

    def refused(self, now: float, accepted: int) -> None:
        """The server asked us to slow down."""
        self.note(now, accepted)
        if self.rate is not None and now - self._refused < EPISODE:
            return
        first_at, first = self._samples[0]
        # Over a window that has just begun a rate says nothing: a burst of fifty in a tenth of a second is no 500.
        measured = (accepted - first) / max(now - first_at, EPISODE)
        known = measured if self.rate is None else min(measured, self.rate) if measured else self.rate / 2
        if self.rate is not None and self.rate <= 2 * SLOWEST:
            self._in_vain += 1
        self.rate = max(known * BELOW, SLOWEST)
        self._refused = self._grown = now
        self._next = max(self._next, now + EPISODE)

    def wait(self, now: float, accepted: int) -> float:
        """Seconds until the next message may leave; 0.0 counts as its leaving."""
        if not self._samples or now - self._samples[-1][0] > WINDOW / 8:
            self.note(now, accepted)
        if self.rate is None:
            return 0.0
        if now - self._refused > FORGET:
            self.rate, self._in_vain = None, 0
            return 0.0
        if now < self._next:
            return self._next - now
        self.rate *= 1 + GROWTH * (1 + (now - self._refused) / QUICKENS) * (now - self._grown)
        self._grown = now
        # A sender that fell behind does not catch up in a burst.
        self._next = max(self._next, now - 2 / self.rate) + 1 / self.rate
        return 0.0

    def note(self, now: float, accepted: int) -> None:
        """From these the rate is measured. `wait` does so by itself; who does not ask it while `rate` is None comes
        here once a second, beginning with the first message.
        """
        if self._samples and accepted > self._samples[-1][1]:
            self._in_vain = 0
        self._samples.append((now, accepted))
        while len(self._samples) > 2 and self._samples[1][0] <= now - WINDOW:
            self._samples.popleft()
