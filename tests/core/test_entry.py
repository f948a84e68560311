"""An entry's own address and its pictures' addresses: what a letter may link to, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.content import PictureRef
from newsletter.core.entry import Found, Settings, make_entry
from newsletter.core.markup import absolute, is_web
from newsletter.core.sanitise import clean_html

BAD = [
    "javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "http:///no-host",
    "/only/a/path",
    "lantern.example.org/review",
    "http://user:pw@host.example/",
    "https://bank.example@evil.example/",
    'https://x.example"onmouseover=alert(1)',
    "https://evil.example\\\\.good.example/",
    "https://evil%2eexample/",
    "https://x.example:99999/",
    "https://x.example:0/",
    "https://[half",
]
RAW = [
    ('https://x.example/"onmouseover=alert(1)', "https://x.example/%22onmouseover=alert(1)"),
    ("https://x.example/it's <b>", "https://x.example/it%27s%20%3Cb%3E"),
    ("https://x.example/a\u202eb\u00a0c", "https://x.example/a%E2%80%AEb%C2%A0c"),
    ("https://x.example/a\x07b\nc", "https://x.example/abc"),
    ("https://x.example/caf\u00e9?q=%22", "https://x.example/caf\u00e9?q=%22"),
]


@pytest.mark.parametrize("url", BAD)
def test_an_address_that_no_letter_may_link_to_is_dropped_and_named(url: str) -> None:
    found = Found(titles=(("feed", "T"),), url=url, pictures=(("feed", PictureRef(url)),))
    entry = make_entry(found, Settings())
    assert (entry.url, entry.pictures) == ("", ())
    assert [warning.split()[1] for warning in entry.warnings] == ["address", "picture"]
    assert all("is left out" in warning for warning in entry.warnings)
    assert "pw" not in " ".join(entry.warnings), "a password is not printed"
    assert "href" not in clean_html(f"<p><a href='{url.replace(chr(39), '')}'>word</a></p>")


@pytest.mark.parametrize(("url", "sound"), RAW)
def test_what_an_address_must_not_hold_raw_is_percent_encoded(url: str, sound: str) -> None:
    entry = make_entry(Found(titles=(("feed", "T"),), url=url, pictures=(("feed", PictureRef(url)),)), Settings())
    assert (entry.url, entry.pictures[0].url, entry.warnings) == (sound, sound, ())


@given(
    st.text(alphabet=st.sampled_from("htps:/@.x%\"'<>\\ \t\n\x00\u202e\ud800[]#?&=\u00e9"), max_size=30)
    | st.builds("https://x.example/{}".format, st.text(max_size=20))
)
def test_every_address_that_is_made_is_sound_and_making_it_again_changes_nothing(text: str) -> None:
    made = absolute(text, "")
    assert made == "" or (is_web(made) and absolute(made, "") == made)
    assert not set(made) & set("\"'<> \t\r\n\\`")
