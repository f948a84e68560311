from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from newsletter.core.errors import DesignError, IssueError
from newsletter.core.reader import Reader
from newsletter.core.tokens import PREFERENCES, Keys, read_dated_token, read_token
from newsletter.flow import compile as compiling
from newsletter.flow.compile import inputs as inputs_module
from newsletter.models import Freeze, Issue, Placement, Review
from subscribers import segments
from subscribers.models import Subscription
from tests.flow.compile.fixtures import BASE, NOW

pytestmark = pytest.mark.django_db


def approve(issue: Issue) -> Freeze:
    freeze = compiling.freeze(issue, NOW)
    issue.freeze = freeze
    issue.save()
    return freeze


def test_an_issue_says_what_its_rows_say(issue: Issue) -> None:
    content = compiling.issue_content(issue)
    assert content.lead and content.lead.title == "“See You Sunday” Stays for Every Minute of Lunch"
    assert content.lead.picture and content.lead.picture.url.startswith(f"{BASE}/media/")
    assert content.lead.picture.credit == "Photo: Halo Pictures"
    assert content.lead.stub and (content.lead.stub.label, content.lead.stub.day) == ("In theaters", "Fri, Nov 6")
    assert [card.number for card in content.cards] == [2, 3]
    assert [(line.number, line.rubric) for line in content.lines] == [(4, "list")]
    assert content.issue.date == "Thursday, November 5, 2026"
    assert content.issue.subject == "See You Sunday, and The Salt Road"
    assert content.issue.note == ("It rained.", "It was worth it.")
    assert content.magazine.address_lines == ("12 Wick Street", "Harbour Town 10001")
    assert content.magazine.rights == "© 2026 Lantern Press LLC"
    assert content.view_online_url == f"{BASE}/i/weekly/2026-11-05"


def test_three_subjects_are_suggested_and_the_first_is_used_until_somebody_writes_one(issue: Issue) -> None:
    suggested = compiling.subject_suggestions(issue)
    assert suggested == ("See You Sunday, and The Salt Road", "See You Sunday: worth your evening?")
    assert compiling.issue_content(issue).issue.subject == suggested[0]
    issue.subject = "Lunch"
    assert compiling.issue_content(issue).issue.subject == "Lunch"


def test_an_editors_words_win(issue: Issue, edit: Callable[..., None]) -> None:
    edit(issue, 1, title="Lunch", excerpt="Go.", picture_alt="A table", picture_credit="")
    lead = compiling.issue_content(issue).lead
    assert lead and (lead.title, lead.isolated, lead.excerpt) == ("Lunch", "Lunch", "Go.")
    assert lead.picture and (lead.picture.alt, lead.picture.credit) == ("A table", "")


def test_a_picture_that_nobody_describes_has_the_title_for_words(issue: Issue, edit: Callable[..., None]) -> None:
    def lead_alt() -> str:
        lead = compiling.issue_content(issue).lead
        assert lead and lead.picture
        return lead.picture.alt

    def blocks() -> list[str]:
        return [text for text in compiling.blockers(issue, NOW) if "not described" in text]

    entry = Placement.objects.get(issue=issue, position=1, kind="card").review.representative
    assert entry
    entry.content["pictures"][0]["alt"] = " "
    entry.save()
    assert (lead_alt(), blocks()) == ("“See You Sunday” Stays for Every Minute of Lunch", [])
    warned = [row for row in compiling.checks(issue, NOW) if "by its title only" in row.text]
    assert [str(row.level) for row in warned] == ["warn"]
    edit(issue, 1, title="Lunch")
    assert (lead_alt(), blocks()) == ("Lunch", [])
    edit(issue, 1, picture_alt="")
    assert lead_alt() == "" and len(blocks()) == 1


def test_a_released_review_is_not_in_the_letter(issue: Issue) -> None:
    Placement.objects.filter(issue=issue, position=3).update(state="released")
    assert len(compiling.issue_content(issue).cards) == 1


