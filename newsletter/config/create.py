"""Make a home: the folder, its two TOML files, its key. The database comes after, from migrate."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from newsletter.config.home import CONFIG_FILE, DATABASE_FILE, SECRET_FILE, Home
from newsletter.config.load import commented_toml
from newsletter.core.errors import ConfigError

MAGAZINE_FILE = "magazine.toml"
DEMO_MARK = ".demo"
_OURS = (CONFIG_FILE, SECRET_FILE, DATABASE_FILE, MAGAZINE_FILE)


def create_home(folder: Path, *, overrides: Mapping[str, str | int | bool] | None = None) -> Home:
    """Make a new home in `folder`; `overrides` are keys of newsletter.toml (dotted) that differ from their defaults.

    Raises `ConfigError` before anything is written when one of our files is there already, or nothing can be written.
    """
    folder = folder.expanduser().resolve()
    present = [name for name in _OURS if (folder / name).exists()]
    if present:
        raise ConfigError(
            f"There is a home here already ({', '.join(present)}); nothing was changed.",
            where=str(folder),
            hint=f"Type: newsletter --home {folder} doctor",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("templates", "media", "outbox"):
            (folder / name).mkdir(exist_ok=True)
        _write_secret(folder / SECRET_FILE)
        (folder / MAGAZINE_FILE).write_text(sample_magazine(), encoding="utf-8")
        # Last: a folder counts as a home from here on.
        (folder / CONFIG_FILE).write_text(commented_toml(overrides), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"The home can't be made: {error.strerror}.", where=str(error.filename or folder)) from error
    return Home(folder, "init")


def demo_home(folder: Path, *, overrides: Mapping[str, str | int | bool]) -> Home:
    """The demo's home in `folder`, made when it is missing. Raises `ConfigError` for the home of a real magazine."""
    folder = folder.expanduser().resolve()
    if (folder / CONFIG_FILE).is_file():
        if not (folder / DEMO_MARK).is_file():
            raise ConfigError(
                "This is the home of a real magazine; the demo keeps out of it.",
                where=str(folder),
                hint="Give the demo a folder of its own: --dir DIR",
            )
        return Home(folder, "--dir")
    home = create_home(folder, overrides=overrides)
    (folder / DEMO_MARK).write_text("Made by newsletter demo; may be deleted at any time.\n", encoding="utf-8")
    return home


def sample_magazine() -> str:
    """The magazine.toml that init leaves to start from."""
    return files("newsletter.config").joinpath("magazine.sample.toml").read_text(encoding="utf-8")


def _write_secret(file: Path) -> None:
    # O_EXCL and the mode at creation: there is no moment at which others could read it.
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_urlsafe(48) + "\n")
