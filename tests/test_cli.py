"""The command as people type it: real processes, real exit codes, two streams."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter import __version__
from newsletter.cli import VERBS, run
from tests.homes import REPOSITORY, Home, copy_home, magazine_toml, publish

VERB_NAMES = [verb for verbs in VERBS.values() for verb in verbs]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Nothing set, and nowhere a home by chance."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**keep, "PYTHONPATH": str(REPOSITORY), "XDG_DATA_HOME": str(tmp_path / "data")}


@pytest.fixture
def home(tmp_path: Path, environ: dict[str, str]) -> Home:
    """A fresh SQLite home."""
    return copy_home(tmp_path / "home", environ)


def _run(arguments: list[str], environ: dict[str, str], cwd: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-m", "newsletter", *arguments], env=environ, cwd=cwd, text=True, capture_output=True
    )


def test_help_names_our_verbs_in_the_order_of_the_flow_first(environ: dict[str, str], tmp_path: Path) -> None:
    done = _run([], environ, tmp_path)
    assert done.returncode == 0
    assert re.findall(r"^  (\w+) {2,}", done.stdout, re.M) == VERB_NAMES
    assert "Django's own:" in done.stdout.splitlines()
    assert "migrate" in done.stdout


def test_every_verb_in_the_help_exists_and_every_command_of_ours_is_in_the_help(repository: Path) -> None:
    folder = repository / "newsletter" / "management" / "commands"
    commands = {file.stem for file in folder.glob("*.py") if not file.stem.startswith("_")}
    assert commands | {"init", "version"} == set(VERB_NAMES)


def test_help_is_not_kept_waiting_by_a_parser_it_does_not_use(environ: dict[str, str], tmp_path: Path) -> None:
    done = _run(["--help"], environ, tmp_path, "-X", "importtime")
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "newsletter" in imported
    slow = {"trafilatura", "extruct", "feedparser", "apscheduler", "requests", "PIL", "mjml", "jinja2", "lxml"}
    assert imported & slow == set()


def test_the_version_needs_no_home(environ: dict[str, str], tmp_path: Path) -> None:
    assert _run(["version"], environ, tmp_path).stdout == f"{__version__}\n"


@pytest.mark.parametrize("verb", sorted(set(VERB_NAMES) - {"version"}))
def test_every_verb_has_help_without_a_home(
    verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run([verb, "--help"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("usage: ")
    assert err == ""


def test_an_unknown_verb_is_a_usage_error_with_the_nearest_one(environ: dict[str, str], tmp_path: Path) -> None:
    done = _run(["gahter"], environ, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'newsletter: There is no verb "gahter". Did you mean "gather"?\n'


def test_without_a_home_a_verb_says_how_to_make_one(environ: dict[str, str], tmp_path: Path) -> None:
    for verb in ("week", "migrate"):
        done = _run([verb], environ, tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "newsletter: There is no newsletter home here. Type: newsletter init DIR\n"


def test_settings_import_with_no_home_and_no_secret(environ: dict[str, str], tmp_path: Path) -> None:
    code = "import newsletter.project.settings as s; print(repr(s.SECRET_KEY), s.DATABASES['default']['NAME'])"
    done = subprocess.run([sys.executable, "-c", code], env=environ, cwd=tmp_path, text=True, capture_output=True)
    assert (done.returncode, done.stdout) == (0, "'' :memory:\n"), done.stderr


def test_checks_pass_with_no_home_and_in_a_fresh_one(home: Home, environ: dict[str, str], tmp_path: Path) -> None:
    assert _run(["check"], environ, tmp_path).returncode == 0
    home.run("check")


def test_init_makes_a_working_home_and_says_what_comes_next(environ: dict[str, str], tmp_path: Path) -> None:
    done = _run(["init", "mag"], environ, tmp_path)
    assert done.returncode == 0
    assert [line.strip() for line in done.stdout.splitlines()[-3:]] == [
        "newsletter --home mag apply mag/magazine.toml",
        "newsletter --home mag gather",
        "newsletter --home mag doctor",
    ]
    assert "  newsletter --home mag serve\n" in done.stdout
    assert (tmp_path / "mag" / "newsletter.sqlite3").is_file()
    assert _run(["--home", "mag", "migrate", "--check"], environ, tmp_path).returncode == 0


def test_init_in_this_folder_gives_commands_without_a_home(environ: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    done = _run(["init"], environ, folder)
    assert "  newsletter apply magazine.toml\n" in done.stdout
    assert _run(["apply"], environ, folder).returncode == 0


def test_init_refuses_to_overwrite(home: Home, environ: dict[str, str], tmp_path: Path) -> None:
    key = (home.path / "secret.key").read_bytes()
    done = _run(["init", str(home.path)], environ, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing was changed" in done.stderr
    assert (home.path / "secret.key").read_bytes() == key


def test_the_home_may_be_named_before_and_after_the_verb(home: Home, environ: dict[str, str], tmp_path: Path) -> None:
    for arguments in (["--home", str(home.path), "dump"], ["dump", f"--home={home.path}"]):
        assert _run(arguments, environ, tmp_path).returncode == 0
    assert _run(["dump", "--home"], environ, tmp_path).returncode == 2


def test_the_demo_keeps_out_of_the_home_of_a_real_magazine(home: Home) -> None:
    before = sorted(file.name for file in home.path.iterdir())
    done = home.run("demo", "--once", "--dir", str(home.path), code=1)
    assert "home of a real magazine" in done.stderr
    assert sorted(file.name for file in home.path.iterdir()) == before


def test_a_mistake_in_the_configuration_is_one_line(home: Home) -> None:
    with (home.path / "newsletter.toml").open("a") as stream:
        stream.write("[wbe]\n")
    done = home.run("week", code=1)
    assert done.stdout == ""
    assert re.fullmatch(
        r'newsletter: .*newsletter\.toml:\d+: There is no key "wbe"\. Did you mean "web"\?\n', done.stderr
    )
    assert "Traceback" in home.run("week", "--traceback", code=1).stderr


def test_a_database_older_than_the_program_is_refused_with_the_command_to_type(home: Home) -> None:
    home.run("migrate", "subscribers", "zero")
    for verb in ("week", "serve"):  # neither may begin anything
        done = home.run(verb, code=1)
        assert done.stderr == (
            f"newsletter: The database is older than this program ({_missing(done.stderr)} migrations are missing). "
            "Type: newsletter migrate\n"
        )
    assert "newsletter migrate" in home.run("dump", code=1).stderr
    assert "newsletter migrate" in home.run("doctor", code=3).stdout
    home.run("migrate")
    home.run("week")


def _missing(text: str) -> str:
    found = re.search(r"\((\d+) migrations", text)
    return found[1] if found else ""


def test_a_database_that_is_away_is_one_line_and_a_finding(home: Home) -> None:
    home.environ["DATABASE_URL"] = "postgresql://nobody:hush@127.0.0.1:1/none"
    done = home.run("dump", code=1)
    assert done.stderr.startswith("newsletter: The database can't be used: ")
    assert len(done.stderr.splitlines()) == 1
    found = home.run("doctor", code=3)
    assert "It can't be used" in found.stdout
    assert "hush" not in done.stderr + found.stdout + found.stderr


def test_apply_dump_and_doctor_from_the_command_line(home: Home, tmp_path: Path) -> None:
    file = home.path / "magazine.toml"
    would = home.run("apply", str(file), "--dry-run").stdout
    assert "Nothing was changed." in would
    assert home.run("dump").stdout == "\n"
    changed = json.loads(home.run("apply", str(file), "--json").stdout)
    assert {change["table"] for change in changed["changes"]} == {
        "magazine", "lists", "accounts", "sources", "newsletters",
    }  # fmt: skip
    assert home.run("apply", str(file)).stdout == "Nothing to change.\n"
    dumped = home.run("dump").stdout
    assert home.run("apply", "-", stdin=dumped).stdout == "Nothing to change.\n"

    found = home.run("doctor", code=3)
    assert "-> write postal_address in magazine.toml" in found.stdout
    findings = json.loads(home.run("doctor", "--json", code=3).stdout)
    assert findings["missing"] == sum(one["level"] == "missing" for one in findings["findings"])


def test_apply_names_file_line_and_nearest_match(home: Home, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[magazine]\nname = "M"\nabuot = "x"\n')
    done = home.run("apply", str(tmp_path / "mine.toml"), code=1)
    assert done.stderr == f'newsletter: {tmp_path}/mine.toml:3: magazine has no "abuot". Did you mean "about"?\n'
    gone = home.run("apply", str(tmp_path / "gone.toml"), code=2)
    assert "There is no such file." in gone.stderr
    bad = home.run("apply", "-", stdin="[magazine\n", code=1)
    assert bad.stderr.startswith("newsletter: standard input:1: This is not valid TOML")


def test_an_empty_week_says_nothing_and_a_json_week_says_so(home: Home) -> None:
    done = home.run("week")
    assert (done.stdout, done.stderr) == ("", "")
    assert json.loads(home.run("week", "--json").stdout)["problems"] == []


def test_a_failing_source_gives_exit_code_three(home: Home, tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta

    publish(tmp_path / "desk", "Paper Boat", "2026-11-01")
    home.run("apply", "-", stdin=magazine_toml(tmp_path / "desk", slot=datetime.now(UTC) + timedelta(days=2)))
    assert "desk: 1 new, 0 changed" in home.run("week").stdout
    assert home.run("week").stdout == ""
    (tmp_path / "desk" / "paper-boat.md").unlink()
    (tmp_path / "desk").rmdir()
    home.python("import newsletter.models as m; m.Source.objects.update(last_tried_at=None)")
    assert "desk" in home.run("week", code=3).stdout


@pytest.mark.parametrize("port", ["99999", "-1"])
def test_a_number_that_is_no_port_is_a_usage_error(home: Home, port: str) -> None:
    done = home.run("serve", f"--port={port}", code=2)
    assert f"{port} is no port" in done.stderr
    assert "Traceback" not in done.stderr


def test_sources_are_tried_before_they_are_added(home: Home, tmp_path: Path) -> None:
    home.run("apply", str(home.path / "magazine.toml"))
    publish(tmp_path / "desk", "Paper Boat", "2026-11-01")
    dry = home.run("source", "add", str(tmp_path / "desk"), "--dry-run")
    assert "desk (folder): 1 entries" in dry.stdout
    added = home.run("source", "add", str(tmp_path / "desk"))
    assert "Added to weekly as desk." in added.stdout
    assert home.run("source", "add", str(tmp_path / "desk"), code=1).stderr.startswith(
        "CommandError: There is a source"
    )
    checked = json.loads(home.run("source", "check", "desk", "--json").stdout)["sources"]
    assert [(one["slug"], one["entries"], one["error"]) for one in checked] == [("desk", 1, "")]
    assert "[desk, site]" in home.run("dump").stdout.replace('"', "")


def test_a_magazine_file_that_is_not_utf_8_is_named_with_its_line(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "magazine.toml"
    file.write_bytes(b'[magazine]\nname = "Caf\xe9"\n')
    done = home.run("apply", str(file), code=1)
    assert done.stderr.rstrip().endswith("magazine.toml:2: The file is not UTF-8 text. Save it as UTF-8.")
    file.write_bytes(b'\xef\xbb\xbf[magazine]\r\nname = "Lantern"\r\n')
    home.run("apply", str(file))
    assert "can't be read: Is a directory." in home.run("apply", str(tmp_path), code=1).stderr


def test_a_pasted_text_is_a_source_from_a_file_or_standard_input(home: Home, tmp_path: Path) -> None:
    home.run("apply", str(home.path / "magazine.toml"))
    paste = "Paper Boat: Movie Review\nby Mara Quill\nhttps://lantern.example.org/boat\n\nQuiet,\tand then not.\n"
    file = tmp_path / "boat.txt"
    file.write_bytes(b"\xef\xbb\xbf" + paste.replace("\n", "\r\n").encode())
    dry = home.run("source", "add", "--kind", "paste", str(file), "--dry-run").stdout
    assert "paper-boat-movie-review (paste): 1 entries" in dry and "Nothing was added" in dry
    added = home.run("source", "add", "--kind", "paste", str(file)).stdout
    assert "Added to weekly as paper-boat-movie-review." in added
    assert "warning: “Paper Boat: Movie Review”: the paste does not say a date" in added
    taken = home.run("source", "add", "--kind", "paste", str(file), code=1).stderr
    assert "already: Paper Boat: Movie Review. Choose another --slug." in taken
    home.run("source", "add", "--kind", "paste", "-", "--slug", "other", "--name", "Other", stdin=f"Second {paste}")
    gathered = home.run("gather", "paper-boat-movie-review", "other").stdout
    assert "Paper Boat: Movie Review: 1 entries, 1 new" in gathered and "Other: 1 entries" in gathered
    assert "1 entries, 0 new" in home.run("gather", "other").stdout
    dumped = home.run("dump").stdout
    assert "Quiet, and then not." in dumped and 'name = "Other"' in dumped
    assert home.run("apply", "-", stdin=dumped).stdout == "Nothing to change.\n"


def test_a_paste_that_is_no_review_is_not_added(home: Home, tmp_path: Path) -> None:
    home.run("apply", str(home.path / "magazine.toml"))
    file = tmp_path / "boat.txt"
    file.write_bytes(b"Caf\xe9")
    assert (
        "boat.txt: The text is not UTF-8. Save it as UTF-8."
        in home.run("source", "add", "--kind", "paste", str(file), code=1).stderr
    )
    empty = home.run("source", "add", "--kind", "paste", "-", code=1, stdin="").stderr
    assert "standard input: The paste is empty." in empty and "Nothing was added." in empty
    file.write_bytes(b"x" * 2_000_001)
    assert "too long" in home.run("source", "add", "--kind", "paste", str(file), code=1).stderr
    home.run("source", "add", "--kind", "paste", str(tmp_path), code=1)
    home.run("source", "add", "--kind", "paste", str(tmp_path / "nowhere"), code=2)


def test_a_source_that_can_not_be_read_is_not_added(home: Home, tmp_path: Path) -> None:
    home.run("apply", str(home.path / "magazine.toml"))
    refused = home.run("source", "add", "http://127.0.0.1:9/feed", code=1)
    assert "Nothing was added." in refused.stderr
    home.run("source", "add", str(tmp_path / "nowhere"), code=1)
    home.run("source", "add", str(tmp_path), "--kind", "fede", code=2)
    home.run("source", "add", str(tmp_path), "--kind", "feed", code=2)
    home.run("source", "add", str(tmp_path), "--slug", "Not A Slug", code=2)
    assert home.run("source", "check", "sight", code=2).stderr.rstrip().endswith('Did you mean "site"?')


def test_output_to_a_closed_pipe_is_no_error(home: Home) -> None:
    home.run("apply", str(home.path / "magazine.toml"))
    process = home.start("dump")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr as stream:
        assert "Traceback" not in stream.read()
    assert process.wait(timeout=60) == 0
