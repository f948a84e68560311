"""The letter with what is typed: the same bytes as once it is saved, and nothing is written by looking."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.core.errors import NewsletterError
from newsletter.models import Event, Issue, IssueState, Placement
from tests.flow.compile.fixtures import home as home
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.web.test_desk import HERE, at, form, person, placed
from tests.web.test_desk import edda as edda
from tests.web.test_desk import soon as soon

pytestmark = pytest.mark.django_db


def tried(client: Client, where: str, **typed: str) -> dict[str, str]:
    answer = client.post(f"{HERE}/try", form(client, where) | typed | {"look": ["html", "text", "forced"]})
    assert answer.status_code == 200
    found: dict[str, str] = answer.json()
    return found


def saved(client: Client, where: str, **typed: str) -> tuple[str, str]:
    """The letter's HTML and text once that is saved."""
    assert client.post(f"{HERE}/words", form(client, where) | typed).status_code == 302
    page = client.get(f"{HERE}?view=text").content.decode()
    return client.get(f"{HERE}/letter").content.decode(), page


@pytest.mark.parametrize(
    "typed",
    [
        {"title": "Lunch, Forever"},
        {"title": "<b>Lunch</b> & “salt”\u2028 \U0001f35c", "dek": "Two hours."},
        {"excerpt": "One line.\n\nAnother one."},
        {"title": "", "dek": "", "excerpt": ""},
        {"picture_alt": "A table", "picture_credit": "Me", "kicker": "Kino", "byline": "By nobody", "pick": "yes"},
        {"title": "مساء الخير"},
        {"revert": "title"},
    ],
)
def test_what_is_typed_is_shown_as_it_will_be_once_it_is_saved(edda: Client, typed: dict[str, str]) -> None:
    where = at(placed())
    edda.post(f"{HERE}/words", form(edda, where) | {"title": "Before", "read_label": "Go on"})
    shown = tried(edda, where, **typed)
    html, _ = saved(edda, where, **typed)
    assert shown["html"] == html
    assert shown["problem"] == ""


def test_the_letters_own_words_and_its_blocks_are_shown_before_they_are_saved(edda: Client) -> None:
    for where, typed in (
        ("issue", {"subject": "Salt", "preview_text": "and rain", "note": "One.\nTwo.", "note_signature": "E"}),
        ("sponsor", {"title": "Harbour Tea", "text": "Warm.", "button": "Go", "url": "https://tea.example.test/"}),
        ("listen", {"title": "Rain", "url": "https://rain.example.test/"}),
    ):
        shown = tried(edda, where, **typed)
        html, page = saved(edda, where, **typed)
        assert shown["html"] == html, where
        assert shown["subject"] in page
    assert tried(edda, "issue", subject="Other")["subject"] == "Other"
    assert tried(edda, "issue", preview_text="Lines")["line"] == "Lines"


def test_looking_writes_nothing_and_takes_no_approval_back(edda: Client, issue: Issue) -> None:
    mara = person("mara", "approve_issue")
    where, before = at(placed()), Event.objects.count()
    shown = tried(edda, where, title="Not yet")
    assert "Not yet" in shown["text"]
    assert (Event.objects.count(), Placement.objects.exclude(edits={}).count()) == (before, 0)
    Issue.objects.update(state=IssueState.APPROVED)
    assert "Not yet" in tried(mara, where, title="Not yet")["html"]
    assert Issue.objects.get().state == IssueState.APPROVED
    assert edda.post(f"{HERE}/try", {}).status_code == 403


def test_what_cannot_be_shown_is_said_in_words(edda: Client, issue: Issue) -> None:
    assert "too long" in edda.post(f"{HERE}/try", form(edda, at(placed())) | {"title": "x" * 9000}).json()["problem"]
    assert "not in the issue" in edda.post(f"{HERE}/try", {"at": "review-999999"}).json()["problem"]
    assert edda.post(f"{HERE}/try", {"at": "issue", "look": "nonsense", "was_subject": "\x00"}).json()["problem"] == ""
    issue.newsletter.design = "no-such-design"
    issue.newsletter.save()
    assert "no design" in edda.post(f"{HERE}/try", {"at": "issue"}).json()["problem"]


