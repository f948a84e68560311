"""From an issue to letters: one way for preview, test, send and the public page; only the subscriber differs.

An approved issue is rebuilt from its freeze alone; a draft is compiled from what its rows say now.
"""

from __future__ import annotations

from newsletter.flow.compile.checking import blockers, checks
from newsletter.flow.compile.designs import contrast_pairs, design_names, find_design, new_design
from newsletter.flow.compile.freezing import build, compiler, freeze, frozen, issue_content, public_html, subject_of
from newsletter.flow.compile.gathering import subject_suggestions
from newsletter.flow.compile.ignoring import ignore, mind
from newsletter.flow.compile.inputs import Frozen, Sender, fingerprint, versions
from newsletter.flow.compile.knowing import known_blockers
from newsletter.flow.compile.people import Composer, Recipient, headers_for, reader_of, recipient_of
from newsletter.flow.compile.previewing import Preview, preview

__all__ = [
    "Composer",
    "Frozen",
    "Preview",
    "Recipient",
    "Sender",
    "blockers",
    "build",
    "checks",
    "compiler",
    "contrast_pairs",
    "design_names",
    "find_design",
    "fingerprint",
    "freeze",
    "frozen",
    "headers_for",
    "ignore",
    "issue_content",
    "known_blockers",
    "mind",
    "new_design",
    "preview",
    "public_html",
    "reader_of",
    "recipient_of",
    "subject_of",
    "subject_suggestions",
    "versions",
]
