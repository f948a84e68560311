"""The mailbox in a browser: real mails from a folder, links that work here, the source as it is."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
import requests
from django.conf import settings
from django.http import Http404, HttpResponse
from django.test import RequestFactory, override_settings

from newsletter.config.create import DEMO_MARK
from newsletter.core.errors import ConfigError
from newsletter.demo import views
from newsletter.demo.mailbox import keep
from newsletter.demo.serving import MagazineHere, Pages
from newsletter.demo.urls import MAILBOX, mailbox_urls

MESSAGE = (
    "From: LANTERN <weekly@news.example.test>\r\nTo: =?utf-8?q?J=C3=BAlia?= <julia@example.org>\r\n"
    "Message-ID: <1@news.example.test>\r\nSubject: See You Sunday\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/alternative; boundary="cut"\r\n\r\n'
    "--cut\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello <Júlia>\r\n"
    "--cut\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    '<html><head><title>x</title></head><body><img src="https://news.example.test/media/a.jpg">'
    '<a href="https://news.example.test/u/T">Unsubscribe</a></body></html>\r\n--cut--\r\n'
).encode()


class urls:
    """The addresses of a demo's home, as the project's `urls` module has them."""

    urlpatterns: list[Any] = []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / DEMO_MARK).touch()
    (tmp_path / MAILBOX).mkdir()
    monkeypatch.setattr(urls, "urlpatterns", mailbox_urls(tmp_path))
    return tmp_path / MAILBOX


def show(view: Any, folder: Path, **arguments: str) -> HttpResponse:
    with override_settings(ROOT_URLCONF=urls):
        found: HttpResponse = view(RequestFactory().get("/mailbox/"), folder=folder, **arguments)
    return found


def test_only_a_demos_home_has_a_mailbox(tmp_path: Path) -> None:
    assert mailbox_urls(None) == []
    assert mailbox_urls(tmp_path) == []


def test_an_empty_mailbox_says_what_will_come(folder: Path) -> None:
    assert "No mail yet" in show(views.inbox, folder).content.decode()


def test_the_list_names_people_and_escapes_what_they_are_called(folder: Path) -> None:
    keep(folder, "julia@example.org", MESSAGE)
    keep(folder, "bold@example.org", MESSAGE.replace(b"=?utf-8?q?J=C3=BAlia?=", b'"<b>Bold</b>"'))
    page = show(views.inbox, folder).content.decode()
    assert "Júlia" in page
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page
    assert "<b>Bold" not in page
    assert "<iframe" in page


def test_a_letter_is_shown_with_our_address_leading_here_and_links_beside_it(folder: Path) -> None:
    file = keep(folder, "julia@example.org", MESSAGE)
    file.write_bytes(MESSAGE.replace(b"https://news.example.test", settings.NEWSLETTER.base_url.encode()))
    answer = show(views.letter, folder, name=file.name)
    html = answer.content.decode()
    assert 'src="/media/a.jpg"' in html
    assert 'href="/u/T"' in html
    assert '<head><base target="_blank">' in html
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "script" not in answer.headers["Content-Security-Policy"]


def test_plain_text_and_source_are_shown_as_they_are(folder: Path) -> None:
    file = keep(folder, "julia@example.org", MESSAGE)
    assert "Hello &lt;Júlia&gt;" in show(views.mail, folder, name=file.name, way="text").content.decode()
    source = show(views.mail, folder, name=file.name, way="source").content.decode()
    assert "https://news.example.test/media/a.jpg" in source
    assert "boundary=" in source


def test_a_mail_that_is_not_there_is_404(folder: Path) -> None:
    with pytest.raises(Http404):
        show(views.letter, folder, name="none.eml")


def test_a_damaged_mail_still_has_its_place_in_the_list(folder: Path) -> None:
    (folder / "odd.eml").write_bytes(b"\xff\xfe no headers at all")
    assert "odd.eml" in show(views.inbox, folder).content.decode()


def answer_of(body: bytes, media_type: str) -> tuple[str, dict[str, str], bytes]:
    closed: list[bool] = []

    class Body(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", media_type), ("Content-Length", str(len(body)))])
        return Body([body])

    said: list[Any] = []
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    got = MagazineHere(app, "http://127.0.0.1:9")(environ, lambda *words: said.extend(words))  # type: ignore[arg-type]
    text = b"".join(got)
    if media_type.startswith("text/html"):
        assert closed == [True]
    return said[0], dict(said[1]), text


def test_links_to_the_magazine_lead_to_where_it_is_served() -> None:
    html = b'<a href="https://lantern.example.test/reviews/x/">x</a> https://lantern.example.test/ in words'
    status, headers, body = answer_of(html, "text/html; charset=utf-8")
    assert body == b'<a href="http://127.0.0.1:9/reviews/x/">x</a> https://lantern.example.test/ in words'
    assert status == "200 OK"
    assert headers["Content-Length"] == str(len(body))


def test_what_is_no_page_passes_untouched() -> None:
    picture = b'href="https://lantern.example.test/'
    assert answer_of(picture, "image/jpeg")[2] == picture


def test_the_pages_are_served_on_a_free_port_and_a_taken_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not by `override_settings`, which can't put an empty key back.
    monkeypatch.setattr(settings._wrapped, "SECRET_KEY", "of a test")
    with Pages("127.0.0.1", 0, magazine="http://127.0.0.1:9") as pages:
        assert requests.get(f"{pages.origin}/nothing-here", timeout=10).status_code == 404
        with pytest.raises(ConfigError, match="--port"):
            Pages("127.0.0.1", int(pages.origin.rpartition(":")[2]), magazine="")


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_serving_ends_when_the_process_is_asked_to(asked: signal.Signals) -> None:
    before = signal.getsignal(asked)
    with Pages("127.0.0.1", 0, magazine="") as pages:
        threading.Timer(0.2, os.kill, (os.getpid(), asked)).start()
        pages.wait()
    assert signal.getsignal(asked) is before
