"""Proof of looks: every design drawn, measured and linted as mail clients get it.

`python -m tests.looks` (through `make prove ARGS=looks`) draws all of it and writes contact sheets; the tests beside it
hold the short, seeded part of the same. Whatever lies in `templates/email/` with a `design.toml` is a design and is
looked at: a new one needs no entry here.
"""