def test_a_letter_on_the_desk_can_be_looked_into_and_run_nothing(edda: Client) -> None:
    policy = edda.get(f"{HERE}/letter").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox allow-same-origin")
    page = edda.get(HERE).content.decode()
    assert page.count('sandbox="allow-same-origin"') == 1
    assert "allow-scripts" not in page + policy


def test_the_answer_to_the_desks_own_script_leaves_out_what_is_slow(edda: Client) -> None:
    short = edda.get(HERE, headers={"X-Requested-With": "desk"}).content.decode()
    assert 'class="name"' in short
    assert 'name="was_subject"' in short
    assert "findings" not in short
    assert "<iframe" not in short
    assert 'id="count"' not in short


def test_two_views_stand_side_by_side(edda: Client) -> None:
    page = edda.get(f"{HERE}?view=split&left=dark&right=forced").content.decode()
    assert page.count("<iframe") == 2
    assert "view=dark" in page
    assert "view=forced" in page
    assert 'name="view" value="split-dark-forced"' in page
    for odd in ("split", "split-", "split-inbox-x", "split-text-bare-phone", "split-phone"):
        assert edda.get(f"{HERE}?view={odd}").status_code == 200
    assert edda.get(f"{HERE}?view=split-text-phone").content.decode().count("<iframe") == 1


def test_number_keys_go_through_the_views_in_the_order_of_the_plan(edda: Client) -> None:
    page = edda.get(HERE).content.decode()
    tabs = page[page.index('class="tabs"') :].partition("</nav>")[0]
    places = [tabs.index(f'data-key="{number}"') for number in range(1, 10)]
    assert places == sorted(places)
    words = ["Desktop", "Phone", "Dark", "Dark, forced", "Plain text", "No pictures", "Inbox", "As subscriber", "Split"]
    assert [tabs.index(f"{word} <kbd") for word in words] == sorted(tabs.index(f"{word} <kbd") for word in words)


def test_forced_darkness_turns_the_colors_and_nothing_else(edda: Client) -> None:
    import re

    usual, forced = (edda.get(f"{HERE}/letter?view={view}").content.decode() for view in ("desktop", "forced"))

    def bare(html: str) -> str:
        return re.sub(r"(?s)<style.*?</style>|<[^>]*>|\s+", " ", html).strip()

    assert bare(usual).split() == bare(forced).split()
    assert "prefers-color-scheme" not in forced
    assert re.findall(r'<img[^>]* src="([^"]*)"', usual) == re.findall(r'<img[^>]* src="([^"]*)"', forced)
    assert usual != forced


def broken_card(home: Path, old: str, new: str, file: str = "card.mjml") -> None:
    """The magazine's own card.mjml, or another `file`, with a mistake in it."""
    ours = Path(__file__).resolve().parents[2] / "templates" / "email" / "marquee" / file
    own = home / "templates" / "email" / "marquee"
    own.mkdir(parents=True)
    (own / file).write_text(ours.read_text().replace(old, new, 1))


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("{% if card.number == 2 %}{{ card.excerpt + 1 }}{% endif %}<mj-section", "can only concatenate"),
        ("{% if card.number == 2 %}<mj-secton></mj-secton>{% endif %}<mj-section", "no element"),
    ],
)
def test_a_block_that_cannot_be_made_is_a_red_card_and_the_rest_is_shown(
    edda: Client, home: Path, mistake: str, words: str
) -> None:
    usual = edda.get(f"{HERE}/letter").content.decode()
    broken_card(home, "<mj-section", mistake)
    second, third = placed(position=2), placed(position=3)
    letter = edda.get(f"{HERE}/letter")
    html = letter.content.decode()
    assert "can’t be shown" in html
    assert words in html
    assert "card.mjml" in html
    assert html.count("#B3261E") >= 1
    for row in (placed(), third):
        assert str(row.review.representative.content["url"]) in html  # type: ignore[union-attr]
    assert str(second.review.representative.content["url"]) not in html  # type: ignore[union-attr]
    assert str(second.review.representative.content["url"]) in usual  # type: ignore[union-attr]
    assert "allow-same-origin" in letter.headers["Content-Security-Policy"]
    page = edda.get(HERE).content.decode()
    assert "The letter can’t be made" in page
    assert "card.mjml:" in page
    assert "<iframe" in page
    shown = tried(edda, at(placed()), title="Still typed")
    assert "can’t go out" in shown["problem"]
    assert "Still typed" in shown["html"]
    assert words in shown["html"]
    # It is only looked at: what would go out is refused, with its place.
    from newsletter.flow import issue as flow

    with pytest.raises(NewsletterError, match=r"card\.mjml"):
        flow.approve(Issue.objects.get(), "mara", now=timezone.now())


