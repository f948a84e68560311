"""A folder of .eml files: the default way out, which mails nobody."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Mapping
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from hashlib import blake2b
from pathlib import Path
from typing import Any

from newsletter.core.errors import ConfigError, ProviderError
from newsletter.core.sentence import sentence
from newsletter.providers.base import Dispatch, Outcome, Outgoing, SendResult, one_by_one
from newsletter.providers.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9@_+-][A-Za-z0-9@._+-]{0,200}\.eml", re.ASCII)
_UNSAFE = re.compile(r"[^A-Za-z0-9@._+-]+")
# The disk, not the message: nothing else would get through either.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK}


class OutboxProvider:
    """Writes each message, byte for byte, as `<recipient>-<hash of Message-ID>.eml`.

    A file appears whole or not at all. A second copy of the same message for the same recipient does not replace the
    first: it becomes `...-2.eml`, so that a double is seen.
    """

    kind = "outbox"
    # One write and one fsync; a network folder that answers later than this is as good as gone.
    longest_silence = 60.0

    def __init__(self, folder: Path) -> None:
        """`folder` is made when first opened."""
        self.folder = folder

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, folder: Path) -> OutboxProvider:
        """Setting: `folder`, an absolute path, in place of the installation's own outbox."""
        text = Settings("outbox", settings, ["folder"]).text("folder", "")
        if text and not Path(text).is_absolute():
            raise ConfigError(
                sentence('"folder" is "{text}"; it takes an absolute path.', text=text), where="account (outbox)"
            )
        return cls(Path(text) if text else folder)

    def open(self) -> None:
        """Make the folder. Raises `ProviderError` when that is impossible."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._broken(error) from error

    def run(self, dispatch: Dispatch) -> None:
        """Write one file each. Raises `ProviderError` when the folder can't take files (disk full, read-only)."""
        one_by_one(dispatch, self._attempt)

    def close(self) -> None:
        """Nothing to close."""

    def read(self, name: str) -> EmailMessage | None:
        """The message of a file that `run` named in its reply; None when there is no such file."""
        if not _NAME.fullmatch(name) or not (self.folder / name).is_file():
            return None
        return read_mail(self.folder / name)

    def _attempt(self, outgoing: Outgoing) -> SendResult:
        self.open()
        message = outgoing.message
        stem = self._stem(outgoing.recipient, message)
        part = self.folder / f".{stem}.{os.getpid()}.part"
        try:
            with part.open("wb") as file:
                file.write(message)
                file.flush()
                os.fsync(file.fileno())
            name = self._publish(part, stem)
        except OSError as error:
            if error.errno in _FULL:
                raise self._broken(error) from error
            return SendResult(Outcome.DEFERRED, reply=f"The file could not be written: {error.strerror}")
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        return SendResult(Outcome.ACCEPTED, code=250, reply=name)

    def _publish(self, part: Path, stem: str) -> str:
        """Give the finished file its name: linking fails where a name is taken, renaming would replace."""
        copy = 1
        while True:
            name = f"{stem}.eml" if copy == 1 else f"{stem}-{copy}.eml"
            try:
                self._link(part, self.folder / name)
            except FileExistsError:
                copy += 1
            else:
                return name

    @staticmethod
    def _link(part: Path, final: Path) -> None:
        try:
            os.link(part, final)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # A file system without hard links (exFAT, some shares): reserve the name, then move the file over it.
            os.close(os.open(final, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
            part.replace(final)

    def _stem(self, recipient: str, message: bytes) -> str:
        # Headers only: the body of a large issue is not read again for a file's name.
        head = message.partition(b"\r\n\r\n")[0]
        name = str(BytesHeaderParser().parsebytes(head + b"\r\n\r\n").get("Message-ID", "")) or head.hex()
        mark = blake2b(f"{recipient}\n{name.strip()}".encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
        return f"{_UNSAFE.sub('_', recipient)[:80].lstrip('.') or '_'}-{mark}"

    def _broken(self, error: OSError) -> ProviderError:
        return ProviderError(
            sentence(
                "The outbox folder {folder} can't be written: {strerror}.", folder=self.folder, strerror=error.strerror
            ),
            hint=sentence("Make room or mend its permissions, then type: newsletter deliver --resume"),
            permanent=True,
        )


def read_mail(file: Path) -> EmailMessage:
    """One message of a file, parsed. Never raises on damaged mail."""
    message = BytesParser(policy=policy.default).parsebytes(file.read_bytes())
    assert isinstance(message, EmailMessage)
    return message
