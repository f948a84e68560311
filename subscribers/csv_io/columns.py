"""Which column is what: our own export's names, those of the common services, and what a mapping says."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from subscribers.address import parse
from subscribers.csv_io.cells import unguard
from subscribers.csv_io.records import DELIMITERS, split
from subscribers.errors import AddressError, ImportFileError

# What a column means -> the headers that mean it, in the shape that `_plain` gives them.
_NAMES: dict[str, tuple[str, ...]] = {
    "email": ("email", "e mail", "email address", "e mail address", "mail", "address", "subscriber email", "adresse",
              "e mail adresse", "adresse e mail", "courriel", "correo", "correo electrónico", "indirizzo email"),
    "name": ("name", "full name", "display name", "nom complet", "nombre completo", "nome completo"),
    "first name": ("first name", "firstname", "given name", "fname", "vorname", "prénom", "nombre"),
    "last name": ("last name", "lastname", "surname", "family name", "lname", "nachname", "apellido", "apellidos",
                  "cognome"),
    "language": ("language", "lang", "locale", "sprache", "langue", "idioma", "lingua"),
    "topics": ("topics", "topic", "interests", "themen", "rubrics"),
    "status": ("status", "state"),
    # A date in one of these says what became of the person.
    "unsubscribed at": ("unsubscribed at", "unsub time"),
    "cleaned at": ("clean time", "cleaned at"),
    "deleted at": ("deleted at",),
    # "true" or "false".
    "wants mail": ("subscribed to emails", "subscribed"),
    "mail off": ("email disabled",),
    "plain text": ("plain text",),
    # When they agreed: kept as proof, and as the dates of the subscription.
    "joined": ("joined at", "joined", "optin time", "subscribed at", "created at", "signup date", "date added",
               "angemeldet am", "date d'inscription"),
    "confirmed": ("confirmed at", "confirm time", "confirmed"),
    # Only in our own export.
    "subscription": ("subscription",),
    "changed": ("state at",),
    "accepted": ("last accepted at",),
    "refusals": ("refusals in row",),
    "frequency": ("frequency",),
    "paused": ("paused until",),
    "attributes": ("attributes",),
    "consent": ("consent",),
}  # fmt: skip
_MEANINGS = {name: meaning for meaning, names in _NAMES.items() for name in names}
_WITHOUT_HEADER = ("email", "name", "language", "topics")
# What a mapping may name; an attribute as "attributes.KEY".
MAPPABLE = ("email", "name", "first name", "last name", "language", "topics", "status", "joined", "confirmed",
            "unsubscribed at", "cleaned at", "wants mail", "mail off", "attributes")  # fmt: skip
# What says who left: never left aside, or people who left would come in as readers.
STOPPING = ("status", "subscription", "unsubscribed at", "cleaned at", "deleted at", "wants mail", "mail off")
# Where several columns mean one of these the first counts, and each is kept as proof.
_SEVERAL = ("joined", "confirmed", "unsubscribed at", "cleaned at")
# Proof beside the dates: where and how they agreed, why they left.
_PROOF = ("optin ip", "confirm ip", "ip", "ip address", "signup ip", "signup source", "unsub reason",
          "unsub reason other", "unsub campaign title", "clean campaign title", "last changed", "utm source",
          "utm medium", "utm campaign", "utm channel")  # fmt: skip

# Whose export is this: the columns that only theirs has together, and the columns of theirs that become attributes
# (those named in `_LISTS` as lists of words).
_SERVICES: tuple[tuple[str, frozenset[str], tuple[str, ...]], ...] = (
    ("newsletter", frozenset({"email", "subscription", "consent"}), ()),
    ("Mailchimp", frozenset({"email address", "leid", "euid"}), ("notes", "tags", "region", "cc", "timezone")),
    ("Substack", frozenset({"email", "active subscription", "email disabled"}), ("plan",)),
    ("Ghost", frozenset({"email", "subscribed to emails", "complimentary plan"}), ("note", "labels", "tiers")),
    ("listmonk", frozenset({"uuid", "email", "attributes", "status"}), ()),
    ("beehiiv", frozenset({"email", "status", "tier", "stripe customer id"}), ("tier",)),
    ("Curated", frozenset({"email address", "subscribed at"}), ()),
)
_LISTS = {("Mailchimp", "tags"), ("Ghost", "labels"), ("Ghost", "tiers")}


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each meaning is, by index; `width` is the number of columns, `ignored` the other headers.

    `service` is whose export it is, "" unknown. `proof` and `attributes` are (index, name) pairs, `lists` the indexes
    of those attributes that are lists of words.
    """

    at: dict[str, int]
    width: int
    ignored: tuple[str, ...] = ()
    has_header: bool = True
    service: str = ""
    proof: tuple[tuple[int, str], ...] = ()
    attributes: tuple[tuple[int, str], ...] = ()
    lists: frozenset[int] = field(default_factory=frozenset)

    def cell(self, cells: Sequence[str], meaning: str) -> str:
        """The cell of that meaning, trimmed, its guard taken off; "" where there is no such column."""
        index = self.at.get(meaning)
        return "" if index is None else self.text(cells, index)

    def text(self, cells: Sequence[str], index: int) -> str:
        """The cell at `index`, trimmed, its guard taken off; "" where the row is shorter."""
        return unguard(cells[index]).strip(" \t\r\n\u00a0\ufeff") if index < len(cells) else ""


