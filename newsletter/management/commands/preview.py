"""`newsletter preview ISSUE`: one issue as one subscriber will get it, as files or as a test mail to oneself."""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter.core.errors import ProviderError
from newsletter.flow.compile import Preview, preview, subject_suggestions
from newsletter.flow.deliver import Installation
from newsletter.flow.testing import send_tests
from newsletter.management.arguments import clock, issue_from, issue_name, somebody
from newsletter.models import Issue
from subscribers import address
from subscribers.errors import AddressError
from subscribers.models import Subscription


class Command(BaseCommand):
    help = (
        "Write one issue as one subscriber will get it (letter.html, letter.txt, letter.eml), or mail it to yourself."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("issue", nargs="?", default="next", help="weekly/2026-11-26, 2026-11-26, next (default)")
        parser.add_argument("--as", dest="reader", metavar="ADDRESS", help="the subscriber whose letter it is")
        parser.add_argument("--out", metavar="DIR", type=Path, help="where the files go (default: preview)")
        parser.add_argument("--mail", metavar="ADDRESS", help="send it there as a test, marked in its subject")
        parser.add_argument("--json", action="store_true", help="the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        issue = issue_from(options["issue"])
        installation = Installation.of(settings.NEWSLETTER, os.environ)
        subscription = _subscription(issue, options["reader"]) if options["reader"] else None
        values: dict[str, Any] = {"issue": issue_name(issue)}
        if options["out"] or not options["mail"]:
            by_mail = installation.unsubscribe_by_mail
            shown = preview(issue, subscription, keys=installation.keys, now=clock(), by_mail=by_mail)
            values |= {
                "subject": shown.rendered.subject,
                "fingerprint": shown.inputs.fingerprint,
                "files": _write(shown, options["out"] or Path("preview")),
            }
        if options["mail"]:
            to = _address(options["mail"])
            subject = preview(issue, subscription, keys=installation.keys, now=clock(), address=to).rendered.subject
            by = somebody("")
            (mail,) = send_tests(issue, (to,), clock(), by=by, installation=installation, subscription=subscription)
            if mail.error:
                raise ProviderError(mail.error, where=str(issue.newsletter.account))
            values |= {"test_subject": subject, "mailed_to": to, "reply": mail.reply}
        if not issue.subject:
            values["suggestions"] = list(subject_suggestions(issue))
        if options["json"]:
            self.stdout.write(json.dumps(values, indent=2))
            return
        for file in values.get("files", ()):
            self.stdout.write(file)
        for subject in values.get("suggestions", ()):
            self.stdout.write(f"Suggested subject: {subject}")
        if options["mail"]:
            account = issue.newsletter.account
            self.stdout.write(
                f'Gave "{values["test_subject"]}" for {values["mailed_to"]} to {account}: {values["reply"]}'
            )


def _subscription(issue: Issue, text: str) -> Subscription:
    rows = Subscription.objects.filter(mailing_list=issue.newsletter.mailing_list).select_related("subscriber")
    found = rows.filter(subscriber__address_key=address.key(_address(text))).first()
    if found is None:
        raise CommandError(
            f"{text} is not on the list of {issue.newsletter.slug}. Leave --as out for nobody in particular."
        )
    return found


def _address(text: str) -> str:
    try:
        return address.parse(text).shown
    except AddressError as error:
        raise CommandError(str(error)) from error


def _write(shown: Preview, folder: Path) -> list[str]:
    files = {
        "letter.html": shown.rendered.html.encode(),
        "letter.txt": shown.rendered.text.encode(),
        "letter.eml": shown.message,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise CommandError(f"{folder} can't be written: {error.strerror}.") from error
    return [str(folder / name) for name in files]