@pytest.mark.parametrize(
    ("file", "old", "new", "why"),
    [
        ("card.mjml", "<mj-section", "{% endfro %}<mj-section", "card.mjml:"),
        ("card.mjml", "<mj-section", "{{ card.title|upperr }}<mj-section", "upperr"),
        ("card.mjml", "<mj-section", '{% include "gone.mjml" %}<mj-section', "there is no template"),
        ("letter.mjml", '{% include "card.mjml" %}', '{% include "gone.mjml" %}', "there is no template"),
    ],
)
def test_a_block_whose_file_cannot_be_parsed_or_found_is_a_red_card_with_its_title(
    edda: Client, home: Path, file: str, old: str, new: str, why: str
) -> None:
    broken_card(home, old, new, file)
    lead, second = placed(), placed(position=2)
    shown = edda.get(f"{HERE}/letter").content.decode()
    assert f"“{second.review.representative.content['title']}” can’t be shown." in unescape(shown)  # type: ignore[union-attr]
    assert why in unescape(shown)
    assert str(lead.review.representative.content["url"]) in shown  # type: ignore[union-attr]
    assert str(second.review.representative.content["url"]) not in shown  # type: ignore[union-attr]
    page = edda.get(HERE).content.decode()
    assert "The letter can’t be made" in page and f"{file}:" in page
    # It is only looked at: what would go out is refused, with file and line.
    from newsletter.flow import issue as flow

    with pytest.raises(NewsletterError, match=rf"{file}:\d+"):
        flow.approve(Issue.objects.get(), "mara", now=timezone.now())


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ("masthead.mjml", "This part of the letter can’t be shown."),
        ("lead.mjml", "This part of the letter can’t be shown."),
        ("styles.css", ""),
        ("letter.txt", ""),
    ],
)
def test_a_file_outside_of_any_loop_takes_its_own_place_and_no_more(
    edda: Client, home: Path, file: str, shown: str
) -> None:
    """A masthead is a card, a style sheet in the head is left out: the reviews stand in the letter all the same."""
    own = home / "templates" / "email" / "marquee"
    own.mkdir(parents=True)
    (own / file).write_text("\n{% if lead %}\n")
    letter = edda.get(f"{HERE}/letter").content.decode()
    assert str(placed(position=2).review.representative.content["url"]) in letter  # type: ignore[union-attr]
    assert ("can’t be shown" in letter) == bool(shown)
    assert shown in letter
    tried_now = tried(edda, "issue", note="Still typed")
    assert f"{file}:" in tried_now["problem"]
    assert "Still typed" in tried_now["html"]


def test_a_letter_that_fails_outside_of_any_block_is_said_to_be_broken(edda: Client, home: Path) -> None:
    own = home / "templates" / "email" / "marquee"
    own.mkdir(parents=True)
    (own / "letter.mjml").write_text("{{ nothing.of.it }}")
    assert "The letter can’t be made" in edda.get(HERE).content.decode()
    assert "<iframe" not in edda.get(HERE).content.decode()
    assert edda.get(f"{HERE}/letter").status_code == 200
    assert "undefined" in edda.post(f"{HERE}/try", {"at": "issue"}).json()["problem"]
