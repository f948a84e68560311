"""The issue that an address names."""

from __future__ import annotations

from django.shortcuts import get_object_or_404

from newsletter.models import Issue


def find(newsletter: str, slot: str) -> Issue:
    """The issue of an address, with what its pages need. Raises `Http404`."""
    rows = Issue.objects.select_related(
        "freeze", "newsletter__mailing_list", "newsletter__magazine", "newsletter__account"
    )
    return get_object_or_404(rows, newsletter__slug=newsletter, slot=slot)
