"""`apply` makes the database say what magazine.toml says; `dump` writes the file that says what the database does."""

from __future__ import annotations

from newsletter.flow.apply.dump import dump_text
from newsletter.flow.apply.write import Change, apply_text

__all__ = ["Change", "apply_text", "dump_text"]
