"""Draws designs that are made of blocks, and of what only looks like one."""

from __future__ import annotations

import re
from random import Random

from newsletter.core.letter import Design
from newsletter.core.reader import Reader
from tests.tracing.documents import Documents
from tests.tracing.people import TOPICS
from tests.tracing.templates import Templates

TOP = (
    "{% set ink = subscriber.language or 'x' %}{% set many = subscriber.topics|length > 1 %}{% set v = 'v' %}"
    "{% set greet = subscriber.first_name or 'you' %}{% set ns = namespace(c=0) %}"
    "{% macro bold(x) %}<b>{{ x }} {{ ink }}</b>{% endmacro %}"
    "{% macro twice(x) %}{{ bold(x) }}{{ bold(greet) }}{% endmacro %}"
    "{% macro shaky(x) %}{{ bold(x) }}{{ v }}{% endmacro %}"
    "{% macro boxed(x) %}[{{ x }}{{ caller() }}]{% endmacro %}"
)
PARTS = {
    "card.mjml": '<mj-section><mj-column width="{{ [25, 50, 75][rv.title|length % 3] }}%"><mj-text>'
    "{{ rv.title }} {{ v }}{% if subscriber.plain_text %}plain{% endif %}</mj-text></mj-column></mj-section>",
    "cards.mjml": "{% for rv in reviews %}{% if subscriber.follows(rv.topic) %}{% include 'card.mjml' %}"
    "{% endif %}{% endfor %}",
    "looping.mjml": "<mj-section><mj-column><mj-text>{{ loop is defined }}{{ ink }}</mj-text></mj-column></mj-section>",
    "line.txt": "* {{ rv.title }}{% if subscriber.plain_text %} plain{% endif %}\n",
}
CONDITIONS = [
    "subscriber.follows(rv.topic)",
    "subscriber.follows(rv.topic)",
    "subscriber.follows(rv.topic)",
    "subscriber.follows(rv.topic)",
    "subscriber.language == 'fr'",
    "not rv.rating or subscriber.follows(rv.topic)",
    "subscriber.first_name",
    "greet == 'you'",
    "many",
    "ink == 'de'",
    "subscriber.attributes.plan is defined and subscriber.attributes.plan == 'gold'",
    "rv.topic in subscriber.topics",
    "v == 'v'",
    "ns.c > 1",
    "lookup(subscriber.language) == 'text'",
]
FAILING_CONDITIONS = [
    "subscriber.missing",
    "subscriber.attributes['count'] > 1",
    "subscriber.attributes.plan == 'gold'",
]
WORDS = [
    "{{ rv.title }}",
    "{{ rv.title }}",
    "{{ rv.title }}",
    "{{ subscriber.name }}",
    "{{ subscriber.name }}",
    "{{ greet }}",
    "{{ v }}",
    "{{ twice(rv.title) }}",
    "{{ bold(subscriber.name) }}",
    "{{ bold(rv.title) }}",
    "{{ shaky(rv.title) }}",
    "{% call boxed(v) %}{{ rv.title }}{% endcall %}",
    "{% set w = rv.title ~ greet %}{{ w|upper }}",
    "{{ ns.c }}",
    "{{ subscriber.attributes.word|safe }}",
    "{{ subscriber.unsubscribe_url }}",
]
FAILING_WORDS = [
    "{% set w = subscriber.attributes.plan|upper %}unprinted",
    "{{ 10 // subscriber.attributes['count'] }}",
]
"""For some subscribers."""


TEXT_NAMES = {"ink": "tint", "greet": "salute", "many": "lots", "bold": "strong", "twice": "double", "shaky": "odd"}
"""What the text part calls the same: a name that is set in two files is no block's to rely on."""


