"""Put the senders in turn and print ratios; see the package's docstring."""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.send import rig, sinks
from tests.benchmarks.send.rig import Place, Rig
from tests.benchmarks.send.sinks import HERE, Sink

SAMPLE = 100
DELAY_MS, MANY = 10, 32
SLOW = {"smtplib": 300, "django": 300, "nodemailer": 1000}
"""How many messages a rival sends a round at most: enough for a second or two."""


@dataclass(frozen=True)
class Run:
    """One sender, once. `cpu` in seconds; 0.0 where nobody asked."""

    messages: int
    seconds: float
    cpu: float = 0.0

    @property
    def rate(self) -> float:
        return self.messages / self.seconds


@dataclass
class Bench:
    """What all runs share."""

    folder: Path
    rig: Rig
    cheap: Path
    connections: int
    modules: Path | None
    size: int = 48_000
    left_out: list[str] = field(default_factory=list)

    def product(self, place: Place, sink: Sink, *options: str, before: tuple[str, ...] = (), k: int = 0) -> Any:
        return place.run("product", str(sink.port), str(k or self.connections), *options, before=before)

    def by_product(self, sink: Sink, *options: str) -> Run:
        with self.rig.copy() as place:
            server = rig.server_cpu()
            found = self.product(place, sink, *options)
            server = rig.server_cpu() - server
            return Run(found["messages"], found["seconds"], found["cpu"] + server)

    def by_source(self, sink: Sink) -> Run:
        """Postfix' own load generator, which repeats one message of the same size."""
        program, count = sinks.postfix("smtp-source"), self.rig.people
        assert program is not None
        options = ["-d", "-l", str(self.size), "-m", str(count), "-s", str(self.connections)]
        addresses = ["-f", "weekly@news.example.test", "-t", "reader@readers.example.org"]
        began = time.perf_counter()
        subprocess.run([program, *options, *addresses, f"127.0.0.1:{sink.port}"], check=True)
        return Run(count, time.perf_counter() - began)

    def by_rival(self, way: str, sink: Sink) -> Run:
        count = str(min(SLOW[way], self.rig.people))
        if way == "nodemailer":
            script = str(HERE / "nodemailer.mjs")
            command = ["node", script, str(self.modules), str(self.folder), str(sink.port), count]
            command.append(str(self.connections))
        else:
            command = [sys.executable, "-m", "tests.benchmarks.send.rivals", way, str(self.folder)]
            command += [str(sink.port), count]
        done = subprocess.run(command, cwd=rig.ROOT, stdout=subprocess.PIPE, text=True, check=True)
        return Run(**json.loads(done.stdout.splitlines()[-1]))

    def senders(self) -> list[tuple[str, Callable[[Sink], Run]]]:
        rivals = ["smtplib", "django", *(["nodemailer"] if self.modules else [])]
        return [
            ("smtp-source", self.by_source),
            ("the product", self.by_product),
            ("two processes", lambda sink: self.by_product(sink, "--processes", "2")),
            *((way, lambda sink, way=way: self.by_rival(way, sink)) for way in rivals),
            ("smtp-source again", self.by_source),
        ]


# --- the table --------------------------------------------------------------------------------------------------------


