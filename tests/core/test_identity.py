"""R19 a-c as keys: what is the same must be equal, what is not must differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.content import EntryContent
from newsletter.core.identity import (
    GUID_LENGTH,
    POST_LENGTH,
    URL_LENGTH,
    bounded,
    content_hash,
    fork_key,
    guid_key,
    is_reused_guid,
    is_second_opinion,
    post_key,
    title_key,
    title_similarity,
    url_key,
)

PAGE = "lantern.example.test/2026/11/nightjar"


def made(**fields: object) -> EntryContent:
    return replace(EntryContent(title="Nightjar: Movie Review", title_clean="Nightjar"), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "https://lantern.example.test/2026/11/nightjar",
        "http://lantern.example.test/2026/11/nightjar/",
        "HTTPS://WWW.Lantern.Example.TEST:443/2026/11/nightjar/",
        "https://m.lantern.example.test/2026/11/nightjar/",
        "https://amp.lantern.example.test/2026/11/nightjar/",
        "https://lantern.example.test/2026/11/nightjar/amp/",
        "https://lantern.example.test/2026/11/nightjar/?amp=1",
        "https://reader@lantern.example.test/2026/11/nightjar/#comments",
        "https://lantern.example.test/2026/11/nightjar/?utm_source=feed&utm_medium=rss",
        "https://lantern.example.test/2026/11/nightjar/?fbclid=x&gclid=y&mc_cid=z&mc_eid=z",
        "https://lantern.example.test/2026/11/nightjar/?xtor=RSS-1&CMP=share&ITO=1490&ns_mchannel=rss",
        "https://lantern.example.test/2026/11/nightjar/?source=rss----4&_location=feed&ref=home",
        "https://lantern.example.test/2026/11/%6Eightjar/",
        " https://lantern.example.test./2026/11/nightjar ",
    ],
)
def test_addresses_of_one_page_have_one_key(url: str) -> None:
    assert url_key(url) == PAGE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://lantern.example.test/?p=12", "https://lantern.example.test/?p=13"),
        ("https://lantern.example.test/a", "https://lantern.example.test/A"),
        ("https://lantern.example.test/a", "https://beacon.example.test/a"),
        ("https://lantern.example.test/a?page=2", "https://lantern.example.test/a"),
        ("https://lantern.example.test/a?source=print", "https://lantern.example.test/a"),
        ("https://lantern.example.test/a%2Fb", "https://lantern.example.test/a/b"),
        ("https://example.test/amplifier", "https://example.test/lifier"),
        ("https://m.test/a", "https://www.test/a"),
    ],
)
def test_addresses_of_two_pages_have_two_keys(one: str, other: str) -> None:
    assert url_key(one) != url_key(other)


def test_the_order_of_a_query_means_nothing_and_its_values_do() -> None:
    assert url_key("https://a.test/?b=2&a=1") == url_key("https://a.test/?a=1&b=2") == "a.test?a=1&b=2"
    assert url_key("https://a.test/?a=1&a=2") != url_key("https://a.test/?a=1")
    assert url_key("https://a.test/?q=b%26c") != url_key("https://a.test/?q=b&c")


@pytest.mark.parametrize("end", ["", "/", "//", "/amp", "/amp/", "//amp//", "/amp/amp"])
def test_slashes_and_amp_at_the_end_mean_nothing(end: str) -> None:
    assert url_key(f"https://a.test{end}") == "a.test"
    assert url_key(f"https://a.test/lamp{end}") == "a.test/lamp"


def test_international_addresses_have_one_key_however_they_are_written() -> None:
    assert url_key("https://bücher.example.test/Straße") == url_key("https://xn--bcher-kva.example.test/Stra%C3%9fe/")


@pytest.mark.parametrize(
    "text", ["", "nightjar", "mailto:a@b.test", "https://", "https://[::1", "ftp://a.test/x", "//a.test"]
)
def test_what_is_no_web_address_has_no_key(text: str) -> None:
    assert url_key(text) == ""


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_after_a_host_gives_a_stable_storable_key(path: str, query: str) -> None:
    key = url_key(f"https://a.example.test/{path}?{query}")
    if key:
        assert url_key(f"http://www.{key}") == key
        key.encode("utf-8")
        assert len(key) <= URL_LENGTH
        assert "\0" not in key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://www.lantern.example.test/?p=7", "https://lantern.example.test/?p=7"),
        ("http://lantern.example.test/nightjar/", "https://LANTERN.example.test/nightjar"),
        ("tag:lantern.example.test,2026:7", " tag:lantern.example.test,2026:7 "),
    ],
)
def test_a_guid_survives_a_change_of_scheme_host_prefix_and_slash(one: str, other: str) -> None:
    assert guid_key(made(guid=one)) == guid_key(made(guid=other))


def test_an_entry_without_guid_is_known_by_its_address_or_else_its_title_and_day() -> None:
    assert guid_key(made(url=f"https://{PAGE}?utm_source=x")) == guid_key(made(url=f"http://www.{PAGE}/"))
    first = made(published_at=datetime(2026, 11, 3, 9, tzinfo=UTC))
    later = made(title="“Nightjar”, Movie Review", published_at=datetime(2026, 11, 3, 18, tzinfo=UTC))
    assert guid_key(first) == guid_key(later)
    assert guid_key(first) != guid_key(made(published_at=datetime(2026, 11, 4, tzinfo=UTC)))
    assert guid_key(made()) != guid_key(made(title="Other"))


@pytest.mark.parametrize(
    ("guid", "url", "key"),
    [
        ("https://www.a.test/?p=12", "", "a.test?p=12"),
        ("http://a.test/blog/?post_type=review&p=12", "", "a.test/blog?p=12"),
        ("x", "https://a.test/index.php?p=12", "a.test?p=12"),
        ("tag:blogger.com,1999:blog-1.post-2", "", "tag:blogger.com,1999:blog-1.post-2"),
        ("urn:uuid:0A", "", "urn:uuid:0a"),
        ("https://a.test/nightjar?pp=12", "https://a.test/nightjar", ""),
        ("12", "", ""),
    ],
)
def test_a_post_id_is_an_identity_together_with_its_site(guid: str, url: str, key: str) -> None:
    assert post_key(made(guid=guid, url=url)) == key


def test_a_title_key_has_neither_case_nor_quotes_nor_punctuation() -> None:
    assert title_key("“Don’t Look—Now!”  (1973)") == "don t look now 1973"
    assert title_key("ナイトジャー") == "ナイトジャー"
    assert title_key("؟مراجعة") == "مراجعة"


@pytest.mark.parametrize(
    ("one", "other", "similar"),
    [
        ("Mirormere", "Mirrormere", True),
        ("Nightjar", "NIGHTJAR!", True),
        ("The Salt Road", "The Salt Road, reviewed", True),
        ("The Quiet Harbour", "Midnight in the Circus", False),
        ("Nightjar", "Ironwood", False),
        ("", "Ironwood", False),
        ("", "", True),
    ],
)
def test_a_corrected_typo_is_similar_and_another_title_is_not(one: str, other: str, similar: bool) -> None:
    assert (title_similarity(one, other) >= 0.3) is similar
    assert title_similarity(one, other) == title_similarity(other, one)


def test_a_guid_is_used_again_only_with_another_address_and_another_title() -> None:
    old = url_key(f"https://{PAGE}")
    assert is_reused_guid("Nightjar", old, made(title_clean="Ironwood", url="https://a.test/ironwood"))
    assert not is_reused_guid("Nightjar", old, made(title_clean="Ironwood", url=f"https://{PAGE}"))
    assert not is_reused_guid("Nightjar", old, made(title_clean="Nightjar", url="https://a.test/moved"))


MARA = "Nobody sings in this film until the last reel, and then everybody does, which is how the winter ends at last."
TOMAS = "A cold, exact picture about a town that has forgotten its own harbour; I admired every frame and felt nothing."


@pytest.mark.parametrize(
    ("changes", "second"),
    [
        ({"authors": ("Tomas Weir",), "body_text": TOMAS}, True),
        ({"authors": ("Mara Quill",), "body_text": TOMAS}, False),
        ({"authors": ("mara  quill", "Tomas Weir"), "body_text": TOMAS}, False),
        ({"authors": ("Tomas Weir",), "body_text": MARA}, False),
        ({"authors": ("Tomas Weir",), "body_text": MARA[:60]}, False),
        ({"authors": (), "body_text": TOMAS}, False),
        ({"authors": ("Tomas Weir",), "body_text": "", "dek": ""}, False),
        ({"authors": ("Tomas Weir",), "body_text": "Short."}, False),
    ],
)
def test_a_second_opinion_has_another_byline_and_another_text(changes: dict[str, object], second: bool) -> None:
    mara = made(authors=("Mara Quill",), body_text=MARA)
    assert is_second_opinion(mara, made(**changes)) is second
    assert is_second_opinion(made(**changes), mara) is second


def test_the_hash_is_of_what_readers_see() -> None:
    base = made(body_text=MARA, published_at=datetime(2026, 11, 3, tzinfo=UTC))
    for changes in ({"guid": "x"}, {"url": "https://a.test/"}, {"origins": {"title": "feed"}}, {"warnings": ("w",)},
                    {"updated_at": datetime(2026, 11, 4, tzinfo=UTC)}):  # fmt: skip
        assert content_hash(replace(base, **changes)) == content_hash(base)
    for changes in ({"title": "x"}, {"dek": "x"}, {"body_html": "<p>x</p>"}, {"published_at": None}):
        assert content_hash(replace(base, **changes)) != content_hash(base)


@given(st.text(min_size=0, max_size=2000), st.sampled_from((GUID_LENGTH, URL_LENGTH, POST_LENGTH)))
def test_a_key_fits_its_column_and_long_ones_stay_apart(text: str, length: int) -> None:
    key = bounded(text, length)
    assert len(key) <= length
    if len(text) > length and "\0" not in text:
        assert bounded(f"{text}x", length) != key


def test_a_fork_fits_the_column_whatever_its_parts() -> None:
    key = fork_key(bounded("g" * 900, GUID_LENGTH), "u" * 900)
    assert len(key) <= 500
    assert key.startswith(fork_key(bounded("g" * 900, GUID_LENGTH), ""))
