"""What comes back: bounces and complaints, recorded with what they were decided on, and reversible.

    mail       a mail to a return path -> what it says, about whom -> `record`
    evidence   `record`: the one way in, for mails and for providers' webhooks
    judging    when an address is given up
    rates      when an issue has too many complaints
    lifting    a person takes it back
    refusals   what servers refused while an issue was sent, as evidence too
    boxes      Maildir and IMAP
    polling    what is in them, one by one

Hard bounces (no such mailbox or domain) suppress at the first, others after five in a row over two weeks; what is about
our standing never does. A complaint ends every subscription of its reader.
"""

from __future__ import annotations

from newsletter.flow.bounce.evidence import Recorded, Told, record
from newsletter.flow.bounce.lifting import unsuppress
from newsletter.flow.bounce.mail import Taken, aside, forget, take
from newsletter.flow.bounce.polling import Polled, poll
from newsletter.flow.bounce.rates import complaints_of
from newsletter.flow.bounce.refusals import learn

__all__ = [
    "Polled",
    "Recorded",
    "Taken",
    "Told",
    "aside",
    "complaints_of",
    "forget",
    "learn",
    "poll",
    "record",
    "take",
    "unsuppress",
]
