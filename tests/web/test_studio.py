from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from newsletter.core.tokens import UNSUBSCRIBE, token
from newsletter.flow.compile import preview
from newsletter.flow.compile.previewing import NOBODY
from newsletter.ledger import issues
from newsletter.models import Delivery, DeliveryState, Freeze, Issue, IssueState, Magazine, Placement
from newsletter.web.links import keys
from subscribers.models import Subscription
from tests.factories import make_subscription
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = pytest.mark.django_db
HERE = "/studio/weekly/2026-11-05/"


@pytest.fixture(autouse=True)
def soon(issue: Issue) -> Issue:
    """The draft goes out in a day, so that no check minds its date."""
    issue.slot_at = timezone.now() + timedelta(days=1)
    issue.save()
    Magazine.objects.update(postal_address="12 Wick Street\nHarbour Town 10001")
    return issue


def person(name: str, *rights: str) -> Client:
    user = User.objects.create_user(name)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def editor() -> Client:
    return person("edda", "view_subscriber")


@pytest.fixture
def approver() -> Client:
    return person("mara", "approve_issue", "view_subscriber")


@pytest.fixture
def a_letter_with_names(settings: Settings, tmp_path: Path) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, home=tmp_path)
    folder = tmp_path / "templates" / "email" / "marquee"
    folder.mkdir(parents=True)
    own = "Dear {{ subscriber.first_name or 'reader' }}"
    (folder / "letter.mjml").write_text(
        f"<mjml><mj-body><mj-section><mj-column><mj-text>{own}</mj-text></mj-column></mj-section></mj-body></mjml>"
    )


