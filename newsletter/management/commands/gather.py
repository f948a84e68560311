"""`newsletter gather`: read every source, keep what is new."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from newsletter.flow.gather import GatherReport, SourceReport, gather
from newsletter.flow.week import fetcher_from
from newsletter.management.arguments import clock
from newsletter.models import Source


class Command(BaseCommand):
    help = "Read the sources and keep what is new. One failing source never stops the others (exit code 3)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", nargs="*", help="only these sources, by slug; default: every enabled one")
        parser.add_argument("--json", action="store_true", help="the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        report = gather(
            now=clock(),
            sources=_sources(options["source"]) if options["source"] else None,
            fetcher=fetcher_from(settings.NEWSLETTER),
            media_folder=settings.NEWSLETTER.media_folder,
        )
        if options["json"]:
            self.stdout.write(json.dumps(as_json(report), indent=2, default=str))
        elif not report.sources:
            self.stdout.write("There is no source yet. Describe one in magazine.toml and type: newsletter apply")
        else:
            for source in report.sources:
                self.stdout.write(line(source))
                for warning in source.warnings:
                    self.stdout.write(f"    {warning}")
            self.stdout.write(_total(report))
        if report.failed:
            raise CommandError(
                f"{len(report.failed)} of {len(report.sources)} sources could not be read.", returncode=3
            )


def as_json(report: GatherReport) -> dict[str, Any]:
    """The report as plain values."""
    return {
        "at": report.at,
        "new": report.new,
        "changed": report.changed,
        "failed": len(report.failed),
        "pictures": report.pictures,
        "picture_errors": report.picture_errors,
        "sources": [{**asdict(source), "trays": dict(source.trays)} for source in report.sources],
    }


def line(source: SourceReport) -> str:
    """One source in one line."""
    if source.outcome == "failed":
        return f"{source.name}: FAILED. {source.error}"
    if source.outcome == "unchanged":
        return f"{source.name}: unchanged."
    text = f"{source.name}: {source.entries} entries, {source.new} new, {source.changed} changed"
    for tray, count in source.trays:
        if tray:
            text += f"; {count} in the tray “{tray}”"
    return f"{text}."


def _total(report: GatherReport) -> str:
    text = f"New reviews: {report.new}. Pictures stored: {report.pictures}."
    if report.picture_errors:
        text += f" Pictures that could not be had: {report.picture_errors}; their reviews run without."
    return text


def _sources(slugs: list[str]) -> list[Source]:
    present = Source.objects.filter(removed_at=None)
    found = {source.slug: source for source in present.filter(slug__in=slugs)}
    for slug in slugs:
        if slug not in found:
            known = ", ".join(present.order_by("slug").values_list("slug", flat=True)) or "none yet"
            raise CommandError(f'There is no source "{slug}". Known: {known}.', returncode=2)
    return [found[slug] for slug in dict.fromkeys(slugs)]
