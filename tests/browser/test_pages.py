"""What only a browser can tell: pictures in a sandboxed frame, colours, contrast, keys, the width of a phone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from PIL import Image

from newsletter.core.tokens import UNSUBSCRIBE, token
from newsletter.models import Delivery, DeliveryState, Issue, IssueState, Magazine, Picture
from newsletter.web.links import keys
from newsletter.web.studio.login import login_link
from subscribers.models import Subscription, SubscriptionState
from tests.browser.conftest import Visitor
from tests.browser.looking import inspect
from tests.factories import make_subscription
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HERE = "/studio/weekly/2026-11-05/"


@pytest.fixture
def letter(issue: Issue, configured: Path) -> Issue:
    """The draft, going out tomorrow, with pictures that are really there."""
    issue.slot_at = timezone.now() + timedelta(days=1)
    issue.save()
    Magazine.objects.update(postal_address="12 Wick Street\nHarbour Town 10001")
    for number, row in enumerate(Picture.objects.order_by("pk")):
        row.name = f"{number:02x}/{number:02x}{'0' * 62}.jpg"
        row.save()
        (configured / row.name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (row.width or 1200, row.height or 800), (120, 60 + 40 * number, 50)).save(
            configured / row.name
        )
    return issue


@pytest.fixture
def mara(visitor: Visitor, letter: Issue) -> Visitor:
    """An approver, logged in through a one-time link by pressing its button."""
    user = User.objects.create_superuser("mara")
    page = visitor.go(login_link(user, "", timezone.now()))
    page.get_by_role("button", name="Log in as mara").click()
    page.wait_for_url("**/studio/")
    # Or a cover would be asked for that the test has taken away meanwhile, and its 404 would be the test's.
    page.wait_for_load_state("networkidle")
    return visitor


def test_the_pages_for_editors_have_no_fault(mara: Visitor) -> None:
    ada = Subscription.objects.get()
    make_subscription("adam@readers.example.test", name="Adam")
    inspect(mara, "issue", lambda: mara.go(f"{HERE}?as={ada.pk}"))
    inspect(mara, "text", lambda: mara.go(f"{HERE}?view=text"))
    inspect(mara, "search", lambda: mara.go(f"{HERE}?view=phone&q=ada"))


def test_a_sent_issue_and_a_broken_one_have_no_fault(mara: Visitor, letter: Issue) -> None:
    now = timezone.now()
    people = [make_subscription(f"p{number}@example.org") for number in range(12)]
    states = [DeliveryState.ACCEPTED] * 9 + [DeliveryState.FAILED, DeliveryState.EXCLUDED, DeliveryState.UNCERTAIN]
    for row, state in zip(people, states, strict=True):
        reason = "" if state == DeliveryState.ACCEPTED else "refused: 550 5.1.1 no such mailbox"
        Delivery.objects.create(
            issue=letter, subscription=row, address=row.subscriber.address, state=state, reason=reason, at=now
        )
    Issue.objects.update(state=IssueState.SENT, started_at=now, finished_at=now, audience_count=12)
    inspect(mara, "sent", lambda: mara.go(HERE))
    Issue.objects.update(state=IssueState.DRAFT, started_at=None)
    letter.newsletter.design = "no-such-design"
    letter.newsletter.save()
    inspect(mara, "broken", lambda: mara.go(HERE))


def test_the_pages_before_logging_in_have_no_fault(visitor: Visitor) -> None:
    inspect(visitor, "login", lambda: visitor.go("/login/"))
    user = User.objects.create_user("edda")
    inspect(visitor, "login-once", lambda: visitor.go(login_link(user, "", timezone.now())))
    inspect(visitor, "login-void", lambda: visitor.go("/login/x"))
    visitor.errors.clear()  # the 404 itself


def test_a_scanner_with_javascript_that_opens_every_link_changes_nothing(mara: Visitor, letter: Issue) -> None:
    link = f"/u/{token(keys(), UNSUBSCRIBE, Subscription.objects.get().pk)}"
    for path in (link, link, "/studio/", HERE):
        page = mara.go(path)
        for address in page.eval_on_selector_all("a[href]", "links => links.map(a => a.href)"):
            if address.startswith(mara.server):
                mara.go(address.removeprefix(mara.server))
    assert Subscription.objects.get().state == SubscriptionState.ACTIVE
    assert Issue.objects.get().state == IssueState.DRAFT


def test_the_letter_in_its_frame_has_its_pictures_and_its_width(mara: Visitor) -> None:
    answers: list[tuple[str, int]] = []
    mara.page.on("response", lambda answer: answers.append((answer.url, answer.status)))
    mara.look(width=1500)
    page = mara.go(HERE)
    pictures = {url: status for url, status in answers if "/media/" in url}
    assert pictures
    assert set(pictures.values()) == {200}
    for frame in page.frames[1:]:
        images = frame.locator("img[src^='/media/']")
        assert images.count()
        assert images.first.evaluate("image => image.naturalWidth") > 0
    widths = sorted(frame.evaluate("window.innerWidth") for frame in page.frames[1:])
    assert widths[0] == 375
    assert widths[1] >= 600


def test_no_script_of_a_letter_runs_even_if_one_got_in(mara: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    from newsletter.flow.compile import Preview
    from newsletter.web.studio import issues

    def with_scripts(*arguments: object, **options: object) -> Preview:
        real = original(*arguments, **options)  # type: ignore[arg-type]
        poison = "<script>parent.document.title='x'</script><img src=x onerror=\"parent.document.title='x'\"></body>"
        html = real.rendered.html.replace("</body>", poison)
        return replace(real, rendered=replace(real.rendered, html=html))

    original = issues.preview
    monkeypatch.setattr(issues, "preview", with_scripts)
    page = mara.go(HERE)
    assert page.title() != "x"
    blocked = " ".join(mara.errors)
    assert "Blocked script execution" in blocked or "sandbox" in blocked or "Content Security Policy" in blocked
    mara.errors.clear()


def test_an_issue_is_approved_with_the_keyboard_alone(mara: Visitor) -> None:
    page = mara.go(HERE)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Approve this letter":
            break
    page.keyboard.press("Enter")
    page.get_by_text("Approved by mara.").first.wait_for()  # the sentence on top, and the same among the events
    assert Issue.objects.get().state == IssueState.APPROVED


def test_the_public_page_of_an_issue_shows_its_pictures_and_no_script(visitor: Visitor, letter: Issue) -> None:
    from newsletter.flow.compile import compiler, public_html

    Issue.objects.update(state=IssueState.SENT, public_html=public_html(compiler(letter)))
    page = visitor.go("/i/weekly/2026-11-05")
    assert page.locator("img[src^='/media/']").first.evaluate("image => image.naturalWidth") > 0
    assert page.locator("a[href*='/u/']").count() == 0
