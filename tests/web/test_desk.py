from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from newsletter.models import Event, Issue, IssueState, LeftOut, Magazine, Newsletter, Pin, Placement, Review
from subscribers.models import Subscription
from tests.flow.compile.fixtures import add, make_review
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter

pytestmark = pytest.mark.django_db
HERE = "/studio/weekly/2026-11-05/edit"


@pytest.fixture(autouse=True)
def soon(issue: Issue) -> Issue:
    issue.slot_at = timezone.now() + timedelta(days=1)
    issue.cutoff_at = timezone.now() + timedelta(hours=1)
    issue.save()
    Newsletter.objects.update(starts_at=timezone.now() - timedelta(days=30))
    Review.objects.update(first_seen_at=timezone.now() - timedelta(days=1), effective_at=timezone.now())
    Magazine.objects.update(postal_address="12 Wick Street\nHarbour Town 10001")
    Placement.objects.update(pinned=True)  # the rules would make cards of lines: there is room
    return issue


def person(name: str, *rights: str) -> Client:
    user = User.objects.create_user(name)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def edda() -> Client:
    return person("edda", "change_issue", "view_subscriber")


def placed(kind: str = "card", position: int = 1) -> Placement:
    return Placement.objects.get(kind=kind, position=position, state="reserved")


def at(row: Placement) -> str:
    return f"review-{row.review_id}"


def form(client: Client, where: str) -> dict[str, str]:
    """What a browser would send of the page's words form, untouched."""
    page = client.get(f"{HERE}?at={where}").content.decode()
    words = page[page.index('class="words"') :].partition("</form>")[0]
    fields = {
        name: unescape(value) for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', words)
    }
    fields |= {
        name: unescape(value)
        for name, value in re.findall(r'<input type="text"[^>]* name="(\w+)" value="([^"]*)"', words)
    }
    fields |= {
        name: unescape(value) for name, value in re.findall(r'<textarea [^>]*name="(\w+)"[^>]*>\n([^<]*)<', words)
    }
    return fields


def titles(page: str) -> list[str]:
    return [unescape(title) for title in re.findall(r'<a class="name"[^>]*>([^<]*)</a>', page)]


@pytest.mark.parametrize("path", ["", "/letter", "/words", "/order", "/ignore"])
def test_a_stranger_gets_nothing(client: Client, path: str) -> None:
    assert client.get(HERE + path).headers["Location"].startswith("/login/")
    assert client.post(HERE + path).headers["Location"].startswith("/login/")


def test_an_editor_only_looks_at_what_is_approved() -> None:
    client = person("lou")
    Issue.objects.update(state=IssueState.APPROVED)
    page = client.get(HERE).content.decode()
    assert 'name="verb"' not in page
    assert "<fieldset disabled>" in page
    for path in ("words", "order", "ignore"):
        assert client.post(f"{HERE}/{path}").status_code == 403


def test_the_desk_shows_the_issue_in_order_with_pictures_and_the_checks(edda: Client, issue: Issue) -> None:
    page = edda.get(HERE).content.decode()
    assert len(titles(page)) == 4
    assert titles(page)[0].startswith("“See You Sunday”")
    assert page.count('width="56"') >= 2
    assert "Checks" in page
    assert "of 100 KB" in page
    assert "0 to mend, 0 to look at" in page
    assert 'src="/studio/weekly/2026-11-05/edit/letter?view=desktop"' in page
    assert 'href="/studio/weekly/2026-11-05/edit"' in edda.get("/studio/weekly/2026-11-05/").content.decode()


def test_every_part_of_an_issue_can_be_chosen(edda: Client) -> None:
    for where in ("issue", "quote", "sponsor", "listen", at(placed()), at(placed("line")), "review-999999", "nonsense"):
        assert edda.get(f"{HERE}?at={where}").status_code == 200


def test_every_view_shows_the_same_letter(edda: Client) -> None:
    for view in ("desktop", "phone", "dark", "bare", "text", "inbox", "nonsense"):
        assert edda.get(f"{HERE}?view={view}").status_code == 200
    usual = edda.get("/studio/weekly/2026-11-05/letter")
    bare = edda.get(f"{HERE}/letter?view=bare")
    assert bare.content == usual.content == edda.get(f"{HERE}/letter?view=dark").content
    assert "img-src 'none'" in bare.headers["Content-Security-Policy"]
    assert "sandbox" in bare.headers["Content-Security-Policy"]
    ada = Subscription.objects.get()
    assert "Ada Marlow" in edda.get(f"{HERE}?as={ada.pk}").content.decode()


