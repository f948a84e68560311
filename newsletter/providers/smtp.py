"""Plain SMTP, one message after the other, careful about the one question that matters: was it taken or not?

The line is drawn at the final dot (RFC 5321 4.1.1.4, 1047). Whatever happens before that dot has been handed to the
operating system, the server can't have taken the message: DEFERRED. From then on only its answer can tell, and when
none comes the outcome is UNKNOWN.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from newsletter.core.errors import ConfigError, ProviderError
from newsletter.providers.base import Dispatch, Outcome, Outgoing, SendResult, one_by_one
from newsletter.providers.envelope import BadAddressError, mailbox
from newsletter.providers.settings import Settings

LONGEST_REPLY = 500
# RFC 5321 4.5.3.2.6: a shorter wait for the answer to the final dot makes doubles.
FINAL_SECONDS = 600.0
# A claim is held for 15 minutes without a sign of life; a longer wait would take the sender for dead in mid-message.
LONGEST_FINAL = 840.0
_KNOWN = (
    "host", "port", "username", "password_env", "password_file", "tls", "ca_file", "timeout", "final_timeout", "hello",
)  # fmt: skip
_LINE_START_DOT = re.compile(rb"(?m)^\.")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_LOOPBACK = re.compile(r"localhost|127(?:\.\d+){3}|::1")
TOO_LARGE = 552  # RFC 5321 4.2.3, RFC 1870: about this message, not about us


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where and how to connect. `timeout` in seconds for every answer but that to the final dot."""

    host: str
    port: int
    tls: str = "none"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    timeout: float = 60.0
    final_timeout: float = FINAL_SECONDS
    hello: str = ""


class _NotBegunError(Exception):
    """The connection was gone, or the server ended it with 421, before the transaction had begun."""


