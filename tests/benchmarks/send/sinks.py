"""The receiving side: Postfix's smtp-sink, and a cheap sink of our own that costs the sender's machine less."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEBIAN = "/usr/sbin"  # not always on the path of people who are not root


@dataclass
class Sink:
    """A listening sink. `messages` is what it says it took, once it has ended; None where it can't say."""

    port: int
    messages: int | None = None


def postfix(tool: str) -> str | None:
    """Where Postfix' smtp-sink or smtp-source is."""
    return shutil.which(tool) or shutil.which(tool, path=DEBIAN)


def build_cheap_sink(folder: Path) -> Path:
    """Compile `fastsink.c`. Raises `CalledProcessError` with the compiler's words on the terminal."""
    made = folder / "fastsink"
    subprocess.run(["cc", "-O2", "-o", str(made), str(HERE / "fastsink.c")], check=True)
    return made


@contextmanager
def smtp_sink() -> Iterator[Sink]:
    """Postfix' own. It refuses to run as root and drops to nobody then."""
    program = postfix("smtp-sink")
    assert program is not None
    port = _free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with _running([program, *user, f"127.0.0.1:{port}", "1024"], port):
        yield Sink(port)


@contextmanager
def cheap_sink(program: Path, *, delay_ms: int = 0, copies: Path | None = None, every: int = 1) -> Iterator[Sink]:
    """Ours. `copies` is a folder for each `every`-th message as it came over the wire."""
    sink = Sink(_free_port())
    options = ["-w", str(delay_ms)] if delay_ms else []
    if copies is not None:
        options += ["-D", str(copies), "-E", str(every)]
    with _running([str(program), *options, str(sink.port)], sink.port) as process:
        yield sink
        process.terminate()
        assert process.stdout is not None
        sink.messages = int(process.stdout.read().split()[0])


@contextmanager
def _running(command: list[str], port: int) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        _wait_for(port, process)
        yield process
    finally:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _wait_for(port: int, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > until or process.poll() is not None:
                raise SystemExit(f"The sink on port {port} does not listen: {process.args!r}") from None
            time.sleep(0.02)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
