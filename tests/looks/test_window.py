"""The measuring itself: what is wrong in a letter is found."""

from __future__ import annotations

import pytest

from tests.looks.window import Window, too_faint

pytestmark = pytest.mark.browser
PAGE = (
    '<!doctype html><html lang="en"><head><title>t</title>{head}</head>'
    '<body><div role="article">{body}</div></body></html>'
)


def page(body: str, head: str = "") -> str:
    return PAGE.format(head=head, body=body)


def test_faint_text_is_found_through_transparent_layers(window: Window) -> None:
    window.show(
        page(
            '<div style="background:#808080"><p style="background:rgba(255,255,255,.1);color:#909090">faint</p>'
            '<p style="color:#000000">plain</p><p style="color:#000000;opacity:.3">faded</p></div>'
            '<p style="display:none;color:#fff">hidden</p><p style="color:#767676">just enough</p>'
        )
    )
    pairs = window.pairs()
    assert [pair.text for pair in pairs] == ["faint", "plain", "faded", "just enough"]
    assert [pair.text for pair in too_faint(pairs)] == ["faint", "faded"]
    assert pairs[1].ratio == 5.32 and pairs[3].ratio == 4.54


def test_words_for_a_picture_are_text_too(window: Window) -> None:
    picture = '<img src="https://news.example.test/media/salt.jpg" alt="A road" width="100" style="color:{}">'
    window.show(page(picture.format("#eeeeee")), mode="blind")
    assert [pair.text for pair in too_faint(window.pairs())] == ["[picture] A road"]
    window.show(page(picture.format("#222222")), mode="blind")
    assert too_faint(window.pairs()) == []


def test_the_ground_is_dark_where_the_letter_allows_it(window: Window) -> None:
    letter = page('<p style="color:#222222">ink</p>', '<meta name="color-scheme" content="light dark">')
    window.show(letter, mode="light")
    assert too_faint(window.pairs()) == []
    window.show(letter, mode="dark")
    assert len(too_faint(window.pairs())) == 1


@pytest.mark.parametrize("mode", ["forced", "inverted"])
def test_a_client_that_turns_colours_round_turns_all_of_them(window: Window, mode: str) -> None:
    window.show(
        page('<p style="color:#000000;border:1px solid #000000">ink</p><b style="background:#ffffff">b</b>'), mode=mode
    )  # type: ignore[arg-type]
    pairs = window.pairs()
    assert [(pair.color, pair.ground) for pair in pairs] == [("rgba(255, 255, 255, 1)", "rgba(0, 0, 0, 1)")] * 2
    assert "rgb(255, 255, 255)" in window.page.evaluate("getComputedStyle(document.querySelector('p')).borderTopColor")


def test_hues_stay_what_they_are(window: Window) -> None:
    window.show(page('<p style="color:#c4003f">pink</p>'), mode="forced")
    red, green, blue = (int(each) for each in window.pairs()[0].color[5:-1].split(", ")[:3])
    assert red > 230 and red > blue > green


def test_outlook_com_leaves_what_the_letter_says_about_it(window: Window) -> None:
    rules = (
        "<style>[data-ogsb] .band { background-color: #ffd23f !important }"
        " [data-ogsc] .on { color: #1a1014 !important }</style>"
    )
    body = (
        '<div class="band" style="background-color:#ffd23f"><p class="on" style="color:#1a1014">on</p>'
        '<p style="color:#1a1014">off</p></div>'
    )
    window.show(page(body, rules), mode="outlook")
    assert [pair.text for pair in too_faint(window.pairs())] == ["off"]
    window.show(page(body, rules), mode="partial")
    assert too_faint(window.pairs()) == []


def test_a_picture_behind_text_is_refused(window: Window) -> None:
    window.show(page('<p style="background-image:linear-gradient(#000,#fff)">text</p>'))
    with pytest.raises(Exception, match="can't be known"):
        window.pairs()


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ('<div style="width:400px">wide</div>', "box: 8 to 408"),
        ('<div style="width:100px"><p>Lichtspielhausdachrinnenreinigungsverordnungsentwurf</p></div>', "text"),
        ('<div dir="rtl"><div style="width:400px">wide</div></div>', "box: -88 to 312"),
    ],
)
def test_what_is_too_wide_is_found_on_both_sides(window: Window, body: str, found: str) -> None:
    window.show(page(body), width=320)
    assert any(found in each for each in window.overflow())
    window.show(page('<div style="width:100px">fits</div>'), width=320)
    assert window.overflow() == []


def test_text_on_text_is_found(window: Window) -> None:
    window.show(page('<p style="margin:0">below</p><p style="margin:-14px 0 0">above</p>'))
    assert len(window.collisions()) == 1
    window.show(page('<p style="line-height:1;margin:0">tight<br>lines</p>'))
    assert window.collisions() == []


def test_a_letter_that_calls_others_is_found(window: Window) -> None:
    try:
        window.show(page('<img src="https://tracker.example/pixel.gif" alt="" width="1">'))
        assert window.strangers == ["https://tracker.example/pixel.gif"]
    finally:
        window.strangers.clear()


def test_pictures_are_really_off(window: Window) -> None:
    letter = page('<img src="https://news.example.test/media/salt.jpg" alt="A road">')
    for mode, width in (("light", 480), ("blind", 0)):
        window.show(letter, mode=mode)  # type: ignore[arg-type]
        assert window.page.evaluate("document.images[0].naturalWidth") == width
