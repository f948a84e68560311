"""The short twin of the crash exam, and eight senders at once: real processes, a real SMTP server, a real database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(180)]

CRASH = "tests/acceptance/crash.py"


def script(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, CRASH, *arguments]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, timeout=170)


def test_three_kills_in_mid_send_lose_nobody_and_double_nobody(repository: Path) -> None:
    done = script(repository, "--people", "200", "--kills", "3", "--seed", "7")
    assert done.returncode == 0 and "PASSED" in done.stdout, done.stdout + done.stderr


def test_eight_senders_at_once_are_one_send(repository: Path) -> None:
    done = script(repository, "--people", "200", "--at-once", "8")
    assert done.returncode == 0 and "PASSED" in done.stdout, done.stdout + done.stderr
