"""A file of subscribers on its way in: kept aside, looked at, tried, brought in.

Each lies in a folder of its own, which is named by chance and belongs to who brought it: two people at once never see
or touch one another's. What was decided about it stands beside it, so that nothing that a browser sends later counts:
what is brought in is what was tried. A day later the folder is gone.

    imports/TOKEN/file  plan.json  differences.csv  running
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from newsletter.core.errors import SubscriberError
from newsletter.core.rubrics import RUBRICS
from newsletter.core.sentence import sentence
from newsletter.flow.membership.acts import tell
from subscribers import csv_io
from subscribers.csv_io import Differences, ImportReport, Look
from subscribers.models import MailingList

FOLDER = "imports"
VALID = timedelta(days=1)
LARGEST = 100 * 2**20  # bytes: half a million people; a browser waits for no more
MOST = 20  # of one person at a time
SILENT = timedelta(minutes=2)
"""A pass that counted no row for so long has died with its process."""
PROBLEMS = 200  # kept for the page; the list of differences has all
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass(slots=True)
class Upload:
    """One file. `state` is new, tried or done; `report` is that of the last pass. All but `folder` is in plan.json."""

    folder: Path
    name: str
    list_slug: str
    owner: int
    mapping: dict[str, str] = field(default_factory=dict)
    leave: list[str] = field(default_factory=list)
    keep_columns: bool = False
    encoding: str = ""
    wording: str = ""
    state: str = "new"
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """What the folder is called, and a part of the address of its pages."""
        return self.folder.name

    @property
    def differences(self) -> Path:
        return self.folder / "differences.csv"

    @property
    def mailing_list(self) -> MailingList:
        """Raises `SubscriberError` when it is gone."""
        found = MailingList.objects.filter(slug=self.list_slug).first()
        if found is None:
            raise SubscriberError(sentence("The list {list_slug} is gone.", list_slug=self.list_slug))
        return found

    def running(self, now: datetime) -> int | None:
        """How many rows the pass that runs has seen; None when none runs."""
        lock = self.folder / "running"
        try:
            if now.timestamp() - lock.stat().st_mtime > SILENT.total_seconds():
                return None
            text = lock.read_text()
        except OSError:
            return None
        return int(text) if text.isdigit() else 0

    def save(self) -> None:
        """Whole or not at all: another request may be reading."""
        plan = {key: value for key, value in asdict(self).items() if key != "folder"}
        with _written(self.folder / "plan.json") as file:
            file.write(json.dumps(plan).encode())


def keep(home: Path, chunks: Iterable[bytes], *, name: str, mailing_list: MailingList, owner: int) -> Upload:
    """Keep a file aside. Raises `SubscriberError` when it is empty or too large; then nothing is kept."""
    place = home / FOLDER
    place.mkdir(exist_ok=True, mode=0o700)
    if sum(1 for one in _all(home) if one.owner == owner) >= MOST:
        raise SubscriberError(
            sentence("{most} files of yours wait already.", most=MOST), hint=sentence("Bring one in, or throw it away.")
        )
    folder = place / secrets.token_urlsafe(24)
    folder.mkdir(mode=0o700)
    size = 0
    try:
        with _written(folder / "file") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > LARGEST:
                    many = sentence("The file is larger than {most} MB.", most=LARGEST // 2**20)
                    raise SubscriberError(many, hint=sentence("Type: newsletter subscribers import FILE"))
                file.write(chunk)
        if not size:
            raise SubscriberError(sentence("The file is empty."), hint=sentence("Choose another, or paste addresses."))
        shown = "".join(letter for letter in name if letter.isprintable()).strip()[:100] or "upload"
        made = Upload(folder, shown, mailing_list.slug, owner)
        made.save()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return made


def find(home: Path, token: str, *, owner: int, now: datetime) -> Upload | None:
    """The upload of that name, when it is this person's and not too old."""
    if not _TOKEN.fullmatch(token):
        return None
    found = _read(home / FOLDER / token)
    return found if found is not None and found.owner == owner and not _expired(found.folder, now) else None


