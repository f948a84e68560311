"""`newsletter form`: the sign-up forms, and the code that puts one on a site."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter.models import SignupForm
from newsletter.web.public.embedding import address_of, embed_code


class Command(BaseCommand):
    help = (
        "Show the sign-up forms, or print the code that puts one on a page. They are made in magazine.toml ([[forms]])."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listed = actions.add_parser("list", help="every form, its address, and what it took")
        listed.add_argument("--json", action="store_true", help="as JSON")
        embed = actions.add_parser("embed", help="the HTML for a page of your site")
        embed.add_argument("form", metavar="FORM", help="its short name")
        embed.add_argument("--script", action="store_true", help="built by a script, with hints while one types")
        embed.add_argument("--language", default="", help="of the texts; by default the newsletter's")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "list":
            self._list(as_json=options["json"])
            return
        form = SignupForm.objects.select_related("newsletter__magazine").filter(slug=options["form"]).first()
        if form is None:
            known = ", ".join(SignupForm.objects.order_by("slug").values_list("slug", flat=True)) or "none yet"
            raise CommandError(f'There is no form "{options["form"]}". Known: {known}.', returncode=2)
        language = options["language"] or form.newsletter.language
        base_url = settings.NEWSLETTER.base_url
        self.stdout.write(embed_code(form, language, base_url=base_url, script=options["script"]))
        if not form.origins:
            self.stderr.write(
                "No site may carry this form yet: readers are sent to its page and press once more. Name your site in "
                "its origins in magazine.toml."
            )

    def _list(self, *, as_json: bool) -> None:
        rows = []
        for form in SignupForm.objects.select_related("newsletter").order_by("slug"):
            states = dict.fromkeys(("waiting", "done", "dropped"), 0)
            for state in form.signups.values_list("state", flat=True):
                states[state] += 1
            rows.append(
                {
                    "form": form.slug,
                    "newsletter": form.newsletter.slug,
                    "address": address_of(form, settings.NEWSLETTER.base_url),
                    "open": form.is_open,
                    **states,
                }
            )
        if as_json:
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for row in rows:
            closed = "" if row["open"] else " (closed)"
            self.stdout.write(f"{row['form']}{closed}: {row['newsletter']}, {row['address']}")
            self.stdout.write(f"  {row['done']} answered, {row['waiting']} waiting, {row['dropped']} dropped")
        if not rows:
            self.stdout.write("There is no form yet. Add one to magazine.toml ([[forms]]) and apply it.")
