"""The code that puts a sign-up form on a magazine's own page."""

from __future__ import annotations

from django.urls import reverse
from django.utils import translation
from django.utils.html import escape
from django.utils.translation import gettext as _

from newsletter.flow import signup
from newsletter.models import SignupForm
from newsletter.web.public.signup import TRAP


def address_of(form: SignupForm, base_url: str) -> str:
    """Where the form's own page is."""
    return f"{base_url.rstrip('/')}{reverse('signup', args=[form.slug])}"


def embed_code(form: SignupForm, language: str, *, base_url: str, script: bool = False) -> str:
    """Plain HTML that works without a script; with `script` the script takes its place where it runs."""
    with translation.override(language):
        copy = signup.copy_of(form)
        address_label = _("Email address")
    name = (
        f'  <label>{escape(_("First name"))} <input type="text" name="name" autocomplete="given-name"></label>\n'
        if form.ask_name
        else ""
    )
    plain = (
        f'<form action="{escape(address_of(form, base_url))}" method="post" lang="{escape(language)}">\n'
        f"  <h2>{escape(copy.heading)}</h2>\n  <p>{escape(copy.sub)}</p>\n"
        f"  <label>{escape(address_label)} "
        '<input type="email" name="address" autocomplete="email" required></label>\n'
        f"{name}"
        f'  <p style="position:absolute;inset-inline-start:-999rem" aria-hidden="true"><label>Company '
        f'<input type="text" name="{TRAP}" tabindex="-1" autocomplete="off"></label></p>\n'
        f'  <input type="hidden" name="lang" value="{escape(language)}">\n'
        f"  <p><small>{escape(copy.consent)}</small></p>\n"
        f"  <button>{escape(copy.button)}</button>\n</form>"
    )
    if not script:
        return plain
    source = f"{base_url.rstrip('/')}{reverse('signup-script', args=[form.slug])}"
    return (
        f'<div data-newsletter-form="{escape(form.slug)}">\n{plain}\n</div>\n'
        f'<script src="{escape(source)}" defer></script>'
    )
