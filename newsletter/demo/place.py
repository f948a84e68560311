"""What a demo's home remembers from its first run, so that a second one finds everything where it was."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from zlib import crc32

from newsletter.core.errors import ConfigError

FILE = "demo.json"
# Below the range from which systems hand out ports for outgoing connections, so that a port stays free between runs.
_FIRST, _MANY = 20000, 9000


@dataclass(frozen=True, slots=True)
class Place:
    """`began` (aware) is what all of the magazine's dates are counted back from. The ports are stable too: they are
    part of each review's address, and of the sending account.
    """

    began: datetime
    magazine_port: int
    mail_port: int


def remembered(home: Path) -> Place | None:
    """The place of an earlier run. Raises `ConfigError` when its file is damaged."""
    file = home / FILE
    if not file.is_file():
        return None
    try:
        data = json.loads(file.read_text("utf-8"))
        return Place(datetime.fromisoformat(data["began"]), int(data["magazine_port"]), int(data["mail_port"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError("This file is damaged.", where=str(file), hint="Delete the demo's folder.") from error


def remember(home: Path, place: Place) -> None:
    """Write it down, before anything that depends on it exists."""
    data = {**asdict(place), "began": place.began.isoformat()}
    partial = home / f".{FILE}.partial"
    partial.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    partial.replace(home / FILE)


def free_ports(home: Path, many: int, host: str = "127.0.0.1") -> list[int]:
    """`many` ports free now, tried from one that follows from the folder's name: two demos begin in different places.

    Raises `ConfigError` when the machine has none left.
    """
    start = crc32(str(home).encode())
    found: list[int] = []
    for step in range(_MANY):
        port = _FIRST + (start + step) % _MANY
        if is_free(port, host):
            found.append(port)
        if len(found) == many:
            return found
    raise ConfigError(f"No port from {_FIRST} to {_FIRST + _MANY} is free on {host}.")


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could bind the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
