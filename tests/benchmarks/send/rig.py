"""Installations for the benchmark: one is made with its readers and its approved issue, each run gets a fresh copy.

On SQLite a copy of the home; on PostgreSQL (DATABASE_URL) a database made from the first one as its template.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parents[3]
SERVER = os.environ.get("DATABASE_URL", "")
ON_POSTGRES = SERVER.startswith("postgres")


@dataclass(frozen=True)
class Place:
    """A home and its database, for processes of their own."""

    home: Path
    database: str = ""

    def environ(self) -> dict[str, str]:
        found = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        found |= {
            "NEWSLETTER_HOME": str(self.home),
            "NEWSLETTER_BASE_URL": "https://news.example.test",
            "DJANGO_SETTINGS_MODULE": "newsletter.project.settings",
            "PYTHONPATH": str(ROOT),
        }
        return found | ({"DATABASE_URL": self.database} if self.database else {})

    def run(self, module: str, *arguments: str, before: tuple[str, ...] = ()) -> Any:
        """Run one of our modules in a process of its own; returns the JSON of its last line."""
        command = [*before, sys.executable, "-m", f"tests.benchmarks.send.{module}", *arguments]
        # Its log has a line for each batch: written as always, shown when it failed.
        done = subprocess.run(command, cwd=ROOT, env=self.environ(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed with {done.returncode}:\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])


class Rig:
    """The made installation with `people` readers, of which `copy` gives away fresh ones."""

    def __init__(self, folder: Path, people: int) -> None:
        self.folder, self.people, self._copies = folder, people, 0
        name = f"bench_{os.getpid()}_{people}"
        self.made = Place(folder / f"made-{people}", _create_database(name) if ON_POSTGRES else "")
        environ = self.made.environ()
        del environ["NEWSLETTER_HOME"]  # there is none yet
        command = [sys.executable, "-m", "newsletter", "init", str(self.made.home)]
        subprocess.run(command, cwd=ROOT, env=environ, check=True, stdout=subprocess.DEVNULL)
        self.job = self.made.run("job", "prepare", str(people))
        if ON_POSTGRES:
            _sql(self.made.database, "VACUUM ANALYZE")

    @contextmanager
    def copy(self) -> Iterator[Place]:
        """An installation that nobody has touched."""
        self._copies += 1
        home = self.folder / f"copy-{self.people}-{self._copies}"
        shutil.copytree(self.made.home, home)
        if not ON_POSTGRES:
            yield Place(home)
        else:
            template = urlsplit(self.made.database).path[1:]
            name = f"{template}_{self._copies}"
            place = Place(home, _create_database(name, template))
            try:
                yield place
            finally:
                _sql(SERVER, f"DROP DATABASE {name} WITH (FORCE)")
        shutil.rmtree(home)


def server_cpu() -> float:
    """Seconds of CPU that PostgreSQL's processes have used; 0.0 on SQLite, which works in our own."""
    if not ON_POSTGRES:
        return 0.0
    folder = _sql(SERVER, "SHOW data_directory")
    first = int(Path(folder, "postmaster.pid").read_text().split()[0])
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(stat.parent.name) == first:
            ticks += sum(map(int, fields[11:15]))  # its own, and its ended children's
        elif int(fields[1]) == first:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def server_version() -> str:
    return _sql(SERVER, "SHOW server_version") if ON_POSTGRES else ""


def _create_database(name: str, template: str = "template0") -> str:
    _sql(SERVER, f"CREATE DATABASE {name} TEMPLATE {template}")
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))


def _sql(url: str, statement: str) -> str:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        done = connection.execute(statement)  # type: ignore[call-overload]
        return str(done.fetchone()[0]) if done.description else ""