class SmtpProvider:
    """One connection, opened when first needed and reopened when the server has closed it between two messages."""

    kind = "smtp"
    longest_silence = LONGEST_FINAL

    def __init__(self, settings: SmtpSettings) -> None:
        """Does not connect."""
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None
        self._dirty = False  # a refused transaction is still open on the server's side

    @classmethod
    def from_settings(
        cls, settings: Mapping[str, Any], *, environ: Mapping[str, str], home: Path | None = None
    ) -> SmtpProvider:
        """Settings: `host`, `port`, `tls` (none, starttls, tls), `username`, `password_env` or `password_file`,
        `ca_file` (trust this authority too), `timeout`, `final_timeout`, `hello` (the name we greet with).

        Raises `ConfigError`, also for a password that would cross a network in the clear, and for a `final_timeout`
        that is longer than the 15 minutes for which a silent sender keeps what it has claimed.
        """
        read = Settings("smtp", settings, _KNOWN)
        tls = read.text("tls", "none", choices=("none", "starttls", "tls"))
        username, password = read.text("username", ""), read.secret("password", environ, home)
        if bool(username) != bool(password):
            raise ConfigError("A username needs a password and a password a username.", where="account (smtp)")
        host = read.text("host")
        if username and tls == "none" and not _LOOPBACK.fullmatch(host):
            raise ConfigError(
                'With tls = "none" the password would be readable on its way.',
                where="account (smtp)",
                hint='Set tls = "starttls" (port 587) or "tls" (port 465).',
            )
        port = read.number("port", {"none": 25, "starttls": 587, "tls": 465}[tls], at_least=1, at_most=65535)
        return cls(
            SmtpSettings(
                host=host,
                port=int(port),
                tls=tls,
                username=username,
                password=password,
                ca_file=read.text("ca_file", ""),
                timeout=read.number("timeout", 60.0, at_least=0.05, at_most=600),
                final_timeout=read.number("final_timeout", FINAL_SECONDS, at_least=0.05, at_most=LONGEST_FINAL),
                hello=read.text("hello", ""),
            )
        )

    # --- the port ---------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Connect, greet, encrypt and log in, as far as the settings ask. Raises `ProviderError`."""
        if self._smtp is not None:
            return
        if not (self._settings.username + self._settings.password).isascii():
            # Python's smtplib can't say them, and servers differ in what they would make of them.
            words = "the username or the password holds letters that are not ASCII"
            raise self._error("can't be logged into", words, permanent=True)
        try:
            self._smtp = self._connect()
        except smtplib.SMTPAuthenticationError as error:
            raise self._error("refused the login", _words(error.smtp_code, error.smtp_error), permanent=True) from error
        except smtplib.SMTPNotSupportedError as error:
            raise self._error("does not offer what the account asks for", str(error), permanent=True) from error
        except ssl.SSLCertVerificationError as error:
            raise self._error(
                "has a certificate that can't be trusted", error.verify_message, permanent=True
            ) from error
        except smtplib.SMTPResponseException as error:
            permanent = 500 <= error.smtp_code < 600
            words = _words(error.smtp_code, error.smtp_error)
            raise self._error("does not want to talk to us now", words, permanent=permanent) from error
        except UnicodeError as error:
            raise self._error("has a name that can't be looked up", _reason(error), permanent=True) from error
        except (OSError, smtplib.SMTPException) as error:
            raise self._error("can't be reached", _reason(error)) from error

    def run(self, dispatch: Dispatch) -> None:
        """One transaction after the other."""
        one_by_one(dispatch, self._attempt)

    def _attempt(self, outgoing: Outgoing) -> SendResult:
        return self.send(sender=outgoing.sender, recipient=outgoing.recipient, message=outgoing.message)

    def send(self, *, sender: str, recipient: str, message: bytes) -> SendResult:
        """One transaction. An address or size that the server could never take is REFUSED without asking it."""
        try:
            envelope = mailbox(sender)
        except BadAddressError as error:
            raise ProviderError(f"{sender} can't be an envelope sender: {error}", permanent=True) from error
        try:
            path = mailbox(recipient)
        except BadAddressError as error:
            return SendResult(Outcome.REFUSED, code=553, reply=f"Not sent: {error}")
        used = self._smtp is not None
        self.open()
        try:
            return self._transaction(envelope, path, message)
        except _NotBegunError as error:
            self._drop()
            if not used:
                raise self._error("does not want to talk to us now", str(error)) from error
        # A server may close a connection between two messages (idle, or enough of them): a new one is not a retry.
        self.open()
        try:
            return self._transaction(envelope, path, message)
        except _NotBegunError as error:
            self._drop()
            raise self._error("does not want to talk to us now", str(error)) from error

    def close(self) -> None:
        """QUIT where the server still listens."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            smtp.close()

    # --- connecting -------------------------------------------------------------------------------------------

    def _connect(self) -> smtplib.SMTP:
        wanted = self._settings
        hello = wanted.hello or None
        smtp: smtplib.SMTP
        if wanted.tls == "tls":
            smtp = smtplib.SMTP_SSL(local_hostname=hello, timeout=wanted.timeout, context=self._context())
        else:
            smtp = smtplib.SMTP(local_hostname=hello, timeout=wanted.timeout)
        try:
            # connect() does not remember the name for STARTTLS' certificate check; only the constructor does.
            smtp._host = wanted.host  # type: ignore[attr-defined]
            code, words = smtp.connect(wanted.host, wanted.port)
            if code != 220:
                raise smtplib.SMTPConnectError(code, words)
            assert smtp.sock is not None
            # The final dot is a small packet behind a large one: never let it wait for an acknowledgement.
            smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            smtp.ehlo_or_helo_if_needed()
            if wanted.tls == "starttls":
                # No silent fall-back: a stripped STARTTLS is an error (RFC 3207 section 6).
                smtp.starttls(context=self._context())
                smtp.ehlo_or_helo_if_needed()
            if wanted.username:
                smtp.login(wanted.username, wanted.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._settings.ca_file:
            if not Path(self._settings.ca_file).is_file():
                raise ConfigError(f"There is no file {self._settings.ca_file}.", where="account (smtp)")
            context.load_verify_locations(self._settings.ca_file)
        return context

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None
        self._dirty = False

    # --- one transaction --------------------------------------------------------------------------------------

    def _transaction(self, sender: str, path: str, message: bytes) -> SendResult:
        smtp = self._smtp
        assert smtp is not None
        options, refusal = _mail_options(smtp, sender, path, message)
        if refusal:
            return SendResult(Outcome.REFUSED, code=554, reply=refusal)
        refused = self._begin(smtp, sender, options)
        if refused:
            return refused
        try:
            code, words = smtp.docmd(f"RCPT TO:<{path}>")
            if code not in (250, 251, 252):
                return self._not_taken(code, words)
            code, words = smtp.docmd("DATA")
            if code != 354:
                return self._not_taken(code, words)
            body = _LINE_START_DOT.sub(b"..", message)
            assert smtp.sock is not None
            smtp.sock.sendall(body if body.endswith(b"\r\n") else body + b"\r\n")
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return SendResult(
                Outcome.DEFERRED, reply=_clean(f"The connection was lost before the end: {_reason(error)}")
            )
        return self._end_of_data(smtp)

    def _begin(self, smtp: smtplib.SMTP, sender: str, options: list[str]) -> SendResult | None:
        """RSET after a refusal, then MAIL FROM. None when the server goes along.

        A final no to MAIL FROM is about us, not about this reader: going on would fail the whole list. So it raises
        `ProviderError`, unless the reply says that the message is too large.
        """
        try:
            if self._dirty:
                smtp.rset()
                self._dirty = False
            smtp.command_encoding = "utf-8" if "SMTPUTF8" in options else "ascii"
            code, words = smtp.docmd(" ".join([f"MAIL FROM:<{sender}>", *options]))
        except (OSError, smtplib.SMTPException) as error:
            raise _NotBegunError(_reason(error)) from error
        text = _words(code, words)
        if code == 250:
            return None
        if code == 421:
            raise _NotBegunError(text)
        if 500 <= code < 600 and code != TOO_LARGE and " 5.3.4" not in text:
            self._dirty = True
            raise self._error("does not take mail from this sender", text, permanent=True)
        return self._not_taken(code, words)

    def _end_of_data(self, smtp: smtplib.SMTP) -> SendResult:
        """The dot, and what comes of it. Nothing in here may raise: the message may have been taken."""
        sock = smtp.sock
        assert sock is not None
        try:
            sock.settimeout(self._settings.final_timeout)
            sock.sendall(b".\r\n")
            code, words = smtp.getreply()
            sock.settimeout(self._settings.timeout)
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return SendResult(Outcome.UNKNOWN, reply=_clean(f"No answer after the final dot: {_reason(error)}"))
        if not 200 <= code < 300 and not 400 <= code < 600:
            self._drop()
            return SendResult(Outcome.UNKNOWN, code=max(code, 0), reply=_clean(f"Not an answer: {_words(code, words)}"))
        if 200 <= code < 300:
            return SendResult(Outcome.ACCEPTED, code=code, reply=_words(code, words))
        return self._not_taken(code, words)

    def _not_taken(self, code: int, words: bytes) -> SendResult:
        """A no to any command. What is neither a yes nor a no there ("221 closing") is no yes either: the message has
        not been handed over, and the two sides no longer agree on where they are.
        """
        reply = _words(code, words)
        self._dirty = True
        if code == 421 or not 400 <= code < 600:
            # RFC 5321 3.8: the server closes after a 421; the next message needs a new connection.
            self._drop()
        if 500 <= code < 600:
            return SendResult(Outcome.REFUSED, code=code, reply=reply)
        return SendResult(Outcome.DEFERRED, code=max(code, 0), reply=reply)

    def _error(self, what: str, words: str, *, permanent: bool = False) -> ProviderError:
        where = f"{self._settings.host}:{self._settings.port}"
        hint = (
            "Mend the account's settings, then type: newsletter deliver --resume"
            if permanent
            else "Sending goes on when it answers again, or type: newsletter deliver --resume"
        )
        text = _clean(f"The mail server {where} {what}: {words}").rstrip(".")
        return ProviderError(f"{text}.", hint=hint, permanent=permanent)


def _mail_options(smtp: smtplib.SMTP, sender: str, path: str, message: bytes) -> tuple[list[str], str]:
    """The parameters of MAIL FROM, or the reason why this server can't take this message at all.

    SMTPUTF8 is asked for only when an address or a header needs it (RFC 6531 3.1): many servers refuse the mere word.
    """
    options = []
    eight_bit = not message.isascii()
    if smtp.has_extn("size"):
        limit = str(smtp.esmtp_features.get("size", "")).strip()
        if limit.isdigit() and 0 < int(limit) < len(message):
            return [], f"Not sent: the message has {len(message)} octets and the server takes {limit}."
        options.append(f"SIZE={len(message)}")
    if not (sender + path).isascii() or not message.partition(b"\r\n\r\n")[0].isascii():
        if not smtp.has_extn("smtputf8"):
            return [], "Not sent: the address needs SMTPUTF8 and the mail server does not offer it."
        options += ["SMTPUTF8"]
        eight_bit = True
    if eight_bit:
        if not smtp.has_extn("8bitmime"):
            return [], "Not sent: the message needs 8BITMIME and the mail server does not offer it."
        options.append("BODY=8BITMIME")
    return options, ""


def _words(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return _clean(f"{code} {text}" if code > 0 else text)


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__


def _clean(text: str) -> str:
    return _CONTROL.sub(" ", text).encode("utf-8", "replace").decode().strip()[:LONGEST_REPLY]
