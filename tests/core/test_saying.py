from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.core.saying import Standing, button, label, what_next

DUE, CUTOFF = "Thursday, November 5, 08:00 New York (13:00 UTC)", "Wednesday, November 4, 18:00 New York (23:00 UTC)"
DRAFT = Standing("draft", reviews=9, due=DUE, cutoff=CUTOFF)


@pytest.mark.parametrize(
    ("issue", "word", "sentence", "press"),
    [
        (DRAFT, "draft", f"Reviews are placed until {CUTOFF}; it goes out {DUE}, once somebody approves it.",
         "Look and approve"),
        (replace(DRAFT, past_cutoff=True), "draft", f"It goes out {DUE}, if somebody approves it before.",
         "Look and approve"),
        (replace(DRAFT, automatic=True), "draft", f"It goes out by itself {DUE}, if nothing stands against it then.",
         "Look and approve"),
        (replace(DRAFT, reviews=0), "draft", f"It is empty so far; reviews are placed until {CUTOFF}.", "Look at it"),
        (replace(DRAFT, blockers=1), "draft", f"It would go out {DUE}, but one thing stands against it.",
         "Mend what stands against it"),
        (replace(DRAFT, held="Too few reviews"), "held", "It is held, and does not go out: Too few reviews.",
         "Look and approve"),
        (replace(DRAFT, state="approved"), "scheduled", f"It goes out {DUE}, unless somebody edits it before.",
         "Look at it"),
        (replace(DRAFT, state="approved", undo=42), "scheduled",
         "It leaves in 42 seconds, and can be taken back until then.", "Take it back"),
        (replace(DRAFT, state="sending", accepted=1200, frozen=4812), "sending",
         "It is going out: 1,200 of 4,812 have it.", "Watch it go out"),
        (replace(DRAFT, state="paused", nothing_sent=True, reason="the mail server refused login"), "nothing sent yet",
         "It did not go out: the mail server refused login. Nothing was sent, and it waits for you to try again.",
         "Try again"),
        (replace(DRAFT, state="paused", accepted=5, frozen=9, reason="Paused by Mara."), "paused",
         "It stopped: Paused by Mara. 5 of 9 have it; the rest waits for you.", "Finish the rest"),
        (replace(DRAFT, state="paused", waits=True, reason="The server is away."), "paused",
         "The server is away. It is tried again within a minute, by itself.", "Finish the rest"),
        (replace(DRAFT, state="sent", accepted=9, frozen=9), "sent", "9 of 9 have it. There is nothing left to do.",
         "See how it went"),
        (replace(DRAFT, state="sent", accepted=7, frozen=9, undecided=2), "sent with failures",
         "7 of 9 have it; 2 may have, and wait for you.", "Decide about the uncertain"),
        (replace(DRAFT, state="missed", reason="Missed its slot: not approved."), "missed",
         "Missed its slot: not approved. Its reviews wait for the next issue, unless you bring it back.",
         "Bring it back"),
        (replace(DRAFT, state="skipped", reason="Week off"), "skipped",
         "Week off. Its reviews wait for the next issue.", "Look at it"),
    ],
)  # fmt: skip
def test_every_state_says_what_happens_next_and_names_its_button(
    issue: Standing, word: str, sentence: str, press: str
) -> None:
    assert (label(issue), what_next(issue), button(issue)) == (word, sentence, press)
