"""Freezing an issue, and compiling it: from its freeze when there is one, else from what its rows say now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from django.conf import settings

from newsletter.config.home import template_folders
from newsletter.core.context import IssueContent, build_context
from newsletter.core.errors import IssueError
from newsletter.core.kept import Kept
from newsletter.core.letter import Compiler, Design, Rendered, Weight
from newsletter.core.reader import Reader
from newsletter.core.sentence import sentence
from newsletter.flow.compile.designs import find_design
from newsletter.flow.compile.gathering import gather_content
from newsletter.flow.compile.inputs import Frozen, Sender, require_same_versions, thaw, versions
from newsletter.flow.compile.people import preferences_prefix, unsubscribe_prefix
from newsletter.models import Freeze, Issue, Newsletter
from subscribers import audience
from subscribers.errors import AudienceError

NEUTRAL = Reader(address="")
"""Nobody in particular: every review, no name, no personal link."""

_SHARED: Kept[str, tuple[Compiler, Lock]] = Kept(4)
_WEIGHED: Kept[str, tuple[Weight, ...]] = Kept(64)


def freeze(issue: Issue, now: datetime) -> Freeze:
    """Fix everything the letter is made from. The same inputs as in a freeze that still holds give that one again.

    The letter is rehearsed, so a design that would fail at the send is never approved. Raises as `rehearse`.
    """
    inputs = live(issue)
    rehearse(inputs)
    canonical, mark = inputs.canonical(), inputs.fingerprint
    same = Freeze.objects.filter(issue=issue, fingerprint=mark, voided_at=None).first()
    return same or Freeze.objects.create(issue=issue, fingerprint=mark, inputs=canonical, created_at=now)


def frozen(issue: Issue) -> Frozen:
    """The inputs of the issue's letters: its freeze's when it has one, else the present ones.

    Raises `IssueError` when the freeze was voided, tampered with, or made under other versions.
    """
    row = issue.freeze
    if row is None:
        return live(issue)
    where = _name(issue)
    if row.voided_at is not None:
        raise IssueError(
            sentence("The approval of this issue is void."), where=where, hint=sentence("Approve it again.")
        )
    found = thaw(row.inputs, row.fingerprint, where)
    require_same_versions(found, where)
    return found


def issue_content(issue: Issue) -> IssueContent:
    """What the issue says: as frozen, or as its rows say now."""
    return frozen(issue).content


def subject_of(issue: Issue) -> str:
    """The subject as an editor typed it or as approval froze it; "" for a draft that has only suggestions."""
    if issue.subject or issue.freeze is None:
        return issue.subject
    # Of any versions: what went out under older ones still has its subject.
    return thaw(issue.freeze.inputs, issue.freeze.fingerprint, _name(issue)).content.issue.subject


def compiler(issue: Issue, **options: Any) -> Compiler:
    """The one thing that renders this issue's letters. `options` go to `Compiler` (bounds, self-checks)."""
    return build(frozen(issue), **options)


def build(inputs: Frozen, **options: Any) -> Compiler:
    """A compiler of these inputs and nothing else."""
    return compiler_of(inputs.content, inputs.design, inputs.base_url, **options)


def compiler_of(content: IssueContent, design: Design, base_url: str, **options: Any) -> Compiler:
    """The same, of those inputs alone that a letter's words and looks are made from."""
    links = {"unsubscribe_url": unsubscribe_prefix(base_url), "preferences_url": preferences_prefix(base_url)}
    return Compiler(design, build_context(content, design.tokens), links=links, **options)


@contextmanager
def shared(inputs: Frozen) -> Iterator[Compiler]:
    """The compiler of these inputs that the pages of this process share: what one of them compiled, the next only
    fills. It serves one thread at a time.
    """
    built, lock = _SHARED.get(inputs.fingerprint, lambda: (build(inputs), Lock()))
    with lock:
        yield built


