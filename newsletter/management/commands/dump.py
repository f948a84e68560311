"""`newsletter dump`: magazine.toml, from the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from newsletter.flow.apply import dump_text


class Command(BaseCommand):
    help = "Write the magazine as the TOML file that apply reads. Secrets are not in it."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(dump_text(), ending="")