class Magazines:
    """Draws designs out of statements in mj-body and in the text part."""

    def __init__(self, rnd: Random, readers: list[Reader]) -> None:
        self.rnd, self.readers = rnd, readers
        self._documents = Documents(rnd)

    def condition(self) -> str:
        return self.rnd.choice(CONDITIONS if self.rnd.random() < 0.96 else FAILING_CONDITIONS)

    def words(self) -> str:
        rnd = self.rnd
        drawn = (WORDS if rnd.random() < 0.95 else FAILING_WORDS for _ in range(rnd.choice([1, 1, 2])))
        return "".join(rnd.choice(words) for words in drawn)

    def section(self) -> str:
        rnd = self.rnd
        r = rnd.random()
        if r < 0.05:
            return rnd.choice(
                [
                    "<mj-section><mj-column><mj-carousel><mj-carousel-image src='a' alt='' /></mj-carousel></mj-column>"
                    "</mj-section>",
                    "<mj-section>",
                    "</mj-column></mj-section>",
                    "words between",
                    self.words(),
                    "<mj-nosuch></mj-nosuch>",
                ]
            )
        if r < 0.18:
            return rnd.choice(
                ["{% include 'card.mjml' %}", "{% include 'card.mjml' %}", "{% include 'looping.mjml' %}"]
            )
        if r < 0.3:
            return self._documents.section()
        width = rnd.choice(
            [
                "",
                "",
                ' width="50%"',
                ' width="{{ [25, 50, 75][rv.title|length % 3] }}%"',
                ' width="{{ ink|length }}0px"',
            ]
        )
        accordion = (
            "<mj-accordion><mj-accordion-element><mj-accordion-title>T</mj-accordion-title></mj-accordion-element>"
            "</mj-accordion>"
        )
        more = rnd.choice(["", "", "", accordion, '<mj-image src="a.png" alt="" fluid-on-mobile="true" />'])
        return f"<mj-section><mj-column{width}><mj-text>x {self.words()}</mj-text>{more}</mj-column></mj-section>"

    def body(self, depth: int) -> str:
        return self.rnd.choice(["", "", "\n  ", " "]).join(
            self.statement(depth) for _ in range(self.rnd.choice([1, 1, 2]))
        )

    def statement(self, depth: int = 2, *, text: bool = False) -> str:
        rnd, r = self.rnd, self.rnd.random()
        if depth <= 0 or r < 0.2:
            return self.line() if text else self.section()
        inner = self.statement(depth - 1, text=text) if text else self.body(depth - 1)
        if r < 0.55:
            over = rnd.choice(["reviews", "reviews", "reviews", "reviews[:2]", "reviews|reverse", "[reviews[0]] * 2"])
            when = f" if {self.condition()}" if rnd.random() < 0.4 else ""
            if not when and rnd.random() < 0.6:
                inner = f"{{% if {self.condition()} %}}{inner}{{% endif %}}"
            extra = rnd.choice(
                [
                    "", "", "", "", "", "{% set v = rv.title|length %}", "{% set v = greet %}",
                    "{% set ns.c = ns.c + 1 %}", "{% if loop.first %}{% set v = 'f' %}{% endif %}",
                ]
            )  # fmt: skip
            after = rnd.choice(
                ["", "", "", "", "{% break %}", "{% if " + self.condition() + " %}{% break %}{% endif %}"]
            )
            other = rnd.choice(["", "", "", "", "{% else %}" + (self.line() if text else self.section())])
            return f"{{% for rv in {over}{when} %}}{extra}{inner}{after}{other}{{% endfor %}}"
        if r < 0.75:
            other = rnd.choice(["", "{% else %}", "{% elif " + self.condition() + " %}"])
            other += (self.line() if text else self.section()) if other else ""
            return f"{{% if {self.condition()} %}}{inner}{other}{{% endif %}}" + ("\n" if text else "")
        if r < 0.85:
            loop = "{% for t in subscriber.topics %}{% if t != '" + rnd.choice(TOPICS)
            return f"{loop}' %}}{inner}{{% endif %}}{{% endfor %}}"
        if r < 0.90:
            return f"{{% set v = {rnd.choice(['greet', 'rv.title', 'subscriber.name|length', '7'])} %}}{inner}"
        if r < 0.94:
            return f"{{% with v = {rnd.choice(['greet', 'subscriber.language', '3'])} %}}{inner}{{% endwith %}}"
        if r < 0.97:
            return f"{{% set taken %}}{inner}{{% endset %}}{{{{ taken }}}}"
        return inner if text else "{% include 'cards.mjml' %}"

    def line(self) -> str:
        words = self.words()
        return self.rnd.choice(
            [f"* {{{{ rv.title }}}}: {words}\n", f"{words}\n", words, "{% include 'line.txt' %}", "\n"]
        )

    def design(self) -> Design:
        rnd = self.rnd
        head = f"{TOP}{{% set rv = reviews[0] %}}"
        page = "\n".join(self.statement() for _ in range(rnd.choice([1, 2, 3, 4])))
        title = rnd.choice(["T", "T {{ subscriber.name }}", "{% if many %}M{% else %}T{% endif %}"])
        files = {
            "subject.txt": rnd.choice(["{{ title }}", "{{ subscriber.first_name }} {{ title }}"]),
            "letter.mjml": f'{head}<mjml lang="en" dir="ltr"><mj-head><mj-title>{title}</mj-title></mj-head>'
            f'<mj-body width="600px">\n{page}\n</mj-body></mjml>',
            **PARTS,
        }
        if rnd.random() < 0.3:
            files |= Templates(rnd, self.readers).files("letter.txt")
        else:
            text = head + "".join(self.statement(text=True) for _ in range(rnd.choice([1, 2, 3])))
            files["letter.txt"] = re.sub(r"\w+", lambda match: TEXT_NAMES.get(match[0], match[0]), text)
        return Design("magazine", files)
