"""One installation is one folder: how it is found, and where templates come from."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from newsletter.core.errors import ConfigError

CONFIG_FILE = "newsletter.toml"
SECRET_FILE = "secret.key"
DATABASE_FILE = "newsletter.sqlite3"


@dataclass(frozen=True, slots=True)
class Home:
    """A folder with a newsletter.toml, and what led us to it ("--home", "the current directory" ...)."""

    path: Path
    found_by: str

    @property
    def config_file(self) -> Path:
        return self.path / CONFIG_FILE

    @property
    def secret_file(self) -> Path:
        return self.path / SECRET_FILE


def find_home(argument: str | None, environ: Mapping[str, str], cwd: Path) -> Home | None:
    """Take the first of: `--home`, NEWSLETTER_HOME, the current directory, the user data directory.

    A folder that was asked for by name must be a home: raises `ConfigError` when it holds no newsletter.toml. The
    last two are taken only when they hold one; None when nothing does.
    """
    for found_by, asked in (("--home", argument), ("NEWSLETTER_HOME", environ.get("NEWSLETTER_HOME"))):
        if asked:
            home = Home(_absolute(asked, cwd), found_by)
            if not home.config_file.is_file():
                raise ConfigError(
                    f"{found_by} names a folder without {CONFIG_FILE}.",
                    where=str(home.path),
                    hint=f"Type: newsletter init {home.path}",
                )
            return home
    for found_by, folder in (
        ("the current directory", cwd),
        ("the user data directory", user_data_folder(environ)),
    ):
        home = Home(folder, found_by)
        if home.config_file.is_file():
            return home
    return None


def user_data_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Where this platform keeps a person's own data, for `newsletter`."""
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "newsletter"
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "newsletter"
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "newsletter"


def template_folders(home: Path | None) -> list[Path]:
    """Existing template folders, the first that has a file wins: the magazine's own, the package's, the checkout's."""
    package = Path(__file__).resolve().parent.parent
    candidates = [package / "templates", package.parent / "templates"]
    if home is not None:
        candidates.insert(0, home / "templates")
    return [folder for folder in candidates if folder.is_dir()]


def _absolute(folder: str, cwd: Path) -> Path:
    return (cwd / Path(folder).expanduser()).resolve()
