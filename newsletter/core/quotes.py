"""The pull quote: which sentence of a review can stand alone, and which says most."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from newsletter.core.identity import title_key
from newsletter.core.prose import CJK_A_MINUTE, WORDS_A_MINUTE, count_words, sentences
from newsletter.core.rubrics import base_language

WORDS = (8, 28)
_BEST = (10, 22)
"""Shorter says little; longer is no longer heard as one breath."""

_SPACELESS = frozenset({"ja", "zh"})
# A sentence that begins with one of these speaks of something that stood before it.
_PRONOUNS = {
    "en": "he she it they we i you one this that these those his her its their our my your there here such both",
    "de": "er sie es wir ich du ihr man das dies diese dieser dieses diesen jener jene sein seine ihre unser dort hier",
    "fr": "il elle ils elles je j tu nous vous on ce c cela ça cet cette ces celui celle son sa ses leur leurs",
    "es": "él ella ello ellos ellas yo tú nosotros usted ustedes esto eso este esta ese esa estos estas su sus",
    "it": "lui lei egli ella essi esse loro io tu noi voi questo questa questi queste ciò quello quella suo sua",
    "ar": "هو هي هم هن أنا نحن أنت أنتم هذا هذه ذلك تلك هؤلاء هنا هناك",
    "he": "הוא היא הם הן אני אנחנו אתה אתם זה זאת זו אלה שם כאן",
    "ja": "彼 彼女 彼ら 私 僕 あなた これ それ あれ この その あの ここ そこ",
    "zh": "他 她 它 我 你 您 这 那 其 此",
}
# And one that begins with one of these answers it.
_JOINTS = {
    "en": "but and so or then yet still also because which however instead meanwhile",
    "de": "aber und denn oder dann doch auch also dennoch weil",
    "fr": "mais et donc ou puis car pourtant aussi alors",
    "es": "pero y o entonces también porque así sin",
    "it": "ma e o poi anche perché così però",
}
_CLOSED = re.compile(r"[.!?…。！？][\"'”’»」』)]*$")
_ODD = re.compile(r"[\d()\[\]{}@/|*_~]|https?:|www\.|[:：]|\.\.\.|[“„«「『\"]")
_WORD = re.compile(r"[^\W\d_]+")


def quotable(text: str, language: str, *, beside: Iterable[str] = (), printed: str = "", most: int = 5) -> list[str]:
    """The sentences of `text` that can stand alone, the most distinctive first: 8 to 28 words (as many characters as
    are read in the same time, where a script has no words), not led by a pronoun, and none that `printed` already says.

    `beside` are the texts of the other reviews: what all of them say is not distinctive. Paragraphs are lines.
    """
    base = base_language(language)
    low, high = (_counted(number, base) for number in WORDS)
    own = [sentence for paragraph in text.splitlines() for sentence in sentences(paragraph)]
    said = title_key(printed)
    found = [
        sentence
        for sentence in own
        if low <= count_words(sentence) <= high
        and _CLOSED.search(sentence)
        and not _leans(sentence, base)
        and title_key(sentence) not in said
    ]
    around = [*own, *(each for other in beside for line in other.splitlines() for each in sentences(line))]
    rarity = _rarity(around, base)
    # A plain number as the last key: of two that say equally much, the one that comes first.
    ranked = sorted(enumerate(found), key=lambda each: (-_weight(each[1], base, rarity), each[0]))
    return [bare(sentence) for _, sentence in ranked[:most]]


def best_quote(text: str, language: str, *, beside: Iterable[str] = (), printed: str = "") -> str:
    """The first of `quotable` that needs no look by a person: no figures, brackets, colons or quotation marks; "" for
    none.
    """
    found = quotable(text, language, beside=beside, printed=printed, most=12)
    return next((sentence for sentence in found if not _ODD.search(sentence)), "")


def bare(sentence: str) -> str:
    """The sentence without quotation marks around the whole of it."""
    marks = {"“": "”", "„": "“", "«": "»", "「": "」", "『": "』", '"': '"'}
    text = sentence.strip()
    end = marks.get(text[:1])
    inner = text[1:-1]
    return inner.strip() if end and text.endswith(end) and end not in inner and text[0] not in inner else text


def _counted(number: int, base: str) -> int:
    return number * CJK_A_MINUTE // WORDS_A_MINUTE if base in _SPACELESS else number


def _leans(sentence: str, base: str) -> bool:
    """Whether it begins with a word that points back."""
    start = sentence.lstrip("“”„«»「『\"'‘’(— -").casefold()
    if base in _SPACELESS:
        return start.startswith(tuple(_PRONOUNS[base].split()))
    first = _WORD.match(start)
    return first is not None and first.group() in {*_PRONOUNS[base].split(), *_JOINTS.get(base, "").split()}


def _parts(sentence: str, base: str) -> set[str]:
    """What a sentence is made of: words of four letters and more; pairs of characters where nothing divides words."""
    text = sentence.casefold()
    if base in _SPACELESS:
        run = "".join(_WORD.findall(text))
        return {run[place : place + 2] for place in range(len(run) - 1)}
    return {word for word in _WORD.findall(text) if len(word) >= 4}


def _rarity(around: Sequence[str], base: str) -> dict[str, float]:
    counts = Counter(part for sentence in around for part in _parts(sentence, base))
    return {part: math.log((1 + len(around)) / count) for part, count in counts.items()}


def _weight(sentence: str, base: str, rarity: dict[str, float]) -> float:
    """How much it says: how rare its words are, and whether it is as long as a quote wants to be."""
    parts = _parts(sentence, base)
    count = count_words(sentence)
    low, high = (_counted(number, base) for number in _BEST)
    fit = 1.0 if low <= count <= high else 0.85
    question = 0.8 if sentence.rstrip("”’»\"'").endswith(("?", "？", "؟")) else 1.0
    # The root tempers length: twelve telling words beat six, twenty-eight do not beat twelve.
    return fit * question * sum(rarity.get(part, 0.0) for part in parts) / math.sqrt(max(len(parts), 4))
