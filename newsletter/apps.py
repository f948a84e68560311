"""The app, and what Django's own `check` can say of its settings."""

from __future__ import annotations

import gettext
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.utils.translation import to_locale


class NewsletterConfig(AppConfig):
    """Gather, issue, compile, deliver, report."""

    name = "newsletter"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks."""
        checks.register(check_secret_key, checks.Tags.security)
        checks.register(check_public_address, checks.Tags.security, deploy=True)
        checks.register(check_debug, checks.Tags.security, deploy=True)
        checks.register(check_cookies, checks.Tags.security, deploy=True)
        checks.register(check_studio_language, checks.Tags.translation, deploy=True)


def check_secret_key(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """newsletter.E001: a home without a key can sign neither log-ins nor readers' links."""
    if settings.NEWSLETTER.home is None or len(settings.NEWSLETTER.secret_key) >= 40:
        return []
    what = "is too short" if settings.NEWSLETTER.secret_key else "is missing"
    return [
        checks.Error(
            f"The secret key {what}.",
            hint="Put at least 40 random letters into secret.key of the home (mode 600), or set NEWSLETTER_SECRET_KEY.",
            id="newsletter.E001",
        )
    ]


def check_public_address(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """newsletter.W001: one-click unsubscribe needs https (RFC 8058, section 3.1)."""
    if settings.NEWSLETTER.base_url.startswith("https:"):
        return []
    return [
        checks.Warning(
            f"The public address {settings.NEWSLETTER.base_url} is not https.",
            hint="Set base_url in newsletter.toml, or NEWSLETTER_BASE_URL.",
            id="newsletter.W001",
        )
    ]


def check_debug(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """newsletter.W002: Django's debug pages show settings and rows to whoever finds an error."""
    if not settings.DEBUG:
        return []
    hint = "Take debug out of newsletter.toml, or unset NEWSLETTER_DEBUG."
    return [checks.Warning("Debug pages are on.", hint=hint, id="newsletter.W002")]


def check_cookies(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """newsletter.W003: behind a TLS proxy the log-in's cookie should never travel in the clear."""
    if settings.NEWSLETTER.https_proxy or not settings.NEWSLETTER.base_url.startswith("https:"):
        return []
    hint = "When a proxy ends TLS and sets X-Forwarded-Proto, set https_proxy = true in section [web]."
    return [checks.Warning("Log-in cookies go without the Secure mark.", hint=hint, id="newsletter.W003")]


def check_studio_language(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """newsletter.W004: what nobody translated is said in English, and so is a studio that nobody translated at all."""
    code = settings.NEWSLETTER.studio_language
    if code == "en" or gettext.find("studio", settings.LOCALE_PATHS[0], [to_locale(code)]):
        return []
    hint = "Translate it (CONTRIBUTING.md, Words), or take language out of section [studio] in newsletter.toml."
    return [
        checks.Warning(f"The studio is not translated into {code}: it is in English.", hint=hint, id="newsletter.W004")
    ]
