"""Which template wrote a character of a rendered document: for mistakes that only show once it is rendered.

The document is rendered once more with a marker before each text and each expression of every template; the last
marker before the character says where it comes from. Only after a failure: what goes out never holds a marker.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import nodes
from jinja2.lexer import TOKEN_DATA, TOKEN_VARIABLE_BEGIN, TokenStream, newline_re

from newsletter.core.errors import DesignError
from newsletter.core.sentence import sentence
from newsletter.core.trace.output import scrub
from newsletter.core.trace.stock import StockEnvironment

# Two private-use characters: nothing that Jinja2 escapes, folds or trims.
_MARKER = re.compile("\ue0f1([0-9]+)\ue0f2")
_CAPTURES = (nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.AssignBlock)


@dataclass(frozen=True, slots=True)
class _Origin:
    """What a marker stands for: `length` characters copied from `offset` of a file (0: an expression begins there)."""

    file: str
    offset: int
    length: int


class _MarkingEnvironment(StockEnvironment):
    """The stock environment, with a marker in the output before each text and each expression."""

    keeps_code = False

    def __init__(self, files: Mapping[str, str], filters: Mapping[str, Callable[..., Any]], *, captures: bool) -> None:
        """`captures`: mark what macros, filters and `{% set %}` blocks take up, too. It says more, but a template
        can then see the markers (`{% if heading() %}`) and come out differently.
        """
        super().__init__(files, filters)
        self.origins: list[_Origin] = []
        self._captures = captures

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        tokens = self._marked(self.lexer.tokeniter(source, name, filename, state), source, name or "")
        return TokenStream(self.lexer.wrap(tokens, name, filename), name, filename)

    def _marked(self, tokens: Iterable[tuple[int, str, str]], source: str, name: str) -> Iterator[tuple[int, str, str]]:
        source = unified(source)
        offset = 0
        for line, kind, value in tokens:
            # The lexer leaves out only blanks (`-%}` and the like), so the next such text is this token.
            offset = max(source.find(value, offset), offset)
            if kind == TOKEN_DATA:
                yield line, kind, self._marker(_Origin(name, offset, len(value))) + value
            else:
                if kind == TOKEN_VARIABLE_BEGIN:
                    yield line, TOKEN_DATA, self._marker(_Origin(name, offset, 0))
                yield line, kind, value
            offset += len(value)

    def _marker(self, origin: _Origin) -> str:
        self.origins.append(origin)
        return f"\ue0f1{len(self.origins) - 1}\ue0f2"

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        if not self._captures:
            for capture in tree.find_all(_CAPTURES):
                for text in capture.find_all(nodes.TemplateData):
                    text.data = _MARKER.sub("", text.data)
        return tree


def blamed(
    error: DesignError,
    document: str,
    files: Mapping[str, str],
    filters: Mapping[str, Callable[..., Any]],
    context: Mapping[str, object],
) -> DesignError:
    """The error about a line and column of `document` as one about the template that wrote them.

    `document` is what `error.file` of `files` renders to in `context`. Where no template can be named for certain,
    the message says that its line is one of the rendered document.
    """
    if error.line is None:
        return error
    lines = document.split("\n")
    at = sum(len(line) + 1 for line in lines[: error.line - 1]) + (error.column or 1) - 1
    for captures in (True, False):
        environment = _MarkingEnvironment(files, filters, captures=captures)
        found = _origin(environment, error.file, context, document, at)
        if found is not None:
            file, offset = found
            before = unified(files[file])[:offset]
            line, column = before.count("\n") + 1, offset - before.rfind("\n")
            return DesignError(error.message, file=file, line=line, column=column, hint=error.hint)
    message = sentence(
        "{problem} (line {line} of the rendered document).", problem=error.message.rstrip("."), line=error.line
    )
    return DesignError(message, file=error.file, hint=error.hint)


def unified(source: str) -> str:
    """The source with the line ends that Jinja2 sees."""
    return newline_re.sub("\n", source)


def written_by(
    document: str,
    name: str,
    files: Mapping[str, str],
    filters: Mapping[str, Callable[..., Any]],
    context: Mapping[str, object],
    places: Sequence[int],
) -> list[str]:
    """The file that wrote each of these characters of `document`, which is what `name` renders to; "" where none can
    be named for certain.
    """
    for captures in (True, False):
        environment = _MarkingEnvironment(files, filters, captures=captures)
        pieces = _pieces(environment, name, context, document)
        if pieces is not None:
            begins = [start for start, _ in pieces]
            found = [bisect_right(begins, place) - 1 for place in places]
            return [pieces[index][1].file if index >= 0 else "" for index in found]
    return ["" for _ in places]


def _origin(
    environment: _MarkingEnvironment, name: str, context: Mapping[str, object], document: str, at: int
) -> tuple[str, int] | None:
    """File and offset of what wrote the character `at` of the document; None where the markers changed it."""
    pieces = _pieces(environment, name, context, document)
    if pieces is None:
        return None
    index = bisect_right([start for start, _ in pieces], at) - 1
    if index < 0:
        return None
    start, origin = pieces[index]
    return origin.file, origin.offset + max(0, min(at - start, origin.length - 1))


def _pieces(
    environment: _MarkingEnvironment, name: str, context: Mapping[str, object], document: str
) -> list[tuple[int, _Origin]] | None:
    """Where each piece of the document begins, and what wrote it; None where the markers changed it."""
    try:
        template = environment.get_template(name)
        marked = scrub("".join(template.root_render_func(template.new_context(dict(context)))))
    except Exception:
        # Only a template that sees its markers fails here: without them it has just been rendered.
        return None
    first, *parts = _MARKER.split(marked)
    if first + "".join(parts[1::2]) != document:
        return None
    found: list[tuple[int, _Origin]] = []
    begins = len(first)
    for number, text in zip(parts[::2], parts[1::2], strict=True):
        found.append((begins, environment.origins[int(number)]))
        begins += len(text)
    return found
