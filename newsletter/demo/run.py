"""`newsletter demo`: one command from nothing to a mailbox with this week's issue in it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TextIO

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

from newsletter.config.schema import Config
from newsletter.core.errors import ConfigError
from newsletter.core.tokens import Keys
from newsletter.demo.magazine import Magazine as MagazineServer
from newsletter.demo.mailbox import MailServer
from newsletter.demo.people import REFUSED
from newsletter.demo.place import Place, free_ports, is_free, remember, remembered
from newsletter.demo.serving import Pages
from newsletter.demo.setting import EDITOR, set_up
from newsletter.demo.urls import MAILBOX
from newsletter.demo.week import Clock, Week, run_week
from newsletter.flow import readers, service
from newsletter.flow.deliver import Installation, Tally
from newsletter.models import Magazine, SignupForm
from newsletter.web.public.embedding import embed_code

PORT = 8000


def run_demo(
    config: Config,
    *,
    once: bool,
    as_json: bool,
    bind: str,
    port: int | None,
    out: TextIO,
    clock: Clock,
) -> int:
    """Run the week in the demo's home and say what happened on `out`; without `once` serve the pages until Ctrl-C.

    Returns the exit code: 0 when all went as scripted, the scripted refusal included; else 1, with words on stderr.
    Raises `ConfigError` when a port that this home remembers is taken.
    """
    home = config.need_home()
    _keep_out_of_a_real_database(home)
    call_command("migrate", verbosity=0, skip_checks=True)
    place = _place(home, clock())
    with (
        MagazineServer(place.began, port=place.magazine_port) as magazine,
        MailServer(home / MAILBOX, port=place.mail_port, refused=frozenset({REFUSED})),
    ):
        with _progress() as (say, tell):
            say("Setting the magazine up")
            newsletter = set_up(config, place, clock())
            week = run_week(
                newsletter, config, magazine=(magazine.host, magazine.port), clock=clock, say=say, progress=tell
            )
        surprises = week.surprises()
        for surprise in surprises:
            print(f"newsletter demo: {surprise}", file=sys.stderr)  # noqa: T201 - an edge: words beside the exit code
        if once:
            out.write(_as_json(week, home) if as_json else _as_text(week, home))
        else:
            with Pages(bind, _free_port(port, bind), magazine=magazine.origin) as pages:
                form = SignupForm.objects.select_related("newsletter__magazine").get(newsletter=newsletter)
                magazine.carry(embed_code(form, newsletter.language, base_url=pages.origin))
                links = pages.links(week.issue, User.objects.get(username=EDITOR), clock())
                out.write(_as_json(week, home, links) if as_json else _as_text(week, home, links))
                out.flush()
                composer = service.Composer(Keys(config.secret_key.encode()))
                pages.wait(lambda: serve_readers(config, composer, clock))
    return 1 if surprises else 0


def serve_readers(config: Config, composer: service.Composer, clock: Clock) -> None:
    """Answer whoever signs up: the confirmation comes into the mailbox."""
    readers.serve(config, Installation.of(config, os.environ), composer, clock=clock)


def _keep_out_of_a_real_database(home: Path) -> None:
    """The environment beats the demo's own settings: a DATABASE_URL left over there may lead to a real magazine."""
    tables = connection.introspection.table_names() if remembered(home) is None else []
    if Magazine._meta.db_table in tables and Magazine.objects.exists():
        raise ConfigError(
            "The database holds a magazine already; the demo keeps out of it.",
            where="DATABASE_URL",
            hint="Take it out of the environment: the demo makes a database of its own.",
        )


def _place(home: Path, now: datetime) -> Place:
    place = remembered(home)
    if place is None:
        place = Place(now, *free_ports(home, 2))
        remember(home, place)
        return place
    for port in (place.magazine_port, place.mail_port):
        if not is_free(port):
            raise ConfigError(
                f"Port {port}, which this demo's magazine or mailbox had before, is taken.",
                where=str(home),
                hint="Is this demo running already? Else begin in another folder: --dir DIR",
            )
    return place


def _free_port(wanted: int | None, bind: str) -> int:
    """The port that was asked for; 8000, or where that is taken any free one, when none was."""
    if wanted is not None:
        return wanted
    return PORT if is_free(PORT, bind) else 0


@contextmanager
def _progress() -> Iterator[tuple[Callable[[str], None], Callable[[Tally], None]]]:
    """Steps and a bar on stderr while a terminal looks on; silence otherwise."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("", total=None, done="")

        def say(text: str) -> None:
            shown.update(task, description=text)

        def tell(tally: Tally) -> None:
            shown.update(task, total=tally.total, completed=tally.decided, done=f"{tally.decided} of {tally.total}")

        yield say, tell


def _as_json(week: Week, home: Path, links: Mapping[str, str] | None = None) -> str:
    counts = week.report.counts
    document = {
        "home": str(home),
        "issue": week.report.issue,
        "state": week.issue.state,
        "gathered": week.gathered.new,
        "placed": week.placed,
        "cards": week.cards,
        "lines": week.lines,
        "subscribers": week.subscribers,
        "frozen": counts.frozen,
        "accepted": counts.accepted,
        "failed": counts.failed,
        "excluded": counts.excluded,
        "uncertain": counts.uncertain,
        "sent_now": week.sent_now,
        "preview": str(week.preview),
        "mailbox": str(week.mailbox),
        **({"pages": dict(links)} if links else {}),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _as_text(week: Week, home: Path, links: Mapping[str, str] | None = None) -> str:
    counts = week.report.counts
    refused = ", ".join(f"{named.address}: {named.reason}" for named in week.report.names["failed"])
    if week.sent_now:
        entries = sum(source.entries for source in week.gathered.sources)
        first = f"Gathered {week.gathered.new} reviews in {entries} entries of {len(week.gathered.sources)} sources"
        first += f", {week.gathered.pictures} pictures."
    else:
        first = "This issue went out in an earlier run: nothing was changed and nothing was sent."
    lines = [
        first,
        f"Issue {week.report.issue}: {week.cards} cards and {week.lines} lines.",
        f"{week.subscribers} subscribers; {counts.frozen} get it. {week.report.sentence}",
        *([f"Refused{'' if week.surprises() else ', as scripted'}: {refused}"] if refused else []),
        "",
        f"  {'home':<12} {home}",
        f"  {'mailbox':<12} {week.mailbox}",
        f"  {'preview':<12} {week.preview / 'letter.html'}",
    ]
    if links:
        lines += ["", "Log in once with the first link, as the editor; the others need no login but the second.", ""]
        lines += [f"  {name:<12} {address}" for name, address in links.items()]
        lines += ["", "Ctrl-C ends it."]
    return "\n".join(lines) + "\n"
