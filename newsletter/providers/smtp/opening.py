"""From the greeting to a session that may send: EHLO, STARTTLS, AUTH. A script of asks and answers; no socket here."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Generator
from pathlib import Path

from newsletter.core.errors import ConfigError, ProviderError
from newsletter.core.sentence import sentence
from newsletter.providers.smtp.commands import Offer
from newsletter.providers.smtp.replies import Reply, clean
from newsletter.providers.smtp.settings import SmtpSettings

HANDSHAKE = b""
"""Asked for in place of a command: encrypt from here on."""


def opening(settings: SmtpSettings, hello: str) -> Generator[bytes | None, Reply, Offer]:
    """Yields the next command, `HANDSHAKE`, or None to hear without asking; takes the reply (any after a handshake).

    Returns what the server offers in the end. Raises `ProviderError`: permanent where waiting will not help. There is
    no silent fall-back: a stripped STARTTLS is an error (RFC 3207 6), and no password goes where TLS was asked for and
    is not there.
    """
    if settings.tls == "tls":
        yield HANDSHAKE
    greeting = yield None
    if greeting.code != 220:
        raise trouble(settings, "does not want to talk to us now", greeting)
    offer = yield from _hello(settings, hello)
    if settings.tls == "starttls":
        if not offer.starttls:
            raise trouble(settings, "does not offer what the account asks for", "no STARTTLS", permanent=True)
        reply = yield b"STARTTLS\r\n"
        if reply.code != 220:
            raise trouble(settings, "does not offer what the account asks for", reply)
        yield HANDSHAKE
        # What was said in the clear may have been said by anybody (RFC 3207 4.2).
        offer = yield from _hello(settings, hello)
    if settings.username:
        yield from _login(settings, offer)
    return offer


def _hello(settings: SmtpSettings, hello: str) -> Generator[bytes | None, Reply, Offer]:
    reply = yield f"EHLO {hello}\r\n".encode()
    if reply.code == 250:
        return Offer.of(reply)
    if reply.refusal and reply.code >= 500:
        reply = yield f"HELO {hello}\r\n".encode()
        if reply.code == 250:
            return Offer()
    raise trouble(settings, "does not want to talk to us now", reply)


def _login(settings: SmtpSettings, offer: Offer) -> Generator[bytes | None, Reply, None]:
    """RFC 4954; PLAIN by RFC 4616 in UTF-8; LOGIN for the servers that know no better."""
    user, password = settings.username.encode(), settings.password.encode()
    if "PLAIN" in offer.auth:
        reply = yield b"AUTH PLAIN " + b64encode(b"\0" + user + b"\0" + password) + b"\r\n"
    elif "LOGIN" in offer.auth:
        reply = yield b"AUTH LOGIN\r\n"
        for word in (user, password):
            if reply.code == 334:
                reply = yield b64encode(word) + b"\r\n"
    else:
        raise trouble(settings, "does not offer what the account asks for", "no login that we know", permanent=True)
    if reply.code != 235:
        raise trouble(settings, "refused the login", reply)


def context(settings: SmtpSettings) -> ssl.SSLContext:
    """Certificate and name are checked against the system's authorities and `ca_file`. Raises `ConfigError`."""
    made = ssl.create_default_context()
    if settings.ca_file:
        if not Path(settings.ca_file).is_file():
            raise ConfigError(sentence("There is no file {ca_file}.", ca_file=settings.ca_file), where="account (smtp)")
        try:
            made.load_verify_locations(settings.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                sentence("{ca_file} holds no certificate.", ca_file=settings.ca_file), where="account (smtp)"
            ) from error
    return made


def trouble(settings: SmtpSettings, what: str, words: Reply | str, *, permanent: bool | None = None) -> ProviderError:
    """The error of the account as a whole. A 5xx is permanent unless said otherwise."""
    if permanent is None:
        permanent = isinstance(words, Reply) and 500 <= words.code < 600
    hint = (
        sentence("Mend the account's settings, then type: newsletter deliver --resume")
        if permanent
        else sentence("Sending goes on when it answers again, or type: newsletter deliver --resume")
    )
    said = words.words if isinstance(words, Reply) else words
    text = clean(f"The mail server {settings.host}:{settings.port} {what}: {said}").rstrip(".")
    return ProviderError(sentence("{text}.", text=text), hint=hint, permanent=permanent)


def reason(error: BaseException) -> str:
    """What the operating system or OpenSSL says, in few words."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
