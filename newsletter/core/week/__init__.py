"""The weekly rule: never missed, never twice. Every decision of R1-R22 as plain Python: values in, values out."""

from __future__ import annotations

from newsletter.core.week.ahead import Ahead, slots_ahead
from newsletter.core.week.dating import Dating, FirstSight, date_review, is_flood, sort_at_first_sight
from newsletter.core.week.deciding import Action, Decision, IssueFacts, Minimum, State, decide
from newsletter.core.week.eligibility import ActivePlacement, ReviewFacts, Verdict, eligible, verdicts
from newsletter.core.week.ranking import Candidate, Limits, Place, Plan, plan
from newsletter.core.week.slots import Schedule, Slot, newest_slot, next_slot, slot_on

__all__ = [
    "Action",
    "ActivePlacement",
    "Ahead",
    "Candidate",
    "Dating",
    "Decision",
    "FirstSight",
    "IssueFacts",
    "Limits",
    "Minimum",
    "Place",
    "Plan",
    "ReviewFacts",
    "Schedule",
    "Slot",
    "State",
    "Verdict",
    "date_review",
    "decide",
    "eligible",
    "is_flood",
    "newest_slot",
    "next_slot",
    "plan",
    "slot_on",
    "slots_ahead",
    "sort_at_first_sight",
    "verdicts",
]
