"""Made-up issues before the judges: the short twin of `make prove ARGS=generated`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.looks.generated import LANGUAGES, content, failures, judging, made
from tests.looks.judging import html_of, read
from tests.looks.letters import DESIGNS
from tests.looks.window import Window

# Each language meets each design within a hundred numbers; of these, thirty and six.
NUMBERS = [number * 37 + 5 for number in range(30)]


@pytest.fixture(scope="module", autouse=True)
def judge() -> Iterator[None]:
    with judging():
        yield


def test_thirty_made_up_issues_fail_no_must_of_the_mail_standards() -> None:
    issues = [made(number) for number in NUMBERS]
    assert {issue.language for issue in issues} == set(LANGUAGES)
    assert {issue.design for issue in issues} == set(DESIGNS)
    assert {issue.number: found for issue in issues if (found := failures(issue.message))} == {}


@pytest.mark.browser
@pytest.mark.parametrize("number", NUMBERS[:6])
def test_a_made_up_issue_can_be_read(window: Window, number: int) -> None:
    texts, found = read(window, html_of(made(number).message), axe=True)
    assert texts > 30
    assert found == []


def test_the_same_number_is_the_same_issue() -> None:
    assert content(7, "ar") == content(7, "ar") != content(8, "ar")


def test_the_judge_sees_a_broken_letter() -> None:
    message = made(0).message
    assert failures(message) == []
    assert any("DKIM 0 verifies" in each for each in failures(message.replace(b"12 Main Street", b"13 Main Street")))
    assert any("html lang" in each for each in failures(message.replace(b'<html lang=3D"en"', b'<html lang=3D"und"')))
