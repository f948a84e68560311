"""What is kept of a reader, for how long, and what they can do: facts of this installation, in the reader's language.

A magazine's own text takes its place: `templates/web/public/privacy.html` in the home.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from newsletter.flow.signup.retiring import RETIRE_AFTER
from newsletter.models import Newsletter
from newsletter.web.public.showing import language_of, show


@require_safe
def page(request: HttpRequest, newsletter: str) -> HttpResponse:
    """The page of one newsletter, for everybody."""
    row = get_object_or_404(Newsletter.objects.select_related("magazine"), slug=newsletter)
    config = settings.NEWSLETTER
    context = {
        "magazine": row.magazine,
        "address": [line for line in row.magazine.postal_address.splitlines() if line.strip()],
        "contact": row.reply_to or row.from_address,
        "unconfirmed_days": RETIRE_AFTER.days,
        "networks_days": config.keep_networks_days,
        "mails_days": config.keep_mails_days,
    }
    return show(request, "public/privacy.html", context, language=language_of(request, row.language), newsletter=row)
