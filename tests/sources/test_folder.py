"""A folder of reviews: one bad file is named, with its line, and the others go on."""

# ruff: noqa: E501 - invented markup reads best on one line

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from newsletter.core.content import EntryContent
from newsletter.core.errors import SourceError
from newsletter.sources.base import Gathered, SourceSpec
from newsletter.sources.folder import FolderSource

GOOD = """---
title: "Harbor Lights: a Thriller With Cold Feet"
author: [Mara Quill, Ed Kerr]
date: 2026-11-02 10:00:00
rubric: movie
rating: 3.5
best: 5
tags: festival, harbor
dek: Cold, wet and very well lit.
picture: https://lantern.example.org/harbor.jpg
alt: A harbor
credit: "Photo: Jo Lind"
release: 2026-11-06
work: Harbor Lights
url: https://lantern.example.org/harbor
language: en
---
It is *cold* & wet. <script>alert(1)</script>

- first
- second

[A link](javascript:alert(1)) and [another](https://example.org/).
"""


def gather(folder: Path, **changes: object) -> Gathered:
    values: dict[str, object] = {
        "name": "Folder",
        "kind": "folder",
        "location": str(folder),
        "timezone": "Europe/Berlin",
        **changes,
    }
    return FolderSource().gather(SourceSpec(**values))  # type: ignore[arg-type]


def one(folder: Path, name: str, text: str | bytes) -> EntryContent:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    gathered = gather(folder)
    assert len(gathered.entries) == 1, gathered.warnings
    return gathered.entries[0]


def problem(folder: Path, name: str, text: str | bytes) -> str:
    """The one warning that a bad file costs, while its good neighbour is read."""
    (folder / "good.md").write_text(GOOD)
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    gathered = gather(folder)
    assert [entry.guid for entry in gathered.entries] == ["good.md"]
    (warning,) = gathered.warnings
    return warning


def test_front_matter_fills_the_fields(tmp_path: Path) -> None:
    entry = one(tmp_path, "harbor.md", GOOD)
    assert entry.title == "Harbor Lights: a Thriller With Cold Feet"
    assert entry.authors == ("Mara Quill", "Ed Kerr")
    assert entry.published_at == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert (entry.rubric, entry.dek, entry.url, entry.guid) == (
        "movie",
        "Cold, wet and very well lit.",
        "https://lantern.example.org/harbor",
        "harbor.md",
    )
    assert entry.rating is not None and (entry.rating.value, entry.rating.best) == ("3.5", "5")
    assert entry.pictures[0].credit == "Photo: Jo Lind" and entry.pictures[0].alt == "A harbor"
    assert entry.release is not None and entry.release.date == date(2026, 11, 6)
    assert entry.work is not None and entry.work.title == "Harbor Lights"
    assert entry.origins["title"] == "front matter"


def test_markdown_becomes_clean_markup(tmp_path: Path) -> None:
    body = one(tmp_path, "harbor.md", GOOD).body_html
    assert body.startswith(
        "<p>It is <em>cold</em> &amp; wet. &lt;script&gt;alert(1)&lt;/script&gt;</p><ul><li>first</li><li>second</li></ul>"
    )
    assert '<a href="https://example.org/">another</a>' in body
    assert 'href="javascript' not in body


def test_an_address_that_is_a_script_is_dropped_and_named(tmp_path: Path) -> None:
    entry = one(tmp_path, "a.md", "---\ntitle: A\nurl: javascript:alert(1)\n---\n[Words](next).")
    assert (entry.url, entry.body_html) == ("", "<p>Words.</p>")
    assert entry.warnings[0].startswith("a.md: the address 'javascript:alert(1)' is left out")


def test_a_day_alone_keeps_its_precision(tmp_path: Path) -> None:
    entry = one(tmp_path, "a.md", "---\ntitle: A\ndate: 2026-11-02\n---\nWords.")
    assert (entry.date_precision, entry.published_at) == ("day", datetime(2026, 11, 2, 11, tzinfo=UTC))


def test_plain_text_is_read_as_a_paste(tmp_path: Path) -> None:
    entry = one(tmp_path, "a.txt", "Nightjar: Album Review\nby Ed Kerr\n\nQuiet, and then not.")
    assert (entry.rubric, entry.authors, entry.guid) == ("music", ("Ed Kerr",), "a.txt")


def test_text_with_front_matter_takes_its_fields_from_there(tmp_path: Path) -> None:
    entry = one(tmp_path, "a.txt", "---\ntitle: A & B\n---\nOne <b>.\n\nTwo.")
    assert (entry.title, entry.body_html) == ("A & B", "<p>One &lt;b&gt;.</p><p>Two.</p>")


