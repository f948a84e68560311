"""Sources as people keep them: found by any address, tried first, added, paused, removed; and their health."""

from __future__ import annotations

from newsletter.flow.sourcing.finding import Found, find, web_address
from newsletter.flow.sourcing.health import Health, health_of, health_of_all, latest_entries, rubrics_of
from newsletter.flow.sourcing.keeping import (
    add,
    begin,
    choose_design,
    map_rubrics,
    mark_of_rubrics,
    put_into,
    read_now,
    remove,
    sender_at,
    set_enabled,
)
from newsletter.flow.sourcing.steps import Steps, steps
from newsletter.flow.sourcing.trying import Tried, first_that_reads, name_of, slug_from, try_source

__all__ = [
    "Found",
    "Health",
    "Steps",
    "Tried",
    "add",
    "begin",
    "choose_design",
    "find",
    "first_that_reads",
    "health_of",
    "health_of_all",
    "latest_entries",
    "map_rubrics",
    "mark_of_rubrics",
    "name_of",
    "put_into",
    "read_now",
    "remove",
    "rubrics_of",
    "sender_at",
    "set_enabled",
    "slug_from",
    "steps",
    "try_source",
    "web_address",
]
