"""Providers that give a message back, answer late, or hold what they took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from newsletter.providers.base import Dispatch, Outgoing, SendResult, WithdrawnError
from newsletter.providers.memory import MemoryProvider
from tests.sending import Clock

Answer = Callable[[str], SendResult | None]


class Returning(MemoryProvider):
    """Connections of this one end before the last octet for `who`, so many times."""

    def __init__(self, clock: Clock, who: str, times: int, then: Callable[[], None] = lambda: None) -> None:
        super().__init__(sleep=clock.sleep)
        self.who, self.times, self.then = who, times, then
        self.seen: Counter[str] = Counter()

    def run(self, dispatch: Dispatch) -> None:
        while (item := dispatch.take()) is not None:
            assert isinstance(item, Outgoing)
            self.seen[item.recipient] += 1
            dispatch.leaving(item)
            if item.recipient == self.who and self.seen[item.recipient] <= self.times:
                dispatch.returned(item, "the connection ended")
                self.then()
            else:
                dispatch.answered(item, self._attempt(item))


class Late(MemoryProvider):
    """Takes all that there is and reads the answers then, as many connections do: it has heard "nothing more" before
    the last of them. `back` is given back the first time.
    """

    def __init__(self, clock: Clock, answer: Answer | None = None, back: str = "") -> None:
        super().__init__(answer=answer, sleep=clock.sleep)
        self.back = back

    def run(self, dispatch: Dispatch) -> None:
        taken = []
        while (item := dispatch.take()) is not None:
            assert isinstance(item, Outgoing)
            dispatch.leaving(item)
            taken.append(item)
        for item in taken:
            if item.recipient == self.back:
                self.back = ""
                dispatch.returned(item, "the connection ended")
            else:
                dispatch.answered(item, self._attempt(item))


class Holding(MemoryProvider):
    """Has taken all that there is, and `then` something happens before the first of it leaves: a slow server."""

    def __init__(self, clock: Clock, then: Callable[[], None]) -> None:
        super().__init__(sleep=clock.sleep)
        self.then = then

    def run(self, dispatch: Dispatch) -> None:
        taken = []
        while (item := dispatch.take()) is not None:
            assert isinstance(item, Outgoing)
            taken.append(item)
        self.then()
        dispatch.tick()
        for item in taken:
            try:
                dispatch.leaving(item)
            except WithdrawnError:
                continue
            dispatch.answered(item, self._attempt(item))
