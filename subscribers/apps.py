from __future__ import annotations

from django.apps import AppConfig


class SubscribersConfig(AppConfig):
    """Who agreed to what."""

    name = "subscribers"
    default_auto_field = "django.db.models.BigAutoField"
