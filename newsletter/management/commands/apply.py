"""`newsletter apply FILE`: the magazine, from one TOML file."""

from __future__ import annotations

import dataclasses
import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter.config.home import template_folders
from newsletter.flow.apply import apply_text
from newsletter.management.arguments import clock


class Command(BaseCommand):
    help = "Create or change the magazine, its lists, accounts, sources and newsletters from one TOML file."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", default="magazine.toml", help="default: magazine.toml; - is stdin")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
        parser.add_argument(
            "--over-studio", action="store_true", help="also take back what was changed in the studio since"
        )
        parser.add_argument("--json", action="store_true", help="the changes as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["file"]
        changes = apply_text(
            _read(name),
            now=clock(),
            file=_shown(name),
            designs=_designs(),
            home=settings.NEWSLETTER.home,
            dry_run=options["dry_run"],
            over_studio=options["over_studio"],
        )
        if options["json"]:
            shown = [{**dataclasses.asdict(change), "text": str(change)} for change in changes]
            self.stdout.write(json.dumps({"dry_run": options["dry_run"], "changes": shown}, default=str, indent=2))
            return
        for change in changes:
            self.stdout.write(str(change))
        if not changes:
            self.stdout.write("Nothing to change.")
        elif options["dry_run"]:
            if any(change.studio for change in changes):
                self.stdout.write("Without --over-studio the file is refused: it takes back what the studio says.")
            self.stdout.write(f"Fields that would change: {len(changes)}. Nothing was changed.")
        else:
            self.stdout.write(f"Fields changed: {len(changes)}.")


def _read(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except FileNotFoundError as error:
        raise CommandError(f"{name}: There is no such file.", returncode=2) from error
    except OSError as error:
        raise CommandError(f"{name}: The file can't be read: {error.strerror}.") from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise CommandError(f"{_shown(name)}:{line}: The file is not UTF-8 text. Save it as UTF-8.") from error


def _shown(name: str) -> str:
    return "standard input" if name == "-" else name


def _designs() -> set[str]:
    """Every folder with a letter in it, wherever templates come from."""
    return {
        letter.parent.name
        for folder in template_folders(settings.NEWSLETTER.home)
        for letter in folder.glob("email/*/letter.mjml")
    }