def test_words_that_were_typed_are_in_the_letter_with_the_name_of_who_typed_them(edda: Client) -> None:
    row = placed()
    sent = form(edda, at(row)) | {"title": "Lunch, Forever", "dek": "Two hours at one table."}
    answer = edda.post(f"{HERE}/words", sent)
    assert answer.status_code == 302
    assert placed().edits == {"title": "Lunch, Forever", "dek": "Two hours at one table."}
    assert "Lunch, Forever" in edda.get(f"{HERE}/letter").content.decode()
    page = edda.get(f"{HERE}?at={at(row)}").content.decode()
    assert page.count("edited by edda") == 2
    assert Event.objects.filter(kind=f"edited {row.pk}/dek", by="edda").count() == 1
    edda.post(f"{HERE}/words", form(edda, at(row)) | {"revert": "dek"})
    assert placed().edits == {"title": "Lunch, Forever"}


def test_a_form_sent_as_it_came_changes_nothing(edda: Client) -> None:
    for where in ("issue", at(placed()), at(placed("line"))):
        assert edda.post(f"{HERE}/words", form(edda, where)).status_code == 302
    assert not Event.objects.exists()
    assert not Placement.objects.exclude(edits={}).exists()


def test_the_sources_own_words_typed_again_are_nobodys_edit(edda: Client) -> None:
    row = placed()
    before = form(edda, at(row))
    edda.post(f"{HERE}/words", before | {"title": "Other"})
    edda.post(f"{HERE}/words", form(edda, at(row)) | {"title": before["title"]})
    assert placed().edits == {}


def test_two_editors_on_one_field_see_both_and_nothing_typed_is_lost(edda: Client) -> None:
    mara = person("mara", "change_issue")
    row = placed()
    old = form(edda, at(row))
    mara.post(f"{HERE}/words", form(mara, at(row)) | {"title": "Mara’s words"})
    answer = edda.post(f"{HERE}/words", old | {"title": "Edda’s words", "dek": "Also new."})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "mara changed this meanwhile: title" in page
    assert "<blockquote>Mara’s words</blockquote>" in page
    assert 'value="Edda’s words"' in page
    assert "Also new." in page
    assert placed().edits == {"title": "Mara’s words"}
    # Both were seen: saving again puts Edda's in place.
    again = old | {"title": "Edda’s words", "was_title": "Mara’s words"}
    assert edda.post(f"{HERE}/words", again).status_code == 302
    assert placed().edits["title"] == "Edda’s words"


def test_other_fields_of_one_review_can_be_edited_at_once(edda: Client) -> None:
    row = placed()
    old = form(edda, at(row))
    person("mara", "change_issue").post(f"{HERE}/words", old | {"title": "Mara’s words"})
    assert edda.post(f"{HERE}/words", old | {"dek": "Edda’s dek"}).status_code == 302
    assert placed().edits == {"title": "Mara’s words", "dek": "Edda’s dek"}


def test_the_letters_own_words_and_blocks(edda: Client, issue: Issue) -> None:
    edda.post(f"{HERE}/words", form(edda, "issue") | {"subject": "Lunch and salt", "note": "One.\nTwo."})
    issue.refresh_from_db()
    assert (issue.subject, issue.note) == ("Lunch and salt", "One.\nTwo.")
    stale = form(edda, "sponsor")
    wanted = {"title": "Harbour Tea", "text": "Warm.", "button": "Go", "url": "https://tea.example.test/"}
    assert edda.post(f"{HERE}/words", stale | wanted).status_code == 302
    assert edda.post(f"{HERE}/words", stale | wanted | {"title": "Other Tea"}).status_code == 409
    edda.post(f"{HERE}/words", form(edda, "quote") | {"does": "out"})
    edda.post(f"{HERE}/words", form(edda, "listen") | {"title": "Rain", "url": "https://rain.example.test/"})
    issue.refresh_from_db()
    assert issue.blocks["sponsor"]["title"] == "Harbour Tea"
    assert issue.blocks["quote"] == {}
    assert issue.blocks["listen"]["title"] == "Rain"
    bad = edda.post(f"{HERE}/words", form(edda, "sponsor") | {"title": "T", "url": "javascript:alert(1)"})
    assert bad.status_code == 409
    assert "needs a url" in bad.content.decode()


