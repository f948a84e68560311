"""A thousand made-up issues before three judges: the mail standards, the readability of each text, and axe."""

from __future__ import annotations

import email
import email.policy
import time
from collections import Counter

from tests.looks.generated import LANGUAGES, failures, judging, made
from tests.looks.letters import DESIGNS
from tests.looks.window import MODES, Window, opened, too_faint

AXE_EVERY = 4
"""Axe takes twenty times as long as all the rest: it sees each fourth issue, and so each language in each design."""


def judged(count: int) -> int:
    """Judge so many issues, the first ones; gives the number of faults."""
    began, faults, examples = time.monotonic(), Counter[str](), {}
    texts = looked = 0
    with judging(), opened() as window:
        for number in range(count):
            issue = made(number)
            found = [f"standards: {each}" for each in failures(issue.message)]
            html = html_of(issue.message)
            pairs, said = read(window, html, axe=number % AXE_EVERY == number // 12 % AXE_EVERY)
            texts, looked = texts + pairs, looked + 1
            for fault in found + said:
                kind = fault.partition(" [")[0][:90]
                faults[kind] += 1
                examples.setdefault(kind, f"no. {number}, {issue.design}, {issue.language}: {fault[:200]}")
            if number % 100 == 99:
                print(
                    f"{number + 1} issues, {sum(faults.values())} faults, {time.monotonic() - began:.0f} s", flush=True
                )
        strangers = len(window.strangers)
    print(f"{looked} issues in {len(LANGUAGES)} languages ({', '.join(LANGUAGES)}) and {len(DESIGNS)} designs")
    print("MUST failures of the mail standards:", sum(n for kind, n in faults.items() if kind.startswith("standards")))
    print(
        f"texts measured: {texts}; under 4.5 to 1:", sum(n for kind, n in faults.items() if kind.startswith("contrast"))
    )
    print("sticking out at 320 pixels:", sum(n for kind, n in faults.items() if kind.startswith("width")))
    print(f"axe on every {AXE_EVERY}th:", sum(n for kind, n in faults.items() if kind.startswith("axe")), "violations")
    print("requests to anybody else:", strangers)
    for kind, number in faults.most_common():
        print(f"  {number} x {kind}\n      {examples[kind]}")
    return sum(faults.values()) + strangers


def html_of(message: bytes) -> str:
    """The HTML part of a finished message."""
    part = email.message_from_bytes(message, policy=email.policy.default).get_body(("html",))
    assert part is not None
    return str(part.get_content())


def read(window: Window, html: str, *, axe: bool) -> tuple[int, list[str]]:
    """How many texts were measured in one letter, and what is wrong in it, a line each."""
    found, texts = [], 0
    for mode in MODES[:-1]:  # the last is light again, without pictures
        window.show(html, mode=mode)
        pairs = window.pairs()
        texts += len(pairs)
        found += [f"contrast: {mode} {pair.color} on {pair.ground} [{pair}]" for pair in too_faint(pairs)]
    window.show(html, width=320)
    found += [f"width: {each}" for each in (*window.overflow(), *window.collisions())]
    if axe:
        found += [f"axe: {each}" for each in window.faults()]
    return texts, found
