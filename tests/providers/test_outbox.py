"""The outbox: whole files or none, no file replaced, and a full disk said so."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.errors import ConfigError, ProviderError
from newsletter.providers import build
from newsletter.providers.base import Outcome, SendResult
from tests.providers import dispatching
from tests.providers.rigs import wire


def send(folder: Path, to: str = "ada@box.test") -> SendResult:
    return dispatching.send(build("outbox", {}, folder=folder, environ={}), to, wire())


def test_a_file_is_the_message_byte_for_byte_and_nothing_else_is_left(tmp_path: Path) -> None:
    send(tmp_path)
    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == wire() and file.name.startswith("ada@box.test-") and file.suffix == ".eml"


def test_a_double_gets_a_name_of_its_own(tmp_path: Path) -> None:
    names = [send(tmp_path).reply for _ in range(3)]
    assert [name.removesuffix(".eml")[-2:] for name in names[1:]] == ["-2", "-3"] and len(set(names)) == 3


@pytest.mark.parametrize(
    "to",
    [
        "../../etc/x@box.test",
        "a/b@box.test",
        ".hidden@box.test",
        "ü" * 60 + "@box.test",
        "\x00@box.test",
        "😀@box.test",
    ],
)
def test_no_address_leaves_the_folder_or_hides(to: str, tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    assert send(folder, to).outcome is Outcome.ACCEPTED
    (file,) = folder.iterdir()
    assert file.parent == folder and not file.name.startswith(".") and file.suffix == ".eml"


def test_a_message_without_an_id_is_kept_apart_from_others(tmp_path: Path) -> None:
    provider = build("outbox", {}, folder=tmp_path, environ={})
    for subject in (b"one", b"two"):
        dispatching.send(provider, "a@b.test", b"Subject: " + subject + b"\r\n\r\nx\r\n")
    assert len({file.name.rpartition("-")[2] for file in tmp_path.iterdir()}) == 2


def test_a_file_system_without_links_serves_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    assert send(tmp_path).reply != send(tmp_path).reply
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [wire(), wire()]


@pytest.mark.parametrize(("number", "outcome"), [(errno.ENOSPC, None), (errno.EIO, Outcome.DEFERRED)])
def test_a_full_disk_stops_the_send_and_leaves_no_half_file(
    number: int, outcome: Outcome | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fails)
    if outcome is None:
        with pytest.raises(ProviderError, match="No space left") as caught:
            send(tmp_path)
        assert caught.value.permanent
    else:
        assert send(tmp_path).outcome is outcome
    assert list(tmp_path.iterdir()) == []


def test_an_account_may_have_a_folder_of_its_own(tmp_path: Path) -> None:
    provider = build("outbox", {"folder": str(tmp_path / "own")}, folder=tmp_path / "not", environ={})
    dispatching.send(provider, "a@b.test", wire())
    assert [file.name for file in tmp_path.iterdir()] == ["own"]
    with pytest.raises(ConfigError, match="absolute"):
        build("outbox", {"folder": "own"}, folder=tmp_path, environ={})
