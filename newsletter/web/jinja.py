"""The pages' Jinja2 environment: escaping always on, an unknown name an error, and just the globals pages need."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, StrictUndefined


def environment(**options: Any) -> Environment:
    """Called by Django's Jinja2 backend with its own options (loader, autoescape)."""
    options.update(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    built = Environment(**options, extensions=["jinja2.ext.i18n"])
    # Newstyle: values go in as %(name)s and are escaped as everywhere else.
    built.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined] # the extension's
    built.globals.update(static=static, url=reverse)
    return built
