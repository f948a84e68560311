"""The verbs of `newsletter issue` on what stands beside the reviews."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError

from newsletter.flow import issue as flow
from newsletter.models import Issue, Review

VERBS = {
    "quote": "choose the pull quote; without words: show sentences that could be it",
    "sponsor": "give this issue a sponsor of its own, in place of what magazine.toml books for its day",
    "promo": "give this issue a word of its own for the print magazine, in place of the one in magazine.toml",
    "listen": "link to music to read by",
    "pairs": "print two critics on one work side by side, as the rule does, or apart",
}
_SLOT = {
    "title": "what it is",
    "text": "a sentence or two",
    "button": "the words of the link",
    "url": "where it leads",
    "picture": "the address of its picture; it is fetched and shown from here",
    "alt": "what the picture shows",
}


def add_arguments(name: str, verb: ArgumentParser, *, issue: str, review: str) -> None:
    """The arguments of one of `VERBS`; the texts say how an issue and a review are named."""
    verb.add_argument("issue", nargs="?", default="", help=issue)
    match name:
        case "quote":
            verb.add_argument("--review", metavar="REVIEW", help=review)
            verb.add_argument("--text", metavar="TEXT", help="a sentence of that review, word for word")
        case "sponsor" | "promo":
            for field, text in _SLOT.items():
                verb.add_argument(f"--{field}", metavar="TEXT", help=text)
        case "listen":
            verb.add_argument("--title", metavar="TEXT", help="its words")
            verb.add_argument("--url", metavar="URL", help="where it leads")
    way = verb.add_mutually_exclusive_group()
    way.add_argument("--none", action="store_true", help="leave it out of this issue")
    way.add_argument("--rule", action="store_true", help="take an editor's word back")


def change(
    name: str,
    issue: Issue,
    options: dict[str, Any],
    *,
    find: Callable[[str], Review],
    say: Callable[[str], None],
    now: datetime,
    by: str,
) -> None:
    """Do what the verb says. Raises `CommandError` when it does not say enough, and as `flow.issue` does."""
    if options["none"]:
        flow.take_out(issue, name, now=now, by=by)
    elif options["rule"]:
        flow.leave_to_rule(issue, name, now=now, by=by)
    elif name == "quote" and options["text"] and options["review"]:
        flow.choose_quote(issue, find(options["review"]), options["text"], now=now, by=by)
    elif name == "quote" and not options["text"]:
        for review, sentence in flow.quotes(issue):
            say(f"{review.pk}  {review}\n    {sentence}")
    elif name in ("sponsor", "promo") and options["title"]:
        insert = {field: options[field] for field in _SLOT}
        (flow.promote if name == "promo" else flow.book_sponsor)(issue, insert, now=now, by=by)
    elif name == "listen" and options["title"]:
        flow.play(issue, options["title"], options["url"] or "", now=now, by=by)
    else:
        wanted = dict.fromkeys(("sponsor", "promo", "listen"), "--title and --url") | {"quote": "--review and --text"}
        ways = ", ".join(filter(None, (wanted.get(name, ""), "--none or --rule")))
        raise CommandError(f"Say what to do: {ways}.", returncode=2)
