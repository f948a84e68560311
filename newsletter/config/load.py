"""Environment beats newsletter.toml beats default; what is unknown or of the wrong type is refused by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError

from newsletter.config.home import Home, find_home
from newsletter.config.schema import Config, Key, keys
from newsletter.config.toml import Document, nearest, write_value
from newsletter.core.errors import ConfigError

_TYPES = {"str": str, "int": int, "bool": bool, "list": list, "folder": str}
_WORDS = {
    "str": "a text in quotes",
    "int": "a whole number",
    "bool": "true or false",
    "list": "a list of texts",
    "folder": "a folder in quotes",
}
# Set by other parts than the schema: where the home is, and which database the tests use.
_OTHER_VARIABLES = frozenset({"NEWSLETTER_HOME", "NEWSLETTER_TEST_DATABASE"})


@dataclass(frozen=True, slots=True)
class Loaded:
    """A Config, the home that won (None: there is none), and where each key's value came from."""

    config: Config
    home: Home | None
    origins: Mapping[str, str]


_started: Loaded | None = None


def start(argument: str | None = None) -> Loaded:
    """Load this process's configuration and remember it for `current`. `argument` is what `--home` said.

    NEWSLETTER_HOME is set to the home that won, so that child processes agree. Raises `ConfigError`.
    """
    global _started
    home = find_home(argument, os.environ, Path.cwd())
    _started = load(home, os.environ)
    if home is not None:
        os.environ["NEWSLETTER_HOME"] = str(home.path)
    return _started


def current() -> Loaded:
    """What `start` loaded; loads by the environment and the current directory when nobody started."""
    if _started is None:
        home = find_home(None, os.environ, Path.cwd())
        return load(home, os.environ)
    return _started


def load(home: Home | None, environ: Mapping[str, str]) -> Loaded:
    """Read one home's configuration. Raises `ConfigError` naming file, line and key."""
    document = _read_document(home)
    values: dict[str, Any] = {"home": home.path if home else None}
    origins: dict[str, str] = {}
    for key in keys():
        found = _from_environment(key, environ) or _from_document(key, document)
        if found is None and key.attribute in ("secret_key", "previous_secret_keys") and home is not None:
            found = _from_secret_file(home, key)
        value, origin = found if found is not None else (key.default, "default")
        values[key.attribute] = _settled(key, value, origin, home)
        origins[key.dotted] = origin
    return Loaded(Config(**values), home, origins)


def unknown_variables(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """NEWSLETTER_* variables close to one that we read, with that one: most likely a slip of the pen.

    Others may well be secrets that an account names, so they are no error.
    """
    known = {key.variable for key in keys()} | {f"{key.variable}_FILE" for key in keys() if key.secret}
    known |= _OTHER_VARIABLES
    slips = []
    for name in sorted(environ):
        if name.startswith("NEWSLETTER_") and name not in known:
            close = get_close_matches(name, sorted(known), n=1, cutoff=0.85)
            slips += [(name, close[0])] if close else []
    return slips


def commented_toml(overrides: Mapping[str, str | int | bool] | None = None) -> str:
    """A newsletter.toml with each key, its help and default, commented out; `overrides` (by dotted name) are not."""
    overrides = overrides or {}
    lines = [
        "# newsletter.toml: this installation. Newsletters, sources and schedules are in magazine.toml.",
        "# A line without # in front of its key counts. The variable in brackets beats the line.",
    ]
    section = ""
    for key in keys():
        if not key.in_file:
            continue
        if key.section != section:
            section = key.section
            lines += ["", f"[{section}]"]
        lines += ["", *_wrapped(f"{key.help} [{key.variable}]")]
        if key.dotted in overrides:
            lines.append(f"{key.name} = {write_value(overrides[key.dotted])}")
        else:
            lines.append(f"# {key.name} = {write_value(key.default)}")
    return "\n".join(lines) + "\n"


def _read_document(home: Home | None) -> Document:
    if home is None:
        return Document("", "newsletter.toml")
    try:
        text = home.config_file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            "The file can't be read: it is not UTF-8 text.", where=str(home.config_file), hint="Save it as UTF-8."
        ) from error
    except OSError as error:
        raise ConfigError(f"The file can't be read: {error.strerror}.", where=str(home.config_file)) from error
    document = Document(text, str(home.config_file))
    _refuse_unknown(document)
    return document


def _refuse_unknown(document: Document) -> None:
    sections: dict[str, list[str]] = {}
    for key in keys():
        sections.setdefault(key.section, []).append(key.name)
    tables = [section for section in sections if section]
    for name, value in document.data.items():
        if name in tables:
            if not isinstance(value, dict):
                raise ConfigError(
                    f'"{name}" is a section.', where=document.where((name,)), hint=f"Write: [{name}] on its own line"
                )
            for inner in value:
                if inner not in sections[name]:
                    _refuse_key(document, (name, inner), sections[name])
        elif name not in sections[""]:
            _refuse_key(document, (name,), [*sections[""], *tables])


def _refuse_key(document: Document, path: tuple[str, ...], known: list[str]) -> None:
    raise ConfigError(f'There is no key "{".".join(path)}".', where=document.where(path), hint=nearest(path[-1], known))


