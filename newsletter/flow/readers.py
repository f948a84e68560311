"""What readers wait for: forms become confirmations, service mails leave. The clock, `week` and `service` call it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from newsletter.config.schema import Config
from newsletter.flow import service, signup
from newsletter.flow.deliver import Installation
from newsletter.flow.domain import Dns, Resolver

LOOK_UP_SECONDS = 20.0
"""For the DNS in one pass: a server that says nothing must not hold up those who wait."""


def serve(
    config: Config,
    installation: Installation,
    composer: service.Composer,
    *,
    clock: Callable[[], datetime],
    stopping: Callable[[], bool] = lambda: False,
    resolver: Resolver | None = None,
) -> tuple[signup.Worked, service.Outcome]:
    """Work off the forms that wait, then send the service mails that are due. Raises nothing for one form or mail.

    `resolver` stands in for the machine's own, which is asked only where the configuration says so.
    """
    if resolver is None and config.signup_look_up:
        resolver = Dns(seconds=LOOK_UP_SECONDS)
    worked = signup.work_off(
        clock=clock,
        keys=installation.keys,
        base_url=config.base_url,
        mails_per_hour=config.signup_mails_per_hour,
        resolver=resolver,
        stopping=stopping,
    )
    return worked, service.deliver_due(composer, installation, clock=clock, stopping=stopping)
