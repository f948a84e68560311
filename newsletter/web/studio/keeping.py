"""What somebody typed outlives their log-in: a form that comes too late is kept through the log-in page, and one that
comes before a second step that is asked through setting it up.

It travels in the page itself, signed, so that a stranger fills no table of ours; once its sender is in, it lies in
their session, and `again` offers to send it again. Passwords are never kept (`allowed(keeps=False)`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

MOST = 1_000_000
"""Octets of one form, as JSON."""
PATIENCE = 24 * 3600
_SALT = "newsletter.kept-form"
_KEY = "kept form"
# What pages add to forms by themselves: nobody typed it.
_OURS = ("csrfmiddlewaretoken", "at", "view", "as", "q", "verb", "does", "code", "mark", "seen", "fingerprint", "next")


@dataclass(frozen=True, slots=True)
class Kept:
    """A form that was not taken: where it was going, and its fields in their order."""

    path: str
    fields: tuple[tuple[str, str], ...]

    @property
    def typed(self) -> list[tuple[str, str]]:
        """What a person may know again: fields that differ from what stood there before."""
        was = dict(self.fields)
        return [
            (name.replace("_", " "), value)
            for name, value in self.fields
            if value.strip() and name not in _OURS and not name.startswith("was_") and was.get(f"was_{name}") != value
        ]


def posted(request: HttpRequest) -> Kept | None:
    """The form of this request; None when there is nothing in it but its token."""
    fields = [
        (name, value.replace("\x00", ""))
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken"
        for value in values
        if isinstance(value, str)
    ]
    return Kept(request.get_full_path(), tuple(fields)) if fields else None


def log_in_first(request: HttpRequest, kept: Kept, next_page: str) -> HttpResponse:
    """The log-in page, with the form in it."""
    text = signed(kept)
    context = {
        "form": AuthenticationForm(request),
        "next": next_page,
        "limited": False,
        "kept": text,
        "too_long": not text,
    }
    return render(request, "studio/login.html", context, status=403, using="jinja2")


def second_step_first(request: HttpRequest, kept: Kept | None) -> HttpResponse:
    """The page that leads to setting up the second step, with the form in it where there was one."""
    text = signed(kept) if kept else ""
    context = {"kept": text, "too_long": kept is not None and not text}
    return render(request, "studio/second_step_first.html", context, status=403, using="jinja2")


def signed(kept: Kept) -> str:
    """For a hidden field; "" when it is too long for one."""
    value = [kept.path, kept.fields]
    if len(json.dumps(value)) > MOST:
        return ""
    return signing.dumps(value, salt=_SALT, compress=True)


def carried(request: HttpRequest) -> Kept | None:
    """The form that came along in a page of ours; None when there is none of ours, or an old one."""
    try:
        return _kept(signing.loads(request.POST.get("kept", ""), salt=_SALT, max_age=PATIENCE))
    except signing.BadSignature:
        return None


def stash(request: HttpRequest, kept: Kept) -> None:
    """Lay a kept form into the session of whoever sends it along, logged in by now."""
    request.session[_KEY] = [kept.path, kept.fields]


def stashed(request: HttpRequest) -> Kept | None:
    """The form that waits in this session."""
    value = request.session.get(_KEY)
    return _kept(value) if value else None


def arrived(request: HttpRequest) -> None:
    """A form is taken: the one that waited for the same place waits no more."""
    kept = stashed(request)
    if kept is not None and kept.path == request.get_full_path():
        del request.session[_KEY]


def _kept(value: Any) -> Kept:
    path, fields = value
    return Kept(path, tuple((name, text) for name, text in fields))