def _from_environment(key: Key, environ: Mapping[str, str]) -> tuple[Any, str] | None:
    # An empty variable counts as not set: compose files and unit files leave them behind.
    text = environ.get(key.variable)
    if text:
        return _parsed(key, text, key.variable), key.variable
    named = environ.get(f"{key.variable}_FILE") if key.secret else None
    if named:
        origin = f"{key.variable}_FILE"
        try:
            text = Path(named).read_text(encoding="utf-8").strip()
            return (tuple(text.split()) if key.type == "list" else text), origin
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"The file that {origin} names can't be read: {error}.", where=named) from error
    return None


def _parsed(key: Key, text: str, where: str) -> Any:
    """A variable's text as the key's type. Raises `ConfigError`: "yes", "1" and "8k" are not guessed at."""
    if key.type == "list":
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if key.type == "bool":
        if text.lower() not in ("true", "false"):
            raise ConfigError(f'"{text}" is neither true nor false.', where=where)
        return text.lower() == "true"
    if key.type == "int":
        try:
            return int(text)
        except ValueError as error:
            raise ConfigError(f'"{text}" is not a whole number.', where=where) from error
    return text


def _from_document(key: Key, document: Document) -> tuple[Any, str] | None:
    table = document.data.get(key.section, {}) if key.section else document.data
    if key.name not in table:
        return None
    value = table[key.name]
    path = (key.section, key.name) if key.section else (key.name,)
    where = document.where(path)
    if not key.in_file:
        raise ConfigError(
            f'"{key.dotted}" has no place in this file, which is shown and copied.',
            where=where,
            hint=f"Keep it in the home's secret.key, in {key.variable}, or in the file that {key.variable}_FILE names.",
        )
    # In Python True is an int; in a port it is a mistake.
    right = isinstance(value, _TYPES[key.type]) and not (key.type == "int" and isinstance(value, bool))
    if key.type == "list":
        right = right and all(isinstance(item, str) for item in value)
    if not right:
        raise ConfigError(f'"{key.dotted}" must be {_WORDS[key.type]}, not {write_value(value)}.', where=where)
    return (tuple(value) if key.type == "list" else value), where


def _from_secret_file(home: Home, key: Key) -> tuple[Any, str] | None:
    """The first line signs; those below it did so before."""
    try:
        lines = home.secret_file.read_text(encoding="utf-8").strip().splitlines() or [""]
        before = tuple(line.strip() for line in lines[1:] if line.strip())
        return (before if key.type == "list" else lines[0].strip()), str(home.secret_file)
    except FileNotFoundError:
        return None  # a check says so, and how to make one
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The secret key can't be read: {error}.", where=str(home.secret_file)) from error


def _settled(key: Key, value: Any, origin: str, home: Home | None) -> Any:
    """`value` within the key's limits, folders made absolute. Raises `ConfigError`."""
    if key.choices and value not in key.choices:
        raise ConfigError(
            f'"{key.dotted}" can\'t be {write_value(value)}.', where=origin, hint=nearest(value, key.choices)
        )
    if key.type == "int" and not (key.at_least or 0) <= value <= (key.at_most or value):
        raise ConfigError(f'"{key.dotted}" must be from {key.at_least} to {key.at_most}, not {value}.', where=origin)
    if key.type == "folder":
        folder = Path(value).expanduser()
        return folder if home is None else (home.path / folder).resolve()
    if key.attribute == "base_url":
        return _base_url(value, origin)
    if key.attribute == "studio_language":
        return _language(value, origin)
    if key.attribute == "database_url":
        _check_database_url(value, origin)
    return value


def _base_url(value: str, origin: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username or any(c.isspace() for c in value):
        raise ConfigError(
            f'"base_url" must be an address like https://news.example.org, not {write_value(value)}.', where=origin
        )
    if parts.path.strip("/"):
        raise ConfigError(
            f'"base_url" must have no path ({parts.path}).', where=origin, hint="Give the newsletter a host of its own."
        )
    return value.rstrip("/")


def _language(value: str, origin: str) -> str:
    """The tag as the standards write it ("pt-BR"). Raises `ConfigError` for a language that nobody knows."""
    try:
        return str(Locale.parse(value.strip(), sep="_" if "_" in value else "-")).replace("_", "-")
    except (ValueError, UnknownLocaleError) as error:
        raise ConfigError(
            f'"studio.language" can\'t be {write_value(value)}.',
            where=origin,
            hint='Write the tag of a language that Unicode knows, like "en", "nl", "pt-BR" or "zh-Hans".',
        ) from error


def _check_database_url(value: str, origin: str) -> None:
    scheme = value.partition(":")[0]
    if value and scheme not in ("sqlite", "postgres", "postgresql"):
        # The value itself may hold a password: only the scheme is repeated.
        raise ConfigError(
            f'The database can\'t be "{scheme}".',
            where=origin,
            hint="Use postgresql://... or leave it empty for SQLite.",
        )


def _wrapped(text: str) -> list[str]:
    lines, line = [], "#"
    for word in text.split():
        if len(line) + 1 + len(word) > 100:
            lines.append(line)
            line = "#"
        line += f" {word}"
    return [*lines, line]
