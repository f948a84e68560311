"""`newsletter issue`: the next issue, and what an editor can do to one."""

from __future__ import annotations

import json
from argparse import SUPPRESS, ArgumentParser, _SubParsersAction
from datetime import date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from newsletter.flow import deliver as sending
from newsletter.flow import issue as flow
from newsletter.flow.deliver.timing import local_time
from newsletter.management import blocks
from newsletter.management.arguments import add_by, clock, issue_from, issue_name, newsletter_from, somebody
from newsletter.management.showing import issue_lines, issue_values
from newsletter.models import Issue, Newsletter, Placement, PlacementState, Review

_ISSUE = "weekly/2026-11-26, 2026-11-26, next or last"
_REVIEW = "its number, its address, its title or a part of it"
_DRAFT = f"{_ISSUE}; default: the newsletter's draft"
_FIELDS = {
    "title": ("title", "the headline"),
    "kicker": ("kicker", "the words above the headline"),
    "byline": ("byline", "who wrote it"),
    "dek": ("dek", "the sentence under the headline"),
    "excerpt": ("excerpt", "the beginning that is shown"),
    "facts": ("facts", "director and cast, author and publisher ..."),
    "read-label": ("read_label", "the words of the link"),
    "alt": ("picture_alt", "what the picture shows, for those who can't see it"),
    "credit": ("picture_credit", "whose picture it is"),
}


