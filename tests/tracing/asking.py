"""Three readers, what a template asks of them, and how many letters it costs."""

from __future__ import annotations

from datetime import date
from typing import Any

from newsletter.core.reader import Reader
from tests.tracing.judge import Jinja, judge

ANA = Reader(
    "ana@example.org",
    name="Ana Núñez",
    language="de",
    topics=("book", "movie"),
    attributes={"city": "Paris", "n": 3, "plan": "gold"},
    joined_on=date(2024, 5, 6),
)
BOB = Reader("bob@example.org", name="<Bob>", language="en", attributes={"city": "", "n": 0})
ZOE = Reader("zoe@example.org", language="de", topics=("movie",), attributes={"city": "Paris", "n": True})
ALL = [ANA, BOB, ZOE]


def asked(source: str, reader: Reader = ANA, **context: Any) -> list[str]:
    """The questions of one trace: `kind of expression`."""
    tracer, _ = Jinja({"t.mjml": source}, context=context).trace(reader)
    return [f"{question.kind} of {question.node.describe()}" for question, _ in tracer.path]


def letters(source: str, **context: Any) -> int:
    """How many letters three readers need, each compared with the stock render."""
    jinja = Jinja({"t.mjml": source}, context=context)
    assert set(judge(jinja, ALL)) <= {"equal", "both raise"}
    return len(jinja.tree)
