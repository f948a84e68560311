from __future__ import annotations

from tests.flow.compile.fixtures import edit, home, issue, newsletter

__all__ = ["edit", "home", "issue", "newsletter"]
