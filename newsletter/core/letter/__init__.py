"""Letters: a design traced once for a path of answers, compiled through MJML and MIME once, filled per subscriber.

`Compiler` (in `compiler`) is the only door; `assembly` makes letters of plans and blocks, `sections` of what MJML makes
of each child of mj-body, `parts` of finished bytes and holes; `moulds` fill the plain ones fast. `weight` says what
each block costs; `mended` shows what can't be made.
"""

from __future__ import annotations

from newsletter.core.letter.compiler import Compiler, Design, Rendered, Stats
from newsletter.core.letter.mended import mended
from newsletter.core.letter.weight import Weight
from newsletter.core.mime import Headers, Mailbox

__all__ = ["Compiler", "Design", "Headers", "Mailbox", "Rendered", "Stats", "Weight", "mended"]
