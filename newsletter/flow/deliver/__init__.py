"""Send precisely what was approved, to everybody it is for, once.

`start` freezes the audience; `deliver` is one worker, and any number of them may run; `pause`, `resume`, `stop` and
`settle_uncertain` are a person's decisions; `unfinished` is what the week goes on with.
"""

from __future__ import annotations

from newsletter.flow.deliver.control import (
    Reach,
    pause,
    reach,
    resume,
    settle_uncertain,
    start,
    stop,
    unfinished,
    would_send,
)
from newsletter.flow.deliver.installation import Installation
from newsletter.flow.deliver.outcome import DeliveryOutcome, Tally
from newsletter.flow.deliver.timing import schedule, send_now, take_back, unschedule
from newsletter.flow.deliver.working import deliver

__all__ = [
    "DeliveryOutcome",
    "Installation",
    "Reach",
    "Tally",
    "deliver",
    "pause",
    "reach",
    "resume",
    "schedule",
    "send_now",
    "settle_uncertain",
    "start",
    "stop",
    "take_back",
    "unfinished",
    "unschedule",
    "would_send",
]
