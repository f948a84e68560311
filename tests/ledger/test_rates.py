"""One allowance for all workers of an account, in the database: a restart or a second worker adds nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.core.pacing import Limits
from newsletter.flow import deliver as flow
from newsletter.ledger import deliveries, rates
from newsletter.models import Account, Issue, IssueState, Rate
from newsletter.providers.memory import mailbox
from tests.factories import make_account, make_newsletter
from tests.flow.deliver.running import run
from tests.sending import SLOT, Clock, make_approved

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return make_account()


def test_two_workers_draw_on_one_allowance(account: Account) -> None:
    limits = Limits(per_second=10, per_day=30)
    grants = [rates.reserve(account.pk, limits, 20, now=SLOT) for _ in range(3)]
    assert [found.number for found in grants] == [20, 10, 0]
    assert grants[1].begin == SLOT + timedelta(seconds=2) and grants[2].begin > SLOT + timedelta(hours=1)
    rates.give_back(account.pk, limits, 5, now=SLOT)
    assert rates.look(account.pk, limits, now=SLOT).number == 1
    assert rates.reserve(account.pk, limits, 20, now=SLOT).number == 5


def test_without_limits_no_row_is_written(account: Account) -> None:
    assert rates.reserve(account.pk, Limits(), 9, now=SLOT).number == 9
    assert rates.look(account.pk, Limits(), now=SLOT).number == 1
    rates.give_back(account.pk, Limits(), 9, now=SLOT)
    assert not Rate.objects.exists()


def limited(people: int, **rules: object) -> Issue:
    mailbox().clear()
    return make_approved(people, newsletter=make_newsletter(account=make_account(settings=rules)))


def test_f14_a_new_accounts_first_days_never_overstep_the_ramp_and_the_send_goes_on_by_itself() -> None:
    issue, clock = limited(1000, warm_up=50, per_day=400), Clock()
    flow.start(issue, clock())
    sent = []
    for _ in range(6):
        before = len(mailbox())
        outcome = run(issue, clock)
        sent.append(len(mailbox()) - before)
        assert run(issue, clock).sent_now == 0, "nothing more today, however often it is tried"
        if outcome.allowed_at is not None:
            assert outcome.state == IssueState.SENDING and outcome.counts.claimed == 0
            clock.at = outcome.allowed_at
    assert sent == [50, 100, 200, 400, 250, 0]
    assert outcome.state == IssueState.SENT and len({each.recipient for each in mailbox()}) == 1000


def test_a_rate_a_second_is_kept_and_batches_are_cut_to_it() -> None:
    issue, clock = limited(100, per_second=20), Clock()
    flow.start(issue, clock())
    begun = clock.at
    assert run(issue, clock).clean
    assert timedelta(seconds=4.5) < clock.at - begun < timedelta(seconds=7)
    assert sorted(issue.batches.values_list("hi", "lo"))[0][0] - sorted(issue.batches.values_list("lo"))[0][0] + 1 == 40


def test_who_is_excluded_uses_up_nothing() -> None:
    issue, clock = limited(10, per_day=6), Clock()
    flow.start(issue, clock())
    from subscribers.models import Subscription, SubscriptionState

    Subscription.objects.filter(subscriber__address__in=[f"r{n}@box.test" for n in range(4)]).update(
        state=SubscriptionState.UNSUBSCRIBED
    )
    assert run(issue, clock).state == IssueState.SENT and len(mailbox()) == 6
    assert deliveries.owners() == set()


def test_a_short_wait_for_the_next_hour_is_waited_for() -> None:
    issue, clock = limited(8, per_hour=5), Clock(SLOT + timedelta(minutes=59, seconds=30))
    flow.start(issue, clock())
    outcome = run(issue, clock)
    assert outcome.state == IssueState.SENT and len(mailbox()) == 8 and clock.at > SLOT + timedelta(hours=1)
