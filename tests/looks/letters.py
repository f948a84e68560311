"""The letters that are looked at: which designs there are, and each reference issue in one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from newsletter.core.context import IssueContent, build_context
from newsletter.core.letter import Compiler, Design, Rendered
from newsletter.core.reader import Reader
from newsletter.flow.compile.designs import SETTINGS, find_design
from tests.letters import issues

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"

DESIGNS = tuple(sorted(path.parent.name for path in (TEMPLATES / "email").glob(f"*/{SETTINGS}")))
"""Every stock design, by name."""

REFERENCES: Mapping[str, Callable[[], IssueContent]] = {
    "rich": issues.rich,
    "thin": issues.thin,
    "no-pictures": issues.without_pictures,
}


@cache
def design(name: str) -> Design:
    """One stock design."""
    return find_design(name, [TEMPLATES])


def compiler(name: str, content: IssueContent) -> Compiler:
    """A compiler of one issue in one design."""
    found = design(name)
    return Compiler(found, build_context(content, found.tokens))


def rendered(name: str, content: IssueContent, reader: Reader = issues.READER) -> Rendered:
    """The letter as `reader` gets it."""
    return compiler(name, content).full_render(reader)
