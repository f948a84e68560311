"""`newsletter domain new|show|check`: the keys and DNS records that let the world believe our mail."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter.core.domain import Record, a_label
from newsletter.core.errors import ConfigError
from newsletter.flow.domain import Dns, Finding, Level, Setup, examine, new_keys, setup_of, wanted, with_keys
from newsletter.management.arguments import clock
from newsletter.models import Newsletter


class Command(BaseCommand):
    help = "Make DKIM keys, show every DNS record to add, and check them. Exit code 3 when a record is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="new|show|check")
        new = verbs.add_parser("new", help="make a new pair of keys; the newest signs, older ones are kept")
        new.add_argument("name", help="the domain of the sender's address")
        new.add_argument("--selector", default="", metavar="S", help="the name of the keys (default: n and the date)")
        show = verbs.add_parser("show", help="print every record to add at your DNS host")
        check = verbs.add_parser("check", help="ask the DNS whether they are there")
        for each in (show, check):
            each.add_argument("name", nargs="?", default="", help="the domain (default: that of the only newsletter)")
            each.add_argument(
                "--ip", default="", help="the address that mail leaves from, when no relay stands between"
            )
            each.add_argument("--hello", default="", metavar="NAME", help="the name that we greet other servers with")
            each.add_argument("--json", action="store_true", help="the result as JSON")
        check.add_argument(
            "--resolver", default="", metavar="HOST[:PORT]", help="ask this server (default: this machine's resolvers)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        home = Path(settings.NEWSLETTER.home) if settings.NEWSLETTER.home else None
        if options["verb"] == "new":
            self._new(home, options)
            return
        setup = _setup(home, options)
        if options["verb"] == "show":
            self._show(setup, as_json=options["json"])
        else:
            self._check(setup, Dns(options["resolver"], seconds=20), as_json=options["json"])

    def _new(self, home: Path | None, options: dict[str, Any]) -> None:
        if home is None:
            raise ConfigError("There is no home to keep keys in.", hint="Type: newsletter init DIR")
        selector = options["selector"] or f"n{clock():%Y%m%d}"
        made = new_keys(home, options["name"], selector)
        self.stdout.write(f"Made {made.folder}. Keep it secret, and in your backups.\n\nAdd at your DNS host:\n")
        for record in made.records:
            self._record(record)
        self.stdout.write('They sign from now on where the account says dkim = "own". Before the next send, type:')
        self.stdout.write(f"  newsletter domain check {made.domain}")

    def _show(self, setup: Setup, *, as_json: bool) -> None:
        records = wanted(setup)
        if as_json:
            self.stdout.write(json.dumps({"domain": setup.domain, "records": list(map(_as_json, records))}, indent=2))
            return
        for record in records:
            self._record(record)
        if not setup.keys:
            self.stdout.write(f"There is no DKIM key of ours. To sign here, type: newsletter domain new {setup.domain}")

    def _record(self, record: Record) -> None:
        self.stdout.write(f"{record.why}\n  name   {record.name}\n  type   {record.kind}\n  value  {record.value}")
        if len(record.strings) > 1:
            # Many DNS hosts cut it themselves; those that don't want it so.
            quoted = " ".join(f'"{part}"' for part in record.strings)
            self.stdout.write(f"  or     {quoted}")
        self.stdout.write("")

    def _check(self, setup: Setup, resolver: Dns, *, as_json: bool) -> None:
        rows = examine(setup, resolver)
        missing = sum(row.level is Level.MISSING for row in rows)
        if as_json:
            found = [_finding_as_json(row) for row in rows]
            self.stdout.write(json.dumps({"domain": setup.domain, "missing": missing, "findings": found}, indent=2))
        else:
            for row in rows:
                self.stdout.write(f"{row.level:7}  {row.about}: {row.text}")
                if row.record:
                    self.stdout.write(f"         add  {row.record}")
                if row.hint:
                    self.stdout.write(f"         -> {row.hint}")
            self.stdout.write(
                f"{setup.domain}: missing: {missing}." if missing else f"{setup.domain}: nothing missing."
            )
        if missing:
            sys.exit(3)


def _setup(home: Path | None, options: dict[str, Any]) -> Setup:
    """The domain with the account and return path of the newsletter that sends from it, and the keys of the home."""
    newsletters = list(Newsletter.objects.select_related("account").order_by("slug"))
    if options["name"]:
        name = a_label(options["name"])
    elif len(names := sorted({each.from_address.rpartition("@")[2].lower() for each in newsletters})) == 1:
        name = a_label(names[0])
    else:
        raise CommandError(f"Say which domain. Known: {', '.join(names) or 'none yet'}.", returncode=2)
    ours = next((each for each in newsletters if _domain(each) == name), None)
    setup = setup_of(ours.from_address, ours.return_path, ours.account, home) if ours else Setup(domain=name)
    ip = options["ip"]
    if ip:
        try:
            ip = str(ip_address(ip))
        except ValueError:
            raise CommandError(f"{ip} is no IP address.", returncode=2) from None
    return replace(with_keys(setup, home), ip=ip, hello=options["hello"] or setup.hello)


def _domain(newsletter: Newsletter) -> str:
    try:
        return a_label(newsletter.from_address.rpartition("@")[2])
    except ConfigError:
        return ""


def _as_json(record: Record) -> dict[str, Any]:
    return {
        "name": record.name,
        "type": record.kind,
        "value": record.value,
        "strings": record.strings,
        "zone": str(record),
        "why": record.why,
    }


def _finding_as_json(row: Finding) -> dict[str, Any]:
    record = _as_json(row.record) if row.record else None
    return {"level": row.level, "about": row.about, "text": row.text, "record": record, "hint": row.hint}
