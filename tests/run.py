"""The three runs behind `make quick`, `make test` and `make prove`.

quick   ruff, mypy, layers; tests on SQLite, without browser, packaging and slow ones
test    the same checks; every database test on PostgreSQL, every test on SQLite; coverage bars
prove   the long ones, by hand: each writes docs/proofs/NAME.md with command, commit, machine and raw output

The closing line sums up every pytest session. With CI=true a missing part fails the run; elsewhere the line before the
closing one names what was left out.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
# One more than there are cores: many tests wait for a browser, a server or a clock.
WORKERS = ["-n", str(min(5, (os.cpu_count() or 2) + 1)), "--dist", "worksteal"]
WHOLE_BAR, CORE_BAR = 90, 95

BENCH = ["-m", "tests.benchmarks.send"]
EXAM = ["-m", "tests.acceptance.exam"]
PROOFS: dict[str, list[str]] = {
    "crash-sqlite": ["python", "tests/acceptance/crash.py"],
    "crash-postgresql": ["python", "tests/with_postgres.py", "python", "tests/acceptance/crash.py"],
    "exam-sqlite": ["python", *EXAM, "--seeds=5"],
    "exam-postgresql": ["python", "tests/with_postgres.py", "python", *EXAM, "--seeds=2"],
    "faults": ["python", "tests/faults.py"],
    "fill": ["python", "-m", "tests.benchmarks.fill"],
    "desk": ["python", "-m", "tests.benchmarks.desk"],
    "dkim": ["python", "-m", "tests.benchmarks.dkim"],
    "bench": ["python", *BENCH],
    "bench-postgresql": ["python", "tests/with_postgres.py", "--durable", "python", *BENCH],
    "bench-million": ["python", *BENCH, "--million"],
    "bench-million-postgresql": ["python", "tests/with_postgres.py", "--durable", "python", *BENCH, "--million"],
    "compiler": ["pytest", "-q", "-n", "2", "-p", "no:randomly", "--timeout=7200", "tests/core/test_trace_property.py"],
    "weeks": ["pytest", "-q", "-p", "no:randomly", "--timeout=7200", "tests/flow/test_interleavings.py"],
    "lists": ["python", "-m", "tests.benchmarks.lists"],
    "lists-studio": ["python", "-m", "tests.benchmarks.studio_lists"],
    "bounces": ["python", "-m", "tests.benchmarks.bounces"],
    "unsubscribe": ["python", "-m", "tests.acceptance.leaving"],
    "steady": ["python", "-m", "tests.acceptance.steady"],
    "crash-tools": ["python", "-m", "tests.acceptance.tools_exam"],
    "steady-postgresql": ["python", "tests/with_postgres.py", "python", "-m", "tests.acceptance.steady"],
    "signup": ["python", "-m", "tests.acceptance.joining"],
    "looks": ["python", "-m", "tests.looks", "looks"],
    "generated": ["python", "-m", "tests.looks", "generated", "1000"],
    "weight": ["python", "-m", "tests.looks", "weight"],
    "spam": ["python", "-m", "tests.looks", "spam"],
}


@dataclass
class Tally:
    """What the sessions came to."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    left_out: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def add(self, report: Path) -> None:
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            number = {key: int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")}
            failed = number["failures"] + number["errors"]
            self.failed += failed
            self.skipped += number["skipped"]
            self.passed += number["tests"] - failed - number["skipped"]


def step(tally: Tally, name: str, command: list[str], *, aside: bool = False, **environment: str) -> bool:
    """Run one command from the environment's own bin folder; remember it by name when it fails. `aside`: while another
    one writes to the terminal, so say all in one piece at the end.
    """
    began = time.monotonic()
    if not aside:
        print(f"--- {name}", flush=True)
    first = BIN / command[0]
    full = [str(first) if first.exists() else command[0], *command[1:]]
    done = subprocess.run(
        full,
        cwd=ROOT,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **environment},
        stdout=subprocess.PIPE if aside else None,
        stderr=subprocess.STDOUT if aside else None,
        text=True,
        check=False,
    )
    ended = "done" if done.returncode == 0 else f"FAILED (exit {done.returncode})"
    said = f"    {name}: {ended} in {time.monotonic() - began:.0f} s"
    print(f"\n--- {name}\n{done.stdout}{said}" if aside else said, flush=True)
    if done.returncode:
        tally.broken.append(name)
    return done.returncode == 0


