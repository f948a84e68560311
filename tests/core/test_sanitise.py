"""Whatever goes in, what comes out is well-formed, allow-listed and harmless."""

# ruff: noqa: E501 - invented markup reads best on one line

from __future__ import annotations

import re
from urllib.parse import urlsplit

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from newsletter.core.markup import BLOCKS, parse_markup, text_of, watch_address, words_in
from newsletter.core.sanitise import ALLOWED, clean_html, sanitised_blocks

ATTRIBUTES = {"href", "colspan", "rowspan", "start", "lang", "dir"}
TOP = BLOCKS - {"li", "thead", "tbody", "tr", "th", "td", "dl", "dt", "dd"}


def check(markup: str) -> None:
    """Parses as strict XML, holds only the allow-list, and reads the same to an HTML5 parser."""
    root = etree.fromstring(f"<root>{markup}</root>", etree.XMLParser(resolve_entities=False))
    assert not (root.text or "").strip()
    for element in root.iter():
        if element is root:
            continue
        assert element.tag in ALLOWED, element.tag
        assert set(element.attrib) <= ATTRIBUTES, element.attrib
        if "href" in element.attrib:
            assert element.tag == "a"
            assert urlsplit(element.get("href", "")).scheme in ("http", "https", "mailto")
        if element.tag == "a":
            assert element.find(".//a") is None
        if element.tag not in ("br", "hr", "td", "th"):
            assert words_in(element).strip() or element.find(".//hr") is not None, etree.tostring(root)
    for block in root:
        assert block.tag in TOP, block.tag
        assert not (block.tail or "").strip()
    again = nh3.clean(
        markup, tags=set(ALLOWED), attributes={"*": ATTRIBUTES}, link_rel=None, url_schemes={"http", "https", "mailto"}
    )
    assert words(again) == words(markup)


def words(markup: str) -> str:
    return "".join(re.sub(r"<[^>]*>", "", markup).replace("&nbsp;", "\u00a0").split())


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("plain words", "<p>plain words</p>"),
        ("<p>one<p>two", "<p>one</p><p>two</p>"),
        ("<p>unclosed <b>bold", "<p>unclosed <strong>bold</strong></p>"),
        ("<div>a<div>b</div>c</div>", "<p>a</p><p>b</p><p>c</p>"),
        ("one<br><br>two<br>three", "<p>one</p><p>two<br/>three</p>"),
        ("<p>&nbsp;</p><p> \u00a0\u200b</p><p>x\u00a0</p>", "<p>x</p>"),
        ("<h1>A</h1><h5>B</h5><h3></h3>", "<h2>A</h2><h4>B</h4>"),
        ("<ul><li>a<li>b<ol start=3><li>c</ol></ul>", '<ul><li>a</li><li><p>b</p><ol start="3"><li>c</li></ol></li></ul>'),
        ("<ul>loose<li></li></ul>", ""),
        ("<blockquote>said<p>twice</p></blockquote>", "<blockquote><p>said</p><p>twice</p></blockquote>"),
        ("<em><p>a</p></em>b", "<p>a</p><p>b</p>"),
        ("<i>a</i> <del>b</del> <ins>c</ins>", "<p><em>a</em> <s>b</s> <u>c</u></p>"),
        ("a &amp;lt; b & c < d &copy;", "<p>a &amp;lt; b &amp; c &lt; d ©</p>"),
        ("<script>alert(1)</script>x<style>p{}</style><noscript>y</noscript>", "<p>x</p>"),
        ("<svg><script>1</script><text>t</text></svg><math><mi>m</mi></math>x", "<p>x</p>"),
        ("<form><input value=v><button>b</button>x</form>", ""),
        ("<img src=x onerror=alert(1)>x", "<p>x</p>"),
        ("<p onclick=x style='color:red' class=c id=i lang=fr dir=rtl>x</p>", '<p lang="fr" dir="rtl">x</p>'),
        ("<a href='javascript:alert(1)'>x</a>", "<p>x</p>"),
        ("<a href=' java\nscript:alert(1)'>x</a>", "<p>x</p>"),
        ("<a href='data:text/html,x'>x</a><a href='/rel'>y</a>", '<p>x<a href="https://a.test/rel">y</a></p>'),
        ("<a href='https://a.test/?a=1&b=2\">'>x</a>", '<p><a href="https://a.test/?a=1&amp;b=2%22%3E">x</a></p>'),
        ("<a href='https://a.test/'></a>x<a>y</a>", "<p>xy</p>"),
        ("<a href='mailto:mara@lantern.example.org'>x</a>", '<p><a href="mailto:mara@lantern.example.org">x</a></p>'),
        ("<iframe src='https://player.vimeo.com/video/123'></iframe>after", '<p><a href="https://vimeo.com/123">vimeo.com</a></p><p>after</p>'),
        ("<iframe src='https://ad.doubleclick.net/x'></iframe>x", "<p>x</p>"),
        ("<iframe src='javascript:alert(1)'>x</iframe>", ""),
        ("<video><source src='/v.mp4'></video>", '<p><a href="https://a.test/v.mp4">a.test</a></p>'),
        ("<table><tr><td>a<td>b<tr><th colspan=2 rowspan=x>c</table>", '<table><tr><td>a</td><td>b</td></tr><tr><th colspan="2">c</th></tr></table>'),
        ("<table><tr><td><p>laid out</p></td></tr></table>", "<p>laid out</p>"),
        ("<pre>  a\n  b</pre>", "<pre>  a\n  b</pre>"),
        ("<dl><dt>t</dt><dd>d</dd></dl>", "<p>t</p><p>d</p>"),
        ("a<hr>b", "<p>a</p><hr/><p>b</p>"),
        ("<details><summary>Spoilers</summary>He did it</details>", "<p>Spoilers</p><p>He did it</p>"),
        ("<mj-raw><script>1</script></mj-raw><mj-text>x</mj-text>", "<p>x</p>"),
        ("{{ 7*7 }} {% for %} [[ x ]] ]]> <!-- c --><?php x ?>", "<p>{{ 7*7 }} {% for %} [[ x ]] ]]&gt;</p>"),
        ("a\x00b\x07c\u2028d\x0be\ufffef", "<p>abc d ef</p>"),
        ("a&#1;b&#x0;c&#xD800;d", "<p>ab"),
        ("", ""),
    ],
)  # fmt: skip
def test_markup_comes_out_clean(markup: str, expected: str) -> None:
    clean = clean_html(markup, "https://a.test/b/")
    assert clean == expected or (expected == "<p>ab" and clean.startswith(expected))
    check(clean)


