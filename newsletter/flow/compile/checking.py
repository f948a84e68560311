"""Collecting what the checks look at, and what stands against approving an issue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from newsletter.config.home import template_folders
from newsletter.core import mime
from newsletter.core.checks import HEAVY, Level, Row, Subject, check
from newsletter.core.content import from_json
from newsletter.core.designlint import Finding, lint_files, too_faint
from newsletter.core.errors import DesignError, NewsletterError
from newsletter.core.kept import Kept
from newsletter.core.letter import Design
from newsletter.core.reader import Reader
from newsletter.core.sentence import ended, sentence
from newsletter.flow import domain as sending
from newsletter.flow.compile.designs import contrast_pairs
from newsletter.flow.compile.freezing import frozen, live, rehearse, sample_url, shared, weigh
from newsletter.flow.compile.ignoring import with_names
from newsletter.flow.compile.inputs import Frozen
from newsletter.flow.compile.people import headers_for
from newsletter.ledger.deliveries import first_of_month
from newsletter.ledger.issues import due_at
from newsletter.ledger.placements import ACTIVE
from newsletter.models import Account, Issue, Placement, PlacementState
from subscribers.audience import counts
from subscribers.errors import AudienceError

_MAILS_NOBODY = frozenset({Account.Kind.OUTBOX, Account.Kind.MEMORY})


_LINTED: Kept[tuple[tuple[tuple[str, str], ...], tuple[str, ...]], tuple[Finding, ...]] = Kept(16)

_PATIENCE = 2.0
"""Seconds for the DNS: people wait for this page."""


_Asks = Callable[[Issue, Frozen], tuple[Row, ...] | None]


def checks(
    issue: Issue, now: datetime, *, ask_dns: bool = True, dead: Callable[[list[str]], Mapping[str, str]] | None = None
) -> list[Row]:
    """Every finding about the issue as it would go out, blocking ones first, those that somebody ignored with the name.

    A letter that can't be rendered is a finding, not an exception. Asks the DNS about the sending domain, for two
    seconds at most, and `dead` (when given) which of the reviews' addresses don't answer, and what came back.
    """
    return with_names(issue, _checks(issue, now, _domain if ask_dns else _unasked, dead))


def _unasked(_issue: Issue, _inputs: Frozen) -> None:
    return None


def _checks(
    issue: Issue, now: datetime, domain: _Asks, dead: Callable[[list[str]], Mapping[str, str]] | None = None
) -> list[Row]:
    newsletter = issue.newsletter
    design: list[Row] = []
    try:
        inputs = frozen(issue)
        design = _lint(inputs)
        with shared(inputs) as compiler:
            sample = rehearse(inputs, compiler)
        differs = issue.freeze is not None and live(issue).fingerprint != issue.freeze.fingerprint
        audience = counts(newsletter.mailing_list, newsletter.audience, now=now, monthly=first_of_month(issue)).selected
    except NewsletterError as error:
        # What lint saw in the files may be the reason, with what was meant.
        return [_row(error), *design]
    except AudienceError as error:
        hint = sentence("Mend the rule in magazine.toml and apply it.")
        return [Row(Level.BLOCK, str(error), sentence("audience"), hint, code="audience-broken", anchor="audience")]
    placements = list(
        Placement.objects.filter(issue=issue, state__in=ACTIVE)
        .select_related("review__representative")
        .order_by("position", "pk")
    )
    mails_people = newsletter.account.kind not in _MAILS_NOBODY
    rows = check(
        Subject(
            content=inputs.content,
            sample=sample,
            unsubscribe_url=sample_url(inputs.base_url),
            audience=audience,
            now=now,
            slot_at=due_at(issue),
            grace=timedelta(hours=newsletter.grace_hours),
            mails_people=mails_people,
            guessed_dates=tuple(str(row.review) for row in placements if row.review.date_guessed),
            approved_differs=differs,
            domain=domain(issue, inputs),
            weights=weigh(inputs) if len(sample.html.encode()) >= HEAVY else (),
            sent_before=_sent_before(issue, placements),
            released=_released(placements),
            automatic_deks=frozenset(
                str(row.review_id)
                for row in placements
                if "dek" not in row.edits and _content(row).get("origins", {}).get("dek") == "auto"
            ),
            headers=_headers(inputs, now) if mails_people else None,
            dead=None if dead is None else dead(sorted({each.url for each in inputs.content.placed if each.url})),
        )
    )
    return sorted([*design, *rows], key=lambda row: list(Level).index(row.level))


def blockers(issue: Issue, now: datetime) -> tuple[str, ...]:
    """What stands against approving the issue, a sentence each; () when nothing does.

    Does not ask the DNS: an approval holds locks, and only the send needs the domain (`flow.domain.obstacle`).
    """
    return tuple(str(row) for row in checks(issue, now, ask_dns=False) if row.blocks)


def _content(row: Placement) -> dict[str, Any]:
    return row.review.representative.content if row.review.representative else {}


def _released(placements: list[Placement]) -> dict[str, date]:
    """Since when each review's work has been out, where its source says so."""
    found: dict[str, date] = {}
    for row in placements:
        release = from_json(_content(row)).release if _content(row).get("release") else None
        if release is not None and release.date is not None:
            found[str(row.review_id)] = release.date
    return found


