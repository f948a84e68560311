"""Sign-up forms as somebody here makes and changes them: through the same door as magazine.toml."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from newsletter.config.toml import write_value
from newsletter.flow.apply import apply_text
from newsletter.flow.membership.acts import tell
from newsletter.models import SignupForm


def save_form(values: Mapping[str, Any], *, now: datetime, by: str) -> bool:
    """Create or change the form that `slug` of `values` names; the rest as in [[forms]] of magazine.toml, and what is
    not among them stays as it is. True when anything changed. Raises `ConfigError` that says which value will not do.
    """
    text = "\n".join(["[[forms]]", *(f"{name} = {write_value(value)}" for name, value in values.items())])
    with transaction.atomic():
        changes = apply_text(text, now=now, file="the form")
        if changes:
            verb = "made" if changes[0].created else "changed"
            tell("form saved", f"The sign-up form {values['slug']} was {verb}.", now, by)
    return bool(changes)


def open_form(form: SignupForm, is_open: bool, *, now: datetime, by: str) -> bool:
    """Let a form take people, or nobody for now; False when it did so already."""
    with transaction.atomic():
        done = SignupForm.objects.filter(pk=form.pk).exclude(is_open=is_open).update(is_open=is_open)
        if done:
            word = "opened" if is_open else "closed"
            tell(f"form {word}", f"The sign-up form {form.slug} was {word}.", now, by)
    return bool(done)