def test_a_review_whose_source_is_gone_does_not_stop_the_issue(issue: Issue) -> None:
    Review.objects.update(representative=None)
    assert compiling.issue_content(issue).lead is not None


def test_an_approved_issue_is_rebuilt_from_its_freeze_alone(issue: Issue, home: Path) -> None:
    reader = Reader(address="ada@readers.example.test", name="Ada", unsubscribe_url=f"{BASE}/u/x")
    before = compiling.compiler(issue).full_render(reader)
    approve(issue)
    issue.newsletter.name = "Another name"
    issue.newsletter.save()
    Placement.objects.filter(issue=issue).delete()
    (home / "templates" / "email" / "marquee").mkdir(parents=True)
    (home / "templates" / "email" / "marquee" / "letter.mjml").write_text("broken {{")
    issue.refresh_from_db()
    assert compiling.compiler(issue).full_render(reader) == before
    assert compiling.compiler(issue).render(reader) == before


def test_the_same_inputs_freeze_to_the_same_row_and_any_edit_to_another(issue: Issue) -> None:
    first = compiling.freeze(issue, NOW)
    assert compiling.freeze(issue, NOW) == first
    issue.note = "It did not rain."
    issue.save()
    second = compiling.freeze(issue, NOW)
    assert second.fingerprint != first.fingerprint
    Freeze.objects.filter(pk=second.pk).update(voided_at=NOW)
    assert compiling.freeze(issue, NOW).pk not in (first.pk, second.pk)


@pytest.mark.parametrize("change", ["subject", "from", "audience", "design", "base"])
def test_everything_a_letter_is_made_from_is_in_the_fingerprint(
    issue: Issue, change: str, settings: Settings, home: Path
) -> None:
    before = compiling.freeze(issue, NOW).fingerprint
    newsletter = issue.newsletter
    if change == "subject":
        issue.subject = "Another"
    elif change == "from":
        newsletter.from_name = "Another"
    elif change == "audience":
        newsletter.audience = {"languages": ["en"]}
    elif change == "design":
        newsletter.design_tokens = {"signal": "#990033"}
    else:
        settings.NEWSLETTER = replace(settings.NEWSLETTER, base_url="https://other.example.test")
    assert compiling.freeze(issue, NOW).fingerprint != before


def test_a_segment_is_frozen_as_its_rule_and_a_change_of_it_shows(issue: Issue) -> None:
    mailing_list = issue.newsletter.mailing_list
    segments.save("regulars", mailing_list, rule={"language": ["en"]})
    issue.newsletter.audience = {"segment": "regulars"}
    first = compiling.freeze(issue, NOW)
    assert json.loads(first.inputs)["audience"]["rule"] == {"where": {"language": ["en"]}}
    segments.save("regulars", mailing_list, rule={"language": ["de"]})
    assert compiling.freeze(issue, NOW).fingerprint != first.fingerprint
    segments.delete(segments.find("regulars"))
    with pytest.raises(IssueError, match='There is no segment "regulars"'):
        compiling.freeze(issue, NOW)


