"""Collecting what the checks look at, and what stands against approving an issue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from newsletter.config.home import template_folders
from newsletter.core.checks import HEAVY, Level, Row, Subject, check
from newsletter.core.designlint import lint_files, too_faint
from newsletter.core.errors import DesignError, NewsletterError
from newsletter.flow import domain as sending
from newsletter.flow.compile.designs import contrast_pairs
from newsletter.flow.compile.freezing import frozen, live, rehearse, sample_url, weigh
from newsletter.flow.compile.gathering import ACTIVE
from newsletter.flow.compile.inputs import Frozen
from newsletter.ledger.deliveries import first_of_month
from newsletter.ledger.issues import due_at
from newsletter.models import Account, Issue, Placement
from subscribers.audience import counts
from subscribers.errors import AudienceError

_MAILS_NOBODY = frozenset({Account.Kind.OUTBOX, Account.Kind.MEMORY})


_PATIENCE = 2.0
"""Seconds for the DNS: people wait for this page."""


def checks(issue: Issue, now: datetime) -> list[Row]:
    """Every finding about the issue as it would go out, blocking ones first. A letter that can't be rendered is a
    finding, not an exception. Asks the DNS about the sending domain, for two seconds at most.
    """
    return _checks(issue, now, _domain)


def _checks(issue: Issue, now: datetime, domain: Callable[[Issue, Frozen], tuple[Row, ...] | None]) -> list[Row]:
    newsletter = issue.newsletter
    design: list[Row] = []
    try:
        inputs = frozen(issue)
        design = _lint(inputs)
        sample = rehearse(inputs)
        differs = issue.freeze is not None and live(issue).fingerprint != issue.freeze.fingerprint
        audience = counts(newsletter.mailing_list, newsletter.audience, now=now, monthly=first_of_month(issue)).selected
    except NewsletterError as error:
        # What lint saw in the files may be the reason, with what was meant.
        return [_row(error), *design]
    except AudienceError as error:
        return [Row(Level.BLOCK, str(error), "audience", "Mend the rule in magazine.toml and apply it.")]
    rows = check(
        Subject(
            content=inputs.content,
            sample=sample,
            unsubscribe_url=sample_url(inputs),
            audience=audience,
            now=now,
            slot_at=due_at(issue),
            grace=timedelta(hours=newsletter.grace_hours),
            mails_people=newsletter.account.kind not in _MAILS_NOBODY,
            guessed_dates=tuple(
                str(row.review)
                for row in Placement.objects.filter(issue=issue, state__in=ACTIVE, review__date_guessed=True)
                .select_related("review__representative")
                .order_by("position", "pk")
            ),
            approved_differs=differs,
            domain=domain(issue, inputs),
            weights=weigh(inputs) if len(sample.html.encode()) >= HEAVY else (),
        )
    )
    return sorted([*design, *rows], key=lambda row: list(Level).index(row.level))


def blockers(issue: Issue, now: datetime) -> tuple[str, ...]:
    """What stands against approving the issue, a sentence each; () when nothing does.

    Does not ask the DNS: an approval holds locks, and only the send needs the domain (`flow.domain.obstacle`).
    """
    return tuple(str(row) for row in _checks(issue, now, lambda _issue, _inputs: None) if row.level is Level.BLOCK)


def _domain(issue: Issue, inputs: Frozen) -> tuple[Row, ...] | None:
    """What the DNS says of the From domain; None when it is not to be asked."""
    account, home = issue.newsletter.account, settings.NEWSLETTER.home
    sender = inputs.sender
    try:
        rows = sending.findings(
            sender.from_address, sender.return_path, account, Path(home) if home else None, seconds=_PATIENCE
        )
    except NewsletterError as error:
        return (Row(Level.WARN, f"The send will not begin: {error.message}", error.where or "sender", error.hint),)
    if not rows:
        return None
    return tuple(_domain_row(row) for row in rows if row.level is not sending.Level.OK)


def _domain_row(finding: sending.Finding) -> Row:
    if finding.level is sending.Level.MISSING:
        return Row(Level.WARN, f"The send will not begin: {finding}", "sender")
    return Row(Level.NOT_CHECKED, finding.text, "sender", finding.hint)


def _lint(inputs: Frozen) -> list[Row]:
    """Mistakes of the design's own files, with their lines: what can be rendered, but should be mended. Colours in
    which text can't be read block: a newsletter may have set them over the design's own.
    """
    rows = [
        Row(Level.WARN, f"{found.message}.", f"{found.file}:{found.line}:{found.column}", found.hint)
        for found in lint_files(inputs.design)
    ]
    home = settings.NEWSLETTER.home
    pairs = contrast_pairs(inputs.design.name, template_folders(Path(home) if home else None))
    faint = too_faint(inputs.design.tokens, pairs or ())
    return rows + [Row(Level.BLOCK, f"{found.message}.", "design_tokens", found.hint) for found in faint]


def _row(error: NewsletterError) -> Row:
    what = "The letter can't be rendered: " if isinstance(error, DesignError) else ""
    return Row(Level.BLOCK, f"{what}{error.message}", error.where, error.hint)