def _sent_before(issue: Issue, placements: list[Placement]) -> dict[str, str]:
    """The slot of an issue that sent the same address as another review; one that runs again does so on purpose."""
    keys = {
        row.review.representative.url_key: row.review_id
        for row in placements
        if row.run == 1 and row.review.representative and row.review.representative.url_key
    }
    sent = (
        Placement.objects.filter(newsletter=issue.newsletter_id, state=PlacementState.SENT)
        .filter(review__representative__url_key__in=list(keys))
        .exclude(issue=issue)
        .exclude(review__in=list(keys.values()))
        .order_by("issue__slot_at", "pk")
    )
    return {str(keys[key]): slot for key, slot in sent.values_list("review__representative__url_key", "issue__slot")}


def _headers(inputs: Frozen, now: datetime) -> str:
    """The headers of a message to the sample reader."""
    reader = Reader(address="reader@example.org", unsubscribe_url=sample_url(inputs.base_url))
    headers = headers_for(inputs, reader, subscription_id=0, fingerprint=inputs.fingerprint, now=now)
    before, after = mime.around_subject(headers, "boundary")
    return (before + after).decode("ascii", "replace")


def _domain(issue: Issue, inputs: Frozen) -> tuple[Row, ...] | None:
    """What the DNS says of the From domain; None when it is not to be asked."""
    account, home = issue.newsletter.account, settings.NEWSLETTER.home
    sender = inputs.sender
    try:
        rows = sending.findings(
            sender.from_address, sender.return_path, account, Path(home) if home else None, seconds=_PATIENCE
        )
    except NewsletterError as error:
        return (
            Row(
                Level.WARN,
                sentence("The send will not begin: {reason}", reason=error.message),
                error.where or sentence("sender"),
                error.hint,
                "domain",
            ),
        )
    if not rows:
        return None
    return tuple(_domain_row(row) for row in rows if row.level is not sending.Level.OK)


def _domain_row(finding: sending.Finding) -> Row:
    if finding.level is sending.Level.MISSING:
        return Row(
            Level.WARN,
            sentence("The send will not begin: {reason}", reason=str(finding)),
            sentence("sender"),
            code="domain",
        )
    return Row(Level.NOT_CHECKED, finding.text, sentence("sender"), finding.hint, code="domain")


def _lint(inputs: Frozen) -> list[Row]:
    """Mistakes of the design's own files, with their lines: what can be rendered, but should be mended. Colours in
    which text can't be read block: a newsletter may have set them over the design's own.
    """
    rows = [
        Row(
            Level.WARN,
            ended(found.message),
            f"{found.file}:{found.line}:{found.column}",
            found.hint,
            "design-lint",
            "design",
        )
        for found in _linted(inputs.design)
    ]
    home = settings.NEWSLETTER.home
    pairs = contrast_pairs(inputs.design.name, template_folders(Path(home) if home else None))
    faint = too_faint(inputs.design.tokens, pairs or ())
    return rows + [
        Row(
            Level.BLOCK,
            ended(found.message),
            "design_tokens",
            found.hint,
            "contrast",
            "design",
        )
        for found in faint
    ]


def _linted(design: Design) -> tuple[Finding, ...]:
    """As `lint_files`, which asks of a design's files and tokens alone: a page that checks after every word would else
    spend most of its time there.
    """
    key = (tuple(sorted(design.files.items())), tuple(sorted(design.tokens)))
    return _LINTED.get(key, lambda: tuple(lint_files(design)))


def _row(error: NewsletterError) -> Row:
    text = error.message
    if isinstance(error, DesignError):
        text = sentence("The letter can't be rendered: {reason}", reason=error.message)
    return Row(
        Level.BLOCK,
        text,
        error.where,
        error.hint,
        "not-rendered",
        "design",
    )
