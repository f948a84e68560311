"""Which design a newsletter wears, with which values of its own: seen on its own reviews before anybody decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count, Q

from newsletter.config.home import template_folders
from newsletter.core import samples
from newsletter.core.context import build_context
from newsletter.core.designlint.tokens import Pair, judge, read_token, suggest
from newsletter.core.errors import DesignError
from newsletter.core.letter import Compiler, Design
from newsletter.core.sentence import sentence, together
from newsletter.flow.apply import Change, change_in_studio
from newsletter.flow.compile import contrast_pairs, design_names, find_design
from newsletter.flow.compile.freezing import NEUTRAL, build, live
from newsletter.ledger.issues import OPEN
from newsletter.ledger.placements import ACTIVE
from newsletter.models import Issue, IssueState, Newsletter, StudioChange


@dataclass(frozen=True, slots=True)
class Worn:
    """A design with a newsletter's values: `own` are the design's, `tokens` those that count; `pairs` judge them."""

    name: str
    own: Mapping[str, Any]
    tokens: Mapping[str, Any]
    pairs: tuple[Pair, ...]

    @property
    def changed(self) -> dict[str, Any]:
        """The values that differ from the design's, as a newsletter holds them."""
        return {name: value for name, value in self.tokens.items() if value != self.own[name]}

    @property
    def faint(self) -> tuple[Pair, ...]:
        """What can't be read, the worst first: a send would be blocked."""
        return tuple(sorted((pair for pair in self.pairs if not pair.enough), key=lambda pair: pair.ratio))


@dataclass(frozen=True, slots=True)
class Before:
    """What a newsletter wore until somebody chose another design in the studio."""

    design: str
    tokens: Mapping[str, Any]
    by: str
    at: datetime


def names() -> list[str]:
    """The designs that there are."""
    return design_names(_folders())


def worn(name: str, typed: Mapping[str, str] | None = None, *, kept: Mapping[str, Any] | None = None) -> Worn:
    """The design with the values `kept`, or with those that somebody `typed` over its own. Raises `DesignError`, with
    the token as its `field` for a value that can't stand there.
    """
    folders = _folders()
    own = find_design(name, folders).tokens
    tokens = dict(own)
    if typed is not None:
        tokens |= {token: read_token(token, typed[token], value) for token, value in own.items() if token in typed}
    else:
        # A value of a token that the design has no more stands in nobody's way here.
        tokens |= {token: value for token, value in (kept or {}).items() if token in own}
    pairs = contrast_pairs(name, folders) or []
    return Worn(name, own, tokens, tuple(judge(tokens, pairs)))


def advice(found: Worn) -> list[str]:
    """For each token that was changed and can't be read now: what would do, in a sentence."""
    pairs = [[pair.text, pair.ground] for pair in found.pairs]
    words = []
    for pair in found.faint:
        for token in (pair.text, pair.ground):
            if token in found.changed:
                near = suggest(found.tokens, pairs, token)
                words.append(
                    sentence("{color} would do for {token}.", color=near, token=token)
                    if near
                    else sentence("Take the design’s own {token}: {color}.", token=token, color=found.own[token])
                )
    return list(dict.fromkeys(words))


def sample_issue(newsletter: Newsletter) -> Issue | None:
    """The issue to look at designs with: the next one, else the last; None before the first with a review."""
    placed = Count("placements", filter=Q(placements__state__in=ACTIVE))
    rows = Issue.objects.filter(newsletter=newsletter).annotate(placed=placed).filter(placed__gt=0)
    rows = rows.select_related("newsletter__magazine", "newsletter__mailing_list").defer("public_html")
    return (
        rows.filter(state__in=OPEN).order_by("slot_at", "pk").first()
        or rows.exclude(state=IssueState.DISCARDED).order_by("-slot_at", "-pk").first()
    )


def look(newsletter: Newsletter, found: Worn) -> str:
    """The HTML of the sample issue, or of made-up reviews, in this design, for nobody in particular. Raises
    `DesignError` and `IssueError`.
    """
    design = find_design(found.name, _folders(), found.changed)
    issue = sample_issue(newsletter)
    if issue is None:
        return _made_up(newsletter, design)
    return build(live(issue, design=design)).full_render(NEUTRAL).html


def choose(
    newsletter: Newsletter, name: str, *, now: datetime, by: str, tokens: Mapping[str, Any] | None = None
) -> list[Change]:
    """Let the newsletter wear the design `name`, with `tokens` or as it is: what was set for another design's colours
    means nothing in this one. Voids approvals. Raises `DesignError` for one that can't make the letter.
    """
    found = worn(name, kept=tokens)
    look(newsletter, found)
    return _change(newsletter, {"design": name, "design_tokens": found.changed}, now, by)


def set_tokens(newsletter: Newsletter, typed: Mapping[str, str], *, now: datetime, by: str) -> list[Change]:
    """Give the newsletter's design these values; what is left empty is the design's own again. Voids approvals.

    Raises `DesignError` for a value that can't stand there, and for colours in which text can't be read, with the
    contrast and what would do.
    """
    found = worn(newsletter.design, typed)
    faint = [pair for pair in found.faint if {pair.text, pair.ground} & found.changed.keys()]
    if faint:
        said = (
            sentence(
                "{text} on {ground} ({color} on {paper}) has a contrast of {ratio}",
                text=pair.text,
                ground=pair.ground,
                color=pair.colors[0],
                paper=pair.colors[1],
                ratio=f"{pair.ratio:.2f}",
            )
            for pair in faint[:3]
        )
        field = next(token for token in (faint[0].text, faint[0].ground) if token in found.changed)
        raise DesignError(
            sentence("{said}, and 4.5 is needed.", said=together(*said, between="; ")),
            field=field,
            hint=together(*advice(found)[:3]),
        )
    look(newsletter, found)
    return _change(newsletter, {"design_tokens": found.changed}, now, by)


def before(newsletter: Newsletter) -> Before | None:
    """What the newsletter wore until its design was last chosen in the studio; None when nobody did, or it is gone."""
    rows = {
        row.field: row
        for row in StudioChange.objects.filter(
            table="newsletters", row=newsletter.slug, field__in=("design", "design_tokens")
        )
    }
    row = rows.get("design")
    if row is None or row.before == newsletter.design or row.before not in names():
        return None
    values = rows.get("design_tokens")
    # Changed by another act than the design: they are about the present one.
    tokens: dict[str, Any] = (values.before or {}) if values is not None and values.at == row.at else {}
    return Before(row.before, tokens, row.by, row.at)


def _change(newsletter: Newsletter, values: Mapping[str, Any], now: datetime, by: str) -> list[Change]:
    home = settings.NEWSLETTER.home
    changes = change_in_studio("newsletters", newsletter.slug, values, now=now, by=by, designs=names(), home=home)
    newsletter.refresh_from_db()
    return changes


def _made_up(newsletter: Newsletter, design: Design) -> str:
    content = samples.bare(newsletter.language)
    return Compiler(design, build_context(content, design.tokens)).full_render(samples.readers()[0]).html


def _folders() -> list[Path]:
    home = settings.NEWSLETTER.home
    return template_folders(Path(home) if home else None)
