"""From what a template puts out to fixed texts and slots, and from what it raises to errors with file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import TemplateError, TemplateNotFound, TemplateSyntaxError

from newsletter.core.errors import DesignError, NewsletterError
from newsletter.core.reader import UNMAILABLE
from newsletter.core.sentence import sentence
from newsletter.core.trace.deferred import Deferred
from newsletter.core.trace.nodes import Node

_UNCLEAN = re.compile(f"[{UNMAILABLE}]")


@dataclass(frozen=True, slots=True)
class Slot:
    """A reader's value in the output: a node whose value is text, and where the template printed it."""

    node: Node
    deferred: Deferred


def flat(deferred: Deferred, node: Node) -> Iterator[str | Slot]:
    """The pieces and slots of a printed node: captures and macros, escaped already, are taken apart."""
    inner = node.operands[0] if node.kind in ("print", "text") else node
    marked = inner.kind == "markup"
    text = inner.operands[0] if marked else inner
    if text.kind == "join_parts" and (marked or node.kind != "print"):
        for operand in text.operands:
            if operand.kind == "constant":
                yield scrub(str(operand.constant))
            else:
                yield from flat(deferred, operand)
    else:
        yield Slot(node, deferred if node is deferred.node else _inside(deferred, node))


def _inside(deferred: Deferred, node: Node) -> Deferred:
    """A part of a captured output: it is what is asked for where MJML reads it, not the whole."""
    part = Deferred(deferred.tracer, node)
    part.file, part.line = deferred.file, deferred.line
    return part


def scrub(text: str) -> str:
    """The text without what no mail may hold. Character by character (CR goes, the rest become spaces), so that
    `scrub(a + b)` is `scrub(a) + scrub(b)`.
    """
    if text.isprintable():  # none of `UNMAILABLE` is
        return text
    return _UNCLEAN.sub(" ", text.replace("\r", ""))


class design_errors:
    """Turns what Jinja2 and a template raise into `DesignError` with file and line."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, NewsletterError) or not isinstance(error, Exception):
            return
        if isinstance(error, TemplateSyntaxError):
            message = sentence("{problem}.", problem=(error.message or "this is not Jinja2").rstrip("."))
            raise DesignError(
                message, file=error.name or "", line=error.lineno, hint=sentence("Mend the template.")
            ) from error
        if isinstance(error, TemplateNotFound):
            raise no_template(error.name, *template_place(error)) from error
        file, line = template_place(error)
        what = str(error) if isinstance(error, TemplateError) else f"{type(error).__name__}: {error}"
        message = sentence("this can't be rendered: {problem}.", problem=what.rstrip("."))
        raise DesignError(message, file=file, line=line, hint=sentence("Mend the template.")) from error


def no_template(name: object, file: str, line: int | None) -> DesignError:
    """What a design lacks, and where it asks for it."""
    message = sentence("there is no template {name} in this design.", name=repr(name))
    return DesignError(message, file=file, line=line, hint=sentence("Check the name, or add the file."))


def template_place(error: BaseException) -> tuple[str, int | None]:
    """File and line of the innermost template in an error's traceback."""
    found: tuple[str, int | None] = ("", None)
    trace = error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            found = (template.name or "", template.get_corresponding_lineno(trace.tb_lineno))
        trace = trace.tb_next
    return found