@pytest.mark.parametrize(
    "markup",
    [
        "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
        "<template><script>alert(1)</script></template>",
        "<xmp><p title='</xmp><img src=x onerror=alert(1)>'>",
        "<a href='&#106;avascript:alert(1)'>x</a><a href='jav&#x09;ascript:alert(1)'>y</a>",
        "<<script>script>alert(1)<</script>/script>",
        "<img src=`x` onerror=alert(1)><p/onclick=alert(1)>x",
        "<iframe srcdoc='<script>alert(1)</script>'></iframe><base href='javascript:/a/'><a href='b'>x</a>",
        "<object data='javascript:alert(1)'><embed src='javascript:alert(1)'>",
        "<select><template><style><!--</style><a rel='--></style></template></select><img id=x src onerror=alert(1)>'>",
        "<p><a href='https://a.test/' href='javascript:alert(1)'>x</a></p>",
        "<meta http-equiv=refresh content='0;url=javascript:alert(1)'><link rel=stylesheet href=x>",
        "<div style='background:url(javascript:alert(1))'>x</div><p style='x:expression(alert(1))'>y</p>",
    ],
)
def test_known_tricks_leave_nothing_that_runs(markup: str) -> None:
    clean = clean_html(markup, "https://a.test/")
    check(clean)
    assert not re.search(r"<[^>]*(?:on\w+\s*=|script|style|src)", clean)


def test_deep_nesting_is_cut_and_not_a_crash() -> None:
    for opened in ("<div>", "<b>", "<ul><li>", "<blockquote>", "<table><tr><td>", "<a href='https://a.test/'>"):
        check(clean_html(opened * 20_000 + "deep"))


def test_a_huge_text_is_cut_and_not_a_crash() -> None:
    check(clean_html("<p>word " * 600_000))


def test_cleaning_twice_changes_nothing() -> None:
    once = clean_html(
        "<div>a<ul><li>b<p>c</ul><blockquote>d</blockquote>e<br>f<table><tr><td>1<td>2<tr><td>3<td>4</table>"
    )
    assert clean_html(once) == once


def test_the_words_of_a_block_keep_their_lines() -> None:
    blocks = sanitised_blocks(
        parse_markup(
            "<p>a<br>b  c</p><ul><li>d</li><li>e<ul><li>f</li></ul></li></ul><table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>"
        )
    )
    assert [text_of(block) for block in blocks] == ["a\nb c", "- d\n- e\n- f", "1 2\n3 4"]


@pytest.mark.parametrize(
    ("embedded", "page"),
    [
        ("https://www.youtube-nocookie.com/embed/abcDEF12345?rel=0", "https://www.youtube.com/watch?v=abcDEF12345"),
        ("https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/a/b", "https://soundcloud.com/a/b"),
        ("https://w.soundcloud.com/player/?url=javascript:x", ""),
        ("https://example.org/embed/abcDEF12345", "https://example.org/embed/abcDEF12345"),
        ("", ""),
    ],
)
def test_a_player_leads_to_its_page(embedded: str, page: str) -> None:
    assert watch_address(embedded) == page


PIECES = st.sampled_from(
    [
        "<p>", "</p>", "<div>", "</div>", "<b>", "</b>", "<em>", "</em>", "<a href='https://a.test/?x=1&y=2'>", "<a href=javascript:x>", "</a>", "<ul>", "<li>", "</ul>", "<table>", "<tr>", "<td>", "</table>",
        "<br>", "<br/>", "<hr>", "<blockquote>", "</blockquote>", "<h1>", "</h1>", "<pre>", "</pre>", "<svg>", "</svg>", "<math>", "<style>", "</style>", "<script>", "</script>", "<!--", "-->", "<![CDATA[", "]]>",
        "<iframe src='https://b.test/v'>", "</iframe>", "<img src=x onerror=y>", "<template>", "</template>", "<title>", "<textarea>", "</textarea>", "<select>", "<option>", "<noscript>", "<form>", "<span lang=de dir=rtl>", "</span>",
        "&", "&lt;", "&amp;amp;", "&nbsp;", "&#x202e;", "&bogus;", "<", ">", "\"", "'", "word ", "{{ x }}", "{% raw %}", "[[ t ]]", "\u2028", "\0", "\u00a0", "é", "映画", "مرحبا", "🎬",
    ]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=6), max_size=40))
def test_any_soup_comes_out_well_formed_and_allow_listed(pieces: list[str]) -> None:
    clean = clean_html("".join(pieces), "https://a.test/b/")
    check(clean)
    assert clean_html(clean, "https://a.test/b/") == clean
