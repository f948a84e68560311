"""Django's management utility, in our words: our verbs first in its help, 2 for an unknown one."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import django.core.management
from django.conf import settings
from django.core.management import ManagementUtility, find_commands, get_commands
from django.core.management.base import BaseCommand
from django.db import OperationalError, ProgrammingError

from newsletter.config.toml import nearest
from newsletter.core.errors import NewsletterError

_USAGE = 2
# What makes sense without a home; the rest would work on a database in memory and forget it.
_HOMELESS = frozenset({"check", "makemigrations", "help", "diffsettings", "findstatic", "sqlmigrate"})
# From Django's apps; those of its core are found by looking.
_FROM_APPS = ("changepassword", "clearsessions", "createsuperuser")
_OLD_DATABASE = ("no such table", "no such column", "does not exist")


class Utility(ManagementUtility):
    """`verbs` maps a heading to its verbs, each with one line of help."""

    def __init__(self, argv: list[str], verbs: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(argv)
        self.verbs = verbs

    def execute(self) -> None:
        """Run the command. Raises `NewsletterError` where the database is older than the program, or away."""
        try:
            super().execute()
        except (OperationalError, ProgrammingError) as error:
            if any(words in str(error) for words in _OLD_DATABASE):
                raise DatabaseTooOldError from error
            if isinstance(error, OperationalError):
                first = (str(error).splitlines() or ["no reason given"])[0]
                raise NewsletterError(
                    f"The database can't be used: {first}.", hint="Type: newsletter doctor"
                ) from error
            raise

    def main_help_text(self, commands_only: bool = False) -> str:
        """Our verbs in the order of the flow, then Django's. Needs no settings and no apps: it is asked for first."""
        ours = {verb for verbs in self.verbs.values() for verb in verbs}
        core = find_commands(django.core.management.__path__[0])
        if commands_only:
            return "\n".join(sorted(ours | set(core)))
        lines = ["Usage: newsletter [--home DIR] VERB ...", "       newsletter VERB --help"]
        for heading, verbs in self.verbs.items():
            lines += ["", f"{heading}:", *(f"  {verb:<13} {text}" for verb, text in verbs.items())]
        lines += ["", "Django's own:", *_columns(sorted({*core, *_FROM_APPS}))]
        return "\n".join(lines)

    def fetch_command(self, subcommand: str) -> BaseCommand:
        commands = get_commands()
        if subcommand not in commands:
            sys.stderr.write(f'newsletter: There is no verb "{subcommand}". {_suggest(subcommand, commands)}\n')
            sys.exit(_USAGE)
        if subcommand not in _HOMELESS and not {"-h", "--help"} & set(self.argv):
            settings.NEWSLETTER.need_home()
        return super().fetch_command(subcommand)


class DatabaseTooOldError(NewsletterError):
    """The database is older than this program. Type: newsletter migrate"""


def _suggest(word: str, commands: Mapping[str, object]) -> str:
    return nearest(word, sorted([*commands, "init", "version"])) or "Type: newsletter help"


def _columns(words: Sequence[str]) -> list[str]:
    lines, line = [], " "
    for word in words:
        if len(line) + len(word) > 98:
            lines.append(line)
            line = " "
        line += f" {word}"
    return [*lines, line]
