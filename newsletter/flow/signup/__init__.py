"""From a form to a subscription: what a stranger hands in, what the clock makes of it, what the mailbox's holder says.

receiving   the request: a row, and nothing looked up, so that it takes equally long for every address
working     the clock: what each waiting form deserves, within the limits against bombs (standard A9)
confirming  the link in the mail: /c/TOKEN
retiring    one reminder, and the end of what nobody confirmed
"""

from __future__ import annotations

from newsletter.flow.signup.confirming import Confirmation, Standing, ask_again, confirm, confirm_link, read_link
from newsletter.flow.signup.receiving import Client, Copy, Limited, copy_of, receive
from newsletter.flow.signup.retiring import remind, retire_unconfirmed
from newsletter.flow.signup.working import Worked, work_off

__all__ = [
    "Client",
    "Confirmation",
    "Copy",
    "Limited",
    "Standing",
    "Worked",
    "ask_again",
    "confirm",
    "confirm_link",
    "copy_of",
    "read_link",
    "receive",
    "remind",
    "retire_unconfirmed",
    "work_off",
]
