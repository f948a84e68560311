"""The first run: a source, a design, the first mail; and the page of a test mail that lies in the outbox."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from newsletter.config.home import template_folders
from newsletter.core.errors import NewsletterError, SourceError
from newsletter.core.sentence import together
from newsletter.flow import sourcing
from newsletter.flow.compile.designs import design_names
from newsletter.flow.deliver import Installation
from newsletter.flow.deliver.control import spoken_time
from newsletter.flow.people import Role
from newsletter.flow.sampling import sample, send_sample
from newsletter.flow.testing import kept_mail
from newsletter.models import Account, Newsletter, TestMail
from newsletter.web.headers import private
from newsletter.web.links import keys
from newsletter.web.studio.access import allowed
from newsletter.web.studio.framing import framed, uncovered
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy

WAYS = {"letter": gettext_lazy("Letter"), "text": gettext_lazy("Plain text")}


@allowed(Role.ADMIN)
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The three steps, each with what is done of it."""
    return _page(request)


@allowed(Role.ADMIN)
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Take a design."""
    try:
        newsletter = _newsletter()
        name = request.POST.get("design", "").replace("\x00", "")
        sourcing.choose_design(newsletter, name, now=timezone.now(), by=request.user.get_username())
    except NewsletterError as error:
        return _page(request, problem=together(error.message, error.hint), step=2, status=409)
    return private(HttpResponseRedirect(f"{reverse('welcome')}#step-3"))


@allowed(Role.ADMIN)
@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Mail the sample; where the account is the outbox, the mail opens at once."""
    try:
        newsletter = _newsletter()
        here = Installation.of(settings.NEWSLETTER, os.environ)
        typed = request.POST.get("to", "").replace("\x00", "")[:2000]
        rows = send_sample(newsletter, typed, timezone.now(), by=request.user.get_username(), installation=here)
        refused = [f"{row.address}: {row.error}" for row in rows if row.error]
        if refused:
            raise SourceError(" ".join(refused))
    except NewsletterError as error:
        return _page(request, problem=together(error.message, error.hint), step=3, status=409)
    return private(HttpResponseRedirect(reverse("test-mail", args=[rows[0].pk])))


@allowed(Role.ADMIN)
@require_safe
def letter(request: HttpRequest, design: str) -> HttpResponse:
    """The sample in one design, for a small frame."""
    newsletter = Newsletter.objects.order_by("pk").first()
    if newsletter is None or design not in _designs():
        raise Http404
    try:
        html = sample(newsletter, design, now=timezone.now(), keys=keys(), links=False).rendered.html
    except NewsletterError:
        return uncovered(request)
    return framed(html)


@allowed(Role.EDITOR)
@require_safe
def mail(request: HttpRequest, test: int) -> HttpResponse:
    """One test mail: what the outbox keeps of it, or where it went."""
    row = _test(test)
    kept = kept_mail(row, Installation.of(settings.NEWSLETTER, os.environ))
    way = request.GET.get("way", "letter")
    part = kept.get_body(("plain",)) if kept is not None else None
    context = {
        "test": row,
        "issue": row.issue,
        "when": spoken_time(row.at, row.issue.newsletter.timezone),
        "kept": kept,
        "head": [(name, str(kept.get(name, ""))) for name in ("From", "To", "Date")] if kept is not None else [],
        "subject": str(kept.get("Subject", "")) if kept is not None else "",
        "text": part.get_content() if part is not None else "",
        "ways": WAYS,
        "way": way if way in WAYS else "letter",
        "outbox": row.issue.newsletter.account.kind == Account.Kind.OUTBOX,
        "steps": sourcing.steps(),
    }
    return private(render(request, "studio/test_mail.html", context, using="jinja2"))


@allowed(Role.EDITOR)
@require_safe
def mail_letter(request: HttpRequest, test: int) -> HttpResponse:
    """The HTML of a test mail in the outbox, for the frame of `mail`."""
    kept = kept_mail(_test(test), Installation.of(settings.NEWSLETTER, os.environ))
    part = kept.get_body(("html",)) if kept is not None else None
    if part is None:
        raise Http404
    return framed(part.get_content())


def _test(pk: int) -> TestMail:
    # Larger numbers than a column holds are no row's.
    rows = TestMail.objects.select_related("issue__newsletter__account")
    return get_object_or_404(rows, pk=pk if pk < 2**62 else 0)


def _designs() -> list[str]:
    return design_names(template_folders(settings.NEWSLETTER.home))


def _newsletter() -> Newsletter:
    found = Newsletter.objects.select_related("account", "magazine").order_by("pk").first()
    if found is None:
        raise SourceError(_("There is no newsletter yet."), hint=_("Add a source first."))
    return found


def _page(request: HttpRequest, *, problem: str = "", step: int = 0, status: int = 200) -> HttpResponse:
    found = sourcing.steps()
    newsletter = found.newsletter
    context: dict[str, Any] = {
        "steps": found,
        "problem": problem,
        "wrong": step,
        "designs": _designs() if found.source and newsletter else [],
        "sources": [(one, sourcing.latest_entries(one.source, 3)) for one in sourcing.health_of_all(timezone.now())[:3]]
        if found.source
        else [],
        "outbox": newsletter is not None and newsletter.account.kind == Account.Kind.OUTBOX,
        "to": request.POST.get("to", "") or getattr(request.user, "email", ""),
    }
    if newsletter is not None and not context["to"] and context["outbox"]:
        # Nobody is mailed, so that any address will do: ours saves a beginner the typing.
        context["to"] = newsletter.from_address
    return private(render(request, "studio/welcome.html", context, status=status, using="jinja2"))
