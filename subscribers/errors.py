"""What subscribers refuses, in words for a person. The edges of the product turn these into pages and exit codes.

SubscribersError
├── AddressError    this is not an address that mail can be sent to
├── AudienceError   the rule of whom an issue goes to is wrong
│   └── SegmentError   the rule of a segment is wrong, or there is no such segment
└── ImportFileError the file is not a list of subscribers at all (a bad row is a row of the report instead)
"""

from __future__ import annotations


class SubscribersError(Exception):
    """A subscriber or a change is refused."""


class AddressError(SubscribersError):
    """This is not an address that mail can be sent to."""


class AudienceError(SubscribersError):
    """The rule of whom an issue goes to is wrong."""


class SegmentError(AudienceError):
    """The rule of a segment is wrong, or there is no such segment."""


class ImportFileError(SubscribersError):
    """This file can't be read as a list of subscribers."""
