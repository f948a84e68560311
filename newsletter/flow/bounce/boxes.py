"""Mailboxes that bounces collect in: a Maildir, or a folder of an IMAP server. A mail leaves only when told to."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from newsletter.core.bounce.parts import LARGEST
from newsletter.core.errors import ConfigError, NewsletterError

MOST_AT_ONCE = 500
SECONDS = 30.0
"""The longest that one answer of a mail server is waited for."""


class Box(Protocol):
    """A mailbox, open."""

    name: str

    def mails(self) -> Iterator[tuple[str, bytes]]:
        """At most `MOST_AT_ONCE` mails: what `done` takes, and the first 1 MB of each."""
        ...

    def done(self, key: str) -> None:
        """Take a mail out of the box: what it said is committed."""
        ...


@dataclass(slots=True)
class Maildir:
    """A Maildir: one file a mail, complete when it stands in `new` or `cur`."""

    folder: Path
    name: str = "the Maildir"

    def mails(self) -> Iterator[tuple[str, bytes]]:
        """The oldest first, by file name. A file that another program has just moved is left out."""
        files = sorted(
            (path.name, path) for part in ("new", "cur") for path in (self.folder / part).iterdir() if path.is_file()
        )
        for _, path in files[:MOST_AT_ONCE]:
            try:
                with path.open("rb") as file:
                    data = file.read(LARGEST)
            except FileNotFoundError:
                continue
            yield str(path), data

    def done(self, key: str) -> None:
        """Delete the file; one that is gone already is no error."""
        Path(key).unlink(missing_ok=True)


@contextmanager
def open_maildir(folder: Path) -> Iterator[Maildir]:
    """The Maildir in `folder`. Raises `ConfigError` where there is none."""
    if not ((folder / "new").is_dir() and (folder / "cur").is_dir()):
        raise ConfigError(
            f"{folder} is no Maildir: it has no folders new and cur.", hint='See "bounces.maildir" in newsletter.toml.'
        )
    try:
        yield Maildir(folder)
    except OSError as error:
        raise NewsletterError(f"The Maildir {folder} can't be read: {error.strerror or error}.") from error


@dataclass(slots=True)
class Imap:
    """A selected folder of an IMAP server (RFC 3501), by UIDs: numbers that stay when other mails go."""

    client: imaplib.IMAP4
    moved_to: str
    name: str
    _gone: list[str] = field(default_factory=list)

    def mails(self) -> Iterator[tuple[str, bytes]]:
        """The oldest first. BODY.PEEK leaves a mail unread: only `done` changes anything."""
        [found, *_] = self._uid("SEARCH", "UNDELETED")
        numbers = found.split() if isinstance(found, bytes) else []
        for uid in numbers[:MOST_AT_ONCE]:
            number = uid.decode("ascii")
            answer = self._uid("FETCH", number, f"(BODY.PEEK[]<0.{LARGEST}>)")
            data = next((part[1] for part in answer if isinstance(part, tuple)), None)
            if data is not None:
                yield number, data

    def done(self, key: str) -> None:
        """Copied where it is to be kept, then marked as deleted; `close` takes it out."""
        if self.moved_to:
            self._uid("COPY", key, _quoted(self.moved_to))
        self._uid("STORE", key, "+FLAGS.SILENT", r"(\Deleted)")
        self._gone.append(key)

    def close(self) -> None:
        """Take out what was marked: only our own where the server can (UIDPLUS, RFC 4315)."""
        if self._gone and "UIDPLUS" in self.client.capabilities:
            self._uid("EXPUNGE", ",".join(self._gone))
        elif self._gone:
            self.client.expunge()
        self._gone = []

    def _uid(self, command: str, *arguments: str) -> list[bytes | tuple[bytes, bytes] | None]:
        kind, answer = self.client.uid(command, *arguments)
        if kind != "OK":
            raise imaplib.IMAP4.error(f"{command}: {_words(answer)}")
        return answer


@contextmanager
def open_imap(
    host: str, port: int, *, user: str, password: str, folder: str, moved_to: str = "", starttls: bool = False,
    context: ssl.SSLContext | None = None,
) -> Iterator[Imap]:  # fmt: skip
    """Log in over TLS with the server's certificate verified, and open the folder. What was `done` is taken out at the
    end, also when something fails in between. Raises `NewsletterError` for whatever the server or the way to it does.
    """
    trust = context or ssl.create_default_context()
    where = f"IMAP server {host}:{port}"
    try:
        if starttls:
            client = imaplib.IMAP4(host, port, timeout=SECONDS)
        else:
            client = imaplib.IMAP4_SSL(host, port, ssl_context=trust, timeout=SECONDS)
        try:
            if starttls:
                client.starttls(trust)
            client.login(user, password)
            kind, answer = client.select(_quoted(folder))
            if kind != "OK":
                raise imaplib.IMAP4.error(f"the folder {folder} can't be opened: {_words(answer)}")
            box = Imap(client, moved_to, f"{user} at {host}")
            try:
                yield box
            finally:
                box.close()
        finally:
            with suppress(imaplib.IMAP4.error, OSError):
                client.logout()
            # A logout that fails leaves the socket open.
            with suppress(OSError):
                client.shutdown()
    except (imaplib.IMAP4.error, OSError) as error:
        # ssl.SSLError is an OSError. The password is in none of these.
        raise NewsletterError(
            f"The bounces could not be fetched: {_words(error)}.", where=where, hint="See [bounces] in newsletter.toml."
        ) from error


def _quoted(name: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'


def _words(answer: object) -> str:
    if isinstance(answer, list):
        answer = b" ".join(part for part in answer if isinstance(part, bytes))
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else str(answer)
    return " ".join(text.split()).rstrip(".")[:200]
