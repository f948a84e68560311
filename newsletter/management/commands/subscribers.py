"""`newsletter subscribers import|export`: the list from and to a CSV file."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from newsletter.core.rubrics import RUBRICS
from newsletter.management.arguments import clock, list_from
from subscribers.csv_io import ImportReport, export_lines, import_file
from subscribers.errors import SubscribersError
from subscribers.models import MailingList

SHOWN = 50  # problems on a screen; --json has them all
TOLD_EVERY = 10_000  # rows


class Command(BaseCommand):
    help = "Bring subscribers in from a CSV file, or write the list as one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="import|export")
        bring = verbs.add_parser("import", help="add the people of a file; a bad row is reported and stops nobody else")
        bring.add_argument("file", help="a CSV file with a column of e-mail addresses, or - for standard input")
        bring.add_argument(
            "--list", default="", dest="list_slug", metavar="SLUG", help="which list (default: the only)"
        )
        bring.add_argument(
            "--consent", required=True, metavar="TEXT", help="how these people agreed, kept as proof with each of them"
        )
        bring.add_argument("--dry-run", action="store_true", help="say what would happen, row by row; change nothing")
        bring.add_argument("--json", action="store_true", help="the report as JSON")
        write = verbs.add_parser("export", help="write everybody ever on the list, with their status")
        write.add_argument(
            "file", nargs="?", default="-", help="where to; an existing file is not touched (default: -)"
        )
        write.add_argument(
            "--list", default="", dest="list_slug", metavar="SLUG", help="which list (default: the only)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        mailing_list = list_from(options["list_slug"])
        if options["verb"] == "import":
            self._import(mailing_list, options)
        else:
            self._export(mailing_list, options["file"])

    def _import(self, mailing_list: MailingList, options: dict[str, Any]) -> None:
        path = options["file"]
        name = "standard input" if path == "-" else Path(path).name
        try:
            with sys.stdin.buffer if path == "-" else Path(path).open("rb") as file:
                report = import_file(
                    file,
                    mailing_list,
                    name=name,
                    wording=options["consent"],
                    now=clock(),
                    known_topics=RUBRICS.keys(),
                    dry_run=options["dry_run"],
                    progress=self._tell,
                )
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.") from error
        except SubscribersError as error:
            raise CommandError(f"{name}: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
        else:
            self._show(report)
        if report.refused:
            sys.exit(3)

    def _tell(self, rows: int) -> None:
        if rows % TOLD_EVERY == 0:
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
        if report.ignored_columns:
            self.stdout.write(f"not read: {', '.join(report.ignored_columns)}")
        for problem in report.problems[:SHOWN]:
            self.stdout.write(f"line {problem.line}: {problem.kind}: {problem.reason}")
        more = len(report.problems) - SHOWN + report.problems_left_off
        if more > 0:
            self.stdout.write(f"... and {more:,} more; --json names up to 10,000 of them.")
        if report.dry_run:
            self.stdout.write("Nothing was changed (dry run).")

    def _export(self, mailing_list: MailingList, path: str) -> None:
        if path == "-":
            sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
            for line in export_lines(mailing_list):
                sys.stdout.write(line)
            return
        try:
            # Addresses of people: for the owner's eyes, and never over another file.
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise CommandError(f"{path} exists already. Name another file.") from None
        except OSError as error:
            raise CommandError(f"{path} can't be written: {error.strerror}.") from error
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            count = sum(1 for line in export_lines(mailing_list) if file.write(line)) - 1
        self.stderr.write(f"{path}: {count:,} subscribers of {mailing_list.slug}")
