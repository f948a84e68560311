"""Ways out. `build` turns an account's kind and settings into a provider; nothing here touches the database."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from newsletter.core.errors import ConfigError
from newsletter.core.sentence import sentence
from newsletter.providers.base import Provider
from newsletter.providers.dialogue import Dialogue

KINDS = ("outbox", "smtp", "esp", "memory")


def build(
    kind: str,
    settings: Mapping[str, Any],
    *,
    folder: Path,
    environ: Mapping[str, str],
    home: Path | None = None,
    dialogue: Dialogue | None = None,
) -> Provider:
    """The provider of an account: one instance for one worker, not connected yet.

    `settings` is the account's table; a secret is never in it, only the name of the variable (`password_env`, looked up
    in `environ`) or the file (`password_file`, relative to `home`) that holds it. `folder` is where an outbox writes
    when its settings name no folder. What a server and we say to each other is written into `dialogue`, without its
    secrets; an outbox has nobody to talk to. Raises `ConfigError` for an unknown kind, an unknown or missing key, or a
    secret that is not there.
    """
    # Imported here: a week into the outbox needs neither anymail nor requests.
    if kind == "outbox":
        from newsletter.providers.outbox import OutboxProvider

        return OutboxProvider.from_settings(settings, folder=folder)
    if kind == "smtp":
        from newsletter.providers.smtp import SmtpProvider

        return SmtpProvider.from_settings(settings, environ=environ, home=home, dialogue=dialogue)
    if kind == "esp":
        from newsletter.providers.esp import EspProvider

        return EspProvider.from_settings(settings, environ=environ, home=home, dialogue=dialogue)
    if kind == "memory":
        from newsletter.providers.memory import MemoryProvider

        return MemoryProvider.from_settings(settings)
    raise ConfigError(
        sentence('There is no kind of account called "{kind}".', kind=kind),
        hint=sentence("Known here: {kinds}.", kinds=", ".join(KINDS)),
    )
