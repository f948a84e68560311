"""The mailbox as pages: a list, and one mail as HTML in a sandbox, as plain text, as its source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from newsletter.demo import mailbox
from newsletter.providers.outbox import read_mail
from newsletter.web.display import as_served_here
from newsletter.web.headers import LETTER_FRAMED

WAYS = {"letter": "Letter", "text": "Plain text", "source": "Source"}


@require_safe
def inbox(request: HttpRequest, folder: Path) -> HttpResponse:
    """Every mail, the first one open beside the list."""
    files = mailbox.messages(folder)
    return _page(request, folder, files, files[0] if files else None, "letter")


@require_safe
def mail(request: HttpRequest, folder: Path, name: str, way: str) -> HttpResponse:
    """One mail beside the list."""
    return _page(request, folder, mailbox.messages(folder), _file(folder, name), way)


@require_safe
def letter(request: HttpRequest, folder: Path, name: str) -> HttpResponse:
    """The mail's HTML, for the frame: our public address leads here, and links open beside the mailbox."""
    part = read_mail(_file(folder, name)).get_body(("html",))
    html = as_served_here(part.get_content(), settings.NEWSLETTER.base_url) if part else ""
    # In its sandbox the frame may not take the whole page along: each link needs a window of its own.
    response = HttpResponse(html.replace("<head>", '<head><base target="_blank">', 1))
    response.headers["Content-Security-Policy"] = LETTER_FRAMED
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _page(request: HttpRequest, folder: Path, files: list[Path], opened: Path | None, way: str) -> HttpResponse:
    context: dict[str, Any] = {
        "mails": [_summary(file) for file in files],
        "folder": folder,
        "ways": WAYS,
        "way": way,
        "mail": None,
    }
    if opened is not None:
        message = read_mail(opened)
        part = message.get_body(("plain",))
        context["mail"] = _summary(opened) | {
            "from": str(message.get("From", "")),
            "to": str(message.get("To", "")),
            "date": str(message.get("Date", "")),
            "text": part.get_content() if part else "",
            "source": opened.read_bytes().decode("utf-8", "replace") if way == "source" else "",
        }
    return render(request, "mailbox/page.html", context)


def _summary(file: Path) -> dict[str, Any]:
    message = read_mail(file)
    first = next(iter(getattr(message.get("To"), "addresses", ())), None)
    name, address = (first.display_name, first.addr_spec) if first else ("", "")
    return {
        "name": file.name,
        "who": name or address,
        "address": address,
        "subject": str(message.get("Subject", "")),
        "size": f"{file.stat().st_size / 1024:.0f} KB",
        "language": str(message.get("Content-Language", "")),
    }


def _file(folder: Path, name: str) -> Path:
    """`name` inside `folder`. The address only lets plain file names through (urls), so no path leads out of it."""
    file = folder / name
    if not file.is_file():
        raise Http404("There is no such mail.")
    return file
