from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.config.create import create_home, demo_home, sample_magazine
from newsletter.config.home import find_home, template_folders, user_data_folder
from newsletter.config.load import load
from newsletter.core.errors import ConfigError


def _home(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "newsletter.toml").write_text("")
    return folder


@pytest.fixture
def four(tmp_path: Path) -> dict[str, Path]:
    """A home in each of the four places."""
    return {
        "argument": _home(tmp_path / "argument"),
        "variable": _home(tmp_path / "variable"),
        "cwd": _home(tmp_path / "cwd"),
        "data": _home(tmp_path / "data" / "newsletter"),
    }


def _environ(four: dict[str, Path], *, variable: bool) -> dict[str, str]:
    environ = {"XDG_DATA_HOME": str(four["data"].parent)}
    return {**environ, "NEWSLETTER_HOME": str(four["variable"])} if variable else environ


def test_the_home_is_looked_for_in_the_order_that_the_docs_give(four: dict[str, Path], tmp_path: Path) -> None:
    found = [
        find_home(str(four["argument"]), _environ(four, variable=True), four["cwd"]),
        find_home(None, _environ(four, variable=True), four["cwd"]),
        find_home(None, _environ(four, variable=False), four["cwd"]),
        find_home(None, _environ(four, variable=False), tmp_path),
    ]
    assert [(home.path, home.found_by) for home in found if home] == [
        (four["argument"], "--home"),
        (four["variable"], "NEWSLETTER_HOME"),
        (four["cwd"], "the current directory"),
        (four["data"], "the user data directory"),
    ]


def test_no_home_anywhere_is_none(tmp_path: Path) -> None:
    assert find_home(None, {"XDG_DATA_HOME": str(tmp_path)}, tmp_path) is None


def test_a_relative_home_is_meant_from_the_current_directory(four: dict[str, Path], tmp_path: Path) -> None:
    home = find_home("argument", {}, tmp_path)
    assert home is not None
    assert home.path == four["argument"]


@pytest.mark.parametrize(("argument", "environ"), [("empty", {}), (None, {"NEWSLETTER_HOME": "empty"})])
def test_a_home_asked_for_by_name_must_be_one(tmp_path: Path, argument: str | None, environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"without newsletter\.toml.*newsletter init") as caught:
        find_home(argument, environ, _home(tmp_path))
    assert str(tmp_path / "empty") in str(caught.value)


def test_each_platform_has_its_user_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_data_folder({}, "linux") == tmp_path / ".local" / "share" / "newsletter"
    assert user_data_folder({}, "darwin") == tmp_path / "Library" / "Application Support" / "newsletter"
    assert user_data_folder({}, "win32") == tmp_path / "AppData" / "Local" / "newsletter"
    assert user_data_folder({"LOCALAPPDATA": str(tmp_path)}, "win32") == tmp_path / "newsletter"


def test_the_magazines_own_templates_come_first(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "templates").mkdir()
    folders = template_folders(tmp_path)
    assert folders[0] == tmp_path / "templates"
    assert folders[1:] == [repository / "templates"]
    assert template_folders(None) == folders[1:]


def test_a_new_home_has_everything_and_keeps_its_key_to_itself(tmp_path: Path) -> None:
    home = create_home(tmp_path / "deep" / "home", overrides={"web.port": 9000})
    assert sorted(entry.name for entry in home.path.iterdir()) == [
        "magazine.toml", "media", "newsletter.toml", "outbox", "secret.key", "templates",
    ]  # fmt: skip
    assert home.secret_file.stat().st_mode & 0o777 == 0o600
    config = load(home, {}).config
    assert len(config.secret_key) >= 40
    assert config.port == 9000
    assert config.media_folder == home.path / "media"
    assert (home.path / "magazine.toml").read_text() == sample_magazine()


@pytest.mark.parametrize("name", ["newsletter.toml", "secret.key", "newsletter.sqlite3", "magazine.toml"])
def test_init_never_overwrites(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match=f"{name}.*nothing was changed"):
        create_home(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="can't be made"):
        create_home(tmp_path / "file" / "home")


def test_two_homes_have_two_keys(tmp_path: Path) -> None:
    first, second = (create_home(tmp_path / name).secret_file.read_text() for name in "ab")
    assert first != second


def test_the_demo_keeps_out_of_a_real_home(tmp_path: Path) -> None:
    create_home(tmp_path)
    with pytest.raises(ConfigError, match="real magazine"):
        demo_home(tmp_path, overrides={})


def test_the_demos_home_is_made_once(tmp_path: Path) -> None:
    overrides = {"base_url": "https://news.example.test"}
    first = demo_home(tmp_path / "demo", overrides=overrides)
    key = first.secret_file.read_text()
    again = demo_home(tmp_path / "demo", overrides=overrides)
    assert again.path == first.path
    assert again.secret_file.read_text() == key
    assert load(again, {}).config.base_url == "https://news.example.test"