def test_a_send_begun_under_other_versions_is_refused(issue: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    approve(issue)
    monkeypatch.setattr(inputs_module, "COMPILER_VERSION", "999")
    with pytest.raises(IssueError, match=r"compiler \d+, now 999.*Approve it again"):
        compiling.compiler(issue)


def test_a_changed_or_voided_freeze_is_refused(issue: Issue) -> None:
    freeze = approve(issue)
    Freeze.objects.filter(pk=freeze.pk).update(inputs=freeze.inputs.replace("It rained", "It snowed"))
    issue.refresh_from_db()
    with pytest.raises(IssueError, match="not those that were approved"):
        compiling.compiler(issue)
    Freeze.objects.filter(pk=freeze.pk).update(inputs=freeze.inputs, voided_at=NOW)
    issue.refresh_from_db()
    with pytest.raises(IssueError, match="void"):
        compiling.compiler(issue)


def test_a_freeze_of_another_format_is_refused(issue: Issue) -> None:
    text = '{"content":{}}'
    issue.freeze = Freeze.objects.create(
        issue=issue, fingerprint=compiling.fingerprint(text), inputs=text, created_at=NOW
    )
    with pytest.raises(IssueError, match="another version of newsletter"):
        compiling.frozen(issue)


def test_a_design_that_cannot_be_rendered_is_never_frozen(issue: Issue, home: Path) -> None:
    folder = home / "templates" / "email" / "marquee"
    folder.mkdir(parents=True)
    (folder / "letter.mjml").write_text('<mjml lang="en" dir="ltr"><mj-body>{{ nonsense }}</mj-body></mjml>')
    with pytest.raises(DesignError, match="nonsense"):
        compiling.freeze(issue, NOW)
    assert not Freeze.objects.exists()


def test_the_public_page_has_no_personal_parts(issue: Issue) -> None:
    page = compiling.public_html(compiling.compiler(issue))
    assert "/u/" not in page
    assert "Hello" not in page
    assert "because you subscribed" not in page
    assert "See You Sunday" in page


def test_the_reader_and_the_headers_of_a_copy(issue: Issue) -> None:
    subscription = Subscription.objects.get()
    subscription.topics = ["movie", "book"]
    keys = Keys(b"secret")
    frozen = compiling.frozen(issue)
    reader = compiling.reader_of(subscription, base_url=frozen.base_url, keys=keys, day=NOW.date())
    assert reader.topics == ("book", "movie")
    change = read_dated_token(reader.preferences_url.rpartition("/")[2])
    assert change is not None and (change.number, change.day) == (subscription.pk, NOW.date())
    assert change.verify(keys, PREFERENCES, subscription.generation)
    assert read_token(keys, "unsubscribe", reader.unsubscribe_url.rpartition("/")[2]) == subscription.pk
    headers = compiling.headers_for(
        frozen, reader, subscription_id=subscription.pk, fingerprint=frozen.fingerprint, now=NOW
    )
    again = compiling.headers_for(
        frozen, reader, subscription_id=subscription.pk, fingerprint=frozen.fingerprint, now=NOW + timedelta(hours=1)
    )
    assert headers.message_id == again.message_id
    assert headers.message_id.endswith("@news.example.test>")
    assert headers.list_id == "LANTERN Weekly <weekly.news.example.test>"
    assert headers.list_unsubscribe == reader.unsubscribe_url
    assert headers.reply_to and headers.reply_to.address == "editors@lantern.example.test"
    compiler = compiling.compiler(issue)
    composer = compiling.Composer(frozen, compiler, keys, NOW, one_click=True)
    assert composer.message(compiling.recipient_of(subscription)) == compiler.message(reader, headers)


def test_the_magazines_own_file_replaces_ours(issue: Issue, home: Path) -> None:
    folder = home / "templates" / "email" / "marquee"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("Ours: {{ issue.subject }}")
    rendered = compiling.compiler(issue).full_render(Reader(address="a@example.org"))
    assert rendered.subject == "Ours: See You Sunday, and The Salt Road"


@pytest.mark.parametrize(
    ("name", "tokens", "message"),
    [
        ("marqee", {}, "Known: colophon, encore, marquee"),
        ("../secrets", {}, "not the name of a design"),
        ("marquee", {"colour": "red"}, 'no token "colour"'),
    ],
)
def test_an_unknown_design_or_token_is_refused(issue: Issue, name: str, tokens: dict[str, str], message: str) -> None:
    issue.newsletter.design, issue.newsletter.design_tokens = name, tokens
    with pytest.raises(DesignError, match=message):
        compiling.compiler(issue)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("design.toml", b"tokens = [", "not TOML"),
        ("design.toml", b"tokens = 3", "must be a table"),
        ("letter.txt", b"\xff", "not UTF-8"),
    ],
)
def test_a_faulty_design_file_is_named(issue: Issue, home: Path, file: str, content: bytes, message: str) -> None:
    folder = home / "templates" / "email" / "marquee"
    folder.mkdir(parents=True)
    (folder / file).write_bytes(content)
    with pytest.raises(DesignError, match=f"marquee/{file}.*{message}"):
        compiling.compiler(issue)


