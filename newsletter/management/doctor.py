"""What is set up and what is missing, as findings with the command to type."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.timesince import timesince

from newsletter.config.home import CONFIG_FILE, DATABASE_FILE
from newsletter.config.load import Loaded, unknown_variables
from newsletter.config.schema import Config, keys
from newsletter.core.account import AccountRules
from newsletter.core.errors import ConfigError, NewsletterError
from newsletter.flow import bounce
from newsletter.flow import domain as sending
from newsletter.flow.domain import Level
from newsletter.flow.issue.facts import next_free_slot
from newsletter.models import Account, Issue, Magazine, Newsletter, Source
from newsletter.providers import build
from subscribers.models import MailingList, Subscription, SubscriptionState

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: `fix` is what to type or write, "" when nothing is to be done. What is `missing` keeps a
    week from ending in readers' mailboxes.
    """

    level: Level
    subject: str
    text: str
    fix: str = ""


def pending_migrations() -> list[str]:
    """Names of migrations that this program has and the database does not, in order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def unknown_migrations() -> list[str]:
    """Names of migrations of ours that the database has and this program does not: the program is too old."""
    loader = MigrationExecutor(connection).loader
    ours = {"newsletter", "subscribers"}
    return sorted(
        ".".join(key) for key in loader.applied_migrations if key[0] in ours and key not in loader.graph.nodes
    )


def require_new_database() -> None:
    """Raises `ConfigError` with the command to type when database and program are not of one age."""
    pending, unknown = pending_migrations(), unknown_migrations()
    if pending:
        raise ConfigError(
            f"The database is older than this program ({len(pending)} migrations are missing).",
            hint="Type: newsletter migrate",
        )
    if unknown:
        raise ConfigError(
            f"The database is newer than this program (it knows {unknown[-1]}).", hint="Install the newer program."
        )


def examine(loaded: Loaded, *, now: datetime, environ: Mapping[str, str] = os.environ) -> list[Finding]:
    """Every finding, in the order in which a person would mend them."""
    findings = [*_installation(loaded, environ)]
    try:
        pending = pending_migrations()
    except OperationalError as error:
        reason = (str(error).splitlines() or [""])[0]
        fix = "start it, or mend DATABASE_URL" if loaded.config.database_url else "look at the file's owner and mode"
        return [*findings, Finding(Level.MISSING, "database", f"It can't be used: {reason}.", fix)]
    if pending:
        text = f"{len(pending)} migrations are not in the database yet."
        return [*findings, Finding(Level.MISSING, "database", text, "newsletter migrate")]
    return [
        *findings,
        *_base_url(loaded.config),
        *_magazine(),
        *_accounts(loaded.config, environ),
        *_newsletters(now, loaded.config.home),
        *_sources(now),
        *_bounces(loaded.config.home),
        *_people(),
    ]


def _installation(loaded: Loaded, environ: Mapping[str, str]) -> Iterator[Finding]:
    config, home = loaded.config, loaded.home
    if home is not None:
        yield Finding(Level.OK, "home", f"{home.path} (found by {home.found_by})")
        variables = {key.variable for key in keys()} | {f"{key.variable}_FILE" for key in keys()}
        beaten = [f"{key} by {origin}" for key, origin in loaded.origins.items() if origin in variables]
        yield Finding(Level.OK, "settings", "; ".join([str(home.config_file), *beaten]))
    if not config.secret_key:
        yield Finding(
            Level.MISSING,
            "secret key",
            "There is none, so nobody can log in and no link can be signed.",
            f"put at least 40 random letters into {home.secret_file if home else 'secret.key'}, mode 600",
        )
    elif home is not None and home.secret_file.is_file() and home.secret_file.stat().st_mode & 0o077:
        yield Finding(Level.NOTE, "secret key", "Others on this machine may read it.", f"chmod 600 {home.secret_file}")
    yield _database(config)
    for slip, meant in unknown_variables(environ):
        yield Finding(Level.NOTE, "environment", f"{slip} is not read by anything.", f"did you mean {meant}?")
    for name, folder in (("media", config.media_folder), ("outbox", config.outbox_folder)):
        if not os.access(folder, os.W_OK):
            yield Finding(Level.MISSING, name, f"{folder} can't be written to.", f"mkdir -p {folder}")


def _database(config: Config) -> Finding:
    if not config.database_url:
        return Finding(Level.OK, "database", f"SQLite, {(config.home or Path()) / DATABASE_FILE}")
    # The address may hold a password: only what names the database is shown.
    settings = connection.settings_dict
    return Finding(
        Level.OK, "database", f"{connection.display_name}, {settings['NAME']} at {settings['HOST'] or 'its default'}"
    )


def _base_url(config: Config) -> Iterator[Finding]:
    if config.host in _LOOPBACK:
        text = f"{config.base_url} is this machine alone: readers could open no link and see no picture."
    elif not config.base_url.startswith("https:"):
        text = f"{config.base_url} is not https: mail providers offer one-click unsubscribe over https only."
    else:
        yield Finding(Level.OK, "public address", config.base_url)
        return
    # While every account only writes files, nobody's link can break.
    mails = Account.objects.filter(newsletters__isnull=False, kind__in=(Account.Kind.SMTP, Account.Kind.ESP)).exists()
    yield Finding(Level.MISSING if mails else Level.NOTE, "public address", text, f"set base_url in {CONFIG_FILE}")


def _magazine() -> Iterator[Finding]:
    magazine = Magazine.objects.order_by("pk").first()
    if magazine is None:
        yield Finding(Level.MISSING, "magazine", "It is not described yet.", "newsletter apply magazine.toml")
        return
    yield Finding(Level.OK, "magazine", magazine.name)
    if not magazine.postal_address.strip():
        yield Finding(
            Level.MISSING,
            "postal address",
            "The law wants one under every letter in most countries.",
            "write postal_address in magazine.toml, then: newsletter apply magazine.toml",
        )


def _accounts(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    for account in Account.objects.filter(newsletters__isnull=False).distinct().order_by("name"):
        try:
            _, settings = AccountRules.split(account.settings, where=f"account {account.name}")
            build(account.kind, settings, folder=config.outbox_folder, environ=environ, home=config.home)
        except NewsletterError as error:
            yield Finding(Level.MISSING, f"account {account.name}", error.message, error.hint)
            continue
        if account.kind == Account.Kind.OUTBOX:
            text = f"outbox: writes files into {config.outbox_folder} and mails nobody."
            yield Finding(Level.NOTE, f"account {account.name}", text, 'for real mail: kind = "smtp" or "esp"')
        else:
            yield Finding(Level.OK, f"account {account.name}", account.kind)


def _newsletters(now: datetime, home: Path | None) -> Iterator[Finding]:
    newsletters = list(Newsletter.objects.select_related("mailing_list", "account").order_by("slug"))
    if not newsletters:
        yield Finding(Level.MISSING, "newsletter", "There is none yet.", "newsletter apply magazine.toml")
    for newsletter in newsletters:
        subject = f"newsletter {newsletter.slug}"
        yield Finding(Level.OK, subject, f"{newsletter.name}: next slot {_slot(newsletter, now)}")
        # One that names no source reads every enabled one.
        sources = newsletter.sources if newsletter.sources.exists() else Source.objects
        if not sources.filter(enabled=True).exists():
            yield Finding(Level.MISSING, subject, "It has no enabled source.", "newsletter source add ADDRESS")
        yield _readers(subject, newsletter.mailing_list)
        yield from _domain(newsletter, home)
        held = Issue.objects.filter(newsletter=newsletter, state="draft").exclude(held_reason="").order_by("slot_at")
        for issue in held:
            yield Finding(
                Level.NOTE, subject, f"{issue.slot} is held: {issue.held_reason}", f"newsletter issue {issue.slot}"
            )


def _domain(newsletter: Newsletter, home: Path | None) -> Iterator[Finding]:
    """What the DNS lacks for bulk mail from this sender; nothing for one that the DNS is not asked about."""
    name = newsletter.from_address.rpartition("@")[2]
    subject, check = f"domain {name}", f"newsletter domain check {name}"
    try:
        sending.signer_for(newsletter.from_address, newsletter.account, home)
        rows = sending.findings(newsletter.from_address, newsletter.return_path, newsletter.account, home)
    except NewsletterError as error:
        yield Finding(Level.MISSING, subject, error.message, error.hint)
        return
    missing = [row for row in rows if row.level is Level.MISSING]
    unknown = [row for row in rows if row.about == "dns"]
    for row in missing:
        yield Finding(Level.MISSING, subject, str(row), check)
    for row in unknown:
        yield Finding(Level.NOTE, subject, row.text, check)
    if rows and not missing and not unknown:
        yield Finding(Level.OK, subject, "It has what bulk mail needs.")


def _slot(newsletter: Newsletter, now: datetime) -> str:
    taken = set(newsletter.weeks_off.values_list("slot", flat=True))
    slot = next_free_slot(newsletter, now, {day.isoformat() for day in taken})
    local = slot.at.astimezone(ZoneInfo(newsletter.timezone))
    return f"{local:%a %Y-%m-%d %H:%M} {newsletter.timezone}, approval {newsletter.approval_mode}"


def _readers(subject: str, mailing_list: MailingList) -> Finding:
    active = Subscription.objects.filter(mailing_list=mailing_list, state=SubscriptionState.ACTIVE).count()
    if active:
        return Finding(Level.OK, subject, f"{active} active subscribers on {mailing_list.slug}")
    text = f"Nobody is subscribed to {mailing_list.slug}."
    return Finding(Level.NOTE, subject, text, f"newsletter subscribers import --list {mailing_list.slug} FILE.csv")


def _sources(now: datetime) -> Iterator[Finding]:
    for source in Source.objects.filter(enabled=True).order_by("slug"):
        subject = f"source {source.slug}"
        if source.failures_in_row:
            text = f"failed {source.failures_in_row} times in a row: {source.last_error}"
            yield Finding(Level.NOTE, subject, text, f"newsletter source check {source.slug}")
        elif source.last_success_at is None:
            yield Finding(Level.NOTE, subject, "never gathered", "newsletter gather")
        else:
            yield Finding(Level.OK, subject, f"last read {timesince(source.last_success_at, now)} ago")


def _bounces(home: Path | None) -> Iterator[Finding]:
    kept = bounce.aside(home) if home is not None else []
    if kept:
        text = f"{len(kept):,} mails that came back were not understood, the last in {kept[-1]}."
        yield Finding(Level.NOTE, "bounces", text, "look at them, then delete them")


def _people() -> Iterator[Finding]:
    if not get_user_model()._default_manager.filter(is_active=True).exists():
        yield Finding(Level.NOTE, "people", "Nobody can log in yet.", "newsletter createsuperuser")
