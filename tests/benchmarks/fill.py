"""What a compiled letter saves: microseconds a message, against Jinja2 + MJML + the same encoder per subscriber.

Run by `make prove`; prints a table and writes nothing. 12 reviews, 2,000 subscribers, both ways interleaved, median of
five rounds. Exit code 1 when the ratio is below 20.
"""

from __future__ import annotations

import statistics
import sys
import time
from datetime import UTC, datetime
from random import Random

from newsletter.core import mime
from newsletter.core.letter import Compiler, Design, Headers, Mailbox
from newsletter.core.reader import Reader

SUBSCRIBERS, ROUNDS, FULL, EXPECTED = 2000, 5, 60, 20
TOPICS = ["movie", "book", "concert", "play"]

CARD = """
    <mj-section padding="16px 0"><mj-column>
      <mj-image src="{{ card.picture }}" alt="{{ card.title }}" href="{{ card.url }}" />
      <mj-text font-size="22px"><h3><a href="{{ card.url }}">{{ card.title }}</a></h3></mj-text>
      <mj-text><b>{{ card.byline }}</b><br />{{ card.excerpt }}</mj-text>
      <mj-button href="{{ card.url }}">Read the review</mj-button>
    </mj-column></mj-section>"""

FILES = {
    "subject.txt": "{% if subscriber.first_name %}{{ subscriber.first_name }}, {% endif %}{{ subject }}",
    "letter.txt": """Hello {{ subscriber.first_name or 'reader' }},
{% for card in cards if subscriber.follows(card.topic) %}

{{ loop.index }}. {{ card.title }}
{{ card.excerpt }}
{{ card.url }}
{% endfor %}

{{ bye[subscriber.language] }}
Unsubscribe: {{ subscriber.unsubscribe_url }}
""",
    "card.mjml": CARD,
    "letter.mjml": """<mjml lang="en" dir="ltr">
  <mj-head><mj-title>{{ subject }}</mj-title><mj-preview>{{ subject }}</mj-preview></mj-head>
  <mj-body width="600px">
    <mj-section><mj-column><mj-text>
      <h1>{{ hello[subscriber.language] }}{% if subscriber.first_name %} {{ subscriber.first_name }}{% endif %}!</h1>
    </mj-text></mj-column></mj-section>
    {% for card in cards %}{% if subscriber.follows(card.topic) %}{% include "card.mjml" %}{% endif %}{% endfor %}
    <mj-section><mj-column><mj-text>
      Sent to {{ subscriber.address }}. <a href="{{ subscriber.preferences_url }}">Preferences</a> ·
      <a href="{{ subscriber.unsubscribe_url }}">Unsubscribe</a> · {{ bye[subscriber.language] }}
    </mj-text></mj-column></mj-section>
  </mj-body>
</mjml>""",
}


def context() -> dict[str, object]:
    """Twelve reviews with excerpts of a usual length."""
    words = "the light over the harbour turns each scene into a photograph that someone has been carrying for years"
    cards = [
        {
            "title": f"Review number {number}: “Night Ferry”",
            "topic": TOPICS[number % 4],
            "url": f"https://magazine.example.test/reviews/night-ferry-{number}",
            "picture": f"https://news.example.test/m/{number}.jpg",
            "byline": "by Ida Lindqvist",
            "excerpt": f"{words} {words} {words}",
        }
        for number in range(12)
    ]
    return {
        "subject": "This week: twelve reviews",
        "cards": cards,
        "hello": {"en": "Hello", "de": "Hallo", "fr": "Bonjour"},
        "bye": {"en": "See you next week.", "de": "Bis nächste Woche.", "fr": "À la semaine prochaine."},
    }


def readers() -> list[Reader]:
    """Two thousand subscribers: names in and outside ASCII, topics followed independently."""
    rnd = Random(1)
    names = ["Ana Stone", "Bob", "", "Zoë Núñez", "李雷", "Nour Haddad, the Boss"]
    return [
        Reader(
            address=f"reader{number}@example.org",
            name=rnd.choice(names),
            language=rnd.choice(["en", "en", "de", "fr"]),
            topics=tuple(sorted(rnd.sample(TOPICS, rnd.choice([0, 0, 1, 2, 3])))),
            unsubscribe_url=f"https://news.example.test/u/{number:024x}",
            preferences_url=f"https://news.example.test/p/{number:024x}",
        )
        for number in range(SUBSCRIBERS)
    ]


def headers(reader: Reader, number: int) -> Headers:
    return Headers(
        from_=Mailbox("editors@news.example.test", "The Lantern"),
        to=Mailbox(reader.address, reader.name),
        message_id=f"<1.{number}@news.example.test>",
        date=datetime(2026, 11, 5, 13, 0, tzinfo=UTC),
        list_id="The Lantern Weekly <weekly.news.example.test>",
        list_unsubscribe=reader.unsubscribe_url,
        extra=(("Feedback-ID", "45:weekly:issue:lantern"),),
    )


def main() -> int:
    compiler = Compiler(Design("bench", FILES), context(), self_check_every=0)
    everyone = [(reader, headers(reader, number)) for number, reader in enumerate(readers())]
    started = time.perf_counter()
    size = sum(len(compiler.message(*one)) for one in everyone) // len(everyone)
    compiled = time.perf_counter() - started
    filled: list[float] = []
    full: list[float] = []
    for number in range(ROUNDS):
        started = time.perf_counter()
        for one in everyone:
            compiler.message(*one)
        filled.append((time.perf_counter() - started) / len(everyone) * 1e6)
        some = everyone[number * FULL : (number + 1) * FULL]
        started = time.perf_counter()
        for reader, head in some:
            letter = compiler.full_render(reader)
            mime.whole(head, letter.subject, letter.text, letter.html, compiler.boundary)
        full.append((time.perf_counter() - started) / len(some) * 1e6)
    ours, theirs = statistics.median(filled), statistics.median(full)
    print(f"12 reviews, {len(everyone)} subscribers, {compiler.stats.letters} letters, {size} bytes a message")
    print(f"compiling all letters, self-checks included   {compiled:10.2f} s, once an issue")
    print(f"compiled letter, filled                       {ours:10.1f} µs a message")
    print(f"Jinja2 + MJML + encoder per subscriber        {theirs:10.1f} µs a message")
    print(f"ratio                                         {theirs / ours:10.1f}")
    return 0 if theirs / ours >= EXPECTED else 1


if __name__ == "__main__":
    sys.exit(main())
