"""What people can touch is documented, and the documents say what the code does."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from pathlib import Path

import pytest

from newsletter.config.schema import keys
from newsletter.core import context
from tests.design_reference import described
from tests.reference import COMMANDS, CONFIGURATION, DESIGN_CONTEXT, commands, configuration, design_context


@pytest.mark.parametrize(
    ("file", "written"),
    [(CONFIGURATION, configuration), (COMMANDS, commands), (DESIGN_CONTEXT, design_context)],
)
def test_the_reference_says_what_the_code_does(file: Path, written: object) -> None:
    assert callable(written)
    hint = "out of date: python tests/reference.py writes it anew"
    assert file.read_text(encoding="utf-8") == written(), hint


def test_the_page_for_designers_misses_no_kind_of_thing_that_a_design_sees() -> None:
    kinds = {each for each in vars(context).values() if isinstance(each, type) and is_dataclass(each)}
    assert kinds - described() == {context.IssueContent}


def test_every_key_has_words_for_a_person() -> None:
    for key in keys():
        assert len(key.help) > 20, key.dotted
        assert key.help.endswith("."), key.dotted


def test_every_link_between_the_documents_leads_somewhere(repository: Path) -> None:
    documents = [repository / "README.md", *sorted((repository / "docs").rglob("*.md"))]
    lost = [
        f"{document.relative_to(repository)}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]
    assert lost == []


def test_the_cron_page_calls_what_there_is(repository: Path) -> None:
    page = (repository / "docs" / "howto" / "cron.md").read_text(encoding="utf-8")
    assert "* * * * *" in page and "flock -n" in page and "newsletter --home" in page
    assert "OnCalendar=minutely" in page and "Persistent=true" in page and "Type=oneshot" in page