def rehearse(inputs: Frozen, compiler: Compiler | None = None) -> Rendered:
    """Render sample readers the way a send does: nobody in particular, one who wants everything, one who says a lot.

    Returns the letter of the second, whose unsubscribe link is `sample_url`. Raises `DesignError` when the letter can't
    be rendered, `TraceError` when it can't be compiled exactly, `LetterMismatchError` when that differs. `compiler` is
    that of the inputs where there is one already.
    """
    content = inputs.content
    sample = _sample(inputs)
    placed = content.placed
    talkative = replace(
        sample,
        name="Ada Grace Lovelace",
        language=content.language,
        # One rubric that the issue has: what happens to the other reviews is asked too.
        topics=tuple(sorted(item.rubric for item in placed if item.rubric)[:1]),
        attributes={"city": "Lisbon"},
        joined_on=date(2024, 2, 29),
    )
    compiler = compiler or build(inputs)
    shown = [compiler.render(reader) for reader in (NEUTRAL, sample, talkative)]
    return shown[1]


def weigh(inputs: Frozen) -> tuple[Weight, ...]:
    """What each block of the letter costs that `rehearse` returns, the heaviest first. Raises `DesignError`."""
    return _WEIGHED.get(inputs.fingerprint, lambda: tuple(build(inputs).weights(_sample(inputs))))


def _sample(inputs: Frozen) -> Reader:
    """One who wants everything."""
    return Reader(
        address="reader@example.org",
        name="Ada",
        unsubscribe_url=sample_url(inputs.base_url),
        preferences_url=sample_url(inputs.base_url, "p"),
        joined_on=date(2024, 12, 31),
    )


def sample_url(base_url: str, way: str = "u") -> str:
    """A link as long as a real one, to unsubscribe (or, with "p", to the preferences), that is nobody's."""
    return f"{base_url}/{way}/{'S' * 24}"


def public_html(compiler: Compiler) -> str:
    """The page that everybody may see: the letter without its personal parts."""
    return compiler.full_render(NEUTRAL).html


def live(issue: Issue, *, design: Design | None = None) -> Frozen:
    """The inputs as rows, designs and configuration say now; with `design` in another one than the newsletter wears."""
    newsletter = issue.newsletter
    base_url = str(settings.NEWSLETTER.base_url).rstrip("/")
    return Frozen(
        content=gather_content(issue, base_url),
        design=design or design_of(newsletter),
        sender=_sender(issue, newsletter),
        base_url=base_url,
        audience={"list": newsletter.mailing_list.slug, "rule": _audience(issue)},
        versions=versions(),
    )


def design_of(newsletter: Newsletter) -> Design:
    """The newsletter's design with its own tokens. Raises `DesignError`."""
    return find_design(newsletter.design, _folders(), newsletter.design_tokens)


def _audience(issue: Issue) -> dict[str, Any]:
    """The audience's rule, a segment's own rule in place of its name. Raises `IssueError`."""
    newsletter = issue.newsletter
    try:
        return audience.written_out(newsletter.mailing_list, newsletter.audience)
    except AudienceError as error:
        raise IssueError(
            str(error), where="audience", hint=sentence("Mend the rule in magazine.toml and apply it.")
        ) from error


def _folders() -> list[Path]:
    home = settings.NEWSLETTER.home
    return template_folders(Path(home) if home else None)


def _sender(issue: Issue, newsletter: Newsletter) -> Sender:
    domain = newsletter.from_address.rpartition("@")[2].lower()
    # Gmail's feedback loop wants 5 to 15 characters in the last field.
    sender_id = newsletter.magazine.slug.replace("-", "")[:15].ljust(5, "0")
    return Sender(
        from_name=newsletter.from_name,
        from_address=newsletter.from_address,
        reply_to=newsletter.reply_to,
        return_path=newsletter.return_path,
        list_id=f"{newsletter.name} <{newsletter.slug}.{domain}>",
        feedback_id=f"{issue.slot}:{newsletter.slug}:weekly:{sender_id}",
    )


def _name(issue: Issue) -> str:
    return f"{issue.newsletter.slug}/{issue.slot}"