def sniff(header: str, mapping: Mapping[str, str] | None = None) -> str:
    """The delimiter that makes the most sense of the first line."""
    known = {*_MEANINGS, *(_plain(name) for name in (mapping or {}).values())}

    def sense(delimiter: str) -> tuple[int, int]:
        cells = split(header, delimiter)
        return sum(_plain(cell) in known for cell in cells), len(cells)

    return max(DELIMITERS, key=sense)


def guesses(cells: Sequence[str]) -> list[str]:
    """What each column of a first line seems to mean, each meaning once, "" for nothing that we know; [] where the
    line holds an address, and so is no header.
    """
    if any(_is_address(cell) for cell in cells):
        return []
    found: list[str] = []
    for cell in cells:
        meaning = _MEANINGS.get(_plain(cell), "")
        found.append("" if meaning in found else meaning)
    return found


def service_of(cells: Sequence[str]) -> str:
    """Whose export a first line is of; "" unknown."""
    return _service([_plain(cell) for cell in cells])[0]


def _service(plain: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    known = frozenset(plain)
    return next(((name, columns) for name, marks, columns in _SERVICES if marks <= known), ("", ()))


def read(
    cells: Sequence[str],
    mapping: Mapping[str, str] | None = None,
    *,
    keep: bool = False,
    leave: Collection[str] = (),
) -> Columns:
    """The columns that a header names. A bare list of addresses needs no header.

    `mapping` says which header means what ({"email": "Kontakt", "attributes.city": "Ort"}), before all that we know;
    with `keep` the columns that mean nothing to us become attributes under their own names. The headers in `leave` are
    left aside, whatever they seem to mean. Raises `ImportFileError` when no column, or more than one, is the address,
    a mapping names no column, or what says who left is to be left aside.
    """
    if not mapping and any(_is_address(cell) for cell in cells):
        if not _is_address(cells[0]) or len(cells) > len(_WITHOUT_HEADER):
            raise ImportFileError("The first line has to name the columns, such as: email,name,language,topics")
        names = _WITHOUT_HEADER[: len(cells)]
        return Columns({name: index for index, name in enumerate(names)}, len(cells), has_header=False)
    plain = [_plain(cell) for cell in cells]
    at, attributes = _mapped(mapping or {}, plain)
    taken = {*at.values(), *(index for index, _ in attributes)}
    service, theirs = _service(plain)
    aside = {_plain(header) for header in leave}
    proof, lists, ignored = [], set(), []
    for index, name in enumerate(plain):
        shown = printable(unguard(cells[index])).strip()[:60]
        meaning = _MEANINGS.get(name)
        if meaning in _SEVERAL or name in _PROOF:
            proof.append((index, shown))
        if index in taken or name in _PROOF:
            continue
        if name in aside:
            if meaning in STOPPING:
                raise ImportFileError(f"The column {shown!r} says who left: it can't be left aside.")
            ignored.append(shown)
            continue
        if meaning is None or (meaning in at and mapping):
            if name in theirs or (keep and name):
                attributes.append((index, _attribute(shown)))
                lists |= {index} if (service, name) in _LISTS else set()
            else:
                ignored.append(shown)
        elif meaning not in at:
            at[meaning] = index
        elif meaning not in _SEVERAL:
            raise ImportFileError(
                f"Two columns of the first line are the {meaning}: leave one of them out, or say which with --map."
            )
    if "email" not in at:
        seen = ", ".join(repr(name) for name in ignored[:8] if name) or "none that we know"
        hint = 'Say which it is: --map email="ITS NAME".'
        raise ImportFileError(f"No column of the first line is 'email'. Its columns: {seen}. {hint}")
    return Columns(
        at,
        len(cells),
        tuple(name for name in ignored if name),
        service=service,
        proof=tuple(proof),
        attributes=tuple(attributes),
        lists=frozenset(lists),
    )


def mapping_from(pairs: Sequence[str]) -> dict[str, str]:
    """ "email=Kontakt" ... as `read` wants it. Raises `ImportFileError` for what is no such pair."""
    found: dict[str, str] = {}
    for pair in pairs:
        key, sign, header = pair.partition("=")
        meaning = key.strip().replace("_", " ") if not key.startswith("attributes.") else key.strip()
        if not sign or not header.strip():
            raise ImportFileError(f'--map takes a meaning and a header, like email="E-mail", not {pair[:60]!r}.')
        if meaning not in MAPPABLE and not (meaning.startswith("attributes.") and len(meaning) > len("attributes.")):
            near = difflib.get_close_matches(meaning, MAPPABLE, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"It knows {', '.join(MAPPABLE)} and attributes.KEY."
            raise ImportFileError(f"--map knows no {meaning[:60]!r}. {hint}")
        if meaning in found:
            raise ImportFileError(f"--map names {meaning!r} twice.")
        found[meaning] = header.strip()
    return found


def _mapped(mapping: Mapping[str, str], plain: list[str]) -> tuple[dict[str, int], list[tuple[int, str]]]:
    at: dict[str, int] = {}
    attributes: list[tuple[int, str]] = []
    for meaning, header in mapping.items():
        if plain.count(_plain(header)) != 1:
            many = "no column" if _plain(header) not in plain else "several columns"
            near = difflib.get_close_matches(_plain(header), plain, n=1)
            hint = f" Did you mean {near[0]!r}?" if near and many == "no column" else ""
            raise ImportFileError(f"--map {meaning}: {many} of the first line has the name {header[:60]!r}.{hint}")
        index = plain.index(_plain(header))
        if meaning.startswith("attributes."):
            attributes.append((index, _attribute(meaning.removeprefix("attributes."))))
        else:
            at[meaning] = index
    return at, attributes


def printable(text: str) -> str:
    """Without what a terminal would obey and a database refuse."""
    return "".join(letter for letter in text if letter.isprintable())


def _attribute(name: str) -> str:
    """A name that a segment's rule can ask for."""
    return printable(name).replace('"', " ").replace("\\", " ").strip()[:100]


def _plain(header: str) -> str:
    text = unicodedata.normalize("NFKC", unguard(header)).strip("\ufeff \t\r\n").casefold()
    return re.sub(r"[\s_./-]+", " ", text).strip()


def _is_address(cell: str) -> bool:
    try:
        parse(unguard(cell.strip()))
    except AddressError:
        return False
    return True
