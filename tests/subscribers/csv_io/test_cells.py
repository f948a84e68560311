from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.csv_io.cells import guard, unguard


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1+1",
        "\u00a0=cmd|' /C calc'!A0",
        "＝1+1",
        "－2",
        "＠x",
    ],
)
def test_no_cell_begins_like_a_formula(cell: str) -> None:
    assert guard(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Ana", "ana@example.org", "2026-11-05", "O'Hara", "a=b", "Ana - Mara"])
def test_an_ordinary_cell_stays_as_it_is(cell: str) -> None:
    assert guard(cell) == cell


@pytest.mark.parametrize("cell", ["'t Hooft", "'Ana'", "'"])
def test_an_apostrophe_of_somebody_elses_file_stays(cell: str) -> None:
    assert unguard(cell) == cell


@given(st.text() | st.text(alphabet="'=+-@\t\r\n a"))
def test_a_guard_comes_off_as_it_went_on(cell: str) -> None:
    guarded = guard(cell)
    assert unguard(guarded) == cell
    assert guarded.lstrip()[:1] not in tuple("=+-@＝＋－＠")
    assert guarded[:1] not in tuple("\t\r\n")
