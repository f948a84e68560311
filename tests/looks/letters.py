"""The letters that are looked at: which designs there are, and each reference issue in one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

from django.utils import translation

from newsletter.core.context import IssueContent, build_context
from newsletter.core.letter import Compiler, Design, Rendered
from newsletter.core.reader import Reader
from newsletter.core.words import dir_of
from newsletter.flow.compile.designs import SETTINGS, find_design
from newsletter.flow.service.wording import Facts, Kind, mail_of
from tests.letters import arabic, everything, issues, odd

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"

DESIGNS = tuple(sorted(path.parent.name for path in (TEMPLATES / "email").glob(f"*/{SETTINGS}")))
"""Every stock design, by name."""

REFERENCES: Mapping[str, Callable[[], IssueContent]] = {
    "rich": everything.everything,
    "thin": issues.thin,
    "no-pictures": issues.without_pictures,
    "rich-arabic": arabic.everything,
    "thin-arabic": arabic.thin,
    "no-pictures-arabic": arabic.without_pictures,
}
"""The reference issues: three kinds of week, from left to right and from right to left."""


SERVICE = {
    "confirm": (Kind.CONFIRM, "en"),
    "welcome": (Kind.WELCOME, "en"),
    "goodbye": (Kind.ERASED, "en"),
    "confirm-arabic": (Kind.CONFIRM, "ar"),
    "welcome-arabic": (Kind.WELCOME, "ar"),
    "goodbye-arabic": (Kind.ERASED, "ar"),
}
"""The service mails that are looked at: they wear the newsletter's design."""


READER = replace(issues.READER, preferences_url=f"{issues.HOST}/p/AbCdEfGhIjKlMnOpQrStUvWxAbCdEfGhIjKl")
"""Somebody whose copy has every link of the footer."""


@cache
def design(name: str, *, service: bool = False) -> Design:
    """One stock design; with `service` its service mail."""
    return find_design(name, [TEMPLATES], service=service)


def compiler(name: str, content: IssueContent) -> Compiler:
    """A compiler of one issue in one design."""
    found = design(name)
    return Compiler(found, build_context(content, found.tokens))


def rendered(name: str, content: IssueContent, reader: Reader = READER) -> Rendered:
    """The letter as `reader` gets it."""
    return compiler(name, content).full_render(reader)


@cache
def reference(name: str, issue: str) -> Rendered:
    """A reference issue, an odd week or a service mail, by name, in one design."""
    if issue in SERVICE:
        return _service(name, *SERVICE[issue])
    return rendered(name, {**REFERENCES, **odd.ODD}[issue]())


def _service(name: str, kind: Kind, language: str) -> Rendered:
    content = arabic.rich() if language == "ar" else issues.rich()
    with translation.override(language):
        mail = mail_of(
            kind,
            Facts(content.newsletter.name, content.magazine.name, next_issue=content.issue.date),
            {"link": "x", "address": "ada@readers.example.test"},
        )
        own = {
            "open_link": translation.gettext("Open this address:"),
            "last_issue": translation.gettext("From the last issue"),
            "unsubscribe": translation.gettext("Unsubscribe"),
        }
    found = design(name, service=True)
    known = {
        "language": language,
        "dir": dir_of(language),
        "magazine": content.magazine,
        "newsletter": content.newsletter,
        "mail": mail,
        "pieces": content.more if mail.pieces else (),
        "tokens": MappingProxyType(dict(found.tokens)),
        "words": MappingProxyType(own),
    }
    link = f"{issues.HOST}/c/AbCdEfGhIjKlMnOpQrStUvWxAbCdEfGhIjKl"
    reader = Reader(
        issues.READER.address,
        attributes={"link": link},
        unsubscribe_url=issues.READER.unsubscribe_url if mail.list_mail else "",
    )
    return Compiler(found, known).full_render(reader)
