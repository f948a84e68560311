"""Addresses of the mailbox pages, which exist only in a demo's home."""

from __future__ import annotations

from pathlib import Path

from django.urls import URLPattern, re_path

from newsletter.config.create import DEMO_MARK
from newsletter.demo import views

MAILBOX = "mailbox"
"""The folder of accepted messages, inside the demo's home."""

_NAME = r"(?P<name>[A-Za-z0-9_+][A-Za-z0-9._+-]{0,200}\.eml)"


def mailbox_urls(home: Path | None) -> list[URLPattern]:
    """The pages of the home's mailbox; none at all for a real magazine's home."""
    if home is None or not (home / DEMO_MARK).is_file():
        return []
    folder = {"folder": home / MAILBOX}
    return [
        re_path(r"^mailbox/$", views.inbox, folder, name="mailbox"),
        re_path(rf"^mailbox/{_NAME}/letter\.html$", views.letter, folder, name="mailbox-letter"),
        re_path(rf"^mailbox/{_NAME}/(?P<way>letter|text|source)$", views.mail, folder, name="mailbox-mail"),
    ]
