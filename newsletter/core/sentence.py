"""Sentences that know what they are made of: English to whoever reads them as text, and another language at an edge.

A `Sentence` is its English text, so commands, logs, mails and the database keep it as any other. It holds its template
and its values too: a page looks the template up among its own words and fills it anew (ADR 20). A value is never a
template, whoever typed it; one that is a `Sentence` itself is said in the same language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_FIELD = re.compile(r"\{(\w+)\}")


class Sentence(str):
    """The English text of `one`, or of `many` where that is given and `number` is not 1, with `values` in its fields.

    `str()` of it, and of what calls itself by it (an error, a finding), is the sentence still; any other text that is
    made of it (`f"{…}"`, `+`, `strip`) is English and no more than that.
    """

    __slots__ = ("many", "number", "one", "values")
    one: str
    many: str
    number: int
    values: Mapping[str, str]

    def __new__(cls, one: str, values: Mapping[str, str], many: str = "", number: int = 1) -> Sentence:
        made = super().__new__(cls, _filled(one if number == 1 or not many else many, values))
        made.one, made.many, made.number, made.values = one, many, number, values
        return made

    def __str__(self) -> str:
        return self

    def __getnewargs__(self) -> tuple[str, Mapping[str, str], str, int]:  # type: ignore[override] # of a copy
        return self.one, self.values, self.many, self.number

    def said(self, gettext: Callable[[str], str], ngettext: Callable[[str, str, int], str]) -> str:
        """The same in another language, which knows templates by `gettext` and those with a number by `ngettext`."""
        template = ngettext(self.one, self.many, self.number) if self.many else gettext(self.one)
        values = {
            name: value.said(gettext, ngettext) if isinstance(value, Sentence) else value
            for name, value in self.values.items()
        }
        return _filled(template, values)


def sentence(template: str, /, **values: object) -> str:
    """The sentence that `template`, written out in the code, makes of its values: "{work} is reviewed twice."."""
    return Sentence(template, _texts(values))


def counted(one: str, many: str, number: int, /, **values: object) -> str:
    """That of two templates that goes with `number`, which is their field {n} unless `values` write it otherwise."""
    return Sentence(one, _texts({"n": number, **values}), many, number)


def word(key: str) -> str:
    """A key of ours as a word of a sentence: a state, a kind. Translators know those that web/studio/words.py marks."""
    return Sentence(str(key), {})


def together(*texts: str, between: str = " ") -> str:
    """Sentences one after another, without the empty ones."""
    found = [text for text in texts if text]
    if len(found) < 2 or not any(isinstance(text, Sentence) for text in found):
        return found[0] if len(found) == 1 else between.join(found)
    names = {f"s{at}": text for at, text in enumerate(found)}
    return Sentence(between.join(f"{{{name}}}" for name in names), names)


def ended(text: str) -> str:
    """The text with one full stop at its end, so that a sentence can follow."""
    if text.rstrip().endswith((".", "!", "?")):
        return text if isinstance(text, Sentence) else text.strip()
    return sentence("{text}.", text=text if isinstance(text, Sentence) else text.strip())


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    # `str()` of a sentence, and of an error that is made of them, is a sentence.
    return {name: str(value) for name, value in values.items()}


def _filled(template: str, values: Mapping[str, str]) -> str:
    # In one pass, so that a value may hold braces. A field that a translator made up stays as it was written.
    return _FIELD.sub(lambda field: values.get(field[1], field[0]), template)
