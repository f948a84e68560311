"""No page of the studio is forgotten: the addresses are the list."""

from __future__ import annotations

import ast
from pathlib import Path

from newsletter.web.studio import urls
from tests.browser.looking import NO_PAGES, STATES
from tests.web.test_access import named_routes

HERE = Path(__file__).parent


def looked_at() -> list[str]:
    """The states that the tests of this folder name in `inspect(visitor, "name", ...)`."""
    found: list[str] = []
    for file in sorted(HERE.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "inspect":
                name = node.args[1]
                assert isinstance(name, ast.Constant), f"{file.name}:{node.lineno}: write the state's name itself"
                found.append(str(name.value))
    return found


def test_every_route_has_a_page_to_look_at_or_a_reason_why_not() -> None:
    names = set(named_routes(list(urls.urlpatterns)))
    assert not set(STATES) & set(NO_PAGES)
    assert names == set(STATES) | set(NO_PAGES)


def test_every_state_is_looked_at_once_and_none_that_is_not_in_the_table() -> None:
    assert sorted(looked_at()) == sorted(state for states in STATES.values() for state in states)