def mine(home: Path, *, owner: int, now: datetime) -> list[Upload]:
    """What one person has under way, the newest first."""
    rows = [one for one in _all(home) if one.owner == owner and not _expired(one.folder, now)]
    return sorted(rows, key=lambda one: one.folder.stat().st_mtime, reverse=True)


def look(upload: Upload) -> list[Look]:
    """Its tables and columns. Raises `ImportFileError`."""
    with (upload.folder / "file").open("rb") as file:
        return csv_io.look(file, upload.name, encoding=upload.encoding)


def try_out(upload: Upload, *, now: datetime) -> ImportReport:
    """A dry run by the upload's plan, with its list of differences. Raises `ImportFileError`, `SubscriberError`."""
    upload.state, upload.report = "new", {}
    upload.save()
    report = _pass(upload, now, dry_run=True)
    upload.state = "tried"
    upload.save()
    return report


def bring_in(upload: Upload, *, now: datetime, by: str) -> ImportReport:
    """What was tried, for good. The file is deleted afterwards, the list of differences stays for the day. Raises
    `SubscriberError` when it was not tried; should the process die meanwhile, the same again finishes it.
    """
    if upload.state != "tried":
        raise SubscriberError(
            sentence("Nothing was brought in."), hint=sentence("Try it first: then what you saw is what is done.")
        )
    mailing_list = upload.mailing_list
    report = _pass(upload, now, dry_run=False)
    upload.state = "done"
    upload.save()
    (upload.folder / "file").unlink(missing_ok=True)
    counts = f"{report.added:,} added, {report.stopped:,} stopped, {report.kept_out:,} kept out"
    tell("imported", f"{report.rows:,} rows came to {mailing_list.name}: {counts}.", now, by)
    return report


def drop(upload: Upload) -> None:
    """Throw it away."""
    shutil.rmtree(upload.folder, ignore_errors=True)


def expire(home: Path, now: datetime) -> int:
    """Throw away what is a day old; returns how many that were."""
    place = home / FOLDER
    old = [one for one in (place.iterdir() if place.is_dir() else ()) if _expired(one, now)]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)


def _pass(upload: Upload, now: datetime, *, dry_run: bool) -> ImportReport:
    mailing_list = upload.mailing_list
    with _alone(upload, now) as lock, (upload.folder / "file").open("rb") as file:
        handle = os.open(upload.differences, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            out.write("\ufeff")  # spreadsheets take UTF-8 for it only then
            report = csv_io.import_file(
                file,
                mailing_list,
                name=upload.name,
                wording=upload.wording,
                now=now,
                known_topics=RUBRICS.keys(),
                mapping=upload.mapping,
                keep_columns=upload.keep_columns,
                leave=upload.leave,
                encoding=upload.encoding,
                dry_run=dry_run,
                progress=lambda rows: _count(lock, rows),
                differences=Differences(out),
            )
    kept = report.as_json()
    upload.report = {**kept, "problems": kept["problems"][:PROBLEMS], "more": max(0, len(report.problems) - PROBLEMS)}
    return report


@contextmanager
def _alone(upload: Upload, now: datetime) -> Iterator[Path]:
    """One pass at a time over one file. Raises `SubscriberError` while another runs."""
    lock = upload.folder / "running"
    if upload.running(now) is None:
        lock.unlink(missing_ok=True)  # of one that died
    try:
        os.close(os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise SubscriberError(
            sentence("This file is being read already."), hint=sentence("Look again in a moment.")
        ) from None
    try:
        yield lock
    finally:
        lock.unlink(missing_ok=True)


def _count(lock: Path, rows: int) -> None:
    lock.write_text(str(rows))


def _all(home: Path) -> Iterator[Upload]:
    place = home / FOLDER
    for folder in place.iterdir() if place.is_dir() else ():
        if (found := _read(folder)) is not None:
            yield found


def _read(folder: Path) -> Upload | None:
    try:
        return Upload(folder, **json.loads((folder / "plan.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _expired(folder: Path, now: datetime) -> bool:
    with suppress(OSError):
        return now.timestamp() - folder.stat().st_mtime > VALID.total_seconds()
    return True


@contextmanager
def _written(path: Path) -> Iterator[Any]:
    temporary = path.with_name(f".{path.name}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        yield file
    temporary.replace(path)
