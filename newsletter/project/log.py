"""The log names no reader: whoever may read a log file may not thereby read the list."""

from __future__ import annotations

import logging
import re

# Wider than RFC 5321 on purpose: what only looks like an address is no loss in a log.
_ADDRESS = re.compile(r"[^\s<>\"'(),;:=]+@([\w.-]+\w)")


class AddressFreeFormatter(logging.Formatter):
    """Takes the local part from every address, in the message and in the traceback alike."""

    def format(self, record: logging.LogRecord) -> str:
        return _ADDRESS.sub(r"…@\1", super().format(record))
