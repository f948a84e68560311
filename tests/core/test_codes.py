"""A template is made into Python code once, and never into that of another."""

from __future__ import annotations

import pytest

from newsletter.core.trace import StockEnvironment, TracingEnvironment
from newsletter.core.trace.codes import MAX_CODES, Codes

FOLDED = {"t.txt": "{{ 'a word'|upper }}"}


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.core.trace.stock.CODES", Codes())


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of environment that made code, in order."""
    made: list[str] = []
    proper = StockEnvironment._generate

    def counted(self: StockEnvironment, *args: object, **kwargs: object) -> str:
        made.append(type(self).__name__)
        return proper(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(StockEnvironment, "_generate", counted)
    return made


def render(environment: StockEnvironment) -> str:
    return environment.get_template("t.txt").render()


def test_each_kind_of_environment_makes_its_code_once(generated: list[str]) -> None:
    for _ in range(2):
        stock = StockEnvironment(FOLDED, {})
        assert render(stock) == "A WORD"
        assert "".join(TracingEnvironment(FOLDED, {}, stock).get_template("t.txt").generate()) == "A WORD"
    assert generated == ["StockEnvironment", "TracingEnvironment"]


def test_the_same_name_with_another_text_is_another_template(generated: list[str]) -> None:
    assert render(StockEnvironment({"t.txt": "one"}, {})) == "one"
    assert render(StockEnvironment({"t.txt": "two"}, {})) == "two"
    assert render(StockEnvironment({"t.txt": "one"}, {})) == "one"
    assert len(generated) == 2


def test_filters_of_its_own_give_an_environment_code_of_its_own() -> None:
    assert render(StockEnvironment(FOLDED, {})) == "A WORD"
    assert render(StockEnvironment(FOLDED, {"upper": str.lower})) == "a word"
    assert render(StockEnvironment(FOLDED, {})) == "A WORD"


def test_what_is_kept_has_a_bound(generated: list[str]) -> None:
    for number in range(MAX_CODES + 1):
        assert render(StockEnvironment({"t.txt": str(number)}, {})) == str(number)
    assert render(StockEnvironment({"t.txt": str(MAX_CODES)}, {})) == str(MAX_CODES)
    assert len(generated) == MAX_CODES + 1
    assert render(StockEnvironment({"t.txt": "0"}, {})) == "0"
    assert len(generated) == MAX_CODES + 2
