"""The keys of readers' links and the seal of secrets, from the configuration; what they are: core.tokens, core.seal."""

from __future__ import annotations

from django.conf import settings

from newsletter.core.seal import Seal
from newsletter.core.tokens import Keys


def keys() -> Keys:
    """The keys of this installation. An empty secret is refused by `Keys`: it would sign for anybody."""
    return settings.NEWSLETTER.token_keys


def seal() -> Seal:
    """The seal of this installation. An empty secret is refused by `Seal`: anybody could open it."""
    return settings.NEWSLETTER.seal
