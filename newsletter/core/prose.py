"""Words as data: clean text, count it, cut it at sentences. Nothing here knows HTML beyond entities."""

from __future__ import annotations

import html
import re
import unicodedata

WORDS_A_MINUTE = 230
CJK_A_MINUTE = 500
DEK_LENGTH = (140, 220)

_ENTITY = re.compile(r"&(?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_INVISIBLE = dict.fromkeys([*range(0x200B, 0x200C), 0x2060, 0xFEFF, 0x00AD])
_BREAKS = re.compile(r"[\x85\u2028\u2029\x0b\x0c]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af]")
_WORD = re.compile(r"[^\W_]+(?:['’.\-][^\W_]+)*", re.UNICODE)
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s)|[。！？]+[」』”]*")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Sr|Jr|Prof|vs|No|Nos|Vol|Ch|feat|ft|ca|bzw|etc|usw|z\.\s?B|d\.\s?h|u\.\s?a|[ap]\.m"
    r"|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec|M|Mme|Mlle|Sra|Dott)|\b[A-Z])\.$"
)


def plain(text: str) -> str:
    """One clean line: NFC, no control characters, every run of white space (NBSP included) one space, trimmed.

    Quotes and dashes stay as published.
    """
    text = _CONTROLS.sub("", _BREAKS.sub(" ", text)).translate(_INVISIBLE)
    return " ".join(unicodedata.normalize("NFC", text).split())


def without_controls(text: str) -> str:
    """`text` without the characters that XML 1.0 forbids; the exotic line breaks become spaces. Lines are kept."""
    return _CONTROLS.sub("", _BREAKS.sub(" ", text))


def unescaped(text: str) -> str:
    """Resolve entities, twice when the source escaped twice (`Tom &amp;amp; Ana`), never more."""
    once = html.unescape(text)
    return html.unescape(once) if _ENTITY.search(once) and _ENTITY.search(text) else once


def folded(text: str) -> str:
    """A key to compare texts by: lower case, straight quotes gone, accents and punctuation gone, single spaces."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(_WORD.findall(re.sub(r"['’‘`]", "", bare).casefold()))


def count_words(text: str) -> int:
    """Words of `text`; each CJK character counts as one, for nothing separates its words."""
    characters = len(_CJK.findall(text))
    return characters + sum(1 for _ in _WORD.finditer(_CJK.sub(" ", text)))


def reading_minutes(text: str) -> int:
    """Minutes to read `text`, rounded; 0 when it takes less than one."""
    characters = len(_CJK.findall(text))
    words = count_words(text) - characters
    minutes = words / WORDS_A_MINUTE + characters / CJK_A_MINUTE
    return round(minutes) if minutes >= 1 else 0


def sentences(text: str) -> list[str]:
    """The sentences of one paragraph; a full stop after an initial or a usual abbreviation ends none."""
    found, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        if text[match.start()] == "." and _ABBREVIATION.search(text, max(start, match.start() - 12), match.start() + 1):
            continue
        rest = text[match.end() :].lstrip()
        if text[match.start()] in ".…" and rest[:1].islower():
            continue
        found.append(text[start : match.end()].strip())
        start = match.end()
    if tail := text[start:].strip():
        found.append(tail)
    return found


def opening(text: str, low: int = DEK_LENGTH[0], high: int = DEK_LENGTH[1]) -> str:
    """The first whole sentences of `text`: as many as fit into `high` characters, the first one whatever its length
    up to twice `high`; past that it is cut at a word, with an ellipsis. Stops as soon as `low` is reached.
    """
    taken = ""
    for sentence in sentences(text):
        longer = f"{taken} {sentence}".strip()
        if taken and len(longer) > high:
            break
        taken = longer
        if len(taken) >= low:
            break
    if len(taken) > 2 * high:
        cut = taken[:high]
        taken = cut[: cut.rfind(" ")].rstrip(",;:–— ") + "…" if " " in cut else cut + "…"
    return taken
