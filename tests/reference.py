"""Write docs/reference/ from the schema, the commands and what designs see: `python tests/reference.py`.

`tests/test_docs.py` fails while they differ. From the parsers, not from their help text, which Python words anew.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONFIGURATION = ROOT / "docs" / "reference" / "configuration.md"
COMMANDS = ROOT / "docs" / "reference" / "commands.md"
DESIGN_CONTEXT = ROOT / "docs" / "reference" / "design-context.md"
_NOTE = "<!-- written by tests/reference.py from the code: change it there -->\n"
_EXIT_CODES = """\
Exit codes: 0 done or nothing to do · 1 failed · 2 wrong usage · 3 held, or ran with failures or uncertainties: a person
should look. stdout is the result, stderr the log. `--home DIR` may stand anywhere and says which home; `--traceback`
shows where an error came from. What Django brings (`migrate`, `createsuperuser`, `check`, `shell` ...) works too.
"""

_TWO_FILES = """\
Two files. `newsletter.toml` in the home is this installation: addresses, folders, limits. `magazine.toml` is the
magazine itself; `newsletter apply` puts it into the database, where editors may change it too, and `newsletter dump`
writes it.
"""
_HOME = """\
The home is the first of: `--home DIR`, `NEWSLETTER_HOME`, the current directory when it holds a `newsletter.toml`, the
user data directory (`~/.local/share/newsletter` on Linux). `newsletter doctor` says which one won. For each key the
variable beats the file, and the file beats the default; a key that does not exist is an error. A variable marked * may
also be given as `NAME_FILE`, the path of a file that holds the value.
"""


def configuration() -> str:
    """Every key of newsletter.toml, and every key of magazine.toml."""
    from newsletter.config.schema import keys
    from newsletter.config.toml import write_value
    from newsletter.flow.apply.tables import NEEDED, tables

    lines = [
        _NOTE,
        "# Configuration\n",
        _TWO_FILES,
        "## newsletter.toml\n",
        _HOME,
        "| key | default | variable | what it is |",
        "|---|---|---|---|",
    ]
    for key in keys():
        default = f"`{write_value(key.default)}`" if key.in_file else "the file `secret.key`"
        star = " *" if key.secret else ""
        name = f"`{key.dotted}`" if key.in_file else f"{key.dotted} (not in the file)"
        lines.append(f"| {name} | {default} | `{key.variable}`{star} | {_cell(key.help)} |")
    lines += ["", "## magazine.toml\n", "What the file does not mention stays as it is; nothing is ever deleted by it."]
    for table in tables():
        sign = f"[{table.name}]" if table.one else f"[[{table.name}]]"
        lines += ["", f"### {sign}\n", "| key | default | what it is |", "|---|---|---|"]
        for field in table.fields:
            shown = field.show(field.default) if field.default is not NEEDED else None
            default = "needed" if shown is None else f"`{write_value(shown)}`"
            if field.name == "starts_at":
                default = "now"
            lines.append(f"| `{field.name}` | {default} | {_cell(field.help)} |")
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Every verb with its arguments, in the order of the help."""
    from django.core.management import load_command_class

    from newsletter.cli import VERBS

    lines = [_NOTE, "# Commands\n", _EXIT_CODES]
    for heading, verbs in VERBS.items():
        lines += [f"## {heading}", ""]
        for verb, text in verbs.items():
            lines += [f"### newsletter {verb}\n", f"{text[0].upper()}{text[1:].rstrip(' .')}.\n"]
            if verb == "init":
                lines += ["- `DIR`: the folder (default: this one); refuses to overwrite\n"]
            elif verb != "version":
                parser = load_command_class("newsletter", verb).create_parser("newsletter", verb)
                lines += [*_arguments(parser, verb), ""]
    return "\n".join(lines).rstrip() + "\n"


def design_context() -> str:
    """Every name that a design may print."""
    from tests.design_reference import design_context

    return f"{_NOTE}{design_context()}".replace("reference.py from", "design_reference.py from")


def _arguments(parser: argparse.ArgumentParser, verb: str) -> Iterator[str]:
    from django.core.management.base import DjangoHelpFormatter

    if parser.description:
        yield f"{_line(parser.description)}\n"
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield f"\n`newsletter {verb} {name}`\n"
                yield from _arguments(inner, verb)
        elif not set(action.option_strings) & DjangoHelpFormatter.show_last and action.dest != "help":
            yield f"- `{_signature(action)}`: {_line((action.help or '').replace('%%', '%'))}"


def _signature(action: argparse.Action) -> str:
    name = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if not action.option_strings:
        return {"?": f"[{name}]", "*": f"[{name} ...]", "+": f"{name} ..."}.get(str(action.nargs), name)
    return action.option_strings[-1] if action.nargs == 0 else f"{action.option_strings[-1]} {name}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")


def main() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    import django

    django.setup()
    CONFIGURATION.parent.mkdir(parents=True, exist_ok=True)
    CONFIGURATION.write_text(configuration(), encoding="utf-8")
    COMMANDS.write_text(commands(), encoding="utf-8")
    DESIGN_CONTEXT.write_text(design_context(), encoding="utf-8")


if __name__ == "__main__":
    main()
