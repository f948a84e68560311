"""The wheel holds exactly what belongs in it, and works where nothing of the checkout is."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.packaging, pytest.mark.slow]

NEEDED = ("newsletter", "subscribers", "templates")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """What git knows of this checkout, as files, and two that it must never pack."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in _known_files(repository):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((repository / name).read_bytes())
    (folder / "templates" / ".env").write_text("TOKEN=hush\n")
    (folder / "newsletter" / "demo.sqlite3").write_text("rows\n")
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next((checkout / "dist").glob("*.whl"))


def _known_files(repository: Path) -> list[str]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if name and (repository / name).is_file()]


def test_the_wheel_holds_what_git_knows_and_nothing_else(wheel: Path, repository: Path) -> None:
    known = {name for name in _known_files(repository) if name.startswith(tuple(f"{top}/" for top in NEEDED))}
    expected = {f"newsletter/{name}" if name.startswith("templates/") else name for name in known}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == expected
    assert "newsletter/templates/email/marquee/letter.mjml" in packed
    assert "newsletter/config/magazine.sample.toml" in packed


def test_the_wheel_works_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "venv"
    venv.create(place, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(place), "platbase": str(place)}))
    zipfile.ZipFile(wheel).extractall(site)
    (tmp_path / "work").mkdir()
    keep = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environ = {**keep, "HOME": str(tmp_path), "PYTHONPATH": _others(tmp_path)}

    def python(*arguments: str) -> str:
        done = subprocess.run(
            [str(place / "bin" / "python"), *arguments],
            cwd=tmp_path / "work", env=environ, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = python("-c", "import newsletter; print(newsletter.__file__)")
    assert where.startswith(str(site))
    assert "apply magazine.toml" in python("-m", "newsletter", "init")
    python("-m", "newsletter", "apply")
    assert 'name = "My Magazine"' in python("-m", "newsletter", "dump")
    python("-m", "newsletter", "check")
    folders = python(
        "-c",
        "from pathlib import Path; from newsletter.config.home import template_folders;"
        "print(*template_folders(Path.cwd()), sep='\\n')",
    ).split()
    assert folders == [str(tmp_path / "work" / "templates"), str(site / "newsletter" / "templates")]


def _others(tmp_path: Path) -> str:
    """The packages that this run has, without the checkout: an editable install would bring it back."""
    packages = tmp_path / "packages"
    packages.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.suffix != ".pth" and not entry.name.startswith(("newsletter", "subscribers", "_editable", "__")):
            (packages / entry.name).symlink_to(entry)
    return str(packages)
