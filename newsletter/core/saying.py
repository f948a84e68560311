"""What happens next with an issue, and when, in one sentence (product 5.3); and the one button that goes with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """An issue as people see it. Times are words already ("Thursday, November 5, 08:00 New York (13:00 UTC)").

    `blockers` is None where nobody looked. `undo` are the seconds in which "send now" can be
    taken back; `nothing_sent` says of a send that certainly no message was taken; `waits` that it is tried again by
    itself.
    """

    state: str
    reviews: int
    due: str
    cutoff: str
    past_cutoff: bool = False
    past_due: bool = False
    automatic: bool = False
    blockers: int | None = None
    held: str = ""
    approved_by: str = ""
    undo: int = 0
    accepted: int = 0
    frozen: int = 0
    failed: int = 0
    undecided: int = 0
    nothing_sent: bool = False
    waits: bool = False
    reason: str = ""


def label(issue: Standing) -> str:
    """The word of the glossary for a stored state: approved is "scheduled", a draft past its cutoff may be "held"."""
    match issue.state:
        case "paused" if issue.nothing_sent:
            return "nothing sent yet"
        case "sent" if issue.failed or issue.undecided:
            return "sent with failures"
    return short_label(issue.state, issue.held)


def short_label(state: str, held: str) -> str:
    """The label as far as the issue's own row tells it, for lists: nobody counts deliveries there."""
    if state == "draft" and held:
        return "held"
    return "scheduled" if state == "approved" else state


def what_next(issue: Standing) -> str:
    """One sentence for every state."""
    match issue.state:
        case "draft":
            return _draft(issue)
        case "approved" if issue.undo:
            return f"It leaves in {issue.undo} seconds, and can be taken back until then."
        case "approved" if issue.past_due:
            return "It is due, and leaves within a minute."
        case "approved":
            return f"It goes out {issue.due}, unless somebody edits it before."
        case "sending":
            return f"It is going out: {issue.accepted:,} of {issue.frozen:,} have it."
        case "paused" if issue.waits:
            return f"{_stop(issue.reason)} It is tried again within a minute, by itself."
        case "paused" if issue.nothing_sent:
            return f"It did not go out: {_stop(issue.reason)} Nothing was sent, and it waits for you to try again."
        case "paused":
            left = f"{issue.accepted:,} of {issue.frozen:,} have it"
            return f"It stopped: {_stop(issue.reason)} {left}; the rest waits for you."
        case "sent" if issue.undecided:
            return f"{issue.accepted:,} of {issue.frozen:,} have it; {issue.undecided:,} may have, and wait for you."
        case "sent":
            return f"{issue.accepted:,} of {issue.frozen:,} have it. There is nothing left to do."
        case "missed":
            return f"{_stop(issue.reason)} Its reviews wait for the next issue, unless you bring it back."
    return f"{_stop(issue.reason)} Its reviews wait for the next issue." if issue.reason else "It is over."


def button(issue: Standing) -> str:
    """The one thing to press."""
    match issue.state:
        case "draft" if issue.blockers:
            return "Mend what stands against it"
        case "draft":
            return "Look and approve" if issue.reviews else "Look at it"
        case "approved":
            return "Take it back" if issue.undo else "Look at it"
        case "sending":
            return "Watch it go out"
        case "paused":
            return "Try again" if issue.nothing_sent else "Finish the rest"
        case "sent":
            return "Decide about the uncertain" if issue.undecided else "See how it went"
        case "missed":
            return "Bring it back"
    return "Look at it"


def _draft(issue: Standing) -> str:
    if issue.held:
        return f"It is held, and does not go out: {_stop(issue.held)}"
    if not issue.reviews and not issue.past_cutoff:
        return f"It is empty so far; reviews are placed until {issue.cutoff}."
    if issue.blockers:
        things = "one thing stands" if issue.blockers == 1 else f"{issue.blockers} things stand"
        return f"It would go out {issue.due}, but {things} against it."
    if issue.automatic:
        return f"It goes out by itself {issue.due}, if nothing stands against it then."
    if issue.past_cutoff:
        return f"It goes out {issue.due}, if somebody approves it before."
    return f"Reviews are placed until {issue.cutoff}; it goes out {issue.due}, once somebody approves it."


def _stop(text: str) -> str:
    """With exactly one full stop at its end, so that a sentence can follow."""
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