def session(
    tally: Tally, name: str, options: list[str], *, before: list[str] | None = None, **environment: str
) -> None:
    """One pytest session, counted through its own report so that a session that never ran is a failure."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        step(tally, name, [*(before or []), "pytest", "-q", f"--junitxml={report}", *options], **environment)
        if report.exists():
            tally.add(report)
        elif name not in tally.broken:
            tally.broken.append(f"{name} (no report)")


@contextmanager
def checks_aside(tally: Tally) -> Iterator[None]:
    """Rules and format, which take a second; then types and layers beside what is done meanwhile."""
    step(tally, "rules", ["ruff", "check", "--quiet", "."])
    step(tally, "format", ["ruff", "format", "--quiet", "--check", "."])

    def slower() -> None:
        step(tally, "types", ["mypy"], aside=True)
        step(tally, "layers", ["lint-imports", "--no-cache"], aside=True)

    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(slower)
        yield
        beside.result()


def coverage_bars(tally: Tally) -> None:
    """Whole tree >= 90 % and core + flow >= 95 % of branches, by the session on SQLite alone: it runs every test, and
    measuring the other one too would cost a minute for a few lines that only PostgreSQL reaches.
    """
    if not step(tally, "coverage report", ["coverage", "report", "--sort=cover"]):
        return
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "coverage.json"
        subprocess.run([str(BIN / "coverage"), "json", "--quiet", "-o", str(out)], cwd=ROOT, check=True)
        data = json.loads(out.read_text())
    for label, prefixes, bar in (
        ("newsletter/core and newsletter/flow", ("newsletter/core/", "newsletter/flow/"), CORE_BAR),
        ("whole", ("",), WHOLE_BAR),
    ):
        rows = [row["summary"] for name, row in data["files"].items() if name.startswith(prefixes)]
        branches = sum(row["num_branches"] for row in rows)
        hit = sum(row["covered_branches"] for row in rows)
        share = 100 * hit / branches if branches else 0.0
        print(f"    branches of {label}: {share:.1f} % of {branches} (bar {bar} %)", flush=True)
        if share < bar:
            tally.broken.append(f"coverage of {label}: {share:.1f} % < {bar} %")


def parts(tally: Tally) -> list[str]:
    """Options that leave out the tests whose system parts are not here, and say so."""
    absent = []
    if not shutil.which("chromium"):
        absent.append("browser")
        tally.left_out.append("browser tests (no chromium on the path)")
    if not shutil.which("postfix") or os.geteuid() != 0:
        absent.append("postfix")
        tally.left_out.append("tests through a real Postfix (they need root, and postfix on the path)")
    if not shutil.which("opendkim"):
        tally.left_out.append("OpenDKIM's word on our signatures (no opendkim on the path)")
    return ["-m", " and ".join(f"not {name}" for name in absent)] if absent else []


def run_quick(tally: Tally) -> None:
    tally.left_out.append("PostgreSQL, browser, packaging and slow tests (make test runs them)")
    only = "not browser and not packaging and not slow"
    with checks_aside(tally):
        session(tally, "SQLite", [*WORKERS, "-m", only], HYPOTHESIS_PROFILE="quick")


def run_test(tally: Tally) -> None:
    with checks_aside(tally):
        run_sessions(tally)


def run_sessions(tally: Tally) -> None:
    for old in ROOT.glob(".coverage*"):
        old.unlink()
    session(
        tally,
        "PostgreSQL",
        [*WORKERS, "-m", "database and not browser and not packaging"],
        before=["python", "tests/with_postgres.py"],
    )
    session(tally, "SQLite", [*WORKERS, "--cov", "--cov-report=", *parts(tally)])
    coverage_bars(tally)


def run_prove(tally: Tally, names: list[str]) -> None:
    folder = ROOT / "docs" / "proofs"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or PROOFS:
        command = PROOFS[name]
        began = time.monotonic()
        print(f"--- {name}: {' '.join(command)}", flush=True)
        full = [str(BIN / part) if part in {"python", "pytest"} else part for part in command]
        done = subprocess.run(
            full,
            cwd=ROOT,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "HYPOTHESIS_PROFILE": "prove"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        sys.stdout.write(done.stdout)
        (folder / f"{name}.md").write_text(proof(name, command, done, time.monotonic() - began))
        if done.returncode:
            tally.failed += 1
            tally.broken.append(name)
        else:
            tally.passed += 1


def proof(name: str, command: list[str], done: subprocess.CompletedProcess[str], seconds: float) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    # The proofs and pictures that this run writes itself don't count.
    inputs = ["--", ".", ":!docs/proofs", ":!docs/images"]
    dirty = subprocess.run(
        ["git", "status", "--porcelain", *inputs], cwd=ROOT, capture_output=True, text=True, check=False
    )
    output = done.stdout.replace(str(ROOT), ".")
    return (
        f"# {name}\n\n"
        f"- command: `{' '.join(command)}` (through `make prove ARGS={name}`)\n"
        f"- commit: {commit.stdout.strip()}{' with uncommitted changes' if dirty.stdout.strip() else ''}\n"
        f"- machine: {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}\n"
        f"- when: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {seconds:.0f} s, exit {done.returncode}\n\n"
        f"```text\n{output.strip()}\n```\n"
    )


def main(arguments: list[str]) -> int:
    tally, began = Tally(), time.monotonic()
    match arguments:
        case ["quick"]:
            run_quick(tally)
        case ["test"]:
            run_test(tally)
        case ["prove", *names] if set(names) <= set(PROOFS):
            run_prove(tally, names)
        case _:
            print(f"usage: run.py quick | test | prove [{' | '.join(PROOFS)}]", file=sys.stderr)
            return 2
    if tally.left_out and os.environ.get("CI") == "true" and arguments[0] == "test":
        tally.broken.append(f"left out: {'; '.join(tally.left_out)}")
    print(f"\n{arguments[0]}: {time.monotonic() - began:.0f} s")
    if tally.left_out:
        print(f"left out: {'; '.join(tally.left_out)}")
    for name in tally.broken:
        print(f"FAILED: {name}")
    failed = tally.failed or len(tally.broken)
    print(f"{tally.passed} passed, {failed} failed, {tally.skipped} skipped")
    return 1 if failed or tally.broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