def test_a_design_reads_nothing_but_its_own_files(issue: Issue, home: Path) -> None:
    folder = home / "templates" / "email" / "marquee"
    folder.mkdir(parents=True)
    (home / "secret.key").write_text("the key of this home")
    (folder / "secret.txt").symlink_to(home / "secret.key")
    (folder / "subject.txt").write_text("{% include 'secret.txt' %}")
    with pytest.raises(DesignError, match=r"marquee/secret.txt: .*leads out of the templates"):
        compiling.compiler(issue)
    (folder / "secret.txt").unlink()
    with pytest.raises(DesignError, match="there is no template 'secret"):
        compiling.compiler(issue).full_render(Reader(address=""))
    for outside in ("../../../../secret.key", "/etc/passwd", str(home / "secret.key")):
        (folder / "subject.txt").write_text(f"{{% include '{outside}' %}}")
        with pytest.raises(DesignError, match="there is no template"):
            compiling.compiler(issue).full_render(Reader(address=""))
    (folder / "subject.txt").write_text("x" * 300_000)
    with pytest.raises(DesignError, match="larger than 256 KB"):
        compiling.compiler(issue)


def test_a_design_folder_may_be_a_link_to_where_its_designer_works(issue: Issue, home: Path) -> None:
    work = home / "work"
    work.mkdir()
    (work / "subject.txt").write_text("From the workshop")
    (home / "templates" / "email").mkdir(parents=True)
    (home / "templates" / "email" / "marquee").symlink_to(work)
    assert compiling.compiler(issue).full_render(Reader(address="")).subject == "From the workshop"


def test_a_newsletters_own_colours_must_be_readable(issue: Issue) -> None:
    issue.newsletter.design_tokens = {"signal": "#FF9AB5"}
    issue.newsletter.save()
    blocked = [str(row) for row in compiling.checks(issue, NOW) if row.level == "block"]
    assert any("signal on paper (#FF9AB5 on #FFFCFA) has a contrast of 1.95. 4.5 is needed" in text for text in blocked)
    issue.newsletter.design_tokens = {"signal": "#8A1C3F"}
    issue.newsletter.save()
    assert not [row for row in compiling.checks(issue, NOW) if row.where == "design_tokens"]


def test_a_name_that_a_design_misspells_is_seen_before_the_send(issue: Issue, home: Path) -> None:
    folder = home / "templates" / "email" / "marquee"
    folder.mkdir(parents=True)
    (folder / "quote.mjml").write_text("{% if quote.creditt %}{% endif %}")
    rows = [str(row) for row in compiling.checks(issue, NOW)]
    assert "quote.mjml:1:13: a Quote has no 'creditt'. Did you mean credit?" in rows


def test_picture_width_is_the_designs_own(home: Path) -> None:
    from newsletter.config.home import template_folders
    from newsletter.flow.compile.designs import picture_width

    assert picture_width("marquee", template_folders(home)) == 1200
    (home / "templates" / "email" / "wide").mkdir(parents=True)
    (home / "templates" / "email" / "wide" / "design.toml").write_text("picture_width = 1400")
    assert picture_width("wide", template_folders(home)) == 1400
    assert picture_width("none", template_folders(home), 900) == 900


def test_the_return_path_is_part_of_what_was_approved(issue: Issue) -> None:
    before = approve(issue)
    assert "return_path" not in before.inputs
    issue.newsletter.return_path = "bounce@b.news.example.test"
    after = compiling.freeze(issue, NOW)
    assert after.fingerprint != before.fingerprint
    thawed = inputs_module.thaw(after.inputs, after.fingerprint, "weekly")
    assert thawed.sender.return_path == "bounce@b.news.example.test"
    # What was frozen before there was a return path is read as it was, and says the same again.
    old = inputs_module.thaw(before.inputs, before.fingerprint, "weekly")
    assert (old.sender.return_path, old.fingerprint) == ("", before.fingerprint)
