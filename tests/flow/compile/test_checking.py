from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.management import call_command

from newsletter.core.checks import Level
from newsletter.core.errors import DesignError, IssueError, TraceError
from newsletter.core.reader import Reader
from newsletter.core.tokens import Keys
from newsletter.flow import compile as compiling
from newsletter.flow.compile.freezing import build
from newsletter.flow.issue import approve
from newsletter.models import Issue, Review
from subscribers.models import Subscription
from tests.flow.compile.fixtures import NOW

pytestmark = pytest.mark.django_db


def test_a_good_issue_has_no_blockers(issue: Issue) -> None:
    assert compiling.blockers(issue, NOW) == ()
    assert {row.level for row in compiling.checks(issue, NOW)} == {Level.NOT_CHECKED}


def test_a_letter_that_cannot_be_rendered_blocks_with_its_line(issue: Issue, home: Path) -> None:
    folder = home / "templates" / "email" / "marquee"
    folder.mkdir(parents=True)
    (folder / "letter.txt").write_text("fine\n{{ nonsense }}\n")
    (blocker,) = compiling.blockers(issue, NOW)
    assert "letter.txt:2" in blocker
    assert "nonsense" in blocker


def test_a_mistake_in_an_included_file_is_named_there_by_checks_and_preview(issue: Issue, home: Path) -> None:
    folder = home / "templates" / "email" / "marquee"
    folder.mkdir(parents=True)
    mistake = "<mj-section><mj-column><mj-text>a < b</mj-text></mj-column></mj-section>"
    (folder / "note.mjml").write_text(f"<!-- ours -->\n{mistake}\n")
    (row,) = compiling.checks(issue, NOW)
    assert (row.level, row.where) == (Level.BLOCK, "note.mjml:2:35")
    with pytest.raises(DesignError, match="not well-formed") as caught:
        compiling.preview(issue, None, keys=Keys(b"not a secret"), now=NOW)
    assert caught.value.where == "note.mjml:2:35"


def test_a_broken_audience_rule_ends_in_words(issue: Issue, capsys: pytest.CaptureFixture[str]) -> None:
    issue.newsletter.audience = ["movie"]
    issue.newsletter.save()
    with time_machine.travel(NOW, tick=False), pytest.raises(SystemExit) as left:
        call_command("checks", issue.slot)
    assert left.value.code == 3
    assert capsys.readouterr().out.startswith("block        audience: An audience rule is a table")
    with pytest.raises(IssueError, match="audience: An audience rule is a table"):
        approve(issue, "Mara", now=NOW)


UNTRACEABLE = {
    "asks for a name": "{% for c in subscriber.name %}{{ c }}{% endfor %}",
    "asks only who has a name": "{% if subscriber.name %}{% for c in subscriber.name %}{{ c }}{% endfor %}{% endif %}",
    "asks only who follows something": "{% if subscriber.topics %}"
    "{% for c in subscriber.name %}{{ c }}{% endfor %}{% endif %}",
    "asks only who has an attribute": "{% if subscriber.attributes %}{% set n = namespace(a=1) %}"
    "{% for c in subscriber.name %}{% set n.a = c %}{% endfor %}{% endif %}",
    "asks only who joined": "{% if subscriber.joined_on %}{{ subscriber }}{% endif %}",
}


@pytest.mark.parametrize("template", UNTRACEABLE.values(), ids=UNTRACEABLE)
def test_a_design_that_cannot_be_compiled_exactly_is_never_approved(issue: Issue, home: Path, template: str) -> None:
    """Stock Jinja2 renders each of these: without tracing, the send would be the first to find out."""
    folder = home / "templates" / "email" / "marquee"
    folder.mkdir(parents=True)
    original = compiling.frozen(issue).design.files["letter.txt"].rstrip()
    (folder / "letter.txt").write_text(f"{original}\n{template}\n")
    inputs = compiling.frozen(issue)
    assert build(inputs).full_render(Reader(address="ada@example.org", name="Ada", topics=("film",)))
    line = len(original.splitlines()) + 1
    (blocker,) = compiling.blockers(issue, NOW)
    assert f"letter.txt:{line}" in blocker
    with pytest.raises(TraceError):
        compiling.freeze(issue, NOW)
    with pytest.raises(IssueError, match=f"letter.txt:{line}"):
        approve(issue, "Edda", now=NOW)
    issue.refresh_from_db()
    assert (issue.state, issue.freeze) == ("draft", None)


def test_a_broken_audience_rule_blocks(issue: Issue) -> None:
    issue.newsletter.audience = {"topic": ["movie"]}
    (blocker,) = compiling.blockers(issue, NOW)
    assert "did you mean 'topics_any'" in blocker


def test_an_empty_list_blocks(issue: Issue) -> None:
    Subscription.objects.update(state="unsubscribed")
    assert any("nobody" in blocker for blocker in compiling.blockers(issue, NOW))


def test_mistakes_in_the_designs_own_files_are_named_with_their_line(issue: Issue, home: Path) -> None:
    folder = home / "templates" / "email" / "marquee"
    folder.mkdir(parents=True)
    (folder / "extra.mjml").write_text("\n<mj-image src='x' />")
    rows = compiling.checks(issue, NOW)
    assert any(row.where == "extra.mjml:2:1" and "needs alt" in row.text for row in rows)


def test_a_change_after_the_approval_is_seen(issue: Issue) -> None:
    issue.freeze = compiling.freeze(issue, NOW)
    issue.save()
    assert not any("since the approval" in row.text for row in compiling.checks(issue, NOW))
    issue.newsletter.from_name = "Somebody else"
    issue.newsletter.save()
    assert any("since the approval" in row.text for row in compiling.checks(issue, NOW))


def test_guessed_dates_and_late_slots_are_seen(issue: Issue) -> None:
    Review.objects.update(date_guessed=True)
    rows = [str(row) for row in compiling.checks(issue, issue.slot_at + timedelta(hours=1))]
    assert sum("no date" in row for row in rows) == 4
    assert any("goes out late" in row for row in rows)
