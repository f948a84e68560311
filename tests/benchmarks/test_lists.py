"""The short twin of `make prove ARGS=lists`: its own file and people, a few hundred of each, through all its steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from subscribers import segments
from subscribers.models import Subscription
from tests.benchmarks import lists
from tests.factories import make_list

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["members.csv", "members.xlsx"])
def test_the_proofs_file_comes_in_and_its_people_are_counted(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lists, "ROWS", 200)
    monkeypatch.setattr(lists, "PEOPLE", 600)
    lists.write_file(tmp_path / "members.csv")
    lists.write_workbook(tmp_path / "members.xlsx")
    monkeypatch.setattr(lists, "MOST_MEMORY", 10_000)  # that of the whole test run, here
    assert lists.bring_in(tmp_path / name)
    assert "added 198, refused 2" in capsys.readouterr().out
    lists.fill()
    assert Subscription.objects.filter(mailing_list=make_list()).count() == 600
    counted = [segments.count(make_list(), rule, now=lists.NOW) for rule in (lists.RULE, lists.CITY, lists.ALONE)]
    assert all(0 < number < 600 for number in counted)
    walked = [number for page in segments.pages(make_list(), lists.RULE, now=lists.NOW, size=50) for number in page]
    assert len(walked) == counted[0]
