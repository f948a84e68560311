"""What a compiled letter saves: microseconds a message, against Jinja2 + MJML + the same encoder per subscriber.

Run by `make prove`; prints a table and writes nothing. 12 reviews, 2,000 subscribers, all ways interleaved, median of
five rounds. Exit code 1 when composing from a row, token and headers included, is not 100 times as fast.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from random import Random

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
django.setup()

from newsletter.core import mime  # noqa: E402
from newsletter.core.letter import Compiler, Design  # noqa: E402
from newsletter.core.reader import Reader  # noqa: E402
from newsletter.core.tokens import UNSUBSCRIBE, Keys, token  # noqa: E402
from newsletter.flow.compile import Composer, Frozen, Recipient, Sender, headers_for  # noqa: E402
from newsletter.flow.compile.people import unsubscribe_prefix  # noqa: E402
from tests.letters import issues  # noqa: E402

NOW = datetime(2026, 11, 5, 13, 0, tzinfo=UTC)
SUBSCRIBERS, ROUNDS, FULL, EXPECTED = 2000, 5, 60, 100
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
      Sent to {{ subscriber.address }}. <a href="{{ subscriber.unsubscribe_url }}?pause">Pause</a> ·
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
            "excerpt": f"{words} {words} {words} {words} {words} {words}",
        }
        for number in range(12)
    ]
    return {
        "subject": "This week: twelve reviews",
        "cards": cards,
        "hello": {"en": "Hello", "de": "Hallo", "fr": "Bonjour"},
        "bye": {"en": "See you next week.", "de": "Bis nächste Woche.", "fr": "À la semaine prochaine."},
    }


def recipients() -> list[Recipient]:
    """Two thousand subscribers: names in and outside ASCII, topics followed independently."""
    rnd = Random(1)
    firsts = ["Ana", "Bob", "Zoë", "Nour", "Ida", "李", "Imre", "Dara", "Tove", "José", "Pia", "Orla"]
    return [
        Recipient(
            subscription=number,
            address=f"reader{number}@example.org",
            name=rnd.choice(["", *[f"{rnd.choice(firsts)} Stone{number}"] * 3]),
            language=rnd.choice(["en", "en", "de", "fr"]),
            topics=tuple(sorted(rnd.sample(TOPICS, rnd.choice([0, 0, 1, 2, 3])))),
            attributes={},
            plain_text=False,
            joined_on=date(2026, 1, 1),
        )
        for number in range(SUBSCRIBERS)
    ]


def main() -> int:
    keys = Keys(b"k" * 32)
    sender = Sender(
        "The Lantern", "editors@news.example.test", "", "The Lantern <weekly.news.example.test>", "45:w:i:l"
    )
    frozen = Frozen(issues.rich(), Design("bench", FILES), sender, "https://news.example.test")
    links = {"unsubscribe_url": unsubscribe_prefix(frozen.base_url)}
    compiler = Compiler(frozen.design, context(), self_check_every=0, links=links)
    composer = Composer(frozen, compiler, keys, NOW, one_click=True)
    everyone = recipients()
    known = []
    for one in everyone:
        url = f"{links['unsubscribe_url']}{token(keys, UNSUBSCRIBE, one.subscription)}"
        reader = Reader(one.address, one.name, one.language, one.topics, joined_on=one.joined_on, unsubscribe_url=url)
        headers = headers_for(frozen, reader, subscription_id=one.subscription, fingerprint="f" * 64, now=NOW)
        known.append((reader, headers))
    started = time.perf_counter()
    size = sum(len(composer.message(one)) for one in everyone) // len(everyone)
    compiled = time.perf_counter() - started
    composed: list[float] = []
    filled: list[float] = []
    full: list[float] = []
    for number in range(ROUNDS):
        started = time.perf_counter()
        for one in everyone:
            composer.message(one)
        composed.append((time.perf_counter() - started) / len(everyone) * 1e6)
        started = time.perf_counter()
        for reader, headers in known:
            compiler.message(reader, headers)
        filled.append((time.perf_counter() - started) / len(known) * 1e6)
        some = known[number * FULL : (number + 1) * FULL]
        started = time.perf_counter()
        for reader, headers in some:
            letter = compiler.full_render(reader)
            mime.whole(headers, letter.subject, letter.text, letter.html, compiler.boundary)
        full.append((time.perf_counter() - started) / len(some) * 1e6)
    ours, slower, theirs = (statistics.median(times) for times in (composed, filled, full))
    print(f"12 reviews, {len(everyone)} subscribers, {compiler.stats.letters} letters, {size} bytes a message")
    print(f"compiling all letters, self-checks included   {compiled:10.2f} s, once an issue")
    print(f"composed from a row, with token and headers   {ours:10.1f} µs a message")
    print(f"compiled letter, reader and headers at hand   {slower:10.1f} µs a message")
    print(f"Jinja2 + MJML + encoder per subscriber        {theirs:10.1f} µs a message")
    print(f"ratio                                         {theirs / ours:10.1f}")
    spread(keys, frozen)
    return 0 if theirs / ours >= EXPECTED else 1


def spread(keys: Keys, frozen: Frozen) -> None:
    """Twenty topics followed independently: hardly two letters are alike, and all are made of the same blocks."""
    rnd = Random(2)
    topics = [f"topic-{number}" for number in range(20)]
    cards: list[dict[str, object]] = [
        {"title": f"Review {topic}", "topic": topic, "url": "https://magazine.example.test/r", "picture": "p.jpg",
         "byline": "by Ida Lindqvist", "excerpt": "the light over the harbour turns each scene into a photograph " * 3}
        for topic in topics
    ]  # fmt: skip
    # (The number of a review would depend on all before it.)
    files = {**FILES, "letter.txt": FILES["letter.txt"].replace("{{ loop.index }}. ", "")}
    links = {"unsubscribe_url": unsubscribe_prefix(frozen.base_url)}
    compiler = Compiler(Design("spread", files), {**context(), "cards": cards}, self_check_every=0, links=links)
    composer = Composer(frozen, compiler, keys, NOW, one_click=True)
    everyone = [
        replace(one, topics=tuple(topic for topic in topics if rnd.random() < 0.5) or ("none",)) for one in recipients()
    ]
    before = {(one.topics, one.name) for one in everyone}
    compiling, made = 0.0, 0
    started = time.perf_counter()
    for one in everyone:
        begun = time.perf_counter()
        composer.message(one)
        if made != (made := compiler.stats.letters + compiler.stats.self_checks):
            compiling += time.perf_counter() - begun
    whole = time.perf_counter() - started
    print(f"20 topics, {len(before)} different letters: {compiler.stats.letters} things compiled")
    print(f"compiling them, self-checks included          {compiling:10.2f} s, once an issue")
    print(
        f"composed from blocks, each letter a new one   {(whole - compiling) / len(everyone) * 1e6:10.1f} µs a message"
    )


if __name__ == "__main__":
    sys.exit(main())
