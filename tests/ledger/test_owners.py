"""Who is alive: the names of workers, told apart from processes that are gone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from newsletter.ledger import deliveries

pytestmark = pytest.mark.django_db


def test_this_process_lives_and_a_killed_one_is_dead() -> None:
    assert not deliveries.is_dead(deliveries.this_worker())
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    host = deliveries.this_worker().rsplit(":", 2)[0]
    from newsletter.ledger.deliveries.owner import _start

    owner = f"{host}:{child.pid}:{_start(child.pid)}"
    assert not deliveries.is_dead(owner)
    child.kill()
    # Not waited for yet: a zombie sends nothing any more.
    for _ in range(500):
        if deliveries.is_dead(owner):
            break
        threading.Event().wait(0.01)
    assert deliveries.is_dead(owner)
    child.wait()
    assert deliveries.is_dead(owner)


@pytest.mark.parametrize(
    "owner",
    ["", "elsewhere:1:1", "nonsense", pytest.param(f"otherhost:{os.getpid()}:1", id="our own number elsewhere")],
)
def test_of_other_hosts_only_the_lease_can_tell(owner: str) -> None:
    assert not deliveries.is_dead(owner)


def test_a_number_that_another_process_has_now_is_dead() -> None:
    host, pid, start = deliveries.this_worker().partition("#")[0].rsplit(":", 2)
    assert deliveries.is_dead(f"{host}:{pid}:{int(start) - 1}#1")


def test_each_run_of_a_process_has_a_name_of_its_own_and_lives_with_it() -> None:
    first, second = deliveries.this_worker(), deliveries.this_worker()
    assert first != second and not deliveries.is_dead(first) and not deliveries.is_dead(second)


def test_a_process_that_proc_hides_lives_while_its_number_does(monkeypatch: pytest.MonkeyPatch) -> None:
    from newsletter.ledger.deliveries import owner as module

    host, pid, start = deliveries.this_worker().partition("#")[0].rsplit(":", 2)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    read, kill = module._read, os.kill

    def refused(number: int, sign: int) -> None:
        kill(number, sign)
        raise PermissionError

    monkeypatch.setattr(module, "_read", lambda path: "" if path.endswith("stat") else read(path))
    monkeypatch.setattr(os, "kill", refused)
    assert not deliveries.is_dead(f"{host}:{child.pid}:123456") and not deliveries.is_dead(f"{host}:{pid}:{start}")
    monkeypatch.setattr(os, "kill", kill)
    child.kill()
    child.wait()
    assert deliveries.is_dead(f"{host}:{child.pid}:123456")
