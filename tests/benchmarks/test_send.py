"""The benchmark of the send still measures what it says: its parts, small, on SQLite."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.benchmarks.send import rig, sinks
from tests.benchmarks.send.rig import Rig

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")]
PEOPLE = 40


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    return Rig(tmp_path_factory.mktemp("rig"), PEOPLE)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sinks.build_cheap_sink(tmp_path_factory.mktemp("sink"))


def test_every_message_of_a_run_reaches_the_sink_and_is_the_full_render_for_its_reader(
    made: Rig, program: Path, tmp_path: Path
) -> None:
    assert not rig.ON_POSTGRES
    with made.copy() as place:
        with sinks.cheap_sink(program, copies=tmp_path) as sink:
            found = place.run("product", str(sink.port), "4", "--count-database")
        checked = place.run("job", "check", str(tmp_path))
        assert (found["messages"], sink.messages) == (PEOPLE, PEOPLE)
        assert found["seconds"] > found["database_wall"] > 0 and found["calls"] > 0
        assert (checked["messages"], checked["readers"], checked["different"]) == (PEOPLE, PEOPLE, [])
        assert 45_000 < checked["bytes"] < 52_000

        # The judge is no rubber stamp.
        first = min(tmp_path.glob("*.eml"))
        first.write_bytes(first.read_bytes().replace(b"Dear", b"Dead", 1))
        assert len(place.run("job", "check", str(tmp_path))["different"]) == 1


def test_the_rivals_send_the_same_letter(made: Rig, program: Path, tmp_path: Path) -> None:
    made.made.run("job", "export", str(tmp_path))
    copies = tmp_path / "copies"
    copies.mkdir()
    for way in ("smtplib", "django"):
        with sinks.cheap_sink(program, copies=copies) as sink:
            assert made.made.run("rivals", way, str(tmp_path), str(sink.port), "3")["messages"] == 3
        assert sink.messages == 3
        assert all(45_000 < file.stat().st_size < 60_000 for file in copies.iterdir())
