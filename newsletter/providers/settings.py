"""An account's settings, read strictly: what is unknown or of the wrong type is refused by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from newsletter.core.account import KEYS
from newsletter.core.errors import ConfigError
from newsletter.core.sentence import sentence


class Settings:
    """One account's table. Each getter raises `ConfigError` naming the account's kind and the key."""

    def __init__(self, kind: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
        """Refuses keys that are not in `known`."""
        self._where = f"account ({kind})"
        self._table = table
        known = sorted(known)
        for key in table:
            if key not in known:
                # An account's rules stand in the same table, and may be what was meant.
                near = get_close_matches(key, [*known, *sorted(KEYS)], n=1)
                hint = (
                    sentence('Did you mean "{near}"?', near=near[0])
                    if near
                    else sentence("Known here: {known}.", known=", ".join(known))
                )
                raise ConfigError(sentence('There is no setting "{key}".', key=key), where=self._where, hint=hint)

    def text(self, key: str, default: str | None = None, *, choices: tuple[str, ...] = ()) -> str:
        """A text; needed when there is no default."""
        value = self._table.get(key, default)
        if value is None:
            raise ConfigError(sentence('The setting "{key}" is missing.', key=key), where=self._where)
        if not isinstance(value, str) or (default is None and not value):
            raise ConfigError(
                sentence('The setting "{key}" is {value}; it takes a text.', key=key, value=repr(value)),
                where=self._where,
            )
        if choices and value not in choices:
            raise ConfigError(
                sentence('The setting "{key}" is "{value}".', key=key, value=value),
                where=self._where,
                hint=sentence("One of: {choices}.", choices=", ".join(choices)),
            )
        return value

    def number(self, key: str, default: float, *, at_least: float, at_most: float) -> float:
        """A number within bounds."""
        value = self._table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not at_least <= value <= at_most:
            raise ConfigError(
                sentence(
                    'The setting "{key}" is {value}; it takes a number from {at_least} to {at_most}.',
                    key=key,
                    value=repr(value),
                    at_least=f"{at_least:g}",
                    at_most=f"{at_most:g}",
                ),
                where=self._where,
            )
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Yes or no."""
        value = self._table.get(key, default)
        if not isinstance(value, bool):
            raise ConfigError(
                sentence('The setting "{key}" is {value}; it takes true or false.', key=key, value=repr(value)),
                where=self._where,
            )
        return value

    def table(self, key: str) -> dict[str, Any]:
        """A table of further settings; {} when left out."""
        value = self._table.get(key, {})
        if not isinstance(value, Mapping):
            raise ConfigError(
                sentence('The setting "{key}" is {value}; it takes a table.', key=key, value=repr(value)),
                where=self._where,
            )
        return dict(value)

    def secret(self, name: str, environ: Mapping[str, str], home: Path | None) -> str:
        """The secret that `<name>_env` (a variable) or `<name>_file` (relative to `home`) points to; "" for neither.

        A file's last line end is not part of the secret. No message ever holds the secret.
        """
        variable, file = self.text(f"{name}_env", ""), self.text(f"{name}_file", "")
        if variable and file:
            raise ConfigError(sentence('Give "{name}_env" or "{name}_file", not both.', name=name), where=self._where)
        if variable:
            if not environ.get(variable):
                raise ConfigError(
                    sentence("The variable {variable} is not set.", variable=variable),
                    where=self._where,
                    hint=sentence('"{name}_env" says that it holds the {name}.', name=name),
                )
            return environ[variable]
        if file:
            path = home / file if home else Path(file)
            try:
                found = path.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                raise ConfigError(
                    sentence("The file {path} can't be read: {reason}.", path=path, reason=reason), where=self._where
                ) from error
            if not found:
                raise ConfigError(
                    sentence("The file {path} is empty.", path=path),
                    where=self._where,
                    hint=sentence("It should hold the {name}.", name=name),
                )
            return found
        return ""
