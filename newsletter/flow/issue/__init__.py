"""The weekly rule at work: the next issue as a draft, its reviews placed, an editor's verbs, and what is due."""

from __future__ import annotations

from newsletter.flow.issue.blocks import book_sponsor, choose_quote, leave_to_rule, play, promote, quotes, take_out
from newsletter.flow.issue.composing import composers
from newsletter.flow.issue.correcting import correct, take_correction_back
from newsletter.flow.issue.deciding import approve, decide, discard, revive, skip, week_off
from newsletter.flow.issue.drafting import ensure_draft, late_arrivals, place
from newsletter.flow.issue.editing import (
    bring_back,
    edit_fields,
    edit_issue,
    include,
    leave_out,
    move,
    pin,
    run_again,
    swap,
    unpin,
)
from newsletter.flow.issue.elsewhere import AlsoAt, also_at
from newsletter.flow.issue.picturing import Pictured, crop_picture, pictured, source_picture, use_picture
from newsletter.flow.issue.planning import make_special, move_slot, take_week_off_back
from newsletter.flow.issue.sectioning import move_section
from newsletter.flow.issue.undoing import Undone, next_steps, recorded, redo, undo
from newsletter.flow.issue.why import Why, find_reviews, why
from newsletter.flow.issue.wording import Word, words_of

__all__ = [
    "AlsoAt",
    "Pictured",
    "Undone",
    "Why",
    "Word",
    "also_at",
    "approve",
    "book_sponsor",
    "bring_back",
    "choose_quote",
    "composers",
    "correct",
    "crop_picture",
    "decide",
    "discard",
    "edit_fields",
    "edit_issue",
    "ensure_draft",
    "find_reviews",
    "include",
    "late_arrivals",
    "leave_out",
    "leave_to_rule",
    "make_special",
    "move",
    "move_section",
    "move_slot",
    "next_steps",
    "pictured",
    "pin",
    "place",
    "play",
    "promote",
    "quotes",
    "recorded",
    "redo",
    "revive",
    "run_again",
    "skip",
    "source_picture",
    "swap",
    "take_correction_back",
    "take_out",
    "take_week_off_back",
    "undo",
    "unpin",
    "use_picture",
    "week_off",
    "why",
    "words_of",
]
