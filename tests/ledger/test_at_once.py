"""Eight threads at one issue: each row is decided once."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest
from django.db import connection, connections

from newsletter.core.errors import IssueError
from newsletter.ledger import deliveries
from newsletter.models import Issue, IssueState
from tests.factories import make_newsletter
from tests.ledger.claiming import one_claim, settle
from tests.sending import SLOT, make_approved, states

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_eight_threads_that_begin_claim_and_settle_at_once_decide_each_row_once() -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("threads share a database in memory as one connection; the crash exam's processes prove SQLite")
    newsletter = make_newsletter()
    issue = make_approved(160, newsletter=newsletter)
    sent: list[int] = []
    begun: list[int] = []
    gate = threading.Barrier(8)
    faults: list[BaseException] = []

    def work(number: int) -> None:
        try:
            gate.wait()
            with suppress(IssueError):
                begun.append(deliveries.start(issue.pk, now=SLOT, size=20))
            while claim := one_claim(issue, f"here:{number}:1"):
                sent.extend(row.delivery for row in claim.rows)
                settle(claim, accepted=claim.rows)
            deliveries.finish_if_complete(issue.pk, now=SLOT)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults and begun == [160]
    assert sorted(sent) == sorted(set(sent)) and len(sent) == 160
    assert states(issue) == {"accepted": 160}
    assert Issue.objects.get().state == IssueState.SENT
