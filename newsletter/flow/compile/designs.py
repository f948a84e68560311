"""Finding a design: its folder under `email/` in the magazine's own templates, then in ours."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from newsletter.core.errors import DesignError
from newsletter.core.kept import Kept
from newsletter.core.letter import Design
from newsletter.core.sentence import sentence, together

PARTS = "_parts"
SETTINGS = "design.toml"
SERVICE_LETTER = {"letter.mjml": "service.mjml", "letter.txt": "service.txt"}
SERVICE = frozenset(SERVICE_LETTER.values())
_TITLE = re.compile(r"^name\s*=.*$", re.MULTILINE)
MAX_FILE = 256 * 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)
_SUFFIXES = frozenset({".mjml", ".txt", ".css", ".html"})
_FOLDERS: Kept[tuple[object, ...], dict[str, str]] = Kept(32)
"""Files as they were read: a page that shows a letter at every key would else read them all each time."""


def find_design(
    name: str, folders: Iterable[Path], tokens: dict[str, Any] | None = None, *, service: bool = False
) -> Design:
    """The design `name`; `folders` are template folders, the first that has a file wins, file by file.

    So a magazine changes one file of ours by putting its own under the same name. `tokens` are the newsletter's own
    values, on top of the design's. With `service` its service letter stands in place of the issue's: the design's own
    `service.mjml` and `service.txt`, or those that all designs share.

    Raises `DesignError` for an unknown design, a missing or unreadable file, a faulty design.toml, or a token that the
    design does not have.
    """
    folders = [folder / "email" for folder in folders]
    if not _NAME.fullmatch(name):
        raise DesignError(
            sentence('"{name}" is not the name of a design.', name=name), hint=sentence("Letters, digits and dashes.")
        )
    files: dict[str, str] = {}
    for folder in reversed(folders):
        files |= _files(folder / name, "")
        files |= _files(folder / PARTS, f"{PARTS}/")
    settings: dict[str, Any] = {}
    for folder in reversed(folders):
        settings = _settings(folder / name / SETTINGS, settings)
    if not any((folder / name).is_dir() for folder in folders):
        raise _unknown(name, folders)
    if service:
        files = _service_files(files, name)
    else:
        # How a letter is cut into blocks depends on every file of its design: what it never includes stays out.
        files = {file: text for file, text in files.items() if file.rpartition("/")[2] not in SERVICE}
    own = settings.get("tokens", {})
    unknown = sorted(set(tokens or {}) - set(own))
    if unknown:
        raise DesignError(
            sentence('The design has no token "{unknown}".', unknown=unknown[0]),
            file=f"{name}/{SETTINGS}",
            hint=sentence("It has: {own}.", own=", ".join(sorted(own))),
        )
    return Design(f"{name}-service" if service else name, files, own | (tokens or {}))


def _service_files(files: dict[str, str], name: str) -> dict[str, str]:
    found = dict(files)
    for letter, wanted in SERVICE_LETTER.items():
        text = files.get(wanted, files.get(f"{PARTS}/{wanted}"))
        if text is None:
            raise DesignError(
                sentence("There is no {wanted}.", wanted=wanted),
                file=f"{name}/{wanted}",
                hint=sentence("Reinstall newsletter."),
            )
        found[letter] = text
    return found | {"subject.txt": "{{ mail.subject }}"}


def design_names(folders: Iterable[Path]) -> list[str]:
    """The designs that there are in these template folders."""
    return _names([folder / "email" for folder in folders])


def contrast_pairs(name: str, folders: Iterable[Path]) -> list[list[str]] | None:
    """Which token is read on which, as the design's own settings say; None where they don't. Raises `DesignError`."""
    settings: dict[str, Any] = {}
    for folder in reversed([folder / "email" for folder in folders]):
        settings = _settings(folder / name / SETTINGS, settings)
    pairs = settings.get("contrast")
    if pairs is None:
        return None
    if not isinstance(pairs, list) or not all(isinstance(pair, list) for pair in pairs):
        raise DesignError(sentence('"contrast" must be a list of pairs.'), file=f"{name}/{SETTINGS}")
    return [[str(each) for each in pair] for pair in pairs]


def new_design(name: str, source: str, folders: Iterable[Path], target: Path) -> list[Path]:
    """Copy the design `source` to a new folder `target`/email/`name`, as it is with the home's own files; the parts
    that all designs share stay shared. Returns the files. Raises `DesignError` for a name that is taken or is none.
    """
    folders = list(folders)
    roots = [folder / "email" for folder in folders]
    if not _NAME.fullmatch(name):
        raise DesignError(
            sentence('"{name}" is not the name of a design.', name=name),
            hint=sentence("Small letters, digits and dashes."),
        )
    if name in _names(roots):
        raise DesignError(
            sentence('There is a design "{name}" already.', name=name), hint=sentence("Choose another name.")
        )
    if source not in _names(roots):
        raise _unknown(source, roots)
    files: dict[str, Path] = {}
    for root in reversed(roots):
        if (root / source).is_dir():
            wanted = (path for path in sorted((root / source).iterdir()) if path.is_file())
            files |= {path.name: path for path in wanted if path.suffix in {*_SUFFIXES, ".toml"}}
    folder = target / "email" / name
    folder.mkdir(parents=True)
    made = []
    for file, path in sorted(files.items()):
        text = _read(path)
        if file == SETTINGS:
            text = _TITLE.sub(f'name = "{name.replace("-", " ").capitalize()}"', text, count=1)
        (folder / file).write_text(text, encoding="utf-8")
        made.append(folder / file)
    return made


def _names(roots: Iterable[Path]) -> list[str]:
    found = {path.name for root in roots if root.is_dir() for path in root.iterdir() if path.is_dir()}
    return sorted(found - {PARTS})


def _unknown(name: str, roots: Iterable[Path]) -> DesignError:
    known = _names(roots)
    near = get_close_matches(name, known, n=1)
    meant = sentence("Did you mean {near}?", near=near[0]) if near else ""
    return DesignError(
        sentence('There is no design "{name}".', name=name),
        hint=together(
            meant, sentence("Known: {names}.", names=", ".join(known)) if known else sentence("Known: none.")
        ),
    )


def picture_width(name: str, folders: Iterable[Path], default: int = 1200) -> int:
    """How wide the pictures of this design are fetched, in pixels."""
    for folder in folders:
        width = _settings(folder / "email" / name / SETTINGS, {}).get("picture_width")
        if isinstance(width, int) and not isinstance(width, bool) and 100 <= width <= 4000:
            return width
    return default


def _files(folder: Path, prefix: str) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    paths = [path for path in sorted(folder.iterdir()) if path.is_file() and path.suffix in _SUFFIXES]
    texts = _FOLDERS.get(
        (folder, *[_state(path) for path in paths]), lambda: {path.name: _read(path) for path in paths}
    )
    return {f"{prefix}{name}": text for name, text in texts.items()}


def _state(path: Path) -> tuple[object, ...]:
    """What tells a file from the one that stood there before: of a link, where it leads to and what is there."""
    found = path.stat()
    target = str(path.readlink()) if path.is_symlink() else ""
    return path.name, target, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _guard(path: Path) -> None:
    """A design reads nothing but its own files: one that came from elsewhere must not print the home's secrets."""
    folder = path.parent
    real = path.resolve()
    if not any(real.is_relative_to(root.resolve()) for root in (folder, folder.parent)):
        raise DesignError(
            sentence("This file is a link that leads out of the templates."),
            file=f"{folder.name}/{path.name}",
            hint=sentence("Put a copy in its place."),
        )
    if real.stat().st_size > MAX_FILE:
        raise DesignError(
            sentence("This file is larger than {max_file} KB.", max_file=MAX_FILE // 1024),
            file=f"{folder.name}/{path.name}",
        )


def _settings(path: Path, below: dict[str, Any]) -> dict[str, Any]:
    if not path.is_file():
        return below
    try:
        found = tomllib.loads(_read(path))
    except tomllib.TOMLDecodeError as error:
        raise DesignError(
            sentence("This is not TOML: {error}.", error=error), file=f"{path.parent.name}/{path.name}"
        ) from error
    if not isinstance(found.get("tokens", {}), dict):
        raise DesignError(sentence('"tokens" must be a table.'), file=f"{path.parent.name}/{path.name}")
    return {**below, **found, "tokens": below.get("tokens", {}) | found.get("tokens", {})}


def _read(path: Path) -> str:
    try:
        _guard(path)
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else sentence("it is not UTF-8 text")
        raise DesignError(
            sentence("The file can't be read: {reason}.", reason=reason), file=f"{path.parent.name}/{path.name}"
        ) from error
