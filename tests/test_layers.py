"""The architecture as a test: imports only point down, and no file outgrows a sitting."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_imports_only_point_down_the_page(repository: Path) -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_no_source_file_outgrows_a_sitting(repository: Path) -> None:
    long = {
        str(path.relative_to(repository)): lines
        for folder in ("newsletter", "subscribers")
        for path in (repository / folder).rglob("*.py")
        if "migrations" not in path.parts and (lines := len(path.read_text().splitlines())) > 600
    }
    assert long == {}
