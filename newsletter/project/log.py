"""The log names no reader and holds no reader's link: whoever may read a log file may not thereby act for others."""

from __future__ import annotations

import logging
import re

# Wider than RFC 5321 on purpose: what only looks like an address is no loss in a log.
_ADDRESS = re.compile(r"[^\s<>\"'(),;:=]+@([\w.-]+\w)")
# The last part of a page's address with a token in it: /u/TOKEN, /login/TOKEN.
_TOKEN = re.compile(r"(/(?:u|login|join|p|view)/)[\w.:~-]{16,}")


class AddressFreeFormatter(logging.Formatter):
    """Takes local parts and tokens from every line, of the message and of the traceback alike."""

    def format(self, record: logging.LogRecord) -> str:
        return _TOKEN.sub(r"\1…", _ADDRESS.sub(r"…@\1", super().format(record)))
