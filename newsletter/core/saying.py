"""What happens next with an issue, and when, in one sentence (product 5.3); and the one button that goes with it."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.core.sentence import counted, ended, sentence, together


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
            return counted(
                "It leaves in {n} second, and can be taken back until then.",
                "It leaves in {n} seconds, and can be taken back until then.",
                issue.undo,
            )
        case "approved" if issue.past_due:
            return sentence("It is due, and leaves within a minute.")
        case "approved":
            return sentence("It goes out {due}, unless somebody edits it before.", due=issue.due)
        case "sending":
            return sentence("It is going out: {have}.", have=_have(issue))
        case "paused" if issue.waits:
            return together(ended(issue.reason), sentence("It is tried again within a minute, by itself."))
        case "paused" if issue.nothing_sent:
            return sentence(
                "It did not go out: {reason} Nothing was sent, and it waits for you to try again.",
                reason=ended(issue.reason),
            )
        case "paused":
            return sentence(
                "It stopped: {reason} {have}; the rest waits for you.", reason=ended(issue.reason), have=_have(issue)
            )
        case "sent" if issue.undecided:
            may = counted(
                "{n} may have, and waits for you", "{n} may have, and wait for you", issue.undecided,
                n=f"{issue.undecided:,}",
            )  # fmt: skip
            return sentence("{have}; {may}.", have=_have(issue), may=may)
        case "sent":
            return sentence("{have}. There is nothing left to do.", have=_have(issue))
        case "missed":
            hope = sentence("Its reviews wait for the next issue, unless you bring it back.")
            return together(ended(issue.reason), hope)
    if issue.reason:
        return together(ended(issue.reason), sentence("Its reviews wait for the next issue."))
    return sentence("It is over.")


def button(issue: Standing) -> str:
    """The one thing to press."""
    match issue.state:
        case "draft" if issue.blockers:
            return sentence("Mend what stands against it")
        case "draft":
            return sentence("Look and approve") if issue.reviews else sentence("Look at it")
        case "approved":
            return sentence("Take it back") if issue.undo else sentence("Look at it")
        case "sending":
            return sentence("Watch it go out")
        case "paused":
            return sentence("Try again") if issue.nothing_sent else sentence("Finish the rest")
        case "sent":
            return sentence("Decide about the uncertain") if issue.undecided else sentence("See how it went")
        case "missed":
            return sentence("Bring it back")
    return sentence("Look at it")


def _draft(issue: Standing) -> str:
    if issue.held:
        return sentence("It is held, and does not go out: {reason}", reason=ended(issue.held))
    if not issue.reviews and not issue.past_cutoff:
        return sentence("It is empty so far; reviews are placed until {cutoff}.", cutoff=issue.cutoff)
    if issue.blockers:
        return counted(
            "It would go out {due}, but one thing stands against it.",
            "It would go out {due}, but {n} things stand against it.",
            issue.blockers,
            due=issue.due,
        )
    if issue.automatic:
        return sentence("It goes out by itself {due}, if nothing stands against it then.", due=issue.due)
    if issue.past_cutoff:
        return sentence("It goes out {due}, if somebody approves it before.", due=issue.due)
    return sentence(
        "Reviews are placed until {cutoff}; it goes out {due}, once somebody approves it.",
        cutoff=issue.cutoff,
        due=issue.due,
    )


def _have(issue: Standing) -> str:
    return counted(
        "{n} of {all} has it", "{n} of {all} have it", issue.accepted, n=f"{issue.accepted:,}", all=f"{issue.frozen:,}"
    )
