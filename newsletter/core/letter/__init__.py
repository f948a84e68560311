"""Letters: a design traced once for a path of answers, compiled through MJML and MIME once, filled per subscriber.

`Compiler` (in `compiler`) is the only door; `parts` has what a compiled letter is made of.
"""

from __future__ import annotations

from newsletter.core.letter.compiler import Compiler, Design, Rendered, Stats
from newsletter.core.mime import Headers, Mailbox

__all__ = ["Compiler", "Design", "Headers", "Mailbox", "Rendered", "Stats"]
