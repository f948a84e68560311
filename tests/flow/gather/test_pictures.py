"""The pictures that gathering fetches and stores, and the ones that can't be had."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from PIL import Image

from newsletter.core.content import EntryContent, PictureRef
from newsletter.flow import gather as gather_module
from newsletter.flow.gather import gather
from newsletter.models import Newsletter, Picture, Source
from newsletter.sources.fetch import Fetcher
from tests.factories import make_newsletter
from tests.flow.desk import Desk, entry, local, titles
from tests.flow.gather.answering import MONDAY

pytestmark = pytest.mark.django_db


def picture_of(origin: str, path: str, **fields: Any) -> EntryContent:
    refs = (PictureRef(f"{origin}/inline.png", role="inline"), PictureRef(f"{origin}{path}", alt="A bird."))
    return entry(f"Work at {path}", "2015-11-02 09:00", pictures=refs, **fields)


def test_the_lead_picture_is_stored_and_a_broken_one_holds_nothing_up(desk: Desk, tmp_path: Path) -> None:
    with pictures() as (origin, opening, asked):
        fetcher = Fetcher(allow=frozenset({opening}))
        report = desk.gather(
            MONDAY,
            picture_of(origin, "/bird.png"),
            picture_of(origin, "/gone.png"),
            entry("Without", "2015-11-02 09:00"),
            fetcher=fetcher,
            media_folder=tmp_path,
        )
        assert (report.new, report.pictures, report.picture_errors) == (3, 1, 1)
        again = desk.poll("2015-11-02 10:10", fetcher=fetcher, media_folder=tmp_path)
        assert (again.pictures, again.picture_errors) == (0, 0)
        assert sorted(asked) == ["/bird.png", "/gone.png"], "the lead only, and each once"
        later = desk.poll("2015-11-02 11:10", fetcher=fetcher, media_folder=tmp_path)
        assert (later.pictures, later.picture_errors) == (0, 1)
        long_after = desk.poll("2015-11-09 11:10", fetcher=fetcher, media_folder=tmp_path)
        assert (long_after.pictures, long_after.picture_errors) == (0, 0)
    stored = Picture.objects.get(source_url__endswith="/bird.png")
    assert (stored.error, stored.width, stored.media_type) == ("", 64, "image/jpeg")
    assert (tmp_path / stored.name).stat().st_size == stored.size
    assert "status 404" in Picture.objects.get(source_url__endswith="/gone.png").error
    assert len(titles(desk.draft("2015-11-02 12:00"))) == 3


def test_the_pictures_of_sponsors_are_fetched_and_ours_are_not_asked_for(desk: Desk, tmp_path: Path) -> None:
    with pictures() as (origin, opening, asked):
        newsletter = Newsletter.objects.get()
        insert = {"title": "Club", "url": "https://orpheum.example.org/"}
        newsletter.sponsors = [{**insert, "picture": f"{origin}/bird.png"}, insert]
        newsletter.print_promo = {**insert, "picture": f"{settings.NEWSLETTER.base_url}/media/aa/b.png"}
        newsletter.save()
        fetcher = Fetcher(allow=frozenset({opening}), pause=0)
        for stored in (1, 0):
            report = gather(now=local("2015-11-02 10:00"), fetcher=fetcher, media_folder=tmp_path, sources=[])
            assert (report.pictures, report.picture_errors) == (stored, 0)
        assert asked == ["/bird.png"]


def test_a_picture_is_stored_as_wide_as_the_widest_design_wants_it(
    desk: Desk, tmp_path: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.NEWSLETTER = replace(settings.NEWSLETTER, home=tmp_path)
    for name, text in (("small", "picture_width = 240"), ("tiny", "picture_width = 120"), ("broken", "= no TOML")):
        folder = tmp_path / "templates" / "email" / name
        folder.mkdir(parents=True)
        (folder / "design.toml").write_text(text)
    buffer = io.BytesIO()
    Image.new("RGB", (2000, 1000), "teal").save(buffer, "PNG")
    alone = desk.add_source("alone")
    other = make_newsletter(slug="other", design="tiny")
    other.sources.add(alone)
    desk.newsletter.sources.remove(alone)

    def stored(design: str, name: str, source: str = "feed") -> int:
        desk.newsletter.design = design
        desk.newsletter.save()
        with pictures(buffer.getvalue()) as (origin, opening, _):
            content = replace(
                picture_of(origin, "/bird.png"), title=name, guid=name, url=f"https://x.example.test/{name}"
            )
            desk.gather(
                MONDAY, content, source=source, fetcher=Fetcher(allow=frozenset({opening})), media_folder=tmp_path
            )
        return int(Picture.objects.get(source_url=f"{origin}/bird.png").width)

    assert stored("small", "one") == 240
    assert stored("small", "two", "alone") == 120, "only the newsletters that use a source count"
    other.sources.add(Source.objects.get(slug="feed"))
    assert stored("small", "three") == 240, "the widest of two"
    other.delete()
    assert stored("broken", "four") == 1200
    assert "can't be read: broken/design.toml" in caplog.text


def test_a_full_disk_and_an_endless_address_cost_a_picture_and_no_review(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gather_module.pictures.media, "store_picture", full)
    endless = "/" + "x" * 2100
    report = desk.gather(
        MONDAY,
        picture_of("https://a.example.test", "/bird.png"),
        picture_of("https://a.example.test", endless),
        media_folder=tmp_path,
    )
    assert (report.new, report.pictures, report.picture_errors) == (2, 0, 2)
    assert "No space left" in Picture.objects.get().error


@contextmanager
def pictures(bird: bytes = b"") -> Iterator[tuple[str, tuple[str, int], list[str]]]:
    """A site with one picture: (origin, what opens the guard for it, the paths that were asked for)."""
    asked: list[str] = []
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(buffer, "PNG")
    bird = bird or buffer.getvalue()

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = bird if self.path == "/bird.png" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        port = server.server_address[1]
        yield f"http://127.0.0.1:{port}", ("127.0.0.1", port), asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
