"""`newsletter design`: copy a design, find its mistakes, look at it with sample issues."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter.config.home import template_folders
from newsletter.core import samples
from newsletter.core.context import build_context
from newsletter.core.designlint import Verdict, lint_design
from newsletter.core.letter import Compiler
from newsletter.flow.compile import contrast_pairs, design_names, find_design, new_design
from newsletter.models import Newsletter

STOCK = "marquee"


class Command(BaseCommand):
    help = "Copy a design to make it your own, find its mistakes, or look at it with sample issues."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        listed = verbs.add_parser("list", help="every design, and which newsletter uses it")
        listed.add_argument("--json", action="store_true", help="as JSON")
        new = verbs.add_parser("new", help="copy a design into the home's templates, under a new name")
        new.add_argument("name", metavar="NAME", help="small letters, digits and dashes")
        new.add_argument("--from", dest="source", default=STOCK, metavar="DESIGN", help=f"default: {STOCK}")
        lint = verbs.add_parser("lint", help="find mistakes, with file, line and column; exit code 3 for errors")
        lint.add_argument("name", nargs="?", default="", metavar="NAME", help="default: every design")
        lint.add_argument("--json", action="store_true", help="as JSON")
        show = verbs.add_parser("show", help="write sample issues in a design, to look at")
        show.add_argument("name", metavar="NAME", help="the design")
        show.add_argument("--out", type=Path, default=Path("look"), metavar="DIR", help="where to (default: look)")
        show.add_argument("--language", default="en", help="of the fixed words; ar and he run from right to left")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["verb"]:
            case "list":
                self._list(as_json=options["json"])
            case "new":
                self._new(options["name"], options["source"])
            case "lint":
                self._lint(options["name"], as_json=options["json"])
            case _:
                self._show(options["name"], options["out"], options["language"])

    def _list(self, *, as_json: bool) -> None:
        used = list(Newsletter.objects.order_by("slug").values_list("design", "slug"))
        rows = [
            {"design": name, "newsletters": [slug for design, slug in used if design == name]}
            for name in design_names(_folders())
        ]
        if as_json:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for row in rows:
            by = f": {', '.join(row['newsletters'])}" if row["newsletters"] else ""
            self.stdout.write(f"{row['design']}{by}")

    def _new(self, name: str, source: str) -> None:
        home = settings.NEWSLETTER.home
        if home is None:
            raise CommandError("A design needs a home to stand in: newsletter init DIR", returncode=2)
        for path in new_design(name, source, _folders(), Path(home) / "templates"):
            self.stdout.write(str(path))
        self.stderr.write(
            f'Change what you like, look with "newsletter design show {name}", then "newsletter design lint {name}". '
            f'A newsletter wears it with design = "{name}" in magazine.toml.'
        )

    def _lint(self, name: str, *, as_json: bool) -> None:
        names = [name] if name else design_names(_folders())
        verdicts = {each: _verdict(each) for each in names}
        if as_json:
            values = {
                each: {
                    "errors": verdict.errors,
                    "findings": [asdict(finding) for finding in verdict.findings],
                    "bytes": {
                        sample: {weight.block: weight.bytes for weight in weights}
                        for sample, weights in verdict.weights.items()
                    },
                }
                for each, verdict in verdicts.items()
            }
            self.stdout.write(json.dumps(values, indent=2, ensure_ascii=False))
        else:
            for each, verdict in verdicts.items():
                self._say(each, verdict)
        if any(verdict.errors for verdict in verdicts.values()):
            sys.exit(3)

    def _say(self, name: str, verdict: Verdict) -> None:
        for finding in verdict.findings:
            self.stdout.write(f"{name}/{finding}" if finding.file else f"{name}: {finding}")
        warnings = len(verdict.findings) - verdict.errors
        self.stdout.write(f"{name}: {verdict.errors} errors, {warnings} warnings.")
        for sample, weights in verdict.weights.items():
            size = sum(weight.bytes for weight in weights) / 1024
            self.stdout.write(f"  {sample}: {size:.1f} KB of HTML: {', '.join(map(str, weights))}")

    def _show(self, name: str, out: Path, language: str) -> None:
        design = find_design(name, _folders())
        out.mkdir(parents=True, exist_ok=True)
        for sample, make in samples.SAMPLES.items():
            letter = Compiler(design, build_context(make(language), design.tokens)).full_render(samples.readers()[1])
            for suffix, text in (("html", letter.html), ("txt", letter.text)):
                path = out / f"{sample}.{suffix}"
                path.write_text(text, encoding="utf-8")
                self.stdout.write(str(path))


def _folders() -> list[Path]:
    home = settings.NEWSLETTER.home
    return template_folders(Path(home) if home else None)


def _verdict(name: str) -> Verdict:
    """Raises `DesignError` for a design that there is not, or whose files can't be read."""
    design = find_design(name, _folders())
    return lint_design(design, samples.SAMPLES, samples.readers(), samples.HOST, pairs=contrast_pairs(name, _folders()))
