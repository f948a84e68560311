"""The designs, the issues and the readers that every design is looked at with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from lxml import html as lxml_html

from newsletter.core.context import IssueContent, build_context
from newsletter.core.letter import Compiler, Design, Headers, Mailbox
from newsletter.core.reader import Reader
from newsletter.flow.compile.designs import find_design
from tests.letters import issues
from tests.letters.everything import everything
from tests.letters.odd import records

TEMPLATES = Path(__file__).parents[2] / "templates"
DESIGNS = ("marquee", "colophon", "encore")
REFERENCES: dict[str, Callable[[], IssueContent]] = {
    "rich": issues.rich,
    "thin": issues.thin,
    "no-pictures": issues.without_pictures,
    "right-to-left": issues.right_to_left,
    "everything": everything,
    "pair": lambda: everything(with_lead=False),
    "records": records,
}
RUBRICS = ("movie", "tv", "book", "music", "concert", "interview", "game", "list")
HEADERS = Headers(
    from_=Mailbox("weekly@news.example.test", "Lantern"),
    to=Mailbox(issues.READER.address, issues.READER.name),
    message_id="<0123456789abcdef@news.example.test>",
    date=datetime(2026, 11, 5, 13, 0, tzinfo=UTC),
    list_id="The Lantern Weekly <weekly.news.example.test>",
    list_unsubscribe=issues.READER.unsubscribe_url,
)
READERS = (
    issues.READER,
    issues.NAMELESS,
    replace(issues.READER, name="", topics=("movie",)),
    replace(issues.READER, name="<b>&\"' {{ 7*7 }}", topics=("book", "interview")),
    replace(issues.READER, name="Ünal, the Boss"),
    replace(issues.READER, name="نور", unsubscribe_url="", topics=("list",)),
    replace(issues.READER, joined_on=None, preferences_url="https://news.example.test/p/x"),
    replace(issues.READER, joined_on=date(2024, 12, 31), topics=("game",)),
    Reader(address=""),
)


def design(name: str, *, service: bool = False) -> Design:
    """One of ours, by its name."""
    return find_design(name, [TEMPLATES], service=service)


def compiler(name: str, content: IssueContent, **tokens: str) -> Compiler:
    """A compiler of `content` in a design, with some of its tokens changed."""
    found = design(name)
    return Compiler(found, build_context(content, {**found.tokens, **tokens}))


def page(name: str, content: IssueContent, reader: Reader = issues.READER, **tokens: str) -> lxml_html.HtmlElement:
    """The HTML of a full render, parsed."""
    return lxml_html.fromstring(compiler(name, content, **tokens).full_render(reader).html)
