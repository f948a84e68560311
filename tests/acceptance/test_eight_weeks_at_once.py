"""Any number of crons at once: one issue, one send. Real processes on a real database, SQLite's file or PostgreSQL."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.homes import due_home

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

AT_ONCE = 8
READERS = 30


def test_eight_weeks_at_once_make_one_issue_and_one_send(tmp_path: Path) -> None:
    home = due_home(tmp_path, readers=READERS)
    processes = [home.start("week") for _ in range(AT_ONCE)]
    ends = [(process.communicate(timeout=240), process.returncode) for process in processes]
    assert [(code, said) for said, code in ends if code] == []

    issues = home.ask("list(m.Issue.objects.order_by('pk').values_list('slot', 'state', 'audience_count'))")
    assert Counter(state for _, state, _ in issues) == {"sent": 1, "draft": 1}
    assert next(count for _, state, count in issues if state == "sent") == READERS
    assert home.ask("sorted(m.Delivery.objects.values_list('state', flat=True))") == ["accepted"] * READERS
    assert home.ask("m.Batch.objects.exclude(state='settled').count() + m.Retry.objects.count()") == 0

    recipients = [re.search(r"^To: .*<(.+)>", mail.read_text(), re.M) for mail in home.messages()]
    assert Counter(found[1] for found in recipients if found) == {f"reader{n}@example.org": 1 for n in range(READERS)}

    before = {path: path.read_bytes() for path in home.messages()}
    again = home.run("week")
    assert again.stdout == ""  # cron mails nobody when nothing was due
    assert {path: path.read_bytes() for path in home.messages()} == before