def test_a_quote_is_picked_from_the_reviews(edda: Client, issue: Issue) -> None:
    page = edda.get(f"{HERE}?at=quote").content.decode()
    choice = unescape(re.findall(r'name="choice" value="([^"]*)"', page)[-1])
    assert edda.post(f"{HERE}/words", form(edda, "quote") | {"choice": choice}).status_code == 302
    issue.refresh_from_db()
    assert issue.blocks["quote"]["text"] == choice.partition(":")[2]


def test_buttons_move_pin_leave_out_and_bring_back(edda: Client, issue: Issue) -> None:
    def press(row: Placement, verb: str, **more: str) -> None:
        answer = edda.post(f"{HERE}/order", {"review": row.review_id, "verb": verb, "at": "issue", **more})
        assert answer.status_code == 302, answer.content.decode()

    def order(kind: str = "card") -> list[int]:
        rows = Placement.objects.filter(kind=kind, state="reserved").order_by("position")
        return list(rows.values_list("review", flat=True))

    one, two, three = (placed(position=number) for number in (1, 2, 3))
    line = placed("line")
    press(three, "up")
    assert order() == [one.review_id, three.review_id, two.review_id]
    press(one, "down")
    assert order() == [three.review_id, one.review_id, two.review_id]
    press(two, "lead")
    assert order()[0] == two.review_id
    press(one, "line")
    assert one.review_id in order("line")
    press(line, "before", other=str(two.review_id))
    assert order()[0] == line.review_id
    press(two, "pin")
    assert Pin.objects.filter(issue=issue, review=two.review_id).exists()
    press(two, "unpin")
    press(two, "exclude")
    assert LeftOut.objects.filter(issue=issue, review=two.review_id).exists()
    assert "Left out of this issue" in edda.get(HERE).content.decode()
    press(two, "back")
    assert not LeftOut.objects.exists()


def test_what_lies_in_the_tray_is_shown_with_its_reason_and_can_be_added(edda: Client) -> None:
    review = make_review("garden", tray=Review.Tray.FOUND_LATE)
    page = edda.get(HERE).content.decode()
    assert "Found late" in page
    edda.post(f"{HERE}/order", {"review": review.pk, "verb": "add"})
    assert Placement.objects.filter(review=review, state="reserved").exists()


def test_what_makes_no_sense_is_refused_with_words(edda: Client) -> None:
    for sent in (
        {},
        {"review": "x", "verb": "up"},
        {"review": placed().review_id, "verb": "dance"},
        {"review": "9" * 30},
    ):
        answer = edda.post(f"{HERE}/order", sent)
        assert answer.status_code == 409
        assert 'role="alert"' in answer.content.decode()
    long = form(edda, "issue") | {"subject": "x" * 301}
    answer = edda.post(f"{HERE}/words", long)
    assert answer.status_code == 409
    assert "x" * 301 in answer.content.decode()
    assert edda.post(f"{HERE}/words", form(edda, "issue") | {"subject": "a\x00b"}).status_code == 302


def test_a_check_is_ignored_and_minded_by_name(edda: Client) -> None:
    row = placed()
    edda.post(f"{HERE}/words", form(edda, at(row)) | {"picture_alt": ""})
    page = edda.get(HERE).content.decode()
    assert f"?at=review-{row.review_id}&amp;view=desktop#f-picture_alt" in page
    assert "1 to mend, 0 to look at" in page
    mark = re.search(r'value="alt-missing"><input type="hidden" name="mark" value="(\w+)"', page)
    assert mark
    sent = {"code": "alt-missing", "mark": mark[1]}
    assert edda.post(f"{HERE}/ignore", sent | {"does": "ignore"}).status_code == 302
    assert "Ignored this time by edda" in edda.get(HERE).content.decode()
    assert edda.post(f"{HERE}/ignore", sent | {"does": "mind"}).status_code == 302
    assert "Ignored this time by edda" not in edda.get(HERE).content.decode()
    assert edda.post(f"{HERE}/ignore", {"code": "alt-missing", "mark": "stale"}).status_code == 409


def test_an_approved_issue_is_changed_only_by_who_may_approve(edda: Client, issue: Issue) -> None:
    mara = person("mara", "approve_issue")
    sent = form(edda, at(placed())) | {"title": "New"}
    page = mara.get("/studio/weekly/2026-11-05/").content.decode()
    found = re.search(r'name="fingerprint" value="([0-9a-f]{64})"', page)
    assert found
    mara.post("/studio/weekly/2026-11-05/approve", {"fingerprint": found[1]})
    issue.refresh_from_db()
    assert issue.state == IssueState.APPROVED
    assert edda.post(f"{HERE}/words", sent).status_code == 403
    assert mara.post(f"{HERE}/words", sent).status_code == 302
    issue.refresh_from_db()
    assert issue.state == IssueState.DRAFT


