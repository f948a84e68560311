"""Compiled letters: one for all readers of a path, bounded and self-checked."""

from __future__ import annotations

import email
import email.policy
import threading
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from newsletter.core import mime
from newsletter.core.errors import LetterMismatchError
from newsletter.core.letter import compiler as letter_module
from newsletter.core.letter import parts as parts_module
from tests.tracing.compiling import ANA, BOB, GREETING, compiled, design, headers, text_of
from tests.tracing.documents import mjml_reader


def test_one_letter_serves_all_readers_of_a_path() -> None:
    compiler = compiled(GREETING, self_check_every=0)
    readers = [replace(BOB, name=name) for name in ("Bob", "Zoë", "李雷", "<b>", "x" * 500)]
    for reader in readers:
        assert compiler.render(reader) == compiler.full_render(reader)
    assert compiler.stats.letters == 1
    assert compiler.stats.self_checks == 1
    assert compiler.stats.in_full == 0


def test_a_message_reads_back_as_the_full_render() -> None:
    compiler = compiled(GREETING)
    raw = compiler.message(ANA, headers(ANA))
    read: Any = email.message_from_bytes(raw, policy=email.policy.default)
    truth = compiler.full_render(ANA)
    plain, html = [part.get_content().replace("\r\n", "\n") for part in read.get_payload()]
    assert (read["Subject"], plain, html) == (truth.subject, truth.text, truth.html)
    assert "Hello Ana!" in html and truth.subject == "Ana, the week"
    assert max(map(len, raw.split(b"\r\n"))) <= 120


def test_the_same_reader_gets_the_same_bytes_whatever_was_compiled_before() -> None:
    readers = [mjml_reader(Random(seed)) for seed in range(30)]
    orders = (readers, readers[::-1])
    results = []
    for order, bound in zip(orders, (5000, 1), strict=True):
        compiler = compiled(GREETING, max_letters=bound, self_check_every=0)
        results.append({id(reader): compiler.message(reader, headers(reader)) for reader in order})
    assert results[0] == results[1]


def test_letters_are_bounded_and_the_oldest_makes_room() -> None:
    compiler = compiled(
        design(text_of("{{ subscriber.topics|length }}{% for t in subscriber.topics %}{{ t }}{% endfor %}")),
        max_letters=3,
    )
    topics = ["a", "b", "c", "d", "e", "f"]
    for _ in range(2):
        for count in range(6):
            reader = replace(ANA, topics=tuple(topics[:count]))
            assert compiler.render(reader) == compiler.full_render(reader)
    assert len(compiler._tree) == 3
    assert compiler.stats.letters == 12
    assert compiler.stats.evicted == 9


def test_too_many_expressions_start_the_tree_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_module, "MAX_NODES", 3)
    monkeypatch.setattr(parts_module, "MAX_PIECES", 3)
    compiler = compiled(GREETING)
    for reader in (ANA, BOB, ANA):
        assert compiler.render(reader) == compiler.full_render(reader)
    assert len(compiler._tree) == 1


# --- self-check -------------------------------------------------------------------------------------------------------


def test_a_letter_that_differs_from_its_full_render_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mime, "piece", lambda text: text.replace("Hello", "Hallo").encode() + b"=\r\n")
    compiler = compiled(GREETING)
    for _ in range(2):
        with pytest.raises(LetterMismatchError, match="would differ from its preview"):
            compiler.message(BOB, headers(BOB))


def test_one_message_in_so_many_is_checked_during_the_send() -> None:
    compiler = compiled(GREETING, self_check_every=10)
    for _ in range(40):
        compiler.message(BOB, headers(BOB))
    assert compiler.stats.self_checks == 1 + 4


def test_a_difference_that_comes_up_during_the_send_stops_it() -> None:
    compiler = compiled(GREETING, self_check_every=3)
    compiler.message(BOB, headers(BOB))
    parts = compiler._tree.find(letter_module.State(BOB)).parts  # type: ignore[union-attr]
    parts[1] = b"Hallo =\r\n"
    compiler.message(BOB, headers(BOB))
    with pytest.raises(LetterMismatchError):
        compiler.message(BOB, headers(BOB))


def test_a_letter_whose_first_reader_needs_a_full_render_is_checked_with_the_next() -> None:
    compiler = compiled(design(head="<mj-title>{{ subscriber.name }}</mj-title>", body=text_of("x")))
    nobody = replace(BOB, name="")
    assert compiler.render(nobody) == compiler.full_render(nobody)
    assert (compiler.stats.self_checks, compiler.stats.in_full) == (0, 1)
    assert compiler.render(BOB) == compiler.full_render(BOB)
    assert (compiler.stats.self_checks, compiler.stats.letters) == (1, 1)


# --- errors -----------------------------------------------------------------------------------------------------------


def test_threads_share_a_compiler() -> None:
    compiler = compiled(GREETING, max_letters=2, self_check_every=7)
    readers = [mjml_reader(Random(seed)) for seed in range(20)]
    truth = [compiler.full_render(reader) for reader in readers]
    failures: list[BaseException] = []

    def work() -> None:
        try:
            assert [compiler.render(reader) for reader in readers] == truth
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
