"""The keys of readers' links, from the configuration; what a token is and how it is read: core.tokens."""

from __future__ import annotations

from django.conf import settings

from newsletter.core.tokens import Keys


def keys() -> Keys:
    """The keys of this installation. An empty secret is refused by `Keys`: it would sign for anybody."""
    return settings.NEWSLETTER.token_keys
