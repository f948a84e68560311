"""What a check finds, and what it looks at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from newsletter.core.context import IssueContent
from newsletter.core.letter import Rendered, Weight
from newsletter.core.sentence import sentence, together


class Level(StrEnum):
    BLOCK = "block"
    WARN = "warn"
    NOT_CHECKED = "not checked"


FIRM = frozenset(
    {
        "address-missing", "address-not-printed", "unsubscribe-missing", "unsubscribe-header", "not-https",
        "audience-empty", "audience-broken", "subject-empty", "sponsor-label", "link-not-web", "no-link", "sent-before",
        "not-rendered",
    }
)  # fmt: skip
"""The codes that nobody may ignore: what the law or mail programs ask for, and what can't be sent at all."""


@dataclass(frozen=True, slots=True)
class Row:
    """One finding: what, where it is, what to do.

    `code` names the kind of finding, `anchor` what to mend: "review/KEY/FIELD", "issue/FIELD" or the name of a part
    ("sponsor", "design", "audience"). `about` is the thing itself as it was when it was found; `ignored_by` who said to
    ignore this.
    """

    level: Level
    text: str
    where: str = ""
    hint: str = ""
    code: str = ""
    anchor: str = ""
    about: str = ""
    ignored_by: str = ""

    @property
    def mark(self) -> str:
        """16 hexadecimal digits that are others as soon as the finding, or the thing that it is about, is another."""
        said = json.dumps([self.code, self.anchor, self.where, self.about or self.text])
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def blocks(self) -> bool:
        """Whether the issue can't be approved because of it."""
        return self.level is Level.BLOCK and not self.ignored_by

    @property
    def can_be_ignored(self) -> bool:
        """What was not checked can't be, and what is firm mayn't."""
        return self.level is not Level.NOT_CHECKED and bool(self.code) and self.code not in FIRM

    def __str__(self) -> str:
        where = sentence("{where}:", where=self.where) if self.where else ""
        return together(where, self.text, self.hint)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked. `sample` is a letter to a subscriber whose unsubscribe address is `unsubscribe_url`;
    `mails_people` is False for an account that writes files only; `audience` is the number of people it would go to;
    `domain` what the DNS says of the From domain, None when it was not asked; `approved_differs` when an approved issue
    would be frozen differently now. `weights` are the blocks of a heavy sample, the heaviest first.

    By the key of a review: `sent_before` is the slot of an issue that the same address went out with, `released` the
    day since which the work is out, `automatic_deks` are those whose dek was made by rule and that nobody looked at.
    `headers` are those of the finished message, None when none is mailed; `dead` says of each link asked what came
    back in place of the page, None when none was asked.
    """

    content: IssueContent
    sample: Rendered
    unsubscribe_url: str
    audience: int
    now: datetime
    slot_at: datetime
    grace: timedelta
    mails_people: bool = True
    domain: tuple[Row, ...] | None = None
    weights: tuple[Weight, ...] = ()
    guessed_dates: tuple[str, ...] = ()
    approved_differs: bool = False
    sent_before: Mapping[str, str] = field(default_factory=dict)
    released: Mapping[str, date] = field(default_factory=dict)
    automatic_deks: frozenset[str] = frozenset()
    headers: str | None = None
    dead: Mapping[str, str] | None = None