def compare(bench: Bench, name: str, open_sink: Callable[[], AbstractContextManager[Sink]], rounds: int) -> None:
    """All senders in turn, so many rounds; a ratio is that of one round, to the mean of both smtp-source runs in it."""
    table: dict[str, list[Run]] = {}
    for _ in range(rounds):
        for sender, send in bench.senders():
            with open_sink() as sink:
                table.setdefault(sender, []).append(send(sink))
            if sink.messages not in (None, table[sender][-1].messages):
                raise SystemExit(f"{sender}: the sink took {sink.messages} of {table[sender][-1].messages}")
    again = table.pop("smtp-source again")
    base = [(one.rate + two.rate) / 2 for one, two in zip(table["smtp-source"], again, strict=True)]
    heads = ("messages", "a second", "x smtp-source", "min - max", "us CPU")
    print(f"\ninto {name}, {bench.connections} connections, medians of {rounds} interleaved rounds")
    print(f"{'':<16}{heads[0]:>10}{heads[1]:>10}{heads[2]:>15}{heads[3]:>14}{heads[4]:>8}")
    for sender, runs in table.items():
        ratios = [run.rate / reference for run, reference in zip(runs, base, strict=True)]
        cpu = f"{median(run.cpu / run.messages for run in runs) * 1e6:.0f}" if runs[0].cpu else ""
        print(
            f"{sender:<16}{runs[0].messages:>10}{median(run.rate for run in runs):>10.0f}"
            f"{median(ratios):>15.2f}{f'{min(ratios):.2f} - {max(ratios):.2f}':>14}{cpu:>8}"
        )
    for rival in SLOW:
        if rival in table:
            times = [ours.rate / its.rate for ours, its in zip(table["the product"], table[rival], strict=True)]
            print(f"  the product / {rival}: {median(times):.1f} ({min(times):.1f} - {max(times):.1f})")


# --- single figures ---------------------------------------------------------------------------------------------------


def sample(bench: Bench) -> bool:
    """A run whose messages are looked at; its mean size is what smtp-source sends."""
    copies = bench.folder / "copies"
    copies.mkdir()
    every = max(1, bench.rig.people // SAMPLE)
    with bench.rig.copy() as place:
        with sinks.cheap_sink(bench.cheap, copies=copies, every=every) as sink:
            bench.product(place, sink)
        found = place.run("job", "check", str(copies))
    bench.size = found["bytes"]
    print(f"a letter: {found['bytes']:,} bytes on the wire, of one issue with 12 reviews")
    print(
        f"sample of a run: {found['messages']} messages to {found['readers']} readers decoded; "
        f"{len(found['different'])} differ from the full render {' '.join(found['different'])}"
    )
    return found["readers"] >= min(SAMPLE, bench.rig.people) and not found["different"]


def delayed(bench: Bench, rounds: int) -> None:
    """Each answer 10 ms late, 32 connections: what one round trip a message allows is 3,200 a second."""
    rates = []
    for _ in range(rounds):
        with bench.rig.copy() as place, sinks.cheap_sink(bench.cheap, delay_ms=DELAY_MS) as sink:
            found = bench.product(place, sink, k=MANY)
        rates.append(found["messages"] / found["seconds"])
    ideal = MANY / (DELAY_MS / 1000)
    print(
        f"\nanswers {DELAY_MS} ms late, {MANY} connections: {median(rates):.0f} a second of {ideal:.0f} = K/RTT "
        f"({median(rates) / ideal:.2f}; {min(rates) / ideal:.2f} - {max(rates) / ideal:.2f})"
    )


def system_calls(bench: Bench, small: Rig) -> None:
    """Those of a larger run less those of a smaller one: Python's start and the compiler cancel out."""
    if shutil.which("strace") is None:
        bench.left_out.append("system calls (no strace)")
        return
    counted = []
    for rig_ in (small, bench.rig):
        output = bench.folder / "strace"
        with rig_.copy() as place, sinks.cheap_sink(bench.cheap) as sink:
            bench.product(place, sink, before=("strace", "-f", "-c", "-U", "name,calls", "-o", str(output)))
        counted.append({name: int(calls) for name, calls in re.findall(r"^(\w+)\s+(\d+)$", output.read_text(), re.M)})
    more = bench.rig.people - small.people
    each = {name: (number - counted[0].get(name, 0)) / more for name, number in counted[1].items() if name != "total"}
    largest = sorted(each.items(), key=lambda item: -item[1])[:5]
    print(f"system calls a message: {sum(each.values()):.2f} (", end="")
    print(", ".join(f"{name} {number:.2f}" for name, number in largest) + ")")


def million(bench: Bench, large: int) -> None:
    """Peak memory and the database's cost, of few and of many rows."""
    print(f"\n{'rows':>10}{'a second':>10}{'peak MB':>9}{'of it before':>14}{'us CPU':>8}")
    peaks = []
    for rig_ in (bench.rig, Rig(bench.folder, large)):
        with rig_.copy() as place, sinks.cheap_sink(bench.cheap) as sink:
            found = bench.product(place, sink)
        peaks.append(found["memory"])
        print(
            f"{found['messages']:>10}{found['messages'] / found['seconds']:>10.0f}{found['memory'] / 2**20:>9.0f}"
            f"{found['before'] / 2**20:>14.0f}{found['cpu'] / found['messages'] * 1e6:>8.0f}"
        )
        with rig_.copy() as place, sinks.cheap_sink(bench.cheap) as sink:
            server = rig.server_cpu()
            found = bench.product(place, sink, "--count-database")
            server = rig.server_cpu() - server
        each = 1e6 / found["messages"]
        print(
            f"{'':>10}database, us a recipient: {found['database_cpu'] * each:.1f} CPU in the sender, "
            f"{server * each:.1f} in the server; {found['database_wall'] * each:.1f} waited; "
            f"{found['calls']} calls of the driver"
        )
    print(f"peak memory, {large} rows / {bench.rig.people}: {peaks[1] / peaks[0]:.2f}")


# --- all of it --------------------------------------------------------------------------------------------------------


def npm_modules(folder: Path, left_out: list[str]) -> Path | None:
    """nodemailer from npm, in a scratch folder of this run."""
    if not (shutil.which("npm") and shutil.which("node")):
        left_out.append("nodemailer (no npm)")
        return None
    where = folder / "npm"
    where.mkdir()
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(where), "nodemailer@7"]
    if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
        left_out.append("nodemailer (npm could not install it)")
        return None
    version = json.loads((where / "node_modules/nodemailer/package.json").read_text())["version"]
    print(f"nodemailer {version}")
    return where


