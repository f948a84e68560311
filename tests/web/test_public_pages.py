from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from django.test import Client

from newsletter.models import Issue, IssueState, Newsletter
from newsletter.web.display import as_served_here
from tests.factories import make_newsletter

pytestmark = pytest.mark.django_db
HASH = "ab" * 32


def make_issue(now: datetime, newsletter: Newsletter | None = None, **fields: object) -> Issue:
    facts: dict[str, object] = {
        "newsletter": newsletter or make_newsletter(),
        "slot": "2026-11-05",
        "slot_at": now,
        "cutoff_at": now,
        "number": 1,
        "created_at": now,
        "state": IssueState.SENT,
        "public_html": '<p>Hi</p><img src="https://news.example.test/media/x.jpg"><a href="https://other.example/">x</a>',
    }
    return Issue.objects.create(**{**facts, **fields})  # type: ignore[misc]


def test_a_sent_issue_can_be_read_online_by_anybody(client: Client, now: datetime) -> None:
    make_issue(now)
    page = client.get("/i/weekly/2026-11-05")
    assert page.status_code == 200
    assert page.content.decode() == '<p>Hi</p><img src="/media/x.jpg"><a href="https://other.example/">x</a>'
    policy = page.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert not page.cookies


OUT = (IssueState.SENDING, IssueState.PAUSED, IssueState.SENT)


@pytest.mark.parametrize("state", OUT)
def test_the_page_is_there_for_the_first_who_got_the_letter(client: Client, now: datetime, state: IssueState) -> None:
    issue = make_issue(now, state=state)
    assert client.get("/i/weekly/2026-11-05").status_code == 200
    Issue.objects.filter(pk=issue.pk).update(public_html="")
    assert client.get("/i/weekly/2026-11-05").status_code == 404


@pytest.mark.parametrize("state", [state for state in IssueState if state not in OUT])
def test_an_issue_that_is_not_out_has_no_public_page(client: Client, now: datetime, state: IssueState) -> None:
    make_issue(now, state=state)
    assert client.get("/i/weekly/2026-11-05").status_code == 404


@pytest.mark.parametrize("path", ["/i/weekly/2026-11-12", "/i/daily/2026-11-05", "/i/weekly/2026-11-05/x"])
def test_an_unknown_issue_is_a_404(client: Client, now: datetime, path: str) -> None:
    make_issue(now, public_html="")
    assert client.get(path).status_code == 404
    assert client.get("/i/weekly/2026-11-05").status_code == 404


def test_an_address_that_leads_nowhere_says_so_on_a_page_of_ours(client: Client) -> None:
    page = client.get("/nothing/here")
    assert page.status_code == 404
    assert "There is nothing here" in page.content.decode()
    assert "newsletter.css" in page.content.decode()


def test_a_picture_is_served_under_the_name_of_its_hash(client: Client, configured: Path) -> None:
    (configured / "ab").mkdir()
    (configured / "ab" / f"{HASH}.jpg").write_bytes(b"\xff\xd8picture")
    answer = client.get(f"/media/ab/{HASH}.jpg")
    assert b"".join(answer.streaming_content) == b"\xff\xd8picture"  # type: ignore[attr-defined]
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert client.get(f"/media/ab/{HASH}.jpg", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    "name",
    [
        f"ab/{HASH}.png",
        f"ab/{HASH}.svg",
        f"ab/{HASH}",
        "../newsletter.toml",
        "ab/..%2f..%2fsecret.key",
        "%2e%2e/secret.key",
        f"ab/{HASH}.jpg/x",
        "ab/",
        "",
    ],
)
def test_nothing_else_is_served_from_the_media_folder(client: Client, configured: Path, name: str) -> None:
    (configured.parent / "secret.key").write_text("secret")
    (configured / "ab").mkdir()
    (configured / "ab" / f"{HASH}.svg").write_text("<svg/>")
    assert client.get(f"/media/{name}").status_code == 404


def test_only_addresses_of_our_own_in_attributes_and_styles_become_relative() -> None:
    html = (
        "<a href=\"https://n.test/u/x\">https://n.test/u/x</a><td background='https://n.test/media/a.jpg' "
        "style=\"background:url('https://n.test/media/a.jpg')\"><a href='https://n.test.evil/'>x</a><a href=\"https://n.test\">"
    )
    assert as_served_here(html, "https://n.test/") == (
        "<a href=\"/u/x\">https://n.test/u/x</a><td background='/media/a.jpg' "
        "style=\"background:url('/media/a.jpg')\"><a href='https://n.test.evil/'>x</a><a href=\"https://n.test\">"
    )
