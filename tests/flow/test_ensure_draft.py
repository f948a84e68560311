"""The next issue: there is always one, and however many ask at once, there is only one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from newsletter.core.errors import IssueError
from newsletter.flow import issue as flow
from newsletter.flow.gather import gather
from newsletter.ledger import deliveries, issues
from newsletter.models import Issue, Newsletter, Placement
from tests.factories import make_newsletter
from tests.flow.desk import EDITOR, Desk, entry, local, titles

NOW = datetime(2026, 11, 3, 17, tzinfo=UTC)
AT_ONCE = 8


@pytest.mark.django_db
def test_the_next_issue_is_a_draft_for_the_next_free_slot(now: datetime) -> None:
    newsletter = make_newsletter()
    issue = flow.ensure_draft(newsletter, now=now)
    assert (issue.slot, issue.state, issue.number) == ("2026-11-05", "draft", 1)
    assert issue.slot_at == local("2026-11-05 08:00")
    assert issue.cutoff_at == local("2026-11-04 18:00")
    assert flow.ensure_draft(newsletter, now=now + timedelta(days=1)) == issue


@pytest.mark.django_db
def test_no_slot_before_the_newsletters_start_is_ever_due(now: datetime) -> None:
    newsletter = make_newsletter(starts_at=now + timedelta(days=10))
    assert flow.ensure_draft(newsletter, now=now).slot == "2026-11-19"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("at", "slot"),
    [
        ("2026-11-04 17:59", "2026-11-05"),
        ("2026-11-04 18:00", "2026-11-12"),
        ("2026-11-05 07:59", "2026-11-12"),
        ("2026-11-05 08:00", "2026-11-12"),
    ],
)
@pytest.mark.parametrize("mode", ["required", "automatic"])
def test_a_first_issue_has_its_cutoff_still_ahead(at: str, slot: str, mode: str) -> None:
    newsletter = make_newsletter(approval_mode=mode, starts_at=local(at))
    assert flow.ensure_draft(newsletter, now=local(at)).slot == slot


@pytest.mark.django_db
def test_what_a_new_newsletter_gathers_between_cutoff_and_slot_can_be_approved() -> None:
    night = local("2015-11-05 01:00")
    desk = Desk(min_reviews=3, starts_at=night)
    desk.gather(night, *(entry(f"Work {number}", "2015-11-03 09:00") for number in range(3)))
    draft = desk.draft(night)
    assert (draft.slot, len(titles(draft)), flow.late_arrivals(draft)) == ("2015-11-12", 3, [])
    assert flow.approve(draft, EDITOR, now=night).state == "approved"


@pytest.mark.django_db
def test_a_later_issue_may_have_its_cutoff_behind_it() -> None:
    newsletter = make_newsletter()
    flow.discard(flow.ensure_draft(newsletter, now=local("2026-10-27 12:00")), "a trial", now=local("2026-10-27 13:00"))
    Issue.objects.exclude(slot="2026-10-29").delete()
    assert flow.ensure_draft(newsletter, now=local("2026-11-05 07:00")).slot == "2026-11-05"


@pytest.mark.django_db
def test_an_automatic_newsletter_still_takes_the_slot_whose_grace_is_not_over() -> None:
    def series(slug: str, mode: str) -> Newsletter:
        newsletter = make_newsletter(slug=slug, approval_mode=mode)
        flow.ensure_draft(newsletter, now=local("2026-10-27 12:00"))
        Issue.objects.filter(newsletter=newsletter).update(state="sent")
        return newsletter

    just_missed = local("2026-11-05 13:59")
    assert flow.ensure_draft(series("first", "automatic"), now=just_missed).slot == "2026-11-05"
    assert flow.ensure_draft(series("second", "automatic"), now=local("2026-11-05 14:01")).slot == "2026-11-12"
    assert flow.ensure_draft(series("third", "required"), now=just_missed).slot == "2026-11-12"


@pytest.mark.django_db
def test_after_weeks_of_standing_still_only_the_newest_slot_is_considered() -> None:
    desk = Desk(min_reviews=1, first_import_days=30, starts_at=local("2015-01-01 00:00"))
    desk.gather("2015-11-02 10:00", entry("Nightjar", "2015-11-02 09:00"))
    desk.approve("2015-11-03 10:00")
    awake = local("2015-11-30 10:00")
    desk.decide(awake)
    assert Issue.objects.get(slot="2015-11-05").outcome_reason == "Missed its slot: nothing was running in time."
    draft = desk.draft(awake)
    assert (draft.slot, titles(draft)) == ("2015-12-03", ["Nightjar"])
    assert Issue.objects.count() == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite is asked by processes, below")
def test_eight_threads_at_once_make_one_draft_with_each_review_once() -> None:
    desk = Desk(starts_at=local("2015-01-01 00:00"))
    newsletter = desk.newsletter
    for number in range(5):
        desk.shelves["feed"] = (*desk.shelves["feed"], entry(f"Work {number}", "2015-11-02 09:00"))
    gather(now=local("2015-11-02 10:00"), build=desk.build)
    barrier = threading.Barrier(AT_ONCE)

    def ask() -> int:
        try:
            barrier.wait()
            issue = flow.ensure_draft(newsletter, now=local("2015-11-02 10:01"))
            flow.place(issue, now=local("2015-11-02 10:01"))
            return int(issue.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = set(pool.map(lambda _: ask(), range(AT_ONCE)))
    assert len(found) == Issue.objects.count() == 1
    assert Placement.objects.count() == 5


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="needs real row locks")
def test_a_send_and_an_edit_at_once_never_both_win() -> None:
    """Whoever comes second finds the issue edited (and unapproved) or sending (and closed to edits)."""
    desk = Desk(starts_at=local("2015-01-01 00:00"), min_reviews=1)
    desk.gather("2015-11-02 10:00", entry("Nightjar", "2015-11-02 09:00"))
    now = local("2015-11-05 08:00")
    barriers = [threading.Barrier(2) for _ in range(6)]
    outcomes: dict[tuple[int, str], bool] = {}
    for turn in range(6):
        issue = flow.approve(desk.draft(now), EDITOR, now=now)

        def attempt(name: str, turn: int = turn, issue: Issue = issue) -> None:
            try:
                barriers[turn].wait()
                if name == "send":
                    deliveries.start(issue.pk, now=now)
                else:
                    flow.edit_issue(issue, {"subject": f"edit {turn}"}, now=now, by=EDITOR)
                outcomes[turn, name] = True
            except IssueError:
                outcomes[turn, name] = False
            finally:
                connection.close()

        threads = [threading.Thread(target=attempt, args=(name,)) for name in ("send", "edit")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes[turn, "send"] is not outcomes[turn, "edit"]
        issue.refresh_from_db()
        assert issue.state == ("sending" if outcomes[turn, "send"] else "draft")
        if outcomes[turn, "send"]:
            issues.pause(issue.pk, "again", now=now)
            issues.discard(issue.pk, "again", now=now)
            Issue.objects.filter(pk=issue.pk).update(state="draft", freeze=None, started_at=None)
            issue.deliveries.all().delete()
            issue.batches.all().delete()
            flow.place(issue, now=now)


_ASK = """
import sys, time
from datetime import datetime
from pathlib import Path
import django
django.setup()
from newsletter.flow.issue import ensure_draft, place
from newsletter.models import Newsletter
now = datetime.fromisoformat(sys.argv[1])
newsletter = Newsletter.objects.get()
Path(sys.argv[2]).touch()
while not Path(sys.argv[3]).exists():
    time.sleep(0.005)
