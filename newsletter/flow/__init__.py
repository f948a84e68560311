"""The product: gather, issue, compile, deliver, report. Read these five in order; `run_week` is all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newsletter.config.schema import Config
    from newsletter.flow.week import WeekReport
    from newsletter.sources.fetch import Fetcher


def run_week(
    now: datetime,
    *,
    config: Config,
    environ: Mapping[str, str],
    clock: Callable[[], datetime] | None = None,
    fetcher: Fetcher | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> WeekReport:
    """Do whatever is due at `now`, and nothing twice: any number of crons, clocks and people may call it at once.

    `clock` tells the time while a long send goes on (by default it stands at `now`); `environ` holds the accounts'
    secrets; `stopping` is asked between two messages. Never raises for what one source, newsletter or issue does: it is
    in the report. Raises `ConfigError` when nothing at all can be done.
    """
    # Imported here: whoever needs one stage (`apply`, a page) should not wait for all of them.
    from newsletter.flow import week
    from newsletter.flow.deliver import unfinished
    from newsletter.models import Newsletter

    report = week.WeekReport(now)
    installation = week.installation_from(config, environ)
    week.gather_due(report, config=config, fetcher=fetcher)
    for newsletter in Newsletter.objects.order_by("pk"):
        with week.alone(report, newsletter.slug):
            week.decide_newsletter(report, newsletter)
    for issue in unfinished(now):
        with week.alone(report, f"{issue.newsletter.slug}/{issue.slot}"):
            week.deliver_issue(
                report, issue, clock=clock or (lambda: now), installation=installation, stopping=stopping
            )
    return report
