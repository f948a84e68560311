"""The three steps of a beginner, and how far they are: a source, a design, the first mail seen."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.models import Event, Issue, Newsletter, Source, TestMail


@dataclass(frozen=True, slots=True)
class Steps:
    """How far the first run is. `sample` is the last test mail that got through."""

    newsletter: Newsletter | None
    source: bool
    design: bool
    sample: TestMail | None
    sent: bool

    @property
    def finished(self) -> bool:
        """Whether nobody needs to be led any more: a mail was seen, or an issue began to go out by another way."""
        return self.source and (self.sent or self.sample is not None)

    @property
    def number(self) -> int:
        """How many of the three are done."""
        return sum((self.source, self.design, self.sample is not None))


def steps() -> Steps:
    """Where the magazine's first newsletter stands."""
    newsletter = Newsletter.objects.select_related("account", "magazine").order_by("pk").first()
    source = Source.objects.filter(removed_at=None).exists()
    if newsletter is None:
        return Steps(None, source, design=False, sample=None, sent=False)
    tests = TestMail.objects.filter(issue__newsletter=newsletter, error="").select_related("issue__newsletter__account")
    return Steps(
        newsletter,
        source,
        design=Event.objects.filter(newsletter=newsletter, kind="design chosen").exists(),
        sample=tests.order_by("-pk").first(),
        sent=Issue.objects.filter(newsletter=newsletter, started_at__isnull=False).exists(),
    )
