"""Slips of the fingers in a domain, and what was probably meant."""

from __future__ import annotations

import pytest

from newsletter.core.typos import COMMON, meant


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("gmial.com", "gmail.com"), ("gmai.com", "gmail.com"), ("gmail.con", "gmail.com"), ("gmaill.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"), ("outlok.com", "outlook.com"), ("yaho.com", "yahoo.com"),
        ("icoud.com", "icloud.com"), ("Gmail.cmo", "gmail.com"), ("t-onlin.de", "t-online.de"),
    ],
)  # fmt: skip
def test_a_slip_is_noticed(typed: str, wanted: str) -> None:
    assert meant(typed) == wanted


@pytest.mark.parametrize(
    "domain", [*COMMON, "box.test", "example.org", "lantern.press", "male.com", "gmx.com", "meme.com"]
)
def test_a_domain_of_its_own_is_left_alone(domain: str) -> None:
    assert meant(domain) == ""
