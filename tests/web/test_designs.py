"""The gallery of designs and the editor of tokens: what is shown, who may change it, and what is refused."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from newsletter.core.designlint.tokens import judge, read_token, suggest
from newsletter.core.errors import DesignError
from newsletter.flow.issue import approve
from newsletter.flow.people import Role, give
from newsletter.models import Event, Issue, IssueState, Magazine, Newsletter
from newsletter.web.headers import LETTER_FRAMED, NOTICE_FRAMED
from tests.factories import make_newsletter
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = pytest.mark.django_db
GALLERY = "/studio/designs/"
TOKENS = f"{GALLERY}weekly/tokens"
SAVE = f"{GALLERY}weekly/save"
CHOOSE = f"{GALLERY}weekly/choose"


def client_of(role: Role) -> Client:
    user = User.objects.create_user(f"the-{role.word}")
    give(user, role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def approver() -> Client:
    return client_of(Role.APPROVER)


def page(answer: object) -> str:
    return html.unescape(answer.content.decode())  # type: ignore[attr-defined]


def test_every_design_is_shown_in_the_next_issues_own_reviews(approver: Client, issue: Issue) -> None:
    shown = page(approver.get(GALLERY))
    assert "Your next issue, no. 214, in every design." in shown
    for name in ("marquee", "colophon", "encore"):
        assert f'src="{GALLERY}weekly/look/{name}"' in shown
        letter = approver.get(f"{GALLERY}weekly/look/{name}")
        assert letter.status_code == 200
        assert letter.headers["Content-Security-Policy"] == LETTER_FRAMED
        assert "It rained." in page(letter)
    assert shown.count('loading="lazy"') == 3


def test_before_the_first_issue_made_up_reviews_stand_for_it(approver: Client, newsletter: Newsletter) -> None:
    Newsletter.objects.update(language="pt-BR")
    assert "Made-up reviews in every design" in page(approver.get(GALLERY))
    letter = approver.get(f"{GALLERY}weekly/look/colophon")
    assert letter.status_code == 200
    assert "<img" not in page(letter)


def test_a_design_that_is_none_says_so_in_its_frame(approver: Client, issue: Issue) -> None:
    answer = approver.get(f"{GALLERY}weekly/look/marque")
    assert answer.headers["Content-Security-Policy"] == NOTICE_FRAMED
    assert "Did you mean marquee?" in page(answer)
    assert approver.get(f"{GALLERY}monthly/look/marquee").status_code == 404


def test_without_a_newsletter_the_page_says_how_to_get_one(approver: Client) -> None:
    assert "There is no newsletter yet." in page(approver.get(GALLERY))


def test_choosing_one_voids_the_approval_is_in_the_log_and_can_be_taken_back(approver: Client, issue: Issue) -> None:
    Magazine.objects.update(postal_address="12 Wick Street\nHarbour Town 10001")
    Newsletter.objects.update(design_tokens={"signal": "#B00030"})
    issue.refresh_from_db()
    approve(issue, "otto", now=timezone.now() - timedelta(days=0))
    answer = approver.post(CHOOSE, {"design": "colophon"})
    assert answer.headers["Location"] == f"{GALLERY}?newsletter=weekly&said=chosen"
    row = Newsletter.objects.get()
    assert (row.design, row.design_tokens) == ("colophon", {})
    assert Issue.objects.get().state == IssueState.DRAFT
    told = list(Event.objects.filter(by="the-approver").order_by("pk").values_list("kind", "text"))
    assert ("setting changed", 'newsletters weekly: design: "marquee" -> "colophon"') in told
    assert told[0][0] == "approval voided"
    shown = page(approver.get(answer.headers["Location"]))
    assert "Chosen." in shown
    assert "the-approver chose Colophon" in shown
    assert "it was Marquee, with 1 value of your own" in shown
    assert approver.post(CHOOSE, {"back": "1"}).status_code == 302
    row.refresh_from_db()
    assert (row.design, row.design_tokens) == ("marquee", {"signal": "#B00030"})


def test_what_is_no_design_is_refused_and_nothing_changes(approver: Client, issue: Issue) -> None:
    for name in ("", "marque", "../etc", "a\x00b", "x" * 3000):
        answer = approver.post(CHOOSE, {"design": name})
        assert answer.status_code == 409
        assert 'role="alert"' in page(answer)
    answer = approver.post(CHOOSE, {"back": "1"})
    assert answer.status_code == 409
    assert Newsletter.objects.get().design == "marquee"
    assert not Event.objects.filter(kind="setting changed").exists()


def test_an_editor_looks_and_tries_but_changes_nothing(issue: Issue) -> None:
    editor = client_of(Role.EDITOR)
    shown = page(editor.get(GALLERY))
    assert "Choosing one takes an approver" in shown
    assert "<button" not in shown.split("<main")[1]
    assert editor.post(CHOOSE, {"design": "colophon"}).status_code == 403
    assert editor.post(SAVE, {"t-signal": "#B00030"}).status_code == 403
    assert "A preview: nothing is saved yet." in page(editor.post(TOKENS, {"t-signal": "#B00030"}))
    assert Newsletter.objects.get().design_tokens == {}


def test_the_verdict_is_live_over_every_pair_by_day_and_after_dark(approver: Client, issue: Issue) -> None:
    shown = page(approver.get(TOKENS))
    assert "All 29 pairs have at least 4.5 to 1" in shown
    assert "By day" in shown and "After dark" in shown
    tried = page(approver.post(TOKENS, {"t-dark_signal": "#402030"}))
    assert "2 of 29 pairs can’t be read well enough." in tried
    assert re.search(r"#[0-9A-F]{6} would do for dark_signal\.", tried)
    assert "A preview: nothing is saved yet." in tried
    assert f'src="{GALLERY}weekly/look/marquee?t-dark_signal=%23402030"' in tried
    frame = page(approver.get(f"{GALLERY}weekly/look/marquee?t-dark_signal=%23402030"))
    assert "#402030" in frame
    assert Newsletter.objects.get().design_tokens == {}


def test_colors_in_which_text_cannot_be_read_are_refused_with_the_ratio_and_what_would_do(
    approver: Client, issue: Issue
) -> None:
    answer = approver.post(SAVE, {"t-signal": "#FF9AB0", "t-ink": "#202020"})
    assert answer.status_code == 409
    shown = page(answer)
    assert re.search(r"signal on \w+ \(#FF9AB0 on #[0-9A-F]{6}\) has a contrast of \d\.\d\d", shown)
    assert "4.5 is needed" in shown
    assert 'value="#FF9AB0"' in shown and 'value="#202020"' in shown and 'aria-invalid="true"' in shown
    found = re.search(r"(#[0-9A-F]{6}) would do for signal", shown)
    assert found
    assert Newsletter.objects.get().design_tokens == {}
    assert approver.post(SAVE, {"t-signal": found[1], "t-ink": "#202020"}).status_code == 302
    assert Newsletter.objects.get().design_tokens == {"signal": found[1], "ink": "#202020"}


def test_what_equals_the_designs_own_is_not_kept_and_all_of_it_can_go_back(approver: Client, issue: Issue) -> None:
    sent = {"t-signal": "b00030", "t-ink": "#1a1014", "t-paper": "", "t-heads": "Georgia,serif"}
    assert approver.post(SAVE, sent).status_code == 302
    assert Newsletter.objects.get().design_tokens == {"signal": "#B00030", "heads": "Georgia,serif"}
    shown = page(approver.get(TOKENS))
    assert "The design’s own: #C4003F" in shown
    assert "Back to the design’s own" in shown
    assert "Georgia,serif" in page(approver.get(f"{GALLERY}weekly/look/marquee"))
    assert approver.post(SAVE, sent).headers["Location"] == f"{TOKENS}?said=same"
    assert approver.post(SAVE, {"own": "1"}).headers["Location"] == f"{TOKENS}?said=saved"
    assert Newsletter.objects.get().design_tokens == {}


@pytest.mark.parametrize("design", ["marquee", "colophon", "encore"])
def test_every_stock_designs_form_sent_back_as_shown_is_fine_and_changes_nothing(
    approver: Client, newsletter: Newsletter, design: str
) -> None:
    Newsletter.objects.update(design=design)
    shown = re.findall(r'name="(t-\w+)" value="([^"]*)"', approver.get(TOKENS).content.decode())
    assert len(shown) > 12
    assert approver.post(SAVE, dict(shown)).headers["Location"] == f"{TOKENS}?said=same"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("signal", "red"),
        ("signal", "#12345"),
        ("signal", '"><script>alert(1)</script>'),
        ("heads", 'Arial"; } body { display: none'),
        ("heads", "{{ subscriber.address }}"),
        ("heads", "<script>alert(1)</script>"),
        ("heads", "x" * 299),
        ("text", "url(https://evil.test/x)"),
    ],
)
def test_what_could_end_a_style_or_a_tag_is_refused_and_kept_in_its_field(
    approver: Client, issue: Issue, name: str, value: str
) -> None:
    for path in (SAVE, TOKENS):
        answer = approver.post(path, {f"t-{name}": value})
        assert answer.status_code in (400, 409)
        assert html.escape(value, quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in (
            answer.content.decode()
        )
        assert "<script>alert" not in answer.content.decode()
    framed = approver.get(f"{GALLERY}weekly/look/marquee", {f"t-{name}": value})
    assert framed.headers["Content-Security-Policy"] == NOTICE_FRAMED
    assert Newsletter.objects.get().design_tokens == {}


def test_a_field_of_ten_megabytes_is_a_clear_no(approver: Client, issue: Issue) -> None:
    approver.raise_request_exception = False
    assert approver.post(SAVE, {"t-signal": "x" * 10_000_000}).status_code in (400, 413)
    assert Newsletter.objects.get().design_tokens == {}


def test_a_newsletter_whose_design_is_gone_can_still_choose_another(approver: Client, issue: Issue) -> None:
    Newsletter.objects.update(design="was-mine", design_tokens={"nothing": "#123456"})
    assert approver.get(GALLERY).status_code == 200
    assert "There is no design" in page(approver.get(TOKENS))
    assert approver.post(CHOOSE, {"design": "encore"}).status_code == 302
    assert Newsletter.objects.get().design_tokens == {}


def test_one_newsletters_choice_leaves_the_others_alone(approver: Client, issue: Issue) -> None:
    make_newsletter(slug="monthly", name="LANTERN Monthly")
    approver.post(f"{GALLERY}monthly/choose", {"design": "encore"})
    assert dict(Newsletter.objects.values_list("slug", "design")) == {"weekly": "marquee", "monthly": "encore"}


# --- the judgement itself ---------------------------------------------------------------------------------------------


def test_a_suggestion_can_be_read_in_every_pair_and_lies_near() -> None:
    tokens = {"ink": "#777777", "paper": "#FFFFFF", "tint": "#EEEEEE"}
    pairs = [["ink", "paper"], ["ink", "tint"], ["no", "pair", "this"], ["ink", "heads"]]
    assert [round(pair.ratio, 2) for pair in judge(tokens, pairs)] == [4.48, 3.86]
    found = suggest(tokens, pairs, "ink")
    assert all(pair.enough for pair in judge({**tokens, "ink": found}, pairs))
    assert found == "#6C6C6C"
    assert not all(pair.enough for pair in judge({**tokens, "ink": "#6E6E6E"}, pairs))
    assert suggest({"ink": "#777777", "a": "#000000", "b": "#FFFFFF"}, [["ink", "a"], ["ink", "b"]], "ink") == "#767676"
    assert suggest({"mid": "#777777", "a": "#404040", "b": "#FFFFFF"}, [["a", "mid"], ["b", "mid"]], "mid") == ""


@pytest.mark.parametrize(
    ("typed", "own", "value"),
    [
        ("abc", "#FFFFFF", "#ABC"),
        ("", 12, 12),
        ("14", 12, 14),
        ("1.5", 1.0, 1.5),
        ("true", False, True),
        (" a ", "b", "a"),
    ],
)
def test_a_token_takes_what_its_own_value_is(typed: str, own: object, value: object) -> None:
    assert read_token("x", typed, own) == value


@pytest.mark.parametrize(
    ("typed", "own"), [("9" * 30, 12), ("-1", 12), ("nan", 1.0), ("yes", True), ("\u0661", 1), ("\u202eabc", "word")]
)
def test_and_nothing_else(typed: str, own: object) -> None:
    with pytest.raises(DesignError):
        read_token("x", typed, own)
