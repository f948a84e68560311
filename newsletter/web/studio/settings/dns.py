"""What the DNS must say for the newsletter's mail to be believed: to copy, and, on demand, whether it says so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods

from newsletter.core.domain import Record, is_reserved
from newsletter.core.errors import NewsletterError
from newsletter.flow import domain as flow
from newsletter.flow.people import Role
from newsletter.web.studio.access import allowed
from newsletter.web.studio.settings.showing import METHODS, find, show

OWN_SETTING = mark_safe('dkim = "own"')
"""What an account's settings say when we sign, to show as it stands."""
SECONDS = 10.0
"""For all questions together: somebody waits for the answer."""


def resolver() -> flow.Resolver:
    """Who is asked: the machine's own resolvers."""
    return flow.Dns(seconds=SECONDS)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record to add; `state` is "missing" or "there" once the DNS was asked, and "" before."""

    record: Record
    state: str = ""


@allowed(Role.ADMIN)
@require_http_methods(METHODS)
def dns(request: HttpRequest, newsletter: str) -> HttpResponse:
    """The records; POST asks the DNS, and changes nothing."""
    row = find(newsletter)
    home = Path(settings.NEWSLETTER.home) if settings.NEWSLETTER.home else None
    problem: NewsletterError | None = None
    records: list[Record] = []
    findings: list[flow.Finding] = []
    domain = row.from_address.rpartition("@")[2]
    made_up = is_reserved(domain)
    asked = request.method == "POST" and not made_up
    setup = None
    try:
        setup = flow.with_keys(flow.setup_of(row.from_address, row.return_path, row.account, home), home)
        records = flow.wanted(setup)
        if asked:
            findings = flow.examine(setup, resolver())
    except NewsletterError as error:
        problem = error
    context = {
        "domain": domain,
        "made_up": made_up,
        "asked": asked and problem is None,
        "records": [Wanted(record, _state(record, findings)) for record in records],
        "findings": findings,
        "missing": sum(found.level is flow.Level.MISSING for found in findings),
        "unknown": any(found.about == "dns" for found in findings),
        "own_keys": bool(setup and setup.keys),
        "problem": problem,
        "own_setting": OWN_SETTING,
    }
    return show(request, "dns", row, context, status=409 if problem else 200)


def _state(record: Record, findings: list[flow.Finding]) -> str:
    """Whether the DNS lacks it. Where it gave no answer nothing is known."""
    if not findings or any(found.about == "dns" for found in findings):
        return ""
    lacks = any(
        found.level is flow.Level.MISSING
        and found.record is not None
        and (found.record.name, found.record.kind) == (record.name, record.kind)
        for found in findings
    )
    return "missing" if lacks else "there"
