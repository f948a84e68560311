"""The product: gather, issue, compile, deliver, report. Read these five in order; `run_week` is all of them."""

from __future__ import annotations

import time
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
    sleep: Callable[[float], object] = time.sleep,
) -> WeekReport:
    """Do whatever is due at `now`, and nothing twice: any number of crons, clocks and people may call it at once.

    `clock` tells the time while a long send goes on (by default it stands at `now`); `environ` holds the accounts'
    secrets; `stopping` is asked between two messages, and `sleep` waits for a provider that is away. What one
    source, newsletter or issue does wrong is in the report. Raises `ConfigError` when nothing can be done at all.
    """
    # Imported here: whoever needs one stage (`apply`, a page) should not wait for all of them.
    from newsletter.flow import week
    from newsletter.flow.deliver import Installation, unfinished
    from newsletter.models import Newsletter

    report = week.WeekReport(now)
    way_out = week.WayOut(clock or (lambda: now), Installation.of(config, environ), stopping, sleep)
    week.serve_readers(report, way_out, config)
    week.gather_due(report, config=config, fetcher=fetcher)
    for newsletter in Newsletter.objects.order_by("pk"):
        with week.alone(report, newsletter.slug):
            week.decide_newsletter(report, newsletter, way_out.begin)
    for issue in unfinished(now):
        with week.alone(report, f"{issue.newsletter.slug}/{issue.slot}"):
            week.deliver_issue(report, issue, way_out)
    week.tell_editors(report, config)
    return report
