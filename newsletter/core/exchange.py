"""The first question of an interview and its answer, however the magazine sets them."""

from __future__ import annotations

import re
from itertools import pairwise

from lxml import etree

from newsletter.core.context import Exchange
from newsletter.core.excerpt import excerpt
from newsletter.core.prose import count_words, plain

ANSWER_WORDS = (24, 60)
QUESTION_WORDS = 45
"""A bold beginning longer than this is a paragraph set in bold, not a question."""

_BOLD = frozenset({"strong", "b"})
_SPEAKER = re.compile(r"[^:：.?!？！]{1,40}[:：]\s*")
_MARK = re.compile(r"(?:Q|F|P|D|Frage|Question|Pregunta|Domanda|س|ש|問|问)\s?[:：.]\s*", re.IGNORECASE)


def first_exchange(body_html: str, body_text: str, language: str = "") -> Exchange | None:
    """The first question and answer of an interview; None when its text is not set as such.

    Three ways are known: a bold question before its answer, or over it; "LANTERN: …" and "Varga: …" by turns, bold or
    not; "Q: …" and "A: …". `body_html` is sanitised XHTML, `body_text` the same in lines. The answer is cut at a
    sentence.
    """
    found = _bold(body_html) or _by_turns([plain(line) for line in body_text.splitlines() if line.strip()])
    if not found:
        return None
    question, answer = found
    low, high = ANSWER_WORDS
    answer = excerpt(answer, low=low, high=high, language=language)
    return Exchange(question, answer) if answer else None


def _bold(body_html: str) -> tuple[str, str] | None:
    """From paragraphs that begin in bold; one alone may be mere emphasis, so it takes two."""
    try:
        body = etree.fromstring(f"<div>{body_html}</div>", etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return None
    parts = [_parted(paragraph) for paragraph in body.iter("p")]
    questions = [place for place, (bold, _) in enumerate(parts) if bold]
    if len(questions) < 2:
        return None
    if all(_SPEAKER.fullmatch(parts[place][0]) for place in questions):
        return _by_turns([f"{bold} {rest}".strip() for bold, rest in parts])
    for place, after in zip(questions, [*questions[1:], len(parts)], strict=True):
        bold, rest = parts[place]
        answer = "\n".join(filter(None, (rest, *(text for _, text in parts[place + 1 : after]))))
        if 3 <= count_words(bold) <= QUESTION_WORDS and answer:
            return _MARK.sub("", bold, count=1) if _MARK.match(bold) else bold, answer
    return None


def _parted(paragraph: etree._Element) -> tuple[str, str]:
    """What a paragraph says in bold at its beginning, and the rest."""
    whole = plain("".join(map(str, paragraph.itertext())))
    if len(paragraph) and paragraph[0].tag in _BOLD and not (paragraph.text or "").strip():
        bold = plain("".join(map(str, paragraph[0].itertext())))
        if bold and whole.startswith(bold):
            return bold, whole[len(bold) :].strip()
    return "", whole


def _by_turns(lines: list[str]) -> tuple[str, str] | None:
    """From lines of which each begins with who speaks."""
    spoken = [(match.group(), line[match.end() :]) for line in lines if (match := _SPEAKER.match(line))]
    # "Note: …" and "Update: …" are no conversation: two speak, again and again, in most of the text.
    if len({name for name, _ in spoken}) != 2 or len(spoken) < max(3, len(lines) / 2):
        return None
    for (name, question), (other, answer) in pairwise(spoken):
        if name != other and question and answer:
            return question, answer
    return None
