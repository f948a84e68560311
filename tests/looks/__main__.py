"""Runs by hand: `python -m tests.looks looks|references [DESIGN ...]|generated [N]|weight|spam`; exit 1 for a fault."""

from __future__ import annotations

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
django.setup()


def main(arguments: list[str]) -> int:
    """Run one of them. Imported late: each needs other parts, and Django comes first."""
    match arguments or ["looks"]:
        case ["looks"]:
            from tests.looks.proving import looks

            return min(looks(), 1)
        case ["references", *designs]:
            from tests.looks.proving import DESIGNS, references

            return references(designs or DESIGNS)
        case ["generated", *count]:
            from tests.looks.judging import judged

            return min(judged(int(count[0]) if count else 1000), 1)
        case ["weight"]:
            from tests.looks.weight import weighed

            return min(weighed(), 1)
        case ["spam"]:
            from tests.looks.spam import scored

            return min(scored(), 1)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
