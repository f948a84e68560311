"""How mail leaves: the account and where it is described, what belongs to the machine, and a test to see it leave."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from newsletter.config.load import current
from newsletter.config.schema import keys
from newsletter.config.toml import write_value
from newsletter.core.errors import NewsletterError
from newsletter.flow.deliver import Installation
from newsletter.flow.people import Role
from newsletter.flow.trying import Tried, try_account
from newsletter.models import Account
from newsletter.web.studio.access import allowed
from newsletter.web.studio.settings.forms import Form, account_input, table_of
from newsletter.web.studio.settings.showing import METHODS, find, handle, show
from newsletter.web.studio.words import gettext as _
from newsletter.web.studio.words import gettext_lazy

_SECRET_WORDS = ("password", "secret", "key", "token")
KINDS = {
    Account.Kind.OUTBOX: gettext_lazy("writes files into the outbox and mails nobody"),
    Account.Kind.SMTP: gettext_lazy("a mail server, over SMTP"),
    Account.Kind.ESP: gettext_lazy("a provider, over HTTP"),
    Account.Kind.MEMORY: gettext_lazy("keeps messages in memory: for tests"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One setting as it may be seen; `note` says where a secret is, `bad` that it is not there."""

    name: str
    value: str
    note: str = ""
    bad: bool = False


@allowed(Role.ADMIN)
@require_http_methods(METHODS)
def sending(request: HttpRequest, newsletter: str) -> HttpResponse:
    """The account that the newsletter sends through; POST chooses another, or sends a test."""
    row = find(newsletter)
    accounts = list(Account.objects.order_by("name").values_list("name", flat=True))
    form = Form("account", table_of("newsletters"), row, account_input(accounts))
    tried: Tried | None = None
    problem: NewsletterError | None = None
    status = 200
    to = str(request.POST.get("to", getattr(request.user, "email", ""))).replace("\x00", "")[:254]
    if request.method == "POST" and "test" in request.POST:
        try:
            here = Installation.of(settings.NEWSLETTER, os.environ)
            by = request.user.get_username()
            tried = try_account(row, to, now=timezone.now(), by=by, installation=here)
        except NewsletterError as error:
            problem, status = error, 409
    else:
        done = handle(request, [form])
        if isinstance(done, HttpResponse):
            return done
        status = done
    context = {
        "forms": [form],
        "account": row.account,
        "kind": KINDS[Account.Kind(row.account.kind)],
        "facts": account_facts(row.account, os.environ),
        "machine": machine_facts(),
        "to": to,
        "tried": tried,
        "problem": problem,
    }
    return show(request, "sending", row, context, status=status)


def account_facts(account: Account, environ: Mapping[str, str]) -> list[Fact]:
    """The settings of an account; of a secret only where it is and whether it is there."""
    return [_fact(name, value, environ) for name, value in sorted(account.settings.items())]


def machine_facts() -> list[Fact]:
    """Every key of newsletter.toml with what counts, and which of file, environment and default said so."""
    origins = current().origins
    config = settings.NEWSLETTER
    found = []
    for key in keys():
        value = getattr(config, key.attribute)
        if key.secret:
            shown = _("(set)") if value else _("(not set)")
        else:
            shown = ", ".join(value) if isinstance(value, tuple) else str(value)
        origin = origins.get(key.dotted, "default")
        found.append(Fact(key.dotted, shown, _("default") if origin == "default" else origin))
    return found


def _fact(name: str, value: object, environ: Mapping[str, str]) -> Fact:
    if name.endswith("_env") and isinstance(value, str):
        there = bool(environ.get(value))
        return Fact(name, value, _("the variable is set") if there else _("the variable is not set"), not there)
    if name.endswith("_file") and isinstance(value, str):
        home = settings.NEWSLETTER.home
        path = Path(home) / value if home else Path(value)
        there = path.is_file()
        return Fact(name, value, _("the file is there") if there else _("the file is not there"), not there)
    if isinstance(value, Mapping):
        # What a provider takes beside our own settings: nobody knows which of it is a secret.
        return Fact(name, ", ".join(sorted(map(str, value))) or _("none"), _("values are not shown"))
    if any(word in name.lower() for word in _SECRET_WORDS):
        return Fact(name, _("(hidden)"))
    if isinstance(value, str) and "@" in urlsplit(value).netloc:
        return Fact(name, _("(hidden)"), _("it holds a login"))
    return Fact(name, value if isinstance(value, str) else write_value(value))
