"""Hand-made faults, one at a time, in a copy of the tree: each must be caught by the tests that are named beside it.

`python tests/faults.py [NAME ...]` (through `make prove ARGS=faults`). First the named tests run without a fault and
must pass; then each fault is put in, its tests run, and must fail. A fault whose text is no longer in the code ends the
run: it would prove nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("newsletter", "subscribers", "templates", "tests", "pyproject.toml")


@dataclass(frozen=True)
class Fault:
    """`old` becomes `new` in `file`; `tests` must notice."""

    name: str
    file: str
    old: str
    new: str
    tests: str


FAULTS = (
    # core/week
    Fault(
        "week: a wall time that comes twice means its second",
        "newsletter/core/week/slots.py",
        "send_time.replace(fold=0, tzinfo=None)",
        "send_time.replace(fold=1, tzinfo=None)",
        "tests/core/week/test_slots.py",
    ),
    Fault(
        "week: a review that was sent is eligible again",
        "newsletter/core/week/eligibility.py",
        'if review.placement.state == "sent":',
        'if review.placement.state == "never":',
        "tests/core/week/test_eligibility.py",
    ),
    Fault(
        "week: one rubric may take every card",
        "newsletter/core/week/ranking.py",
        "if keep_balance and rubrics[one.rubric] >= half:",
        "if keep_balance and rubrics[one.rubric] >= room:",
        "tests/core/week/test_ranking.py",
    ),
    Fault(
        "week: an approved issue is never too late",
        "newsletter/core/week/deciding.py",
        "if now <= issue.slot_at + issue.grace:\n        return Decision(Action.SEND",
        "if now >= issue.slot_at:\n        return Decision(Action.SEND",
        "tests/core/week/test_deciding.py",
    ),
    # core/trace
    Fault(
        "trace: a list's answer forgets its length",
        "newsletter/core/trace/deferred.py",
        "if kind == ITEMS and isinstance(value, list | tuple):\n        return (type(value).__name__, len(value))",
        "if kind == ITEMS and isinstance(value, list | tuple):\n        return (type(value).__name__,)",
        "tests/core/test_trace.py",
    ),
    Fault(
        "trace: an expression that is never printed is never evaluated",
        "newsletter/core/trace/deferred.py",
        "        return outer[::-1]",
        "        return []",
        "tests/core/test_trace_stock.py",
    ),
    Fault(
        "trace: a name may split the tree",
        "newsletter/core/trace/nodes.py",
        "        return (operation.name or operands[1].constant) in UNIQUE_FIELDS",
        "        return False",
        "tests/core/test_trace.py tests/core/test_letter.py",
    ),
    Fault(
        "trace: `in` is left to C code",
        "newsletter/core/trace/environment.py",
        '_Membership().visit(self._sites.mark(source, name or ""))',
        'self._sites.mark(source, name or "")',
        "tests/core/test_trace.py",
    ),
    Fault(
        "blocks: a block forgets the values that it reads",
        "newsletter/core/trace/blocks.py",
        "key = (self._kind, site, *parts)",
        "key = (self._kind, site, len(parts))",
        "tests/core/test_blocks.py",
    ),
    Fault(
        "blocks: a new outcome goes out without a comparison",
        "newsletter/core/letter/assembly.py",
        "fresh = [each for each in every if not each.checked]",
        "fresh = [each for each in every[:1] if not each.checked]",
        "tests/core/test_blocks.py",
    ),
    Fault(
        "sections: heads have no order",
        "newsletter/core/letter/sections.py",
        "key = tuple(number for number in dict.fromkeys(heads) if number is not None)",
        "key = tuple(sorted({number for number in heads if number is not None}))",
        "tests/core/test_sections.py",
    ),
    Fault(
        "mime: a run of blanks stays as it is",
        "newsletter/core/mime.py",
        'rb"(?<= ) | (?=\\n|\\Z)"',
        'rb" (?=\\n|\\Z)"',
        "tests/core/test_mime.py",
    ),
    # ledger
    Fault(
        "ledger: an older fence still owns the batch",
        "newsletter/ledger/deliveries/settling.py",
        "pk=claim.batch, owner=claim.owner, fence=claim.fence, state=BatchState.CLAIMED",
        "pk=claim.batch, owner=claim.owner, state=BatchState.CLAIMED",
        "tests/ledger/test_deliveries.py",
    ),
    Fault(
        "ledger: what was on the wire at a crash is sent again",
        "newsletter/ledger/deliveries/recovering.py",
        "elif entry.state in (ON_THE_WIRE, ANSWERED):",
        "elif entry.state == ANSWERED:",
        "tests/ledger/test_the_dead.py",
    ),
    Fault(
        "ledger: a claim whose journal is lost is sent again",
        "newsletter/ledger/deliveries/recovering.py",
        "        if marks is None:\n",
        "        if marks == {}:\n",
        "tests/ledger/test_the_dead.py",
    ),
    Fault(
        "ledger: the yeses of a batch take in those that wait for their retry",
        "newsletter/ledger/deliveries/settling.py",
        "set(settlement.untouched) | set(claim.waiting)",
        "set(settlement.untouched)",
        "tests/ledger/test_deliveries.py",
    ),
    Fault(
        "ledger: who unsubscribed during the send is mailed",
        "newsletter/ledger/deliveries/claims.py",
        "if state != _ACTIVE:",
        "if state == SubscriptionState.PENDING:",
        "tests/ledger/test_deliveries.py",
    ),
    Fault(
        "journal: one of another boot is trusted",
        "newsletter/journal.py",
        "if magic != _MAGIC or not (strict or boot == _boot()):",
        "if magic != _MAGIC:",
        "tests/test_journal.py",
    ),
    Fault(
        "deliver: a refusal that is about us is the reader's",
        "newsletter/flow/deliver/judging.py",
        "            if kind is Kind.POLICY:\n                return Decision",
        "            if kind is Kind.OTHER:\n                return Decision",
        "tests/flow/deliver/test_faults.py",
    ),
    Fault(
        "deliver: an expired claim goes on sending",
        "newsletter/flow/deliver/desk.py",
        "if self._clock() >= self._batches.held_until:",
        "if self._clock() < self._next_look - LOOK * 9999:",
        "tests/flow/deliver/test_the_dead.py",
    ),
    Fault(
        "ledger: a send begins without marking its reviews as sent",
        "newsletter/ledger/issues.py",
        "freeze__voided_at=None)\n    placements.mark_sent(issue_id, now)",
        "freeze__voided_at=None)",
        "tests/ledger/test_issues.py",
    ),
    Fault(
        "ledger: a transition ignores the state it leaves",
        "newsletter/ledger/issues.py",
        "Issue.objects.filter(pk=issue_id, state__in=come_from, **conditions)",
        "Issue.objects.filter(pk=issue_id, **conditions)",
        "tests/ledger/test_issues.py",
    ),
)


def tests_pass(folder: Path, tests: str) -> bool:
    """Run the tests of the copy in `folder`, quickly and in order, up to the first failure."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        *tests.split(),
    ]
    environment = {**os.environ, "PYTHONPATH": str(folder), "HYPOTHESIS_PROFILE": "quick"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"pytest could not run {tests} (exit {done.returncode}):\n{done.stdout}{done.stderr}")
    return done.returncode == 0


def main(names: list[str]) -> int:
    chosen = [fault for fault in FAULTS if not names or fault.name in names]
    missed = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / name)
        for tests in sorted({fault.tests for fault in chosen}):
            if not tests_pass(folder, tests):
                raise SystemExit(f"{tests} fail without any fault: nothing can be proved")
        for fault in chosen:
            began = time.monotonic()
            target = folder / fault.file
            text = target.read_text()
            if text.count(fault.old) != 1:
                raise SystemExit(f"{fault.name}: its text stands {text.count(fault.old)} times in {fault.file}")
            target.write_text(text.replace(fault.old, fault.new))
            caught = not tests_pass(folder, fault.tests)
            target.write_text(text)
            missed += not caught
            verdict = "caught" if caught else "MISSED"
            print(f"{verdict}  {fault.name}  ({fault.tests}, {time.monotonic() - began:.0f} s)", flush=True)
    print(f"{len(chosen) - missed} of {len(chosen)} faults caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
