"""A letter in a browser that came to us by another name than readers do (a preview on loopback, the demo)."""

from __future__ import annotations

import re


def as_served_here(html: str, base_url: str) -> str:
    """`html` with addresses of our own made relative, in attributes and styles only; all else stays as it is.

    Readers' copies hold the public address. A preview may be looked at before that name exists, and a page of ours
    asks no other server for anything, so what is ours is asked for where the page came from.
    """
    origin = re.escape(base_url.rstrip("/"))
    return re.sub(rf"""(=["']\s*|url\(\s*(?:["']|&#39;|&quot;)?){origin}(?=/)""", r"\1", html)
