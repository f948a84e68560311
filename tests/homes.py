"""Real homes for tests: a folder made by `newsletter init`, used by real processes."""

from __future__ import annotations

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection

REPOSITORY = Path(__file__).resolve().parent.parent
PLAIN = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")

# What the readers' side of a test needs, run in a process of its own so that it meets the home's database.
SET_THE_TABLE = """
import sys
from datetime import datetime, timedelta
from newsletter.flow.gather import gather
from newsletter.flow.issue import ensure_draft
from newsletter.models import Newsletter
from subscribers.models import MailingList
from tests.factories import make_subscription
now = datetime.fromisoformat(sys.argv[1])
print(gather(now=now - timedelta(hours=2)).new)
# The clock ran then too: a first draft takes a slot that is still ahead.
ensure_draft(Newsletter.objects.get(), now=now - timedelta(hours=2))
for number in range(int(sys.argv[2])):
    make_subscription(f"reader{number}@example.org", MailingList.objects.get(), name=f"Reader {number}")
"""


@dataclass
class Home:
    """One installation. `environ` is all that its processes see; `run` is the command line."""

    path: Path
    environ: dict[str, str] = field(default_factory=dict)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """A `newsletter` process with its three streams as text."""
        command = [sys.executable, "-m", "newsletter", "--home", str(self.path), *arguments]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        return subprocess.Popen(command, env=self.environ, text=True, cwd=REPOSITORY, **streams)

    def run(self, *arguments: str, code: int | None = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one command to its end; its exit code must be `code` (None: any)."""
        process = self.start(*arguments, stdin=subprocess.PIPE)
        out, err = process.communicate(stdin, timeout=120)
        assert code is None or process.returncode == code, f"exit {process.returncode}\n{out}\n{err}"
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def python(self, code: str, *arguments: str) -> str:
        """Run `code` with Django set up for this home; returns what it printed."""
        head = "import django; django.setup()\n"
        environ = {
            **self.environ, "NEWSLETTER_HOME": str(self.path), "DJANGO_SETTINGS_MODULE": "newsletter.project.settings",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", head + code, *arguments], env=environ, text=True, capture_output=True, cwd=REPOSITORY
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, expression: str) -> Any:
        """The value of a Django expression over `m` (newsletter.models) and `s` (subscribers.models), as JSON."""
        head = "import json, newsletter.models as m, subscribers.models as s\n"
        return json.loads(self.python(f"{head}print(json.dumps({expression}, default=str))"))

    def messages(self) -> list[Path]:
        """The .eml files of the outbox, in all its folders."""
        return sorted((self.path / "outbox").rglob("*.eml"))


def environ_for(folder: Path) -> dict[str, str]:
    """A bare environment, and PostgreSQL's test database when this run is on PostgreSQL."""
    environ = {name: os.environ[name] for name in PLAIN if name in os.environ}
    environ |= {"PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": "ignore", "XDG_DATA_HOME": str(folder / "no-data")}
    if connection.vendor == "postgresql":
        settings = connection.settings_dict
        user = settings["USER"] + (f":{settings['PASSWORD']}" if settings["PASSWORD"] else "")
        host = settings["HOST"] or settings["OPTIONS"].get("host", "")
        place = (
            f"/{settings['NAME']}?host={host}"
            if host.startswith("/")
            else f"{host}:{settings['PORT']}/{settings['NAME']}"
        )
        environ["DATABASE_URL"] = f"postgresql://{user}@{place}"
    return environ


@functools.cache
def _fresh_home() -> str:
    """What `newsletter init` makes, once a process: a home is one folder, so a copy of it is a home."""
    folder = tempfile.mkdtemp(prefix="newsletter-home-")
    atexit.register(shutil.rmtree, folder)
    environ = {name: os.environ[name] for name in PLAIN if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "newsletter", "init", folder],
        env={**environ, "PYTHONPATH": str(REPOSITORY)}, text=True, capture_output=True, cwd=REPOSITORY,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def copy_home(folder: Path, environ: dict[str, str]) -> Home:
    """An initialised SQLite home in `folder`."""
    shutil.copytree(_fresh_home(), folder)
    return Home(folder, environ)


def make_home(folder: Path) -> Home:
    """An initialised home with a public address; nothing is applied yet. On PostgreSQL it uses the tests' database."""
    home = copy_home(folder / "home", environ_for(folder))
    home.environ["NEWSLETTER_BASE_URL"] = "https://news.example.test"
    return home


def publish(desk: Path, title: str, day: str) -> None:
    """Put a review into the folder that the magazine gathers from."""
    desk.mkdir(exist_ok=True)
    slug = title.lower().replace(" ", "-")
    (desk / f"{slug}.md").write_text(
        f'---\ntitle: "{title}"\nauthor: Ines Vale\ndate: {day}\nrubric: movie\n'
        f"url: https://lantern.example.org/{slug}\n---\n"
        f"{title} is a small film about a large river. It drifts for an hour, and then it holds you.\n\n"
        f"The second half turns the river of {title} into a stage, and nobody leaves before the boats do.\n",
        encoding="utf-8",
    )


def magazine_toml(desk: Path, *, slot: datetime, **newsletter: Any) -> str:
    """A magazine that gathers from `desk` and goes out weekly at `slot` (UTC, whole minutes), by itself."""
    fields = {"approval": "automatic", "cutoff_hours": 0, "min_reviews": 1, **newsletter}
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in fields.items())
    return f"""\
[magazine]
name = "Lantern"
postal_address = "12 Wick Street, Harbour Town"
[[lists]]
slug = "weekly"
name = "Lantern Weekly"
[[accounts]]
name = "main"
kind = "outbox"
[[sources]]
slug = "desk"
name = "Desk"
kind = "folder"
location = {json.dumps(str(desk))}
[[newsletters]]
slug = "weekly"
name = "Lantern Weekly"
list = "weekly"
account = "main"
sources = ["desk"]
from_name = "Lantern"
from_address = "weekly@lantern.example.org"
weekday = "{slot:%A}"
send_time = "{slot:%H:%M}"
starts_at = 2026-01-01T00:00:00Z
{lines}
"""


def due_home(folder: Path, *, reviews: int = 4, readers: int = 20) -> Home:
    """A home whose issue was due ten minutes ago and has not been touched: the next `week` sends it."""
    now = datetime.now(UTC)
    home = make_home(folder)
    desk = folder / "desk"
    for number in range(reviews):
        publish(desk, f"Paper Boat {number}", f"{now - timedelta(days=2):%Y-%m-%d}")
    home.run("apply", "-", stdin=magazine_toml(desk, slot=now - timedelta(minutes=10)))
    assert home.python(SET_THE_TABLE, now.isoformat(), str(readers)).strip() == str(reviews)
    return home
