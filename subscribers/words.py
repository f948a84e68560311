"""The shape of the words that rules and files name people's choices by."""

from __future__ import annotations

import re

TOPIC = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
