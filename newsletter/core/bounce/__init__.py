"""What comes back to a return path, read: bounces, delays, complaints, automatic answers, and everything else.

    read    the bytes of a mail in, a `Report` out; never raises

In order: a complaint (RFC 5965), a delivery status (RFC 3464, 6533), the notices that servers write for people, an
automatic answer (RFC 3834), and flufl-bounce as a second voice. Whom a report is about is decided by the token in the
address that it came to (`core.verp`), by whoever holds the keys; nothing here is verified.
"""

from newsletter.core.bounce.reading import read
from newsletter.core.bounce.report import BounceClass, Recipient, Report, ReportKind

__all__ = ["BounceClass", "Recipient", "Report", "ReportKind", "read"]