class Command(BaseCommand):
    help = "Show the next issue with its reviews, placed by the weekly rule; or change one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="the issue as JSON")
        parser.add_argument("--newsletter", default="", metavar="SLUG", help="default: every one")
        verbs = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=CommandParser)
        show = _verb(verbs, "show", "show one issue")
        show.add_argument("issue", help=_ISSUE)
        for name, text in (
            ("skip", "don't send this issue; its reviews wait for the next one"),
            ("discard", "throw it away, a paused one only while nothing was accepted"),
        ):
            verb = _verb(verbs, name, text)
            verb.add_argument("issue", help=_ISSUE)
            verb.add_argument("--reason", required=True)
        verb = _verb(verbs, "revive", "bring a missed issue back as a draft that is due now")
        verb.add_argument("issue", help=_ISSUE)
        verb = _verb(verbs, "schedule", "choose when an approved issue goes out")
        verb.add_argument("issue", help=_ISSUE)
        when = verb.add_mutually_exclusive_group(required=True)
        when.add_argument("--at", metavar="TIME", help="2026-11-26T08:00, in the newsletter's own zone")
        when.add_argument("--at-slot", action="store_true", help="at its slot after all")
        when.add_argument("--now", action="store_true", help="in a minute; until then: newsletter issue take-back")
        verb.add_argument("--confirm", action="store_true", help="although another issue goes out just before")
        verb = _verb(verbs, "take-back", "undo schedule --now while nothing has left")
        verb.add_argument("issue", help=_ISSUE)
        verb = _verb(verbs, "unschedule", "take the approval back: the issue is a draft again")
        verb.add_argument("issue", help=_ISSUE)
        verb = _verb(verbs, "week-off", "set a slot aside; its reviews wait")
        verb.add_argument("day", help="the local date of the slot, 2026-11-26")
        verb.add_argument("--reason", default="")
        verb = _verb(verbs, "week-on", "take a week off back, while its slot is ahead")
        verb.add_argument("day", help="the local date of the slot, 2026-11-26")
        verb = _verb(verbs, "move-slot", "give an issue another time, for this once")
        verb.add_argument("issue", help=_ISSUE)
        verb.add_argument("--at", required=True, metavar="TIME", help="2026-11-26T08:00, in the newsletter's own zone")
        verb = _verb(verbs, "special", "make an issue beside the weekly ones")
        verb.add_argument("name", help="its name in addresses: a word such as festival")
        verb.add_argument("--at", required=True, metavar="TIME", help="2026-11-26T08:00, in the newsletter's own zone")
        verb = _verb(verbs, "note", "set the issue's own words")
        verb.add_argument("issue", help=_ISSUE)
        verb.add_argument("--subject")
        verb.add_argument("--preview-text")
        verb.add_argument("--note")
        verb.add_argument("--note-signature")
        verb.add_argument("--max-cards", type=int)
        for name, text in (
            ("pin", "put a review into an issue, first of all; without --issue into the next ones until it has run"),
            ("unpin", "take a pin back"),
            ("leave-out", "keep a review out of an issue, or for good when no --issue is given (needs --reason)"),
            ("bring-back", "undo leave-out"),
        ):
            verb = _verb(verbs, name, text)
            verb.add_argument("review", help="its number, its address, its title or a part of it")
            verb.add_argument("--issue", help=_ISSUE)
            verb.add_argument("--reason", default="")
        verb = _verb(verbs, "include", "take a review out of its tray (found late, baseline, flood)")
        verb.add_argument("review", help="its number, its address, its title or a part of it")
        verb = _verb(verbs, "correct", "say in the next issue what was wrong about a review that was sent")
        verb.add_argument("review", help="its number, its address, its title or a part of it")
        verb.add_argument("text", nargs="?", default="", help="what was wrong and what is right, as readers see it")
        verb.add_argument("--issue", help=f"{_ISSUE}; default: the newsletter's draft")
        verb.add_argument("--remove", action="store_true", help="take the correction back")
        verb = _verb(verbs, "edit", "give a review an editor's own words in an issue; they win over the source's")
        verb.add_argument("review", help=_REVIEW)
        verb.add_argument("--issue", help=_DRAFT)
        for name, (field, text) in _FIELDS.items():
            verb.add_argument(f"--{name}", dest=field, metavar="TEXT", help=text)
        verb.add_argument("--pick", action="store_const", const="yes", help="mark it as the editor's pick")
        verb.add_argument(
            "--restore",
            action="append",
            choices=[*_FIELDS, "pick"],
            default=[],
            help="have the source's words again; with pick: take the mark back",
        )
        verb = _verb(verbs, "move", "give a review another place in an issue; the rules leave it there")
        verb.add_argument("review", help=_REVIEW)
        verb.add_argument("position", nargs="?", type=int, help="from 1; default: the last")
        verb.add_argument("--issue", help=_DRAFT)
        kind = verb.add_mutually_exclusive_group()
        kind.add_argument("--card", dest="kind", action="store_const", const="card", help="show it in full")
        kind.add_argument("--line", dest="kind", action="store_const", const="line", help="show it in one line")
        for name, text in blocks.VERBS.items():
            blocks.add_arguments(name, _verb(verbs, name, text), issue=_DRAFT, review=_REVIEW)
        verb = _verb(verbs, "run-again", "run a review that ran before once more")
        verb.add_argument("review", help="its number, its address, its title or a part of it")
        verb.add_argument("--issue", default="next", help=_ISSUE)
        verb.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        verb = options["verb"]
        now, by = clock(), somebody(options.get("by") or "")
        shown: list[Issue]
        if verb is None:
            shown = [_draft(newsletter) for newsletter in _newsletters(options["newsletter"])]
        elif verb == "week-off":
            newsletter = newsletter_from(options["newsletter"])
            flow.week_off(newsletter, _day(options["day"]), options["reason"], now=now, by=by)
            self.stderr.write(f"{options['day']} is off.")
            shown = [_draft(newsletter)]
        elif verb in blocks.VERBS:
            chosen = (
                issue_from(options["issue"]) if options["issue"] else _draft(newsletter_from(options["newsletter"]))
            )
            blocks.change(verb, chosen, options, find=_review, say=self.stderr.write, now=now, by=by)
            shown = [chosen]
        elif verb == "week-on":
            newsletter = newsletter_from(options["newsletter"])
            flow.take_week_off_back(newsletter, _day(options["day"]), now=now, by=by)
            self.stderr.write(f"{options['day']} is a slot again.")
            shown = [_draft(newsletter)]
        elif verb == "special":
            newsletter = newsletter_from(options["newsletter"])
            at = local_time(options["at"], newsletter.timezone)
            shown = [flow.make_special(newsletter, options["name"], at, now=now, by=by)]
        elif verb in ("show", "skip", "discard", "revive", "note", "move-slot", "schedule", "take-back", "unschedule"):
            shown = [_change_issue(verb, issue_from(options["issue"]), options, by)]
        else:
            shown = _change_review(verb, options, by)
        if options["json"]:
            values = [issue_values(issue) for issue in shown]
            self.stdout.write(json.dumps(values[0] if len(values) == 1 else values, indent=2, default=str))
            return
        for issue in shown:
            self.stdout.write("\n".join(issue_lines(issue)))


def _verb(verbs: _SubParsersAction[Any], name: str, text: str) -> ArgumentParser:
    parser: ArgumentParser = verbs.add_parser(name, help=text, description=text)
    add_by(parser)
    # The option of the command may stand behind the verb too; only when it does, it speaks.
    parser.add_argument("--json", action="store_true", default=SUPPRESS, help="the issue as JSON")
    return parser


