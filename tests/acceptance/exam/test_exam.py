"""The short twin of the crash exam: real senders and a real server, killed in mid-send, in both modes of doubt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(180)]


@pytest.mark.parametrize("mode", ["ask", "resend"])
def test_kills_of_senders_and_server_lose_nobody_and_double_nobody_without_a_cause(repository: Path, mode: str) -> None:
    options = ["--people=250", "--kills=5", "--server-every=3", f"--mode={mode}", "--seed=11"]
    command = [sys.executable, "-m", "tests.acceptance.exam", *options]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, timeout=170)
    assert done.returncode == 0 and "PASSED" in done.stdout, done.stdout + done.stderr