def test_feed_html_and_names_are_text_on_the_desk(edda: Client) -> None:
    bad = '<img src=x onerror="alert(1)"><script>alert(1)</script>'
    row = placed()
    edda.post(f"{HERE}/words", form(edda, at(row)) | {"title": bad, "dek": "</textarea>" + bad})
    for where in ("issue", at(row)):
        page = edda.get(f"{HERE}?at={where}").content.decode()
        assert "<img src=x" not in page
        assert "<script>alert" not in page
    answer = edda.get(HERE)
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_a_letter_that_cannot_be_made_leaves_the_words_to_mend(edda: Client, issue: Issue) -> None:
    issue.newsletter.design = "no-such-design"
    issue.newsletter.save()
    page = edda.get(f"{HERE}?at={at(placed())}").content.decode()
    assert "The letter can’t be made" in page
    assert 'name="title"' in page


def test_an_edit_is_taken_back_by_a_button_and_done_again(edda: Client) -> None:
    row = placed()
    edda.post(f"{HERE}/words", form(edda, at(row)) | {"title": "Lunch, Forever"})
    edda.post(f"{HERE}/order", {"review": row.review_id, "verb": "exclude"})
    assert 'aria-label="Undo: leaving out of' in edda.get(HERE).content.decode()
    answer = edda.post(f"{HERE}/undo", {"does": "undo"})
    assert answer.status_code == 302
    assert "Taken+back" in answer.headers["Location"]
    assert placed().review_id == row.review_id
    answer = edda.post(f"{HERE}/undo", {"does": "undo", "view": "phone"})
    assert f"at={at(row)}&view=phone" in answer.headers["Location"]
    assert placed().edits == {}
    assert edda.post(f"{HERE}/undo", {}).status_code == 409
    edda.post(f"{HERE}/undo", {"does": "redo"})
    assert placed().edits == {"title": "Lunch, Forever"}
    # Mara sees her own steps only, and a step of Edda's whose field she changed is refused with both versions.
    mara = person("mara", "change_issue")
    assert mara.post(f"{HERE}/undo", {}).status_code == 409
    mara.post(f"{HERE}/words", form(mara, at(row)) | {"title": "Mara’s"})
    answer = edda.post(f"{HERE}/undo", {"does": "undo"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "<blockquote>Mara’s</blockquote>" in page
    assert placed().edits == {"title": "Mara’s"}


def test_a_whole_section_moves(edda: Client, issue: Issue) -> None:
    def order() -> list[str]:
        rows = Placement.objects.filter(kind="card", state="reserved").order_by("position")
        return [row.review.representative.content["rubric"] for row in rows.select_related("review__representative")]

    before = order()
    assert len(set(before[1:])) == 2
    assert edda.post(f"{HERE}/order", {"review": placed(position=3).review_id, "verb": "section-up"}).status_code == 302
    assert order() == [before[0], before[2], before[1]]
    assert edda.post(f"{HERE}/order", {"review": placed(position=2).review_id, "verb": "section-up"}).status_code == 302
    assert order() == [before[0], before[2], before[1]]
    edda.post(f"{HERE}/undo", {"does": "undo"})
    assert order() == before
    assert edda.post(f"{HERE}/order", {"review": placed("line").review_id, "verb": "section-up"}).status_code == 409


def test_a_rating_is_the_editors_own_or_none(edda: Client) -> None:
    where = at(placed())
    given = form(edda, where)["rating"].replace("/", " out of ")
    assert given in edda.get(f"{HERE}/letter").content.decode()
    edda.post(f"{HERE}/words", form(edda, where) | {"rating": "2.5/5"})
    assert "2.5 out of 5" in edda.get(f"{HERE}/letter").content.decode()
    answer = edda.post(f"{HERE}/words", form(edda, where) | {"rating": "very good"})
    assert answer.status_code == 409
    assert "no rating" in answer.content.decode()
    assert 'value="very good"' in answer.content.decode()
    edda.post(f"{HERE}/words", form(edda, where) | {"rating": ""})
    assert placed().edits == {"rating": ""}
    assert "2.5 out of 5" not in edda.get(f"{HERE}/letter").content.decode()
    Newsletter.objects.update(ratings="hide")
    assert "rating" not in form(edda, where)


def test_the_print_magazines_slot_is_this_issues_own_or_empty(edda: Client, issue: Issue) -> None:
    Newsletter.objects.update(print_promo={"title": "In print", "url": "https://lantern.example.test/print"})
    assert "In print" in edda.get(f"{HERE}/letter").content.decode()
    own = {"title": "Issue 12", "url": "https://lantern.example.test/12", "text": "Out now."}
    assert edda.post(f"{HERE}/words", form(edda, "promo") | own).status_code == 302
    letter = edda.get(f"{HERE}/letter").content.decode()
    assert "Issue 12" in letter
    assert "In print" not in letter
    edda.post(f"{HERE}/words", form(edda, "promo") | {"does": "out"})
    assert "Issue 12" not in edda.get(f"{HERE}/letter").content.decode()
    edda.post(f"{HERE}/words", form(edda, "promo") | {"does": "rule"})
    assert "In print" in edda.get(f"{HERE}/letter").content.decode()


def test_a_correction_is_written_about_what_was_sent_and_taken_back(edda: Client, issue: Issue) -> None:
    page = edda.get(f"{HERE}?at=correction").content.decode()
    assert "Nothing was sent yet" in page
    old = Issue.objects.create(
        newsletter=issue.newsletter, slot="2026-10-29", slot_at=issue.slot_at - timedelta(days=7),
        cutoff_at=issue.cutoff_at, number=213, created_at=issue.created_at, state=IssueState.SENT,
    )  # fmt: skip
    add(old, "garden", state="sent")
    review = Placement.objects.get(issue=old).review
    sent = {"at": "correction", "review": str(review.pk), "text": "The garden is in Lyon."}
    assert edda.post(f"{HERE}/words", sent).status_code == 302
    assert "The garden is in Lyon." in edda.get(f"{HERE}/letter").content.decode()
    assert "The garden is in Lyon." in edda.get(f"{HERE}?at=correction").content.decode()
    for bad in ({"text": "x"}, {"review": "9" * 30, "text": "x"}, {"review": str(review.pk), "text": " "}):
        assert edda.post(f"{HERE}/words", {"at": "correction"} | bad).status_code == 409
    edda.post(f"{HERE}/words", {"at": "correction", "taken": str(review.pk)})
    assert "Lyon" not in edda.get(f"{HERE}/letter").content.decode()
    edda.post(f"{HERE}/undo", {"does": "undo"})
    assert "Lyon" in edda.get(f"{HERE}/letter").content.decode()


def test_a_press_on_the_letter_leads_to_the_field_that_it_comes_from(edda: Client, issue: Issue) -> None:
    row, line = placed(position=2), placed("line")
    content = row.review.representative.content
    card = form(edda, at(row))
    issue.blocks = {"listen": {"title": "Rain on a roof", "url": "https://rain.example.test/"}}
    issue.save()

    def leads(**pressed: str) -> str:
        answer = edda.get(f"{HERE}/pointed", {"at": "issue", "view": "phone", **pressed})
        assert answer.status_code == 302
        return answer.headers["Location"].partition("/edit")[2].replace("&view=phone", "")

    assert leads(text=card["title"]) == f"?at={at(row)}#f-title"
    assert leads(text=f"  {card['excerpt'][:40]}\n") == f"?at={at(row)}#f-excerpt"
    assert leads(text=f"{card['read_label']} →", link=content["url"]) == f"?at={at(row)}#f-read_label"
    rated = form(edda, at(placed()))["rating"].replace("/", " out of ")
    assert leads(text=rated) == f"?at={at(placed())}#f-rating"
    assert leads(text="Photo: Halo Pictures").endswith("#f-picture_credit")
    assert leads(text=form(edda, at(line))["title"]) == f"?at={at(line)}#f-title"
    assert leads(text="It was worth it.") == "?at=issue#f-note"
    assert leads(text="Rain on a roof") == "?at=listen#f-title"
    assert leads(text="", link=content["url"]) == f"?at={at(row)}#f-title"
    picture = re.search(r'src="(/media/[^"]+)"', edda.get(f"{HERE}/letter").content.decode())
    assert picture
    assert re.fullmatch(r"\?at=review-\d+#picture", leads(picture=picture[1]))
    for odd in ({"text": "no such words at all"}, {}, {"text": "\x00", "at": "nonsense"}, {"picture": "/media/"}):
        leads(**odd)
    assert leads(text="no such words at all") == "?at=issue"


def test_whoever_may_approve_has_a_way_on_from_the_desk(edda: Client) -> None:
    assert 'id="to-send"' not in edda.get(HERE).content.decode()
    assert 'id="to-send"' in person("mara", "approve_issue").get(HERE).content.decode()
