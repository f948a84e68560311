"""A letter as a mail program shows it that makes letters dark by itself, whatever their author wrote.

Gmail on iOS and Outlook on Windows turn the lightness of every colour round and leave hue and pictures as they are (in
CIELAB, as near as can be seen from outside); they know no `prefers-color-scheme`, be it light or dark. What Gmail on
Android and Outlook.com do is milder: only light grounds and dark texts.
"""

from __future__ import annotations

import re

from newsletter.core.colors import turned

_STYLE = re.compile(r"(?is)(<style\b[^>]*>)(.*?)(</style>)")
_SCHEME = re.compile(r"@media[^{}]*prefers-color-scheme[^{}]*\{", re.IGNORECASE)
_META = re.compile(r"""(?i)<meta\b[^>]*name=["'](?:supported-)?color-schemes?["'][^>]*>""")
_ATTRIBUTE = re.compile(r"""(?i)(\s(?:style|bgcolor|color|bordercolor)\s*=\s*)("[^"]*"|'[^']*')""")
_VALUE = re.compile(r":[^;{}]*")
_COLOR = re.compile(
    r"#(?:[0-9a-f]{6}|[0-9a-f]{3})\b|\brgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(,[^)]*)?\)|\b(?:white|black)\b",
    re.IGNORECASE,
)
_NAMED = {"white": "#ffffff", "black": "#000000"}
_GROUND = "<style>html{background-color:#000000;color:#ffffff}</style>"
"""The paper and ink that a letter has which says nothing of them, turned."""


def inverted(html: str) -> str:
    """The letter with every colour of its styles and attributes turned (`colors.turned`); nothing else changes."""
    html = _META.sub("", html)
    html = _STYLE.sub(lambda found: f"{found[1]}{_rules(_unschemed(found[2]))}{found[3]}", html)
    html = _ATTRIBUTE.sub(lambda found: f"{found[1]}{_COLOR.sub(_turned, found[2])}", html)
    head = re.search(r"(?i)<head\b[^>]*>", html)
    at = head.end() if head else 0
    return f"{html[:at]}{_GROUND}{html[at:]}"


def _rules(css: str) -> str:
    """Colours in values alone: a selector may look like one."""
    return _VALUE.sub(lambda value: _COLOR.sub(_turned, value.group()), css)


def _unschemed(css: str) -> str:
    """The rules without those for a scheme."""
    while (found := _SCHEME.search(css)) is not None:
        depth, at = 1, found.end()
        while depth and at < len(css):
            depth += {"{": 1, "}": -1}.get(css[at], 0)
            at += 1
        css = css[: found.start()] + css[at:]
    return css


def _turned(found: re.Match[str]) -> str:
    text = found.group().lower()
    if found[1] is None:
        return turned(_NAMED.get(text, text))
    red, green, blue = (min(int(found[place]), 255) for place in (1, 2, 3))
    plain = turned(f"#{red:02x}{green:02x}{blue:02x}")
    if found[4] is None:
        return plain
    return f"rgba({int(plain[1:3], 16)},{int(plain[3:5], 16)},{int(plain[5:7], 16)}{found[4]})"
