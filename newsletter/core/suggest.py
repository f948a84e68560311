"""Suggestions for subject and preview text, by rule: an editor sees and changes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.core.cards import isolated
from newsletter.core.prose import count_words, sentences
from newsletter.core.rubrics import LANGUAGES, base_language
from newsletter.core.words import words

SUBJECT_LENGTH = 60
WORK_LENGTH = 30
"""The lead's work stands in the first 30 characters: phones cut a subject soon after."""
PREVIEW_LENGTH = (40, 90)

_AND = dict(
    zip(
        LANGUAGES,
        (
            "{first}, and {second}", "{first} – und {second}", "{first}, et {second}", "{first}, y {second}",
            "{first}, e {second}", "{first}، و{second}", "{first}, ו{second}", "{first}、そして{second}",
            "{first}，以及{second}",
        ),
        strict=True,
    )
)  # fmt: skip
_QUESTION = dict(
    zip(
        LANGUAGES,
        (
            "{work}: worth your evening?", "{work}: lohnt sich der Abend?", "{work} : vaut-il la soirée ?",
            "{work}: ¿merece la noche?", "{work}: vale la serata?", "{work}: هل يستحق أمسيتك؟", "{work}: שווה את הערב?",
            "{work}は観るべきか？", "{work}：值得一看吗？",
        ),
        strict=True,
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hook:
    """What a suggestion is made from: the name of a review's work, the review's title and its text."""

    work: str
    title: str = ""
    text: str = ""


def subjects(hooks: Sequence[Hook], language: str) -> tuple[str, ...]:
    """Up to three subjects of at most 60 characters, the lead first: its work and the next one, its sharpest
    sentence, a question. Without a review: none.
    """
    if not hooks:
        return ()
    base = base_language(language)
    lead = shortened(hooks[0].work, WORK_LENGTH)
    found = []
    for hook in hooks[1:]:
        both = _AND[base].format(first=lead, second=hook.work)
        if len(both) <= SUBJECT_LENGTH:
            found.append(both)
            break
    else:
        found.append(lead)
    quote = pull_quote(hooks[0].text, SUBJECT_LENGTH - len(lead) - 4)
    if quote:
        found.append(f"{lead}: “{quote}”")
    found.append(_QUESTION[base].format(work=lead))
    return tuple(dict.fromkeys(each for each in found if len(each) <= SUBJECT_LENGTH))


def preview_text(hooks: Sequence[Hook], subject: str, language: str) -> str:
    """40 to 90 characters that extend the subject and never repeat it: the next works and how many more there are."""
    low, high = PREVIEW_LENGTH
    rest = [hook.work for hook in hooks if hook.work.casefold() not in subject.casefold()]
    plus, comma = words(language)["plus_more"], "、" if base_language(language) in ("ja", "zh") else ", "
    text, used = "", 0
    for work in rest:
        longer = f"{text}{comma}{work}" if text else shortened(work, high - 24)
        left = len(rest) - used - 1
        if used >= 2 and len(text) >= low:
            break
        if used and len(longer) + (len(comma) + len(plus.format(n=left)) if left else 0) > high:
            break
        text, used = longer, used + 1
    left = len(rest) - used
    if left and text:
        text = f"{text}{comma}{plus.format(n=left)}"
    if len(text) < low:
        text = _titles(hooks, subject, high) or text
    if not text and hooks:
        quote = pull_quote(hooks[0].text, high)
        text = "" if quote.casefold() in subject.casefold() else quote
    return text


def _titles(hooks: Sequence[Hook], subject: str, limit: int) -> str:
    """The titles of the reviews whose works the subject does not name, as many as fit."""
    text = ""
    for hook in hooks:
        longer = f"{text} · {hook.title}" if text else hook.title
        if hook.title and hook.work.casefold() not in subject.casefold() and len(longer) <= limit:
            text = longer
    return text


def contents(hooks: Sequence[Hook], language: str, shown: int = 3) -> str:
    """What is inside, in one line: the first works and how many more."""
    comma = "、" if base_language(language) in ("ja", "zh") else ", "
    parts = [isolated(hook.work, language) for hook in hooks[:shown]]
    if len(hooks) > shown:
        parts.append(words(language)["plus_more"].format(n=len(hooks) - shown))
    return comma.join(parts)


def pull_quote(text: str, limit: int) -> str:
    """The first sentence of `text` of 5 to 28 words and at most `limit` characters, without its full stop."""
    for paragraph in text.splitlines():
        for sentence in sentences(paragraph):
            bare = sentence.rstrip(".").strip("“”\"'")
            if len(bare) <= limit and 5 <= count_words(bare) <= 28 and "“" not in bare:
                return bare
    return ""


def shortened(text: str, limit: int) -> str:
    """`text` in at most `limit` characters, cut at a word and marked with an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    if " " in cut[limit // 2 :]:
        cut = cut[: cut.rfind(" ")]
    return cut.rstrip(" ,;:–—-") + "…"
