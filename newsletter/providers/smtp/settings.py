"""Where and how to connect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from newsletter.core.errors import ConfigError
from newsletter.core.sentence import sentence
from newsletter.providers.settings import Settings

# RFC 5321 4.5.3.2, in seconds. A shorter wait for the answer to the final dot makes doubles.
GREETING_SECONDS = COMMAND_SECONDS = 300.0
DATA_SECONDS = 120.0
BLOCK_SECONDS = 180.0
FINAL_SECONDS = 600.0
# A quarter of an hour for one answer is no answer; what was sent is in doubt then.
LONGEST_FINAL = 840.0
MOST_CONNECTIONS = 256
_KNOWN = (
    "host", "port", "username", "password_env", "password_file", "tls", "ca_file", "timeout", "final_timeout", "hello",
    "connections", "messages_per_connection", "dsn",
)  # fmt: skip
_LOOPBACK = re.compile(r"localhost|127(?:\.\d+){3}|::1")


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """`timeout` in seconds shortens the waits for every answer but that to the final dot, which is `final_timeout`.

    `connections` are kept at once; each closes after `messages_per_connection` (0: never). `dsn` asks for reports of
    failure (RFC 3461) where the server offers them. `patience` in seconds: for how long a server that did take mail in
    this run may be away before the run gives up.
    """

    host: str
    port: int
    tls: str = "none"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    timeout: float = GREETING_SECONDS
    final_timeout: float = FINAL_SECONDS
    hello: str = ""
    connections: int = 4
    messages_per_connection: int = 0
    dsn: bool = True
    patience: float = 10.0


def read(table: Mapping[str, Any], *, environ: Mapping[str, str], home: Path | None = None) -> SmtpSettings:
    """The settings of an account's table. `password_env` or `password_file` say where the password is.

    Raises `ConfigError`, also for a password that would cross a network in the clear, and for a `final_timeout` that is
    longer than the 15 minutes for which a silent sender keeps what it has claimed.
    """
    got = Settings("smtp", table, _KNOWN)
    tls = got.text("tls", "none", choices=("none", "starttls", "tls"))
    username, password = got.text("username", ""), got.secret("password", environ, home)
    if bool(username) != bool(password):
        raise ConfigError(sentence("A username needs a password and a password a username."), where="account (smtp)")
    if "\0" in username + password:
        raise ConfigError(
            sentence("The username or the password holds a NUL, which no login can say."), where="account (smtp)"
        )
    host = got.text("host")
    if username and tls == "none" and not _LOOPBACK.fullmatch(host):
        raise ConfigError(
            sentence('With tls = "none" the password would be readable on its way.'),
            where="account (smtp)",
            hint=sentence('Set tls = "starttls" (port 587) or "tls" (port 465).'),
        )
    hello = got.text("hello", "")
    if not re.fullmatch(r"[\x21-\x7e]*", hello):
        raise ConfigError(
            sentence('"hello" is {hello}; it takes a host name.', hello=repr(hello)), where="account (smtp)"
        )
    port = got.number("port", {"none": 25, "starttls": 587, "tls": 465}[tls], at_least=1, at_most=65535)
    return SmtpSettings(
        host=host,
        port=int(port),
        tls=tls,
        username=username,
        password=password,
        ca_file=got.text("ca_file", ""),
        timeout=got.number("timeout", GREETING_SECONDS, at_least=0.05, at_most=600),
        final_timeout=got.number("final_timeout", FINAL_SECONDS, at_least=0.05, at_most=LONGEST_FINAL),
        hello=hello,
        connections=int(got.number("connections", 4, at_least=1, at_most=MOST_CONNECTIONS)),
        messages_per_connection=int(got.number("messages_per_connection", 0, at_least=0, at_most=1_000_000)),
        dsn=got.flag("dsn", True),
    )