@contextmanager
def made(wanted: argparse.Namespace) -> Iterator[Bench]:
    missing = [tool for tool in ("smtp-source", "smtp-sink") if not sinks.postfix(tool)]
    missing += [] if shutil.which("cc") else ["cc"]
    if missing:
        raise SystemExit(
            f"Missing: {', '.join(missing)}. On Debian: apt-get install --no-install-recommends postfix gcc"
        )
    database = f"PostgreSQL {rig.server_version()}" if rig.ON_POSTGRES else "SQLite, synchronous=FULL"
    print(f"{database}; Python {platform.python_version()}; {wanted.messages} messages a run; DKIM off")
    with tempfile.TemporaryDirectory(prefix="newsletter-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        made_rig = Rig(folder, wanted.messages)
        bench = Bench(folder, made_rig, sinks.build_cheap_sink(folder), wanted.connections, None)
        yield bench


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.benchmarks.send", description="how fast the product sends")
    parser.add_argument("--messages", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--million", action="store_true", help="memory and database cost of many rows instead")
    parser.add_argument("--large", type=int, default=1_000_000)
    wanted = parser.parse_args()
    if wanted.million:
        wanted.messages = min(wanted.messages, 10_000)
    with made(wanted) as bench:
        good = sample(bench)
        if wanted.million:
            million(bench, wanted.large)
        else:
            bench.rig.made.run("job", "export", str(bench.folder))
            bench.modules = npm_modules(bench.folder, bench.left_out)
            compare(bench, "smtp-sink", sinks.smtp_sink, wanted.rounds)
            compare(bench, "the cheap sink", lambda: sinks.cheap_sink(bench.cheap), wanted.rounds)
            delayed(bench, wanted.rounds)
            system_calls(bench, Rig(bench.folder, wanted.messages // 4))
    if bench.left_out:
        print(f"left out: {'; '.join(bench.left_out)}")
    print("the sample is as it should be" if good else "FAILED: the sample differs from the full render")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
