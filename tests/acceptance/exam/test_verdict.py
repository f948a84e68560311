"""The judge of the crash exam notices each fault, and finds none where there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.acceptance.exam.verdict import ASK, RESEND, Event, Exam, Ledger, judge, read_log

EXAM = Exam(ASK, frozenset("abc"), frozenset({"hard"}), connections=1, workers=2, kills=(2.5,), server_kills=())
LEDGER = Ledger(frozenset("abc"), frozenset({"hard"}), frozenset(), complete=True)


def taken(recipient: str, at: float, *, copy: str = "", mid: str = "") -> Event:
    return Event("taken", at, copy or f"copy of {recipient}", recipient, mid or f"<{recipient}>")


def heard(copy: str) -> Event:
    return Event("heard", 9.0, copy)


SENT = [taken("a", 1), taken("b", 2), taken("c", 3)]


def faults(exam: Exam, events: list[Event], ledger: Ledger) -> set[str]:
    verdict = judge(exam, events, ledger)
    assert verdict.valid
    return {name for name, who in verdict.faults.items() if who}


def test_a_send_without_a_fault_passes() -> None:
    assert judge(EXAM, SENT, LEDGER).passed


def test_who_is_in_doubt_by_name_is_not_lost() -> None:
    named = replace(LEDGER, accepted=frozenset("ac"), uncertain=frozenset("b"))
    assert judge(EXAM, [SENT[0], SENT[2]], named).passed
    assert judge(EXAM, SENT, named).passed


@pytest.mark.parametrize(
    ("events", "ledger", "found"),
    [
        (SENT[::2], replace(LEDGER, accepted=frozenset("ac")), "lost: not taken, not named uncertain"),
        (SENT[::2], LEDGER, "called accepted, but never taken"),
        ([*SENT, taken("b", 4, copy="2nd")], LEDGER, "doubled"),
        (SENT, replace(LEDGER, failed=frozenset({"b", "hard"})), "called failed, but taken"),
        (SENT, replace(LEDGER, failed=frozenset()), "refused for good, but not called failed"),
        ([*SENT, taken("x", 4)], LEDGER, "not asked for"),
        (SENT, replace(LEDGER, complete=False), "not complete"),
        (SENT, replace(LEDGER, uncertain=frozenset("ab")), "more in doubt than was on the wire"),
    ],
)
def test_each_fault_is_noticed(events: list[Event], ledger: Ledger, found: str) -> None:
    assert found in faults(EXAM, events, ledger)


def test_a_cut_line_and_a_killed_server_may_leave_somebody_in_doubt_too() -> None:
    two = replace(LEDGER, uncertain=frozenset("ab"))
    assert faults(EXAM, [*SENT, Event("cut", 2.2)], two) == set()
    assert faults(replace(EXAM, server_kills=(2.6,)), SENT, two) == set()


def test_a_copy_sent_again_has_a_cause_only_when_the_answer_to_the_first_was_never_heard() -> None:
    exam, again = replace(EXAM, mode=RESEND), taken("b", 2.9, copy="2nd")
    assert faults(exam, [*SENT, again, heard("2nd")], LEDGER) == set()
    assert faults(exam, [*SENT, again, heard("copy of b")], LEDGER) == {"doubled without a cause"}


def test_a_copy_sent_again_must_have_the_same_message_id() -> None:
    exam = replace(EXAM, mode=RESEND)
    events = [*SENT, taken("b", 2.9, copy="2nd", mid="<other>")]
    assert faults(exam, events, LEDGER) == {"doubled under another Message-ID"}


def test_nobody_stays_in_doubt_where_the_account_says_resend() -> None:
    ledger = replace(LEDGER, uncertain=frozenset("b"))
    assert faults(replace(EXAM, mode=RESEND), SENT, ledger) == {"still in doubt although to be resent"}


def test_more_doubles_than_were_on_the_wire_are_too_many() -> None:
    events = [*SENT, taken("a", 2.8, copy="2nd"), taken("b", 2.9, copy="3rd")]
    assert faults(replace(EXAM, mode=RESEND), events, LEDGER) == {"more in doubt than was on the wire"}


@pytest.mark.parametrize("kills", [(0.5,), (3.5,), (2.5, 3.5)])
def test_kills_outside_the_send_prove_nothing(kills: tuple[float, ...]) -> None:
    verdict = judge(replace(EXAM, kills=kills), SENT, LEDGER)
    assert not verdict.valid and not verdict.passed


def test_a_line_that_a_kill_left_half_written_is_not_there_yet() -> None:
    whole = b'{"event": "taken", "t": 1.0, "copy": "1", "rcpt": "a", "mid": "<a>"}\n'
    assert read_log([whole, whole[:20]]) == [Event("taken", 1.0, "1", "a", "<a>")]
