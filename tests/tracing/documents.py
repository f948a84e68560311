"""Draws MJML documents with a subscriber's values in every kind of place, and whole designs."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from newsletter.core.letter import Design
from newsletter.core.mjml_schema import ELEMENTS
from newsletter.core.reader import Reader
from tests.tracing.people import TOPICS, reader

MJML_VALUES = [
    "subscriber.name",
    "subscriber.name",
    "subscriber.first_name",
    "subscriber.attributes.city",
    "subscriber.attributes['count']",
    "subscriber.attributes.word",
    "subscriber.attributes.word",
    "subscriber.unsubscribe_url",
    "subscriber.language",
    "subscriber.topics|join(' ')",
    "hello[subscriber.language]",
    "'<b>%s</b>'|safe % subscriber.name",
    "subscriber.attributes.city|safe",
    "subscriber.name|upper",
    "subscriber.name|urlencode",
    "subscriber.joined_on",
    "subscriber.name|truncate(3)",
    "title ~ subscriber.name",
]
COMMON_VALUES = [
    "subscriber.attributes.word",
    "subscriber.attributes.word",
    "subscriber.language",
    "subscriber.plain_text",
]
"""Values that may be asked for."""
WORDS_OF_MJML = [
    "x",
    "left",
    "100%",
    "1px solid red",
    "full-width",
    "",
    " ",
    "facebook",
    "#ff0000",
    "300px",
    "none",
    "a b",
]
STATIC = ["left", "100px", "#333333", "10px", "https://x.test/a b", "Ärger & so", "single'quote"]


class Documents:
    """Draws MJML documents with a subscriber's values in every kind of place."""

    def __init__(self, rnd: Random) -> None:
        self.rnd = rnd

    def value(self) -> str:
        return "{{ " + self.rnd.choice(MJML_VALUES) + " }}"

    def words(self) -> str:
        rnd = self.rnd
        lead, tail = rnd.choice(["", "", "Hi ", "é", "€ ", "\n"]), rnd.choice(["", "", "!", " é", "\n"])
        return lead + self.value() + tail

    def attribute(self, name: str, rate: float = 0.5) -> str:
        plain = name in ("href", "src", "alt", "title", "srcset", "class", "content") or self.rnd.random() < 0.05
        value = self.words() if plain else "{{ " + self.rnd.choice(COMMON_VALUES) + " }}"
        text = value if self.rnd.random() < rate else self.rnd.choice(STATIC)
        quote = self.rnd.choice('"""\'') if "'" not in text else '"'
        return f" {name}={quote}{text}{quote}"

    def element(self, name: str, *, rate: float = 0.25, always: str = "") -> str:
        names = sorted(ELEMENTS[name].attributes | {"css-class"})
        # An mj-class that isn't defined, and a hero's size, are refused in both ways: they tell nothing here.
        drawn = [a for a in self.rnd.sample(names, min(len(names), self.rnd.choice([0, 1, 2, 3]))) if a not in always]
        return f"<{name}{always}" + "".join(self.attribute(a, rate) for a in drawn if a != "mj-class")

    def html(self, depth: int = 2) -> str:
        rnd, r = self.rnd, self.rnd.random()
        if depth <= 0 or r < 0.4:
            return rnd.choice([self.words(), self.words(), "plain é text", "a &amp; b", "é &gt; x"])
        inner = self.html(depth - 1)
        if r < 0.55:
            return f"<a{self.attribute('href')}{self.attribute('title')}>{inner}</a>"
        if r < 0.65:
            return f"<p{rnd.choice(['', self.attribute('class'), self.attribute('style', 0.15)])}>{inner}</p>{inner}"
        if r < 0.72:
            return f"<img{self.attribute('src')}{self.attribute('alt')} />"
        if r < 0.77:
            return f"<!-- {'{{ subscriber.language }}' if rnd.random() < 0.2 else 'note'} -->{inner}"
        if r < 0.80:
            return f"<br {'{{ subscriber.language }}' if rnd.random() < 0.1 else ''}/>{inner}"
        if r < 0.90:
            return f"{{% if subscriber.follows('movie') %}}{inner}{{% else %}}{self.html(depth - 1)}{{% endif %}}"
        return f"{inner}<b>{self.html(depth - 1)}</b>"

    def component(self) -> str:
        rnd = self.rnd
        kinds = "text text text button button image image divider spacer table raw social navbar accordion if carousel"
        kind = rnd.choice(kinds.split())
        if kind in ("text", "button", "table"):
            inner = self.html() if kind != "table" else f"<tr><td{self.attribute('class')}>{self.html()}</td></tr>"
            return f"{self.element(f'mj-{kind}')}>{inner}</mj-{kind}>"
        if kind == "image":
            return self.element("mj-image", rate=0.4, always=self.attribute("src") + self.attribute("alt")) + " />"
        if kind in ("divider", "spacer"):
            return f"{self.element(f'mj-{kind}', rate=0.15)} />"
        if kind == "raw":
            return f"<mj-raw>{self.html()}</mj-raw>"
        if kind == "social":
            inner = rnd.choice([self.words(), "Follow", ""])
            name = rnd.choice([' name="facebook"', self.attribute("name", 0.3), ""])
            one = f"{self.element('mj-social-element', always=name)}>{inner}</mj-social-element>"
            return f"{self.element('mj-social')}>{one}</mj-social>"
        if kind == "navbar":
            link = f"{self.element('mj-navbar-link', rate=0.5)}>{rnd.choice([self.words(), 'Link'])}</mj-navbar-link>"
            return f"{self.element('mj-navbar', rate=0.1)}>{link}</mj-navbar>"
        if kind == "accordion":
            title = f"{self.element('mj-accordion-title')}>{self.words()}</mj-accordion-title>"
            text = f"{self.element('mj-accordion-text')}>{self.html()}</mj-accordion-text>"
            return f"<mj-accordion><mj-accordion-element>{title}{text}</mj-accordion-element></mj-accordion>"
        if kind == "carousel":
            image = self.element("mj-carousel-image", always=self.attribute("src", 0.2))
            return f"<mj-carousel>{image} /><mj-carousel-image src='b.png' /></mj-carousel>"
        return f"{{% if subscriber.follows('{rnd.choice(TOPICS)}') %}}{self.component()}{{% endif %}}"

    def section(self) -> str:
        columns = ""
        for _ in range(self.rnd.choice([1, 1, 2])):
            inner = "".join(self.component() for _ in range(self.rnd.choice([0, 1, 1, 2])))
            columns += f"{self.element('mj-column', rate=0.1)}>{inner}</mj-column>"
        section = f"{self.element('mj-section', rate=0.1)}>{columns}</mj-section>"
        loop = "{% for t in subscriber.topics %}" + section + "{% endfor %}"
        return self.rnd.choice([section, section, section, loop, f"{section}\n{self.value()}"])

    def mjml(self) -> str:
        rnd = self.rnd
        head = "".join(
            part
            for part in (
                f"<mj-title>{rnd.choice([self.words(), self.value(), 'T: ' + self.value(), 'T'])}</mj-title>",
                f"<mj-preview>{rnd.choice([self.words(), self.value(), 'P ' + self.value(), 'P'])}</mj-preview>",
                f"<mj-style>.a {{ color: {rnd.choice(['red', '{{ subscriber.attributes.word }}'])} }}</mj-style>",
                f"<mj-attributes><mj-text{self.attribute('color', 0.3)} /></mj-attributes>",
                f"<mj-raw><meta{self.attribute('content')} /></mj-raw>",
            )
            if rnd.random() < 0.3
        )
        body = "".join(self.section() for _ in range(rnd.choice([1, 1, 2])))
        return f'<mjml lang="en" dir="ltr"><mj-head>{head}</mj-head><mj-body>{body}</mj-body></mjml>'

    def design(self) -> Design:
        rnd = self.rnd
        return Design(
            "made-up",
            {
                "subject.txt": rnd.choice(["{{ title }}", self.words() + " {{ title }}", self.value()]),
                "letter.txt": rnd.choice(["", "Hi "]) + self.words() + "\n.\nFrom here {{ title }}\n" + self.value(),
                "letter.mjml": self.mjml(),
            },
        )


def mjml_reader(rnd: Random) -> Reader:
    """A subscriber for documents: values that MJML could take for its own."""
    plain = reader(rnd)
    return replace(plain, attributes={**plain.attributes, "word": rnd.choice(WORDS_OF_MJML)})
