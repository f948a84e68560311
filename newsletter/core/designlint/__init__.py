"""Whether a design is fit to be sent: every mistake that can be found without a mail program, with its place.

`lint_files` reads the templates alone; `lint_design` also renders sample issues for sample readers, as a send does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from newsletter.core.checks import HEAVY, LIMIT
from newsletter.core.colors import ENOUGH, contrast, is_color
from newsletter.core.context import IssueContent, build_context
from newsletter.core.designlint.names import known_names, undefined
from newsletter.core.designlint.rendered import promises, unreadable
from newsletter.core.errors import DesignError, NewsletterError
from newsletter.core.letter import Compiler, Design, Weight
from newsletter.core.mjml import Problem, lint
from newsletter.core.reader import Reader
from newsletter.core.sentence import sentence
from newsletter.core.trace import StockEnvironment

FULL = "full"
"""The sample of as many cards as a letter may have."""

_ELSEWHERE = r"(?:https?:)?//"
_EXTERNAL = tuple(
    (re.compile(pattern, re.IGNORECASE), what)
    for pattern, what in (
        (r"@import\b[^;\n]*", sentence("a style sheet of another host")),
        (r"@font-face\b|<mj-font\b[^>]*", sentence("a font of another host")),
        (rf"<link\b[^>]*|url\(\s*['\"]?{_ELSEWHERE}[^)]*", sentence("a file of another host")),
        (
            rf"(?:src|background(?:-url)?|poster)\s*=\s*[\"']\s*{_ELSEWHERE}[^\"']*",
            sentence("a picture of another host"),
        ),
    )
)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: an error must be mended before a send; a warning should be looked at."""

    error: bool
    message: str
    hint: str = ""
    file: str = ""
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = ":".join(str(each) for each in (self.file, self.line, self.column) if each)
        text = f"{'error' if self.error else 'warning'}: {self.message.rstrip('.')}."
        return " ".join(filter(None, (f"{place}:" if place else "", text, self.hint)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, and what the letter costs: its blocks with a rich week and with a full one."""

    findings: tuple[Finding, ...]
    weights: Mapping[str, Sequence[Weight]]

    @property
    def errors(self) -> int:
        """How many must be mended."""
        return sum(finding.error for finding in self.findings)


def lint_files(design: Design) -> list[Finding]:
    """What the templates themselves say: elements, attributes, names, filters, files, alt, lang, other hosts."""
    found: list[Finding] = []
    for file, text in sorted(design.files.items()):
        if file.endswith(".mjml"):
            found += [_finding(True, problem, file) for problem in lint(text, file=file)]
        found += [_finding(True, problem, file) for problem in _external(text)]
    environment = StockEnvironment(design.files, {})
    for file, problem in undefined(design.files, environment, known_names(design.tokens)):
        found.append(_finding(True, problem, file))
    return sorted(found, key=lambda each: (each.file, each.line or 0, each.column or 0))


def lint_design(
    design: Design,
    samples: Mapping[str, Callable[[], IssueContent]],
    readers: Sequence[Reader],
    host: str,
    *,
    pairs: Iterable[Sequence[str]] | None = None,
) -> Verdict:
    """Every finding about a design, its files first. `samples` are issues by name, whose pictures are on `host`;
    `pairs` are the tokens (or colours) of which one is read on the other, as design.toml names them.
    """
    found = lint_files(design)
    broken = any(finding.error for finding in found)
    if pairs is None:
        hint = sentence('List them, text first: contrast = [["ink", "paper"], ...].')
        found.append(Finding(False, sentence("it does not say which colours are read on which"), hint, "design.toml"))
    found += too_faint(design.tokens, pairs or ())
    weights: dict[str, Sequence[Weight]] = {}
    for name, make in samples.items():
        content = make()
        try:
            compiler = Compiler(design, build_context(content, design.tokens), self_check_every=0)
            for reader in readers:
                letter = compiler.render(reader)
                said = [*promises(letter, content, reader, host), *unreadable(letter)]
                found += [Finding(True, message, hint) for message, hint in said]
            heaviest = max(readers, key=lambda reader: len(reader.name) + 99 * (not reader.topics))
            weights[name] = compiler.weights(heaviest)
            found += _too_heavy(name, weights[name])
        except DesignError as error:
            # The files have said so, with a place of their own.
            if not (broken and any(finding.file == error.file and finding.line == error.line for finding in found)):
                found.append(Finding(True, error.message, error.hint, error.file, error.line, error.column))
        except NewsletterError as error:
            found.append(Finding(True, error.message, error.hint))
    return Verdict(tuple(dict.fromkeys(found)), weights)


def _finding(error: bool, problem: Problem, file: str) -> Finding:
    return Finding(error, problem.message, problem.hint, file, problem.line, problem.column)


def _external(text: str) -> Iterator[Problem]:
    bare = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)
    for pattern, what in _EXTERNAL:
        for match in pattern.finditer(bare):
            line = bare.count("\n", 0, match.start()) + 1
            column = match.start() - bare.rfind("\n", 0, match.start())
            hint = sentence(
                "Many mail programs drop it, and the host would learn who reads. Name fonts that readers have."
            )
            yield Problem(
                sentence("this asks for {what}: {part}", what=what, part=match.group()[:60]), hint, line, column
            )


def too_faint(tokens: Mapping[str, Any], pairs: Iterable[Sequence[str]]) -> Iterator[Finding]:
    """The pairs of tokens (or colours) of which one can't be read on the other."""
    file = "design.toml"
    for pair in pairs:
        colors = [str(tokens.get(name, name)) for name in pair]
        if len(colors) != 2 or not all(map(is_color, colors)):
            yield Finding(
                True,
                sentence("{pair} is no pair of tokens that are colours", pair=list(pair)),
                sentence("#RRGGBB, or a token."),
                file,
            )
            continue
        ratio = contrast(*colors)
        if ratio < ENOUGH:
            said = sentence(
                "{text} on {ground} ({color} on {paper}) has a contrast of {ratio}",
                text=pair[0],
                ground=pair[1],
                color=colors[0],
                paper=colors[1],
                ratio=f"{ratio:.2f}",
            )
            yield Finding(True, said, sentence("{enough} is needed.", enough=ENOUGH), file)


def _too_heavy(name: str, weights: Sequence[Weight]) -> Iterator[Finding]:
    size = sum(weight.bytes for weight in weights)
    # A full letter may be heavy; it may not be too heavy.
    if size > (LIMIT if name == FULL else HEAVY):
        most = ", ".join(str(weight) for weight in weights[:3])
        text = sentence(
            "the {name} sample is {size} KB of HTML; {limit} is the most. Most of it: {most}",
            name=name,
            size=f"{size / 1024:.1f}",
            limit=LIMIT // 1024,
            most=most,
        )
        yield Finding(size > LIMIT, text, sentence("Shorten what is repeated for each review."))
