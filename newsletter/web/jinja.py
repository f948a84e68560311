"""The pages' Jinja2 environment: escaping always on, an unknown name an error, and just the globals pages need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, StrictUndefined, pass_context
from jinja2.runtime import Context

from newsletter.core.sentence import Sentence
from newsletter.web.studio import words
from newsletter.web.studio.spans import short_day


def environment(**options: Any) -> Environment:
    """Called by Django's Jinja2 backend with its own options (loader, autoescape)."""
    options.update(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    built = Environment(**options, extensions=["jinja2.ext.i18n"])
    # As pybabel reads them (babel.cfg): a sentence over two lines is the same sentence.
    built.policies["ext.i18n.trimmed"] = True
    # Newstyle: values go in as %(name)s and are escaped as everywhere else.
    built.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined] # the extension's
    # A word that comes as a value; unlike `_()` it is escaped, as any other value is.
    built.filters["translated"] = words.gettext
    built.filters["event"] = words.event
    built.filters["rubric"] = words.rubric
    built.filters["short_day"] = short_day
    # What core and flow say, wherever a page prints it: alone, or as the value of another sentence.
    built.finalize = _said
    for name in ("gettext", "ngettext"):
        built.globals[name] = _saying(cast("Callable[..., str]", built.globals[name]))
    built.globals.update(static=static, url=reverse, frame_language=_language, frame_direction=_direction)
    return built


def _is_studio(context: Context) -> bool:
    """Whose words a page has: its name tells, also where it includes or extends another."""
    return (context.name or "").startswith("studio/")


@pass_context
def _said(context: Context, value: Any) -> Any:
    return words.said(value) if isinstance(value, Sentence) and _is_studio(context) else value


def _saying(newstyle: Callable[..., str]) -> Callable[..., str]:
    @pass_context
    def saying(context: Context, *texts: Any, **values: Any) -> str:
        return newstyle(context, *texts, **{name: _said(context, value) for name, value in values.items()})

    return saying


@pass_context
def _gettext(context: Context, message: str) -> str:
    return (words.gettext if _is_studio(context) else gettext)(message)


@pass_context
def _ngettext(context: Context, singular: str, plural: str, number: int) -> str:
    return (words.ngettext if _is_studio(context) else ngettext)(singular, plural, number)


@pass_context
def _language(context: Context) -> str:
    return words.language() if _is_studio(context) else "en"


@pass_context
def _direction(context: Context) -> str:
    return words.direction() if _is_studio(context) else "ltr"
