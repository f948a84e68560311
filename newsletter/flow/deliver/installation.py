"""What sending needs to know of where it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from newsletter.config.schema import Config
from newsletter.core.account import AccountRules
from newsletter.core.errors import ConfigError
from newsletter.core.sentence import sentence
from newsletter.core.tokens import Keys
from newsletter.journal import Entry, read
from newsletter.models import Account
from newsletter.providers import build
from newsletter.providers.base import Provider
from newsletter.providers.dialogue import Dialogue


@dataclass(frozen=True, slots=True)
class Installation:
    """The keys of readers' links, the folder of the outbox, and where accounts find their secrets."""

    keys: Keys
    outbox: Path
    environ: Mapping[str, str]
    home: Path | None = None
    strict_journal: bool = False
    unsubscribe_by_mail: bool = False

    @property
    def journal_folder(self) -> Path | None:
        """Where workers keep what they have on the wire; None without a home: then nobody can ask a dead one."""
        return self.home / "journal" if self.home else None

    def read_journal(self, owner: str, kind: str, number: int, fence: int) -> Mapping[int, Entry] | None:
        """What the journal of a dead worker says of one of its claims."""
        return read(self.journal_folder, owner, kind, number, fence)

    @classmethod
    def of(cls, config: Config, environ: Mapping[str, str]) -> Installation:
        """The installation that `config` describes. Raises `ConfigError` when it has no secret yet."""
        if not config.secret_key:
            raise ConfigError(
                sentence("There is no secret key to sign links with."), hint=sentence("Type: newsletter init DIR")
            )
        return cls(
            config.token_keys,
            config.outbox_folder,
            environ,
            config.home,
            config.journal == "strict",
            config.bounces_unsubscribe,
        )

    def provider(self, account: Account, dialogue: Dialogue | None = None) -> Provider:
        """The account's way out, not connected yet; what is said over it is written into `dialogue`. Raises
        `ConfigError`.
        """
        _, settings = AccountRules.split(account.settings, where=f"account {account.name}")
        return build(
            account.kind, settings, folder=self.outbox, environ=self.environ, home=self.home, dialogue=dialogue
        )
