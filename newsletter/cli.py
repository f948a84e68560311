"""The `newsletter` command: finds the home, then is Django's management utility under our name."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from newsletter import __version__
from newsletter.config import load
from newsletter.config.create import MAGAZINE_FILE, create_home, demo_home
from newsletter.core.errors import NewsletterError
from subscribers.errors import SubscribersError

if TYPE_CHECKING:
    from newsletter.management.utility import Utility

# In the order of the flow; `help` prints this, and a test holds it to the commands there are.
VERBS: dict[str, dict[str, str]] = {
    "The week": {
        "gather": "read the sources; keep what is new",
        "issue": "show and change issues: pin, leave out, skip, week off ...",
        "preview": "write one issue as one subscriber will get it, or mail it to yourself",
        "checks": "say what speaks against an issue before it goes out",
        "approve": "freeze an issue exactly as it is, to go out at its time",
        "deliver": "send an approved issue; pause, resume, stop",
        "report": "what became of an issue, with names behind each number",
        "week": "do whatever is due now: what cron calls",
        "bounce": "take in what came back: one mail from stdin, or the mailboxes of newsletter.toml",
        "why": "say why a review is in, out or waiting",
    },
    "Service": {
        "serve": "pages, clock and delivery in one command",
        "service": "work off sign-up forms; send confirmations, welcomes, links",
        "housekeeping": "remind, and forget what is kept no longer",
        "worker": "go on with what is being sent, in several processes",
    },
    "Set-up": {
        "init": "make a home for a magazine",
        "apply": "create or change the magazine from one TOML file",
        "dump": "write that file",
        "doctor": "what is set up, what is missing, what to type",
        "demo": "a made-up magazine's week, from feed to mailbox, on this machine alone",
        "design": "copy a design to make it your own; find its mistakes; look at it with sample issues",
        "domain": "make DKIM keys, show the DNS records to add, check them",
        "account": "mail a few words through an account, to see whether they leave",
        "source": "add or check a place to gather from",
        "form": "show the sign-up forms, print the code that puts one on a page",
        "subscribers": "import and export subscribers",
        "people": "show who works here, invite, let back in who lost a device",
        "segment": "keep rules over the people of a list, and count whom they take",
        "version": "print the version",
    },
}
_DEMO_KEYS: dict[str, str | int | bool] = {
    "base_url": "https://news.example.test",
    # The demo asks nobody outside this machine, and its mailbox takes mail for any address.
    "signup.look_up": False,
}
FAILED, USAGE, INTERRUPTED = 1, 2, 130


def main() -> NoReturn:
    """Entry point of the console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one verb and return its exit code: 0 done, 1 failed, 2 usage, 3 a person should look (design: commands)."""
    show_traceback = "--traceback" in arguments
    verb = ""
    try:
        home, rest = _take_home(list(arguments))
        verb = rest[0] if rest else "help"
        if verb in ("version", "--version"):
            print(__version__)
            return 0
        if rest in ([], ["help"], ["--help"], ["-h"]):
            print(_utility(["newsletter", "help"]).main_help_text())
            return 0
        if verb == "init":
            return _init(rest[1:], home)
        if verb == "demo" and not {"-h", "--help"} & set(rest):
            # Settings follow from a home, so the demo's home must be there before Django starts.
            home = str(demo_home(_demo_folder(rest[1:]), overrides=_DEMO_KEYS).path)
        load.start(home)
        try:
            _execute(["newsletter", *rest])
        finally:
            sys.stdout.flush()
        return 0
    except (NewsletterError, SubscribersError) as error:
        if show_traceback:
            raise
        print(f"newsletter: {error}", file=sys.stderr)
        # A mail server that pipes a bounce to us tries again after this; after any other it would throw it away.
        return os.EX_TEMPFAIL if verb == "bounce" and "--poll" not in arguments else FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`newsletter dump | head`): not worth a traceback at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else (0 if leaving.code is None else FAILED)


def _take_home(arguments: list[str]) -> tuple[str | None, list[str]]:
    """`--home DIR` from wherever it stands, and the rest. Raises SystemExit(2) when its folder is missing."""
    parser = argparse.ArgumentParser(prog="newsletter", add_help=False, allow_abbrev=False)
    parser.add_argument("--home", metavar="DIR")
    known, rest = parser.parse_known_args(arguments)
    return known.home, rest


def _init(arguments: list[str], home: str | None) -> int:
    parser = argparse.ArgumentParser(prog="newsletter init", description="Make a home for a magazine.")
    parser.add_argument("dir", nargs="?", default=home or ".", help="the folder (default: this one)")
    parser.add_argument("--traceback", action="store_true", help="show where an error came from")
    folder = Path(parser.parse_args(arguments).dir)
    made = create_home(folder)
    load.start(str(made.path))
    _execute(["newsletter", "migrate", "--verbosity", "0", "--skip-checks"])
    here = made.path == Path.cwd()
    prefix = "newsletter" if here else f"newsletter --home {folder}"
    print(f"A home for your magazine: {made.path}\n\nNext, in a browser: type this, and open the link that it prints.")
    print("It lets you in, and leads in three steps from your site's address to a first mail.")
    print(f"  {prefix} serve")
    print(f"\nOr with files and commands: describe the magazine in {made.path / MAGAZINE_FILE}, then type:")
    print(f"  {prefix} apply {MAGAZINE_FILE if here else folder / MAGAZINE_FILE}")
    print(f"  {prefix} gather")
    print(f"  {prefix} doctor")
    return 0


def _demo_folder(arguments: list[str]) -> Path:
    parser = argparse.ArgumentParser(prog="newsletter demo", add_help=False, allow_abbrev=False)
    parser.add_argument("--dir", default="demo-home")
    return Path(parser.parse_known_args(arguments)[0].dir)


def _execute(argv: list[str]) -> None:
    """Hand over to Django. Raises what the command raises."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "newsletter.project.settings"
    _utility(argv).execute()


def _utility(argv: list[str]) -> Utility:
    # Imported late: init's errors and `version` need no Django.
    from newsletter.management.utility import Utility

    return Utility(argv, VERBS)
