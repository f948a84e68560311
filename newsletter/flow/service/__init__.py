"""Service mails: what a reader's own act asks for (confirm, welcome, a link). Queued with the act, sent by the clock.

They are made by the same compiler, in the newsletter's design, and leave through its account, one by one and on a
connection of their own: a send of hours holds none of them up. They are no bulk mail: no tracking, no advertisement,
`Auto-Submitted: auto-generated` (RFC 3834 section 5), and nothing in them that a stranger could have typed.

queueing    a row beside the act that asks for it
wording     what each kind says, in the reader's language
composing   a row -> the finished message
delivering  what is due -> the account, with retries
"""

from __future__ import annotations

from newsletter.flow.service.composing import Composer
from newsletter.flow.service.delivering import Outcome, deliver_due, send_now
from newsletter.flow.service.queueing import queue
from newsletter.flow.service.wording import KINDS, Kind

__all__ = ["KINDS", "Composer", "Kind", "Outcome", "deliver_due", "queue", "send_now"]
