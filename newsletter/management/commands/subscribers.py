"""`newsletter subscribers import|export|unsuppress`: the list from and to a file, and back onto it after a bounce."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError

from newsletter.core.rubrics import RUBRICS
from newsletter.flow.bounce import unsuppress
from newsletter.management.arguments import add_by, clock, list_from, somebody
from subscribers import segments
from subscribers.csv_io import Differences, ImportReport, export_lines, import_file, mapping_from
from subscribers.errors import SubscribersError
from subscribers.models import MailingList

SHOWN = 50  # problems on a screen; --json has them all
TOLD_EVERY = 10_000  # rows


class Command(BaseCommand):
    help = "Bring subscribers in from a file, or write the list as one."
    _told = 0

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="import|export|unsuppress")
        bring = verbs.add_parser("import", help="add the people of a file; a bad row is reported and stops nobody else")
        bring.add_argument(
            "file", help="a CSV or XLSX file with a column of e-mail addresses, or a zip of such CSV; - is stdin (CSV)"
        )
        bring.add_argument(
            "--list", default="", dest="list_slug", metavar="SLUG", help="which list (default: the only)"
        )
        bring.add_argument(
            "--consent", required=True, metavar="TEXT", help="how these people agreed, kept as proof with each of them"
        )
        bring.add_argument(
            "--map",
            action="append",
            default=[],
            dest="mapping",
            metavar="MEANING=HEADER",
            help='what a column means, like email="E-mail" or attributes.city="Ort"; may be repeated',
        )
        bring.add_argument(
            "--keep-columns", action="store_true", help="keep columns that mean nothing to us as custom attributes"
        )
        bring.add_argument(
            "--leave", action="append", default=[], metavar="HEADER", help="a column to leave aside; may be repeated"
        )
        bring.add_argument(
            "--encoding", default="", metavar="NAME", help="of CSV, like cp1251 (default: UTF-8, -16, -32, else cp1252)"
        )
        bring.add_argument(
            "--differences", default="", metavar="FILE", help="write what becomes of each row as a new CSV file"
        )
        bring.add_argument("--dry-run", action="store_true", help="say what would happen, row by row; change nothing")
        bring.add_argument("--json", action="store_true", help="the report as JSON")
        write = verbs.add_parser("export", help="write everybody ever on the list, with their status and proof")
        write.add_argument(
            "file", nargs="?", default="-", help="where to; an existing file is not touched (default: -)"
        )
        write.add_argument(
            "--list", default="", dest="list_slug", metavar="SLUG", help="which list (default: the only)"
        )
        write.add_argument("--segment", default="", metavar="SLUG", help="only who is in this segment of it")

        lift = verbs.add_parser(
            "unsuppress", help="mail an address again that bounced or complained; the reason is kept"
        )
        lift.add_argument("address")
        lift.add_argument("--reason", required=True, metavar="TEXT", help="why, kept as proof")
        add_by(lift)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["verb"] == "unsuppress":
                self._unsuppress(options["address"], options["reason"], somebody(options["by"]))
            elif options["verb"] == "import":
                self._import(list_from(options["list_slug"]), options)
            else:
                self._export(options)
        except SubscribersError as error:
            raise CommandError(str(error), returncode=2) from error

    def _import(self, mailing_list: MailingList, options: dict[str, Any]) -> None:
        path = options["file"]
        name = "standard input" if path == "-" else Path(path).name
        mapping = mapping_from(options["mapping"])
        try:
            with (
                sys.stdin.buffer if path == "-" else Path(path).open("rb") as file,
                _new(options["differences"]) as out,
            ):
                report = import_file(
                    file,
                    mailing_list,
                    name=name,
                    wording=options["consent"],
                    now=clock(),
                    known_topics=RUBRICS.keys(),
                    mapping=mapping,
                    keep_columns=options["keep_columns"],
                    leave=options["leave"],
                    encoding=options["encoding"],
                    dry_run=options["dry_run"],
                    progress=self._tell,
                    differences=Differences(out) if out else None,
                )
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror or error}.") from error
        except SubscribersError as error:
            raise CommandError(f"{name}: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
        else:
            self._show(report)
        if report.refused:
            sys.exit(3)

    def _unsuppress(self, address: str, reason: str, by: str) -> None:
        try:
            lifted = unsuppress(address, now=clock(), by=by, reason=reason)
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        if not lifted:
            raise CommandError(f"{address} is not suppressed.")
        self.stdout.write(f"{address} may be mailed again. Who unsubscribed or complained stays unsubscribed.")

    def _tell(self, rows: int) -> None:
        if rows // TOLD_EVERY > self._told:
            self._told = rows // TOLD_EVERY
            self.stderr.write(f"{rows:,} rows")

    def _show(self, report: ImportReport) -> None:
        would = "would be " if report.dry_run else ""
        self.stdout.write(f"{report.file}: {report.rows:,} rows for the list {report.list_slug}")
        for number, words in (
            (report.added, f"{would}added"),
            (report.already, "on the list already"),
            (report.stopped, f"{would}stopped, as the file says"),
            (report.kept_out, "kept out: unsubscribed or suppressed"),
            (report.refused, "refused: can't be read"),
        ):
            if number or words.endswith("added"):
                self.stdout.write(f"{number:>9,} {words}")
        for warning in report.warnings:
            self.stdout.write(f"warning: {warning}")
        for table in report.tables:
            where = f"{table.name}: " if len(report.tables) > 1 else ""
            if table.service:
                self.stdout.write(f"{where}an export of {table.service}")
            if table.ignored_columns:
                self.stdout.write(f"{where}not read: {', '.join(table.ignored_columns)}")
        for problem in report.problems[:SHOWN]:
            where = f"{problem.file} " if problem.file else ""
            self.stdout.write(f"{where}line {problem.line}: {problem.kind}: {problem.reason}")
        more = len(report.problems) - SHOWN + report.problems_left_off
        if more > 0:
            self.stdout.write(f"... and {more:,} more; --json names up to 10,000 of them.")
        if report.dry_run:
            self.stdout.write("Nothing was changed (dry run).")

    def _export(self, options: dict[str, Any]) -> None:
        if options["segment"]:
            wanted = list_from(options["list_slug"]) if options["list_slug"] else None
            segment = segments.find(options["segment"], wanted)
            mailing_list, rule = segment.mailing_list, segment.rule
        else:
            mailing_list, rule = list_from(options["list_slug"]), {}
        lines, path = export_lines(mailing_list, rule, now=clock()), options["file"]
        if path == "-":
            sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
            for line in lines:
                sys.stdout.write(line)
            return
        with _new(path) as file:
            assert file is not None
            count = sum(1 for line in lines if file.write(line)) - 1
        what = f"{mailing_list.slug}, segment {options['segment']}" if options["segment"] else mailing_list.slug
        self.stderr.write(f"{path}: {count:,} subscribers of {what}")


@contextmanager
def _new(path: str) -> Iterator[TextIO | None]:
    """A new file, for the owner's eyes: there are addresses of people in it. None for ""."""
    if not path:
        yield None
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandError(f"{path} exists already. Name another file.") from None
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror}.") from error
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        yield file
