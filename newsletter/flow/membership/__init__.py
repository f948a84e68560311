"""People of a list as editors and admins deal with them; the studio's screens and the commands call the same.

timeline  what is known of one person, in order
acts      what is done to a person by somebody here: unsubscribe, erase, let in again; and what leaves the house
using     who goes to a segment, and what may be done to it then
forms     sign-up forms, made and changed as in magazine.toml
uploads   a file on its way in: kept aside, looked at, tried, brought in
"""

from __future__ import annotations

from newsletter.flow.membership.acts import ERASE, erase, let_in_again, note_data, note_export, unsubscribe
from newsletter.flow.membership.forms import open_form, save_form
from newsletter.flow.membership.timeline import Moment, timeline
from newsletter.flow.membership.using import delete_segment, save_segment, users_of

__all__ = [
    "ERASE",
    "Moment",
    "delete_segment",
    "erase",
    "let_in_again",
    "note_data",
    "note_export",
    "open_form",
    "save_form",
    "save_segment",
    "timeline",
    "unsubscribe",
    "users_of",
]
