from __future__ import annotations

from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    """Gather, issue, compile, deliver, report."""

    name = "newsletter"
    default_auto_field = "django.db.models.BigAutoField"