def _change_issue(verb: str, issue: Issue, options: dict[str, Any], by: str) -> Issue:
    now = clock()
    match verb:
        case "skip":
            flow.skip(issue, options["reason"], now=now, by=by)
        case "discard":
            flow.discard(issue, options["reason"], now=now, by=by)
        case "revive":
            flow.revive(issue, now=now, by=by)
        case "schedule" if options["now"]:
            sending.send_now(issue, now, by=by, confirmed=options["confirm"])
        case "schedule":
            at = local_time(options["at"], issue.newsletter.timezone) if options["at"] else None
            sending.schedule(issue, at, now, by=by, confirmed=options["confirm"])
        case "move-slot":
            flow.move_slot(issue, local_time(options["at"], issue.newsletter.timezone), now=now, by=by)
        case "take-back":
            sending.take_back(issue, now, by=by)
        case "unschedule":
            sending.unschedule(issue, now, by=by)
        case "note":
            names = ("subject", "preview_text", "note", "note_signature", "max_cards")
            fields = {name: options[name] for name in names if options[name] is not None}
            if not fields:
                raise CommandError("Say what to set: --subject, --preview-text, --note ...", returncode=2)
            flow.edit_issue(issue, fields, now=now, by=by)
    issue.refresh_from_db()
    return issue


def _change_review(verb: str, options: dict[str, Any], by: str) -> list[Issue]:
    now, review = clock(), _review(options["review"])
    if verb == "include":
        flow.include(review, now=now, by=by)
        return [_draft(newsletter) for newsletter in _newsletters(options["newsletter"])]
    issue = issue_from(options["issue"]) if options["issue"] else None
    newsletter = issue.newsletter if issue else newsletter_from(options["newsletter"])
    match verb:
        case "pin":
            flow.pin(review, newsletter, issue, now=now, by=by)
        case "unpin":
            flow.unpin(review, newsletter, issue, now=now, by=by)
        case "leave-out":
            flow.leave_out(review, newsletter, issue, reason=options["reason"], now=now, by=by)
        case "bring-back":
            flow.bring_back(review, newsletter, issue, now=now, by=by)
        case "correct":
            issue = issue or _draft(newsletter)
            if options["remove"]:
                flow.take_correction_back(review, issue, now=now, by=by)
            else:
                flow.correct(review, issue, options["text"], now=now, by=by)
        case "edit":
            issue = issue or _draft(newsletter)
            _edit(_placement(review, issue), options, now, by)
        case "move":
            issue = issue or _draft(newsletter)
            _move(_placement(review, issue), options, now, by)
        case "run-again":
            assert issue is not None
            flow.run_again(review, issue, reason=options["reason"], now=now, by=by)
    shown = issue or _draft(newsletter)
    shown.refresh_from_db()
    return [shown]


def _edit(placement: Placement, options: dict[str, Any], now: datetime, by: str) -> None:
    fields: dict[str, str | None] = {
        field: options[field]
        for field in (*(field for field, _ in _FIELDS.values()), "pick")
        if options[field] is not None
    }
    for name in options["restore"]:
        field = _FIELDS[name][0] if name in _FIELDS else name
        if field in fields:
            raise CommandError(f"Either --{name} or --restore {name}, not both.", returncode=2)
        fields[field] = None
    if not fields:
        raise CommandError("Say what to edit: --title, --dek, --excerpt, --alt ...", returncode=2)
    flow.edit_fields(placement, fields, now=now, by=by)


def _move(placement: Placement, options: dict[str, Any], now: datetime, by: str) -> None:
    kind, position = options["kind"], options["position"]
    if kind is None and position is None:
        raise CommandError("Say where to: a position from 1, --card or --line.", returncode=2)
    flow.move(placement, kind=kind or placement.kind, position=position, now=now, by=by)


def _placement(review: Review, issue: Issue) -> Placement:
    active = (PlacementState.RESERVED, PlacementState.SENT)
    found = Placement.objects.filter(issue=issue, review=review, state__in=active).first()
    if found is None:
        name = issue_name(issue)
        raise CommandError(
            f"“{review}” is not in {name}. Bring it in with: newsletter issue pin {review.pk} --issue {name}",
            returncode=2,
        )
    return found


def _newsletters(slug: str) -> list[Newsletter]:
    if slug:
        return [newsletter_from(slug)]
    return list(Newsletter.objects.order_by("slug")) or [newsletter_from("")]


def _draft(newsletter: Newsletter) -> Issue:
    now = clock()
    issue = flow.ensure_draft(newsletter, now=now)
    flow.place(issue, now=now)
    issue.refresh_from_db()
    return issue


def _review(text: str) -> Review:
    if text.isdecimal():
        found = list(Review.objects.filter(pk=int(text))) or flow.find_reviews(text)
    else:
        found = flow.find_reviews(text)
    if len(found) == 1:
        return found[0]
    if not found:
        raise CommandError(f"No review is known by “{text}”.", returncode=2)
    names = "\n".join(f"  {one.pk}  {one}" for one in found)
    raise CommandError(f"“{text}” names several reviews; say which, by number:\n{names}", returncode=2)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"“{text}” is no date; write 2026-11-26.", returncode=2) from error