def test_an_html_page_is_read_as_the_page_it_is(tmp_path: Path) -> None:
    prose = "Enough words to be an article, that is to say more of them than a menu or a footer would ever have. " * 2
    entry = one(
        tmp_path,
        "a.html",
        f"<html lang='en'><head><title>A Page: Film Review</title></head><body><nav>Home</nav><article><h1>A Page: Film Review</h1><p>{prose}</p></article></body></html>",
    )
    assert (entry.title_clean, entry.rubric, entry.language) == ("A Page", "movie", "en")
    assert entry.body_text == prose.strip()


def test_a_fragment_of_html_is_the_body(tmp_path: Path) -> None:
    entry = one(tmp_path, "a.htm", "---\ntitle: Fragment\n---\n<p>Only <b>this</b></p>")
    assert entry.body_html == "<p>Only <strong>this</strong></p>"


def test_a_draft_is_no_entry_and_no_problem(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("---\ntitle: A\ndraft: true\n---\nWords.")
    assert gather(tmp_path).entries == () and gather(tmp_path).warnings == ()


def test_sub_folders_are_read_and_hidden_ones_are_not(tmp_path: Path) -> None:
    for name in ("2026/a.md", ".git/b.md", "2026/.c.md", "2026/notes.pdf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("---\ntitle: A\n---\nWords.")
    assert [entry.guid for entry in gather(tmp_path).entries] == ["2026/a.md"]


def test_a_colon_in_a_value_is_named_with_file_and_line(tmp_path: Path) -> None:
    warning = problem(tmp_path, "bad.md", "---\nauthor: x\ntitle: A: B: C\n---\nWords.")
    assert warning.startswith("bad.md:3: The front matter can't be read") and "quotes" in warning


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("---\ntitle: A\nno end\n", "never closed"),
        ("---\n- a\n- b\n---\nWords.", "not a list of keys"),
        ("---\ntitle: !!python/object/apply:os.system ['true']\n---\nWords.", "can't be read"),
        ("---\n\ttitle: A\n---\nWords.", "bad.md:2"),
        ("---\ndate: 2026-13-45\ntitle: [\n---\nWords.", "can't be read"),
        (b"---\ntitle: A\n---\nCaf\xe9", "bad.md:4: The file is not UTF-8"),
        (
            "---\ntags: " + "[" * 20_000 + "]" * 20_000 + "\n---\nWords.",
            "bad.md:2: The front matter is nested too deeply",
        ),
        ("---\n" + "- " * 20_000 + "x\n---\nWords.", "bad.md:2: The front matter is nested too deeply"),
        ("---\ntitle: " + "x" * 60_000 + "\n---\nWords.", "bad.md:1: The front matter is longer than 50,000"),
        ("", "neither a title nor words"),
        ("x" * 2_200_000, "larger than"),
    ],
)
def test_a_bad_file_is_named_and_its_neighbours_go_on(tmp_path: Path, text: str | bytes, words: str) -> None:
    warning = problem(tmp_path, "bad.md", text)
    assert "bad.md" in warning and words in warning and warning.endswith("Left out.")


def test_an_impossible_date_costs_the_file_only(tmp_path: Path) -> None:
    warning = problem(tmp_path, "bad.md", "---\ntitle: A\ndate: 2026-13-45\nrating: 4\n---\nWords.")
    assert warning == "bad.md:3: The front matter can't be read: month must be in 1..12. Left out."


def test_an_impossible_date_inside_a_list_is_named_with_its_line(tmp_path: Path) -> None:
    warning = problem(tmp_path, "bad.md", "---\ntitle: A\ntags:\n  - x\n  - 2026-02-30\n---\nWords.")
    assert warning.startswith("bad.md:4: ")


def test_a_text_file_that_is_no_review_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "title.txt").write_text("Only a Title: Movie Review")
    assert gather(tmp_path).warnings == (
        "empty.txt: The paste is empty. Paste the review's title and text. Left out.",
        "title.txt: The paste has a title but no text. Paste the whole review. Left out.",
    )


def test_unknown_keys_rubrics_and_ratings_are_warned_of(tmp_path: Path) -> None:
    entry = one(tmp_path, "a.md", "---\ntitle: A\nrubrik: film\nrubric: opera glasses\nrating: 9\nbest: 5\n---\nWords.")
    text = " ".join(entry.warnings)
    assert "'rubrik'" in text and "'opera glasses'" in text and "outside its own scale" in text


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("---\ntitle: Secret\n---\nWords.")
    inside = tmp_path / "reviews"
    inside.mkdir()
    (inside / "a.md").symlink_to(tmp_path / "secret.md")
    gathered = gather(inside)
    assert gathered.entries == () and "leads out of the folder" in gathered.warnings[0]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such folder"):
        gather(tmp_path / "nowhere")


def test_the_hash_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(GOOD)
    first = gather(tmp_path).raw_hash
    assert gather(tmp_path).raw_hash == first
    (tmp_path / "a.md").write_text(GOOD + "!")
    assert gather(tmp_path).raw_hash != first
