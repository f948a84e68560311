"""A review's opening, cut where a sentence ends."""

from __future__ import annotations

from newsletter.core.prose import CJK_A_MINUTE, WORDS_A_MINUTE, count_words, sentences

_CJK_LANGUAGES = frozenset({"ja", "zh", "ko"})


def excerpt(body: str, *, low: int = 60, high: int = 90, language: str = "") -> str:
    """Whole sentences from the start of `body` (paragraphs divided by line breaks), of `low` to `high` words.

    Stops at the first sentence that reaches `low`; a sentence that would pass `high` is left out unless it is the
    first, which then is cut at a word with an ellipsis. Chinese, Japanese and Korean count in characters, at the same
    reading time. "" for an empty body.
    """
    if language.split("-", 1)[0] in _CJK_LANGUAGES:
        low, high = (n * CJK_A_MINUTE // WORDS_A_MINUTE for n in (low, high))
    taken: list[str] = []
    count = 0
    for paragraph in body.splitlines():
        for sentence in sentences(paragraph):
            words = count_words(sentence)
            if count and count + words > high:
                return _joined(taken)
            if words > high:
                return _cut(sentence, high)
            taken.append(sentence)
            count += words
            if count >= low:
                return _joined(taken)
    return _joined(taken)


def _joined(taken: list[str]) -> str:
    text = ""
    for sentence in taken:
        text += sentence if not text or text[-1] in "。！？」』" else f" {sentence}"
    return text


def _cut(sentence: str, high: int) -> str:
    parts = sentence.split(" ")
    if len(parts) <= high:  # one unbroken run: a script without spaces, or a wall of letters
        return sentence[: high * 6].rstrip() + "…"
    return " ".join(parts[:high]).rstrip(",;:–—-") + "…"
