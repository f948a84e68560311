"""A demo's home remembers its ports and its beginning."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.core.errors import ConfigError
from newsletter.demo import place
from newsletter.demo.place import Place, free_ports, is_free, remember, remembered

PLACE = Place(datetime(2026, 11, 4, 12, 0, tzinfo=UTC), 20001, 20002)


def test_what_was_remembered_comes_back(tmp_path: Path) -> None:
    assert remembered(tmp_path) is None
    remember(tmp_path, PLACE)
    assert remembered(tmp_path) == PLACE


@pytest.mark.parametrize("text", ["", "{}", '{"began": "x", "magazine_port": 1, "mail_port": 2}', "[]"])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / place.FILE).write_text(text)
    with pytest.raises(ConfigError, match=r"demo\.json"):
        remembered(tmp_path)


def test_ports_follow_from_the_folder_and_skip_what_is_taken(tmp_path: Path) -> None:
    [first] = free_ports(tmp_path, 1)
    with socket.create_server(("127.0.0.1", first)):
        assert not is_free(first)
        assert first not in free_ports(tmp_path, 2)
    assert free_ports(tmp_path, 1) == [first]


def test_a_machine_without_free_ports_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "_MANY", 0)
    with pytest.raises(ConfigError, match="No port"):
        free_ports(tmp_path, 1)
