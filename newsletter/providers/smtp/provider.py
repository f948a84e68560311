"""The way out: settings, and an engine for them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from newsletter.providers.base import Dispatch
from newsletter.providers.dialogue import Dialogue
from newsletter.providers.smtp.engine import Engine
from newsletter.providers.smtp.settings import SmtpSettings, read


class SmtpProvider:
    """A few connections, opened when first needed and again when the server has closed them."""

    kind = "smtp"
    # The loop looks up every half second; only the look-up of the host's name waits, for the system's resolver.
    longest_silence = 30.0

    def __init__(self, settings: SmtpSettings, dialogue: Dialogue | None = None) -> None:
        """Does not connect."""
        self.settings = settings
        if dialogue is not None:
            user, password = settings.username, settings.password
            dialogue.hide(password, f"\0{user}\0{password}" if user else "")
        self._engine = Engine(settings, dialogue)

    @classmethod
    def from_settings(
        cls,
        settings: Mapping[str, Any],
        *,
        environ: Mapping[str, str],
        home: Path | None = None,
        dialogue: Dialogue | None = None,
    ) -> SmtpProvider:
        """The keys are those of the account's table: see `settings.read`. Raises `ConfigError`."""
        return cls(read(settings, environ=environ, home=home), dialogue)

    def open(self) -> None:
        """Connect, greet, encrypt and log in, as far as the settings ask. Raises `ProviderError`."""
        self._engine.connect()

    def run(self, dispatch: Dispatch) -> None:
        """Keep every connection busy until the dispatch has no more. An address or a size that the server could never
        take is REFUSED without asking it.
        """
        self._engine.run(dispatch)

    def close(self) -> None:
        """QUIT where the server still listens."""
        self._engine.close()
