"""The encoder: headers that nothing breaks out of, bodies in pieces that any parser puts together again."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.utils import getaddresses
from pathlib import Path
from quopri import decodestring
from typing import Any

import pytest
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core import mime
from newsletter.core.errors import ConfigError
from newsletter.core.mime import Headers, Mailbox

HEADERS = Headers(
    from_=Mailbox("editors@news.example.test", "The Lantern"),
    to=Mailbox("ana@example.org", "Ana"),
    message_id="<1.2@news.example.test>",
    date=datetime(2026, 11, 5, 8, 0, tzinfo=timezone(timedelta(hours=-5))),
    reply_to=Mailbox("letters@news.example.test"),
    list_id="The Lantern Weekly <weekly.news.example.test>",
    list_unsubscribe="https://news.example.test/u/" + "a" * 60,
    extra=(("Feedback-ID", "45:weekly:issue:lantern"), ("X-Note", "ä" * 60)),
)

NAMES = [
    "Ana",
    "Ünal, the Boss",
    "Stone, Bob",
    'The "Bob" Stone',
    "back\\slash",
    "Bob <bob@evil.test>",
    "ana@example.org",
    "😀👩‍💻 Zoë",
    "مرحبا بك",
    "e\u0301 combining",
    "x" * 500,
    "word " * 100,
    "😀" * 125,
    "ü" * 250,
    "=?utf-8?q?fake?=",
    "(comment)",
    "a;b:c",
    "Jr.",
    "  spaced  out  ",
    "'quoted'",
]
INJECTIONS = [
    "Ana\r\nBcc: evil@evil.test",
    "Ana\nX: y",
    "Ana\0",
    "Ana\u2028X",
    "Ana\x0bX",
    "Ana\x85X",
    "\r\n\r\n<p>body",
]


def parsed(raw: bytes) -> Any:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert not message.defects
    return message


def message(
    headers: Headers = HEADERS, subject: str = "Subject", text: str = "text\n", html: str = "<p>x</p>\n"
) -> bytes:
    return mime.whole(headers, subject, text, html, "=_boundary")


def head_lines(raw: bytes) -> list[bytes]:
    return raw.partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_a_message_has_each_header_once_and_reads_back() -> None:
    raw = message(subject="Grüße: the week", text="Hello\n", html="<p>é</p>\n")
    read = parsed(raw)
    assert (read["From"], read["To"]) == ("The Lantern <editors@news.example.test>", "Ana <ana@example.org>")
    assert read["Reply-To"] == "letters@news.example.test"
    assert read["Subject"] == "Grüße: the week"
    assert read["Date"] == "Thu, 05 Nov 2026 08:00:00 -0500"
    assert read["Message-ID"] == "<1.2@news.example.test>"
    assert read["List-Id"] == "The Lantern Weekly <weekly.news.example.test>"
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert read["Feedback-ID"] == "45:weekly:issue:lantern"
    assert str(read["X-Note"]) == "ä" * 60
    assert read["MIME-Version"] == "1.0"
    assert len(read.keys()) == len({name.lower() for name in read})
    plain, html = read.get_payload()
    assert read.get_content_type() == "multipart/alternative"
    assert (plain.get_content_type(), plain.get_content_charset()) == ("text/plain", "utf-8")
    assert (plain.get_content(), html.get_content()) == ("Hello\r\n", "<p>é</p>\r\n")
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")


def test_list_unsubscribe_is_one_bare_line() -> None:
    lines = [line for line in head_lines(message()) if line.startswith(b"List-Unsubscribe:")]
    assert lines == [f"List-Unsubscribe: <{HEADERS.list_unsubscribe}>".encode()]


def test_without_an_address_there_is_no_unsubscribe_header() -> None:
    raw = message(replace(HEADERS, list_unsubscribe="", list_id="", reply_to=None, extra=()))
    assert not [line for line in head_lines(raw) if line.startswith((b"List-", b"Reply-To"))]


@pytest.mark.parametrize(
    "url",
    [
        "http://news.example.test/u/1",
        "mailto:x@y.test",
        "https://a b",
        "https://a>,<b",
        "https://é",
        "https://a\r\nX: y",
    ],
)
def test_an_unsubscribe_address_that_no_button_takes_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="not one https address"):
        message(replace(HEADERS, list_unsubscribe=url))


@pytest.mark.parametrize(
    "mail", ["https://a.test", "mailto:", "mailto:a b@c.test", "mailto:a@b.test>,<x", "mailto:" + "a" * 900]
)
def test_a_mail_address_that_would_break_the_line_is_refused(mail: str) -> None:
    with pytest.raises(ConfigError, match="not one mailto address"):
        message(replace(HEADERS, list_unsubscribe_mail=mail))


@pytest.mark.parametrize("name", NAMES)
def test_any_display_name_reads_back(name: str) -> None:
    raw = message(replace(HEADERS, to=Mailbox("ana@example.org", name), from_=Mailbox("e@news.example.test", name)))
    for header in ("To", "From"):
        assert len(parsed(raw)[header].addresses) == 1
        # (The newer parser of Python 3.11 puts blanks between encoded-words of a name; the older one does not.)
        addresses = getaddresses([email.message_from_bytes(raw)[header]])
        assert len(addresses) == 1
        shown = str(make_header(decode_header(addresses[0][0])))
        assert " ".join(shown.split()) == " ".join(name.split())
    assert parsed(raw)["To"].addresses[0].addr_spec == "ana@example.org"


@pytest.mark.parametrize("value", INJECTIONS)
def test_no_value_starts_a_header_or_the_body(value: str) -> None:
    raw = message(
        Headers(
            from_=Mailbox("editors@news.example.test", value),
            to=Mailbox("ana@example.org" + value, value),
            message_id=f"<1@news.example.test>{value}",
            date=HEADERS.date,
            reply_to=Mailbox("a@example.org", value),
            list_id=f"{value} <weekly.news.example.test>",
            extra=(("X-Extra", value),),
        ),
        subject=value,
    )
    names = [line.split(b":")[0] for line in head_lines(raw) if not line.startswith(b" ")]
    assert names == [b"From", b"Reply-To", b"Date", b"List-Id", b"X-Extra", b"MIME-Version", b"To", b"Subject",
                     b"Message-ID", b"Content-Type"]  # fmt: skip
    assert b"\0" not in raw and raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")
    assert len(parsed(raw)["To"].addresses) == 1


@given(st.text(max_size=400), st.text(max_size=100))
def test_headers_of_any_text_keep_to_their_lines(name: str, subject: str) -> None:
    raw = message(replace(HEADERS, to=Mailbox("ana@example.org", name), list_unsubscribe=""), subject=subject)
    lines = head_lines(raw)
    assert max(len(line) for line in lines) <= 78
    for line in lines:
        if b"=?utf-8?B?" in line:
            assert len(line) <= 76
            assert all(len(word) <= 75 for word in re.findall(rb"=\?\S+", line))
    read = email.message_from_bytes(raw)
    clean = " ".join(mime.one_line(subject).split())
    assert " ".join(str(make_header(decode_header(read["Subject"] or ""))).split()) == clean
    assert [address for _, address in getaddresses([read["To"]])] == ["ana@example.org"]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200), st.integers(0, 40))
def test_encoded_words_are_cut_between_characters(text: str, start: int) -> None:
    words = mime.encoded_words(text, start).split("\r\n ")
    assert "".join(str(make_header(decode_header(word))) for word in words) == text
    assert start + len(words[0]) <= 76
    assert all(len(word) <= 75 for word in words)


def test_a_long_ascii_subject_is_folded_at_its_spaces() -> None:
    subject = "The week in reviews: " + "films, books and concerts; " * 8 + "and more"
    raw = message(subject=subject)
    assert max(map(len, head_lines(raw))) <= 120
    assert parsed(raw)["Subject"] == subject
    lines = [line for line in mime.unstructured("Subject", subject).split(b"\r\n") if line]
    assert len(lines) > 2 and max(map(len, lines)) <= 76
    assert parsed(message(subject="x" * 300))["Subject"] == "x" * 300


def test_an_empty_header_is_left_out() -> None:
    assert mime.unstructured("X-Empty", " \r\n ") == b""
    assert mime.subject_line("\r\n") == b"Subject:\r\n"


def test_a_header_name_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="not the name of a header"):
        message(replace(HEADERS, extra=(("X: y\r\nBcc", "a"),)))


def test_a_list_id_without_words_or_with_any_words() -> None:
    for words in ("", "Ünal, the Boss", "The Lantern"):
        raw = message(replace(HEADERS, list_id=f"{words} <weekly.news.example.test>"))
        line = next(line for line in re.split(rb"\r\n(?! )", raw) if line.startswith(b"List-Id"))
        assert line.endswith(b"<weekly.news.example.test>")
        assert str(make_header(decode_header(line[9:].decode().replace("\r\n", "")))).replace('"', "").startswith(words)


ADDRESSES = [
    ("ana@example.org", "ana@example.org"),
    ("o'hara+tag@example.org", "o'hara+tag@example.org"),
    ('"john doe"@example.org', '"john doe"@example.org'),
    ("ana@bücher.example", "ana@xn--bcher-kva.example"),
    ("ana@BÜCHER.example", "ana@xn--bcher-kva.example"),
    ("jürgen@example.org", "jürgen@example.org"),
    ("ana@ex\u2488ample.test", "ana@example.test"),
    ("a>,<evil@example.org", "aevil@example.org"),
    ("ana@example.org, evil@example.test", "anaexample.orgevil@example.test"),
    ("ana@exam>ple.org", "ana@example.org"),
]


@pytest.mark.parametrize(("address", "written"), ADDRESSES)
def test_addresses_survive_and_never_become_two(address: str, written: str) -> None:
    line = mime.mailbox("To", Mailbox(address, "x")).decode()
    assert line == f"To: x <{written}>\r\n"
    assert mime.mailbox("To", Mailbox(address)).decode() == f"To: {written}\r\n"


@given(
    st.from_regex(r"[a-z._+=-]{1,20}@[a-z.]{1,50}", fullmatch=True),
    st.one_of(st.text(max_size=60), st.from_regex(r"[A-Za-z .']{0,60}", fullmatch=True)),
)
def test_what_stands_around_a_plain_address_is_what_its_header_says(address: str, words: str) -> None:
    before, after, room = mime.around_address("To", words)
    if mime.is_plain(address) and len(address) <= room:
        assert before + address.encode() + after == mime.mailbox("To", Mailbox(address, words))
        assert mime.fast_hole(address) == address.encode() + mime.SOFT_BREAK


def test_a_long_address_goes_on_a_line_of_its_own() -> None:
    line = mime.mailbox("To", Mailbox("a" * 60 + "@example.org", "Ana Stone of the Lantern"))
    assert line.split(b"\r\n") == [b"To: Ana Stone of the Lantern", b" <" + b"a" * 60 + b"@example.org>", b""]


# --- bodies -----------------------------------------------------------------------------------------------------------

NASTY = [
    "",
    "\n",
    ".",
    ".\n.\n..",
    "From here\nFrom there",
    "blank at end \nand tab\t\nand ",
    "=3D = ==",
    "é" * 100,
    "😀" * 60,
    "x" * 75,
    "x" * 76,
    "x" * 77,
    "x" * 75 + ".",
    "x" * 75 + "From me",
    "x" * 74 + "=" * 5,
    "a\n\n\nb",
    " lead",
    "=" * 200,
    "." * 200,
    "\t" * 200,
    " " * 200,
    "a  b\tc \t d",
    "  two at the start",
    "x" * 74 + "  y",
    "x" * 75 + " \n  \n",
    "a \u00a0 b\x0b\x00 c\r",
]


def checked(encoded: bytes) -> str:
    lines = encoded.split(b"\r\n")
    assert lines[-1] == b"", "a piece ends a line"
    assert all(len(line) <= 76 for line in lines)
    assert not any(line.startswith((b".", b"From ")) or line.endswith((b" ", b"\t")) for line in lines)
    assert b"  " not in encoded and b"\t" not in encoded
    assert encoded.replace(b"\r\n", b"").isascii() and not re.search(rb"[\r\n]", encoded.replace(b"\r\n", b""))
    return decodestring(encoded).decode("utf-8").replace("\r\n", "\n")


@pytest.mark.parametrize("text", NASTY)
def test_a_piece_reads_back(text: str) -> None:
    assert mime.piece(text) == b"" if not text else checked(mime.piece(text)) == text
    assert mime.hole(text) == b"" if not text else checked(mime.hole(text)) == text


body_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=200) | st.text(
    " .=\t\nFrom é", max_size=300
)


@given(st.lists(body_text, max_size=6))
def test_pieces_and_holes_join_to_the_whole_text(texts: list[str]) -> None:
    encoded = b"".join((mime.hole if index % 2 else mime.piece)(text) for index, text in enumerate(texts))
    assert checked(encoded) == "".join(texts)


def relaxed(body: bytes) -> bytes:
    """The relaxed canonical form of a body, as RFC 6376 section 3.4.4 words it."""
    assert body.endswith(b"\r\n")
    lines = []
    for line in body.split(b"\r\n")[:-1]:
        while line.endswith((b" ", b"\t")):
            line = line[:-1]
        kept = bytearray()
        for octet in line:
            blank = octet in b" \t"
            if not (blank and kept and kept[-1] == 32):
                kept.append(32 if blank else octet)
        lines.append(bytes(kept))
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def check_wire_form(raw: bytes) -> None:
    body = raw.partition(b"\r\n\r\n")[2]
    assert relaxed(body) == body == Relaxed.canonicalize_body(body)
    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert b"\r" not in b"".join(lines) and b"\n" not in b"".join(lines) and body.isascii()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=300) | body_text)
def test_a_body_is_its_own_canonical_form(text: str) -> None:
    check_wire_form(message(text=text + "\n", html=f"<p>  \t{text}\t </p>\n\n"))


@pytest.mark.parametrize("kind", ["html", "txt"])
def test_the_body_of_a_design_is_its_own_canonical_form(kind: str) -> None:
    paths = sorted((Path(__file__).parents[1] / "snapshots" / "test_marquee").glob(f"*.{kind}"))
    assert paths
    for path in paths:
        page = path.read_text(encoding="utf-8")
        raw = message(text=page, html=page)
        check_wire_form(raw)
        assert [part.get_content().replace("\r\n", "\n") for part in parsed(raw).get_payload()] == [page, page]


@given(st.lists(body_text, min_size=2, max_size=6), st.integers(1, 75))
def test_a_value_of_known_width_goes_in_as_it_is(texts: list[str], width: int) -> None:
    value = "v" * width
    pieces = mime.piece_around(texts, width)
    assert len(pieces) == len(texts)
    encoded = value.encode().join(pieces)
    assert checked(encoded) == value.join(texts)
    assert encoded.count(value.encode()) >= len(texts) - 1


@given(st.text("ab .F<>&\"'=\\\t", max_size=160))
def test_the_short_way_gives_what_the_long_way_gives(text: str) -> None:
    short = mime.fast_hole(text)
    assert short is None or checked(short) == text
    assert short is None or not re.search("[<>&\"'=\\\\\t]", text)


def test_a_date_is_written_once_for_all_messages() -> None:
    mime._shared.cache_clear()
    for _ in range(3):
        message(replace(HEADERS, date=datetime(2026, 1, 1, tzinfo=UTC)))
    assert mime._shared.cache_info().misses == 1
