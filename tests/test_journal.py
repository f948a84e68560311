"""The in-flight journal: what it says of a claim after its process is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter import journal as module
from newsletter.journal import ACCEPTED, ANSWERED, MOST, ON_THE_WIRE, SLOTS, UNTOUCHED, Entry, Journal, forget, read

ME = "host-1:2:3#1"


def marks(folder: Path, number: int = 7, fence: int = 2) -> dict[int, int] | None:
    found = read(folder, ME, "B", number, fence)
    return None if found is None else {delivery: entry.state for delivery, entry in found.items()}


def test_each_delivery_is_what_was_said_of_it_last(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ME)
    at = journal.enter("B", 7, 2, [10, 11, 12, 13, 14])
    for position in range(at + 1, at + 5):
        journal.leaving(position)
    journal.accepted(at + 2)
    journal.answered(at + 3, 13, {"state": "failed", "reason": "no"})
    journal.returned(at + 4)
    found = read(tmp_path, ME, "B", 7, 2)
    assert found == {
        10: Entry(UNTOUCHED),
        11: Entry(ON_THE_WIRE),
        12: Entry(ACCEPTED),
        13: Entry(ANSWERED, {"state": "failed", "reason": "no"}),
        14: Entry(UNTOUCHED),
    }
    journal.close()


def test_another_claim_is_not_this_one_and_a_claim_never_entered_is_untouched(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ME)
    journal.leaving(journal.enter("B", 7, 2, [10]))
    assert marks(tmp_path, 7, 3) == {} and marks(tmp_path, 8, 2) == {} and read(tmp_path, ME, "R", 7, 2) == {}
    assert read(tmp_path, "host-1:2:3#2", "B", 7, 2) is None, "another run has another journal"
    journal.close()


def test_retries_of_several_claims_are_found_together(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ME)
    first, second = journal.enter("R", 0, 0, [50, 90]), journal.enter("R", 0, 0, [70])
    journal.leaving(first + 1)
    journal.accepted(second)
    found = read(tmp_path, ME, "R", 0, 0)
    assert found == {50: Entry(UNTOUCHED), 90: Entry(ON_THE_WIRE), 70: Entry(ACCEPTED)}
    journal.leave(first)
    assert read(tmp_path, ME, "R", 0, 0) == {70: Entry(ACCEPTED)}
    journal.close()


def test_a_slot_is_clean_when_it_is_used_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ME)
    for number in range(3 * SLOTS):
        at = journal.enter("B", number, 1, [1, 2])
        assert marks(tmp_path, number, 1) == {1: UNTOUCHED, 2: UNTOUCHED}
        journal.accepted(at)
        journal.leave(at)
    journal.close()


def test_there_is_room_for_so_many_claims_of_so_many_deliveries(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ME)
    for number in range(SLOTS):
        at = journal.enter("B", number, 1, range(number * MOST, (number + 1) * MOST))
        journal.accepted(at + MOST - 1)
    with pytest.raises(IndexError):
        journal.enter("B", 99, 1, [1])
    for number in range(SLOTS):
        found = marks(tmp_path, number, 1)
        assert found is not None and len(found) == MOST
        assert found[(number + 1) * MOST - 1] == ACCEPTED and sum(found.values()) == ACCEPTED
    with pytest.raises(ValueError, match="1000 at most"):
        Journal(None, ME).enter("B", 1, 1, range(MOST + 1))
    journal.close()


def test_its_files_go_with_the_last_claim_and_stay_while_something_is_claimed(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ME)
    at = journal.enter("B", 7, 2, [10])
    journal.close()
    journal.close()
    assert len(list(tmp_path.iterdir())) == 2 and marks(tmp_path) == {10: UNTOUCHED}
    forget(tmp_path, ME)
    forget(None, ME)
    assert not list(tmp_path.iterdir()) and marks(tmp_path) is None
    journal = Journal(tmp_path, ME)
    at = journal.enter("B", 7, 2, [10])
    journal.leave(at)
    journal.close()
    assert not list(tmp_path.iterdir())


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", ME)
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "journal", *journal.paths)} == {0}
    journal.close()


@pytest.mark.parametrize(("strict", "trusted"), [(False, False), (True, True)])
def test_after_the_machine_was_down_only_a_strict_one_is_trusted(
    strict: bool, trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, ME, strict=strict)
    journal.leaving(journal.enter("B", 7, 2, [10]))
    assert marks(tmp_path) == {10: ON_THE_WIRE}
    monkeypatch.setattr(module, "_boot", lambda: b"another boot....")
    assert (marks(tmp_path) == {10: ON_THE_WIRE}) is trusted and (marks(tmp_path) is None) is not trusted
    journal.close()


def test_where_boots_have_no_mark_none_is_trusted_but_a_strict_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_boot", lambda: None)
    journal = Journal(tmp_path, ME)
    journal.enter("B", 7, 2, [10])
    assert marks(tmp_path) is None
    journal.close()


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: b"x" + data[1:], lambda data: b""])
def test_a_file_that_is_not_whole_is_no_journal(spoil, tmp_path: Path) -> None:
    journal = Journal(tmp_path, ME)
    journal.enter("B", 7, 2, [10])
    path = journal.paths[0]
    path.write_bytes(spoil(path.read_bytes()))
    assert marks(tmp_path) is None
    journal.close()


def test_a_torn_line_of_answers_is_not_there_and_no_other_is_lost(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ME)
    at = journal.enter("B", 7, 2, [10, 11])
    journal.answered(at, 10, {"reason": "first"})
    journal.answered(at, 10, {"reason": "second, ünal \ud83d"})
    with journal.paths[1].open("ab") as file:
        file.write(b'not json\n{"no": "delivery"}\n[1]\n{"delivery": 11, "rea')
    journal.answered(at + 1, 11, {"reason": "glued to the torn one"})
    found = read(tmp_path, ME, "B", 7, 2)
    assert found is not None and found[10] == Entry(ANSWERED, {"reason": "second, ünal \ud83d"})
    assert found[11] == Entry(ANSWERED, None), "answered, and nobody knows how"
    journal.paths[1].unlink()
    assert read(tmp_path, ME, "B", 7, 2) == {10: Entry(ANSWERED, None), 11: Entry(ANSWERED, None)}
    journal.close()


def test_without_a_folder_it_is_in_memory_and_nobody_can_ask(tmp_path: Path) -> None:
    journal = Journal(None, ME)
    at = journal.enter("B", 7, 2, [10])
    journal.leaving(at)
    journal.answered(at, 10, {"reason": "no"})
    journal.leave(at)
    journal.close()
    assert read(None, ME, "B", 7, 2) is None


@pytest.mark.parametrize("strict", [False, True])
def test_a_kill_leaves_every_mark_that_was_made(strict: bool, tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from newsletter.journal import Journal\n"
        f"j = Journal(Path(sys.argv[1]), {ME!r}, strict={strict})\n"
        "at = j.enter('B', 7, 2, range(100))\n"
        "for n in range(60): j.leaving(at + n)\n"
        "for n in range(50): j.accepted(at + n)\n"
        "j.answered(at + 50, 50, {'reason': 'no'})\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, env={**os.environ})
    assert done.returncode == -signal.SIGKILL
    found = read(tmp_path, ME, "B", 7, 2)
    assert found is not None
    states = [found[number].state for number in range(100)]
    assert states == [ACCEPTED] * 50 + [ANSWERED] + [ON_THE_WIRE] * 9 + [UNTOUCHED] * 40
    assert found[50].words == {"reason": "no"}
