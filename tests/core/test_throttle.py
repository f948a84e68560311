"""The throttle finds the rate that a server takes, from below, and asks for little that is refused."""

from __future__ import annotations

import pytest

from newsletter.core.throttle import SLOWEST, Throttle


class Server:
    """A bucket of `capacity` that empties at `limit` a second; one sender with 2 ms a message on four connections."""

    def __init__(self, limit: float, capacity: float) -> None:
        self.limit, self.capacity, self.level, self.at = limit, capacity, 0.0, 0.0

    def takes(self, now: float) -> bool:
        self.level = max(0.0, self.level - (now - self.at) * self.limit)
        self.at = now
        if self.level >= self.capacity:
            return False
        self.level += 1
        return True


def send(throttle: Throttle, server: Server, seconds: float) -> list[tuple[float, bool]]:
    now, accepted, tries = 0.0, 0, []
    while now < seconds:
        wait = throttle.wait(now, accepted)
        if wait:
            now += wait
            continue
        taken = server.takes(now)
        tries.append((now, taken))
        accepted += taken
        if not taken:
            throttle.refused(now, accepted)
        now += 0.0005
    return tries


@pytest.mark.parametrize("limit", [5, 50, 500])
def test_after_the_first_minute_nearly_all_that_is_allowed_is_sent_and_little_is_refused(limit: int) -> None:
    tries = [taken for now, taken in send(Throttle(), Server(limit, limit), 300) if now > 60]
    assert sum(tries) >= 0.9 * limit * 240
    assert tries.count(False) <= 0.05 * len(tries)


def test_who_is_never_asked_never_waits() -> None:
    throttle = Throttle()
    assert all(throttle.wait(number / 1000, number) == 0.0 for number in range(5000))
    assert throttle.rate is None and not throttle.hopeless


def test_refusals_that_arrive_together_count_once() -> None:
    throttle = Throttle()
    for number in range(1000):
        throttle.wait(number / 100, number)
    throttle.refused(10.0, 1000)
    rate = throttle.rate
    for _ in range(20):
        throttle.refused(10.1, 1000)
    assert rate == throttle.rate == pytest.approx(95, rel=0.1)


def test_a_note_each_second_is_enough_to_measure_the_rate() -> None:
    throttle = Throttle()
    for second in range(6):
        throttle.note(float(second), 100 * second)
    throttle.refused(5.5, 550)
    assert throttle.rate == pytest.approx(95, rel=0.05)


def test_a_server_that_takes_nothing_at_all_is_given_up() -> None:
    throttle = Throttle()
    tries = send(throttle, Server(1e-9, 0), 600)
    assert throttle.hopeless and throttle.rate == SLOWEST and len(tries) < 200


def test_an_acceptance_gives_hope_again_and_ten_quiet_minutes_forget_the_limit() -> None:
    throttle = Throttle()
    send(throttle, Server(1e-9, 0), 600)
    assert throttle.wait(700.0, 1) == 0.0 and not throttle.hopeless
    assert throttle.wait(2000.0, 1) == 0.0 and throttle.rate is None