def fingerprint(page: str) -> str:
    found = re.search(r'name="fingerprint" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("path", ["/studio/", HERE, f"{HERE}letter", f"{HERE}approve"])
def test_nobody_looks_without_logging_in(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login/?next=")


def test_the_list_leads_to_the_next_issue(editor: Client, issue: Issue) -> None:
    page = editor.get("/studio/").content.decode()
    assert f'href="{HERE}"' in page
    assert "Look and approve" in page
    assert "4 reviews" in page
    Issue.objects.update(state=IssueState.SKIPPED, outcome_reason="A quiet week.")
    page = editor.get("/studio/").content.decode()
    assert "A quiet week." in page
    assert "Look and approve" not in page


def test_an_empty_studio_shows_the_three_steps_and_who_takes_them(editor: Client) -> None:
    Placement.objects.all().delete()
    newsletter = Issue.objects.get().newsletter
    Issue.objects.all().delete()
    assert "An admin takes these steps." in editor.get("/studio/").content.decode()
    newsletter.delete()
    assert "An admin takes these steps." in editor.get("/studio/").content.decode()
    admin = Client()
    admin.force_login(User.objects.create_superuser("otto"))
    assert 'href="/studio/welcome/"' in admin.get("/studio/").content.decode()


def test_the_frame_holds_the_letter_as_it_would_go_out(editor: Client, issue: Issue) -> None:
    ada = Subscription.objects.get()
    answer = editor.get(f"{HERE}letter?as={ada.pk}")
    exact = preview(issue, ada, keys=keys(), now=timezone.now()).rendered.html
    exact = exact.replace(token(keys(), UNSUBSCRIBE, ada.pk), token(keys(), UNSUBSCRIBE, NOBODY))
    # Nobody's: whoever looks at somebody else's letter can neither stop it nor change what they get.
    exact = re.sub(r"/p/[\w-]{24}", f"/p/{'S' * 24}", exact)
    assert answer.content.decode() == exact.replace('="https://news.example.test/', '="/')
    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_shows_the_letter_four_ways(editor: Client) -> None:
    frames = {"both": 2, "desktop": 1, "phone": 1, "text": 0, "nonsense": 2}
    for view, number in frames.items():
        page = editor.get(f"{HERE}?view={view}").content.decode()
        assert page.count("<iframe") == number
        assert page.count('sandbox="allow-popups allow-popups-to-escape-sandbox"') == number
    assert "SEE YOU SUNDAY" in editor.get(f"{HERE}?view=text").content.decode().upper()


def test_a_subscriber_is_found_by_part_of_the_address(editor: Client) -> None:
    ada = Subscription.objects.get()
    page = editor.get(f"{HERE}?q=Ada@").content.decode()
    assert "As Ada Marlow (ada@readers.example.test) gets it." in page
    assert f"letter?q=Ada%40&amp;as={ada.pk}" in page
    make_subscription("adam@readers.example.test")
    page = editor.get(f"{HERE}?q=ada").content.decode()
    assert f"&q=ada&amp;as={ada.pk}" in page
    assert "adam@readers.example.test" in page
    assert "nobody in particular" in page
    assert "Ada Marlow" in editor.get(f"{HERE}?q=ada@readers.example.test").content.decode()


@pytest.mark.parametrize(
    "query", ["q=nobody@example.org", "q=%00", "as=9999999999999999999999", "as=x", "as=-1", "as=²"]
)
def test_a_choice_that_makes_no_sense_is_nobody(editor: Client, query: str) -> None:
    assert "As nobody in particular gets it." in editor.get(f"{HERE}?{query}").content.decode()


def test_a_subscriber_of_another_list_is_nobody_here(editor: Client) -> None:
    from tests.factories import make_list

    stranger = make_subscription("x@example.org", make_list("other"))
    assert "As nobody in particular gets it." in editor.get(f"{HERE}?as={stranger.pk}").content.decode()


def test_who_may_not_see_subscribers_sees_masked_addresses() -> None:
    guest = person("gus")
    ada = Subscription.objects.get()
    assert "Nobody on the list" in guest.get(f"{HERE}?q=ada").content.decode()
    page = guest.get(f"{HERE}?q=ada@readers.example.test").content.decode()
    assert "a•••@r•••.test" in page
    assert "Ada Marlow (" not in page
    chosen = f"q=ada%40readers.example.test&amp;as={ada.pk}"
    assert f"letter?{chosen}" in page
    assert f"view=phone&amp;{chosen}" in page
    assert "As a•••@r•••.test" in guest.get(f"{HERE}?{chosen.replace('&amp;', '&')}&view=phone").content.decode()


@pytest.mark.usefixtures("a_letter_with_names")
@pytest.mark.parametrize("query", ["", "q=ada&", "q=ada@&", "q=other@readers.example.test&"])
def test_a_number_alone_shows_nobody_to_who_may_not_see_subscribers(query: str) -> None:
    guest = person("gus")
    make_subscription("other@readers.example.test")
    ada = Subscription.objects.get(subscriber__name="Ada Marlow")
    for path in (HERE, f"{HERE}letter"):
        page = guest.get(f"{path}?{query}as={ada.pk}").content.decode()
        assert "Dear" in page or path == HERE
        assert "Ada" not in page
        assert token(keys(), UNSUBSCRIBE, ada.pk) not in page


@pytest.mark.parametrize("rights", [(), ("view_subscriber", "approve_issue")])
def test_no_letter_in_the_studio_can_unsubscribe_whom_it_is_shown_as(rights: tuple[str, ...]) -> None:
    client = person("gus", *rights)
    ada = Subscription.objects.get()
    for path in (f"{HERE}letter?", f"{HERE}?view=text&"):
        page = client.get(f"{path}q=ada@readers.example.test&as={ada.pk}").content.decode()
        assert f"/u/{token(keys(), UNSUBSCRIBE, NOBODY)}" in page
        assert token(keys(), UNSUBSCRIBE, ada.pk) not in page


def test_an_approver_approves_the_very_letter_that_was_shown(approver: Client) -> None:
    page = approver.get(HERE).content.decode()
    shown = fingerprint(page)
    assert approver.post(f"{HERE}approve", {"fingerprint": shown}).status_code == 302
    issue = Issue.objects.get()
    assert (issue.state, issue.approved_by) == (IssueState.APPROVED, "mara")
    assert issue.freeze is not None
    assert issue.freeze.fingerprint == shown
    after = approver.get(HERE).content.decode()
    assert "Approved by mara." in after
    assert "Approve this letter" not in after


def test_a_letter_that_changed_meanwhile_is_not_approved(approver: Client) -> None:
    shown = fingerprint(approver.get(HERE).content.decode())
    Issue.objects.update(note="Another note.")
    answer = approver.post(f"{HERE}approve", {"fingerprint": shown})
    assert answer.status_code == 409
    assert "has changed since you looked" in answer.content.decode()
    assert Issue.objects.get().state == IssueState.DRAFT


def test_what_changes_while_the_button_is_pressed_is_not_approved(
    approver: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gather that commits after the page was read and before the issue is locked."""
    shown = fingerprint(approver.get(HERE).content.decode())
    lock = issues.lock

    def late(pk: int) -> Issue:
        Issue.objects.update(note="Never shown")
        return lock(pk)

    monkeypatch.setattr(issues, "lock", late)
    answer = approver.post(f"{HERE}approve", {"fingerprint": shown})
    assert answer.status_code == 409
    assert "has changed since you looked" in answer.content.decode()
    assert Issue.objects.get().state == IssueState.DRAFT
    assert not Freeze.objects.exists()


@pytest.mark.parametrize("posted", [{}, {"fingerprint": ""}, {"fingerprint": "0" * 64}])
def test_nothing_is_approved_without_the_right_fingerprint(approver: Client, posted: dict[str, str]) -> None:
    assert approver.post(f"{HERE}approve", posted).status_code == 409
    assert Issue.objects.get().state == IssueState.DRAFT


def test_approving_twice_says_that_it_is_done(approver: Client) -> None:
    shown = fingerprint(approver.get(HERE).content.decode())
    approver.post(f"{HERE}approve", {"fingerprint": shown})
    answer = approver.post(f"{HERE}approve", {"fingerprint": shown})
    assert answer.status_code == 409
    assert "only a draft can be approved" in answer.content.decode()


def test_an_editor_without_the_right_sees_no_button_and_cannot_press_it(editor: Client) -> None:
    page = editor.get(HERE).content.decode()
    assert "Approve this letter" not in page
    assert "somebody with the right to approve" in page
    assert editor.post(f"{HERE}approve", {"fingerprint": "x"}).status_code == 403
    assert Issue.objects.get().state == IssueState.DRAFT


def test_the_button_needs_the_pages_own_secret() -> None:
    User.objects.create_superuser("root")
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get())
    assert client.post(f"{HERE}approve", {"fingerprint": "x"}).status_code == 403


def test_a_blocking_check_stands_where_the_button_was(approver: Client) -> None:
    Magazine.objects.update(postal_address="")
    page = approver.get(HERE).content.decode()
    assert "Must be mended" in page
    assert "can’t be approved yet" in page
    assert "Approve this letter" not in page


def test_a_broken_design_is_said_with_its_place_and_the_page_stands(approver: Client) -> None:
    issue = Issue.objects.get()
    issue.newsletter.design = "no-such-design"
    issue.newsletter.save()
    page = approver.get(HERE)
    assert page.status_code == 200
    assert "The letter can’t be made." in page.content.decode()
    frame = approver.get(f"{HERE}letter")
    assert "can’t be shown" in frame.content.decode()
    assert "frame-ancestors 'self'" in frame.headers["Content-Security-Policy"]
    assert approver.post(f"{HERE}approve", {"fingerprint": ""}).status_code == 409


def test_a_wrong_audience_rule_is_said_and_the_page_stands(approver: Client) -> None:
    newsletter = Issue.objects.get().newsletter
    newsletter.audience = {"topic_any": ["movie"]}
    newsletter.save()
    page = approver.get(HERE)
    assert page.status_code == 200
    assert "did you mean" in page.content.decode()
    assert "Approve this letter" not in page.content.decode()


def test_a_discarded_issue_is_only_looked_at(approver: Client) -> None:
    Issue.objects.update(state=IssueState.DISCARDED, outcome_reason="Thrown away.")
    page = approver.get(HERE).content.decode()
    assert "Thrown away." in page
    assert "Would send" not in page


def test_a_sent_issue_shows_its_report_with_names_for_those_who_may(editor: Client) -> None:
    now = timezone.now()
    issue = Issue.objects.get()
    failed = make_subscription("full@example.org")
    for subscription, state, reason in (
        (Subscription.objects.get(subscriber__address="ada@readers.example.test"), DeliveryState.ACCEPTED, ""),
        (failed, DeliveryState.FAILED, "refused: 550 no such mailbox"),
    ):
        Delivery.objects.create(
            issue=issue,
            subscription=subscription,
            address=subscription.subscriber.address,
            state=state,
            reason=reason,
            at=now,
        )
    Issue.objects.update(
        state=IssueState.SENT, started_at=now, finished_at=now, audience_count=2, public_html="<p>Hi</p>"
    )
    page = editor.get(HERE).content.decode()
    assert 'aria-label="1 accepted, 1 failed"' in page
    assert "550 no such mailbox" in page
    assert "full@example.org" in page
    assert 'href="/i/weekly/2026-11-05"' in page
    assert "full@example.org" not in person("gus").get(HERE).content.decode()


@pytest.mark.parametrize("state", [IssueState.SENDING, IssueState.PAUSED])
def test_the_public_page_of_an_issue_on_its_way_can_be_looked_at(editor: Client, state: IssueState) -> None:
    Issue.objects.update(state=state, started_at=timezone.now(), public_html="<p>Hi</p>")
    assert 'href="/i/weekly/2026-11-05"' in editor.get(HERE).content.decode()
    assert editor.get("/i/weekly/2026-11-05").status_code == 200


def test_an_unknown_issue_is_a_404(editor: Client) -> None:
    assert editor.get("/studio/weekly/2026-11-12/").status_code == 404


def test_text_of_a_review_is_only_text_in_the_page(editor: Client) -> None:
    Issue.objects.update(subject="<script>alert(1)</script>{{ 7*7 }}")
    page = editor.get(HERE).content.decode()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}" in page


def test_every_page_of_ours_forbids_inline_scripts_and_foreign_hosts(editor: Client) -> None:
    for path in ("/studio/", HERE, "/login/", "/admin/login/", "/nowhere"):
        policy = editor.get(path).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