issue = ensure_draft(newsletter, now=now)
place(issue, now=now)
print(issue.pk)
"""


@pytest.mark.slow
def test_eight_processes_at_once_on_sqlite_make_one_draft(tmp_path: Path, repository: Path) -> None:
    file = tmp_path / "newsletter.sqlite3"
    env = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{file}",
        "DJANGO_SETTINGS_MODULE": "newsletter.project.settings",
        "PYTHONPATH": str(repository),
    }
    prepare = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('migrate', verbosity=0)\n"
        "from tests.factories import make_newsletter, make_source\n"
        "from newsletter.models import Entry, Review\n"
        "from datetime import UTC, datetime\n"
        "newsletter, source, at = make_newsletter(), make_source(), datetime(2026, 11, 2, tzinfo=UTC)\n"
        "for n in range(5):\n"
        "    review = Review.objects.create(first_seen_at=at, effective_at=at)\n"
        "    content = {'title': f'W{n}', 'title_clean': f'W{n}'}\n"
        "    review.representative = Entry.objects.create(source=source, review=review, guid_key=str(n),\n"
        "        title=f'W{n}', content=content, content_hash='', first_seen_at=at, last_seen_at=at)\n"
        "    review.save()\n"
    )
    subprocess.run([sys.executable, "-c", prepare], env=env, cwd=repository, check=True)
    go = tmp_path / "go"
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", _ASK, NOW.isoformat(), str(tmp_path / f"ready-{n}"), str(go)],
            env=env,
            cwd=repository,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(AT_ONCE)
    ]
    while len(list(tmp_path.glob("ready-*"))) < AT_ONCE and all(one.poll() is None for one in asking):
        threading.Event().wait(0.02)
    go.touch()
    outputs = [one.communicate(timeout=60) for one in asking]
    assert [one.returncode for one in asking] == [0] * AT_ONCE, outputs
    assert len({out.strip() for out, _ in outputs}) == 1
    count = (
        "import django; django.setup()\n"
        "from newsletter.models import Issue, Placement\n"
        "print(Issue.objects.count(), Placement.objects.count())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", count], env=env, cwd=repository, check=True, capture_output=True, text=True
    )
    assert ran.stdout.split() == ["1", "5"]
