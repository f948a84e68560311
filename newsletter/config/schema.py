"""Every key of newsletter.toml, once: type, default and help. `init`, the docs and the errors are made from this."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from newsletter.core.errors import ConfigError
from newsletter.core.seal import Seal
from newsletter.core.tokens import Keys

KeyType = Literal["str", "int", "bool", "list", "folder"]


@dataclass(frozen=True, slots=True)
class Key:
    """One key: where it stands in the file, which variable beats it, and what a person needs to know of it.

    `secret` keys may also be read from the file that `<variable>_FILE` names. A key with `in_file=False` has no
    place in newsletter.toml. `choices` and `at_least`/`at_most` limit the value.
    """

    attribute: str
    section: str
    name: str
    type: KeyType
    default: str | int | bool | tuple[str, ...]
    help: str
    variable: str
    secret: bool = False
    in_file: bool = True
    choices: tuple[str, ...] = ()
    at_least: int | None = None
    at_most: int | None = None

    @property
    def dotted(self) -> str:
        """The key as people name it: "web.port"."""
        return f"{self.section}.{self.name}" if self.section else self.name


def _key(
    type_: KeyType,
    default: str | int | bool | tuple[str, ...],
    help_: str,
    *,
    section: str = "",
    name: str,
    variable: str = "",
    **limits: Any,
) -> Any:
    """A dataclass field that carries its own documentation."""
    prefix = f"NEWSLETTER_{section}_{name}" if section else f"NEWSLETTER_{name}"
    facts = {"section": section, "name": name, "type": type_, "help": help_, "default": default}
    value = Path(cast(str, default)) if type_ == "folder" else default
    metadata = {"key": {**facts, "variable": variable or prefix.upper(), **limits}}
    # A secret never shows in a log or a traceback that prints the Config.
    return field(default=value, metadata=metadata, repr=not limits.get("secret"))


@dataclass(frozen=True, slots=True)
class Config:
    """One installation. Folders are absolute once there is a home; `home` is None when there is none yet."""

    base_url: str = _key(
        "str",
        "http://127.0.0.1:8000",
        "The public address of this installation, without a path at its end. Links and pictures in e-mails start "
        "with it, so it must be https and reachable by readers before you send to them.",
        name="base_url",
    )
    log_level: str = _key(
        "str",
        "INFO",
        "How much the log on stderr says.",
        name="log_level",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
    )
    debug: bool = _key("bool", False, "Django's debug pages. Never where others can reach it.", name="debug")
    secret_key: str = _key(
        "str",
        "",
        "Signs log-ins and the links in e-mails. Made by init in the file secret.key (mode 600) of the home. Whoever "
        "has it can unsubscribe anybody; whoever loses it breaks every link already sent.",
        name="secret_key",
        secret=True,
        in_file=False,
    )
    previous_secret_keys: tuple[str, ...] = _key(
        "list",
        (),
        "Secret keys of before: they sign nothing any more, and links signed with them go on working. In the home they "
        "are the further lines of secret.key, below the one that signs.",
        name="previous_secret_keys",
        secret=True,
        in_file=False,
    )
    database_url: str = _key(
        "str",
        "",
        "postgresql://user@host/name for PostgreSQL. Empty: the SQLite file newsletter.sqlite3 in the home.",
        section="database",
        name="url",
        variable="DATABASE_URL",
        secret=True,
    )
    bind: str = _key("str", "127.0.0.1", "The address that serve listens on.", section="web", name="bind")
    port: int = _key(
        "int",
        8000,
        "The port that serve listens on; 0 takes any free one.",
        section="web",
        name="port",
        at_least=0,
        at_most=65535,
    )
    threads: int = _key(
        "int", 8, "How many requests serve answers at once.", section="web", name="threads", at_least=1, at_most=256
    )
    allowed_hosts: tuple[str, ...] = _key(
        "list",
        (),
        "Host names served beside that of base_url and this machine's own.",
        section="web",
        name="allowed_hosts",
    )
    https_proxy: bool = _key(
        "bool",
        False,
        "True when readers and editors come in through a proxy that ends TLS and always sets X-Forwarded-Proto: "
        "cookies are then marked Secure, http: is led to https:, and browsers keep to that for a year. Wrong when "
        "anybody can reach this port without that proxy.",
        section="web",
        name="https_proxy",
    )
    client_header: str = _key(
        "str",
        "",
        "The header in which your proxy says who asks, like X-Forwarded-For: its last address counts. Empty: whoever "
        "connects is who asks. Wrong when the proxy passes on what strangers put there.",
        section="web",
        name="client_header",
    )
    studio_language: str = _key(
        "str",
        "en",
        "The language of the studio, as a tag like nl or pt-BR. What nobody has translated into it is said in English. "
        "Letters and pages for readers are in the language of their newsletter.",
        section="studio",
        name="language",
    )
    require_second_step: bool = _key(
        "bool",
        False,
        "True asks a second step at log-in (a code from an app on the phone) of every approver and admin: whoever has "
        "none yet sets one up before anything else opens. Everybody else may.",
        section="studio",
        name="require_second_step",
    )
    signup_per_client: int = _key(
        "int",
        20,
        "How many forms one address of the internet (one /64 in IPv6) may hand in an hour.",
        section="signup",
        name="per_client",
        at_least=1,
        at_most=1_000_000,
    )
    signup_mails_per_hour: int = _key(
        "int",
        1000,
        "How many confirmations all forms together may cause an hour. What comes above it waits, and a notice says so: "
        "somebody may be using a form to bomb mailboxes.",
        section="signup",
        name="mails_per_hour",
        at_least=1,
        at_most=10_000_000,
    )
    signup_look_up: bool = _key(
        "bool",
        True,
        "Whether the DNS is asked if an address's domain takes mail at all before a confirmation goes there.",
        section="signup",
        name="look_up",
    )
    keep_forms_days: int = _key(
        "int",
        30,
        "For how many days sign-up forms are kept as handed in, with the network they came from.",
        section="retention",
        name="forms_days",
        at_least=1,
        at_most=3650,
    )
    keep_networks_days: int = _key(
        "int",
        30,
        "For how many days a proof of consent names the network and the browser; the proof itself stays.",
        section="retention",
        name="networks_days",
        at_least=1,
        at_most=3650,
    )
    keep_mails_days: int = _key(
        "int",
        90,
        "For how many days service mails that are done with are kept: confirmations, welcomes, links.",
        section="retention",
        name="mails_days",
        at_least=1,
        at_most=3650,
    )
    media_folder: Path = _key(  # noqa: RUF009 - a field, as the others are
        "folder", "media", "Pictures of gathered reviews, by hash.", section="folders", name="media"
    )
    outbox_folder: Path = _key(  # noqa: RUF009
        "folder", "outbox", "Where the outbox account writes its .eml files.", section="folders", name="outbox"
    )
    journal: str = _key(
        "str",
        "fast",
        "How a sender keeps what it has on the wire: fast outlives the death of the process; strict writes it to the "
        "disk before each message, so that it outlives a power cut too, and sends more slowly.",
        section="deliver",
        name="journal",
        choices=("fast", "strict"),
    )
    fetch_contact: str = _key(
        "str",
        "",
        "An address or page that sites you gather from may turn to; part of our User-Agent.",
        section="fetch",
        name="contact",
    )
    fetch_seconds: int = _key(
        "int",
        30,
        "The longest that one fetch may take, redirects and body included.",
        section="fetch",
        name="seconds",
        at_least=1,
        at_most=600,
    )
    fetch_megabytes: int = _key(
        "int",
        10,
        "The most that one fetch may bring.",
        section="fetch",
        name="megabytes",
        at_least=1,
        at_most=500,
    )
    fetch_inner: tuple[str, ...] = _key(
        "list",
        (),
        'Inner addresses, as "host:port", that may be fetched all the same: a magazine whose site runs on this machine '
        "or in this network. Everything else inside stays closed, so that no gathered link can reach in.",
        section="fetch",
        name="inner",
    )
    bounces_unsubscribe: bool = _key(
        "bool",
        False,
        "True once mail to the return paths of your newsletters reaches newsletter bounce, or a mailbox named here: "
        "then letters offer to unsubscribe by a mail to it, beside the one click.",
        section="bounces",
        name="unsubscribe",
    )
    bounces_maildir: str = _key(
        "str",
        "",
        "A Maildir that bounces are delivered to; relative to the home. It is emptied: let nothing else come there.",
        section="bounces",
        name="maildir",
    )
    bounces_imap_host: str = _key(
        "str",
        "",
        "The IMAP server of the mailbox that bounces come to. Empty: none is asked.",
        section="bounces",
        name="imap_host",
    )
    bounces_imap_port: int = _key(
        "int",
        993,
        "The port of that IMAP server: 993 mostly.",
        section="bounces",
        name="imap_port",
        at_least=1,
        at_most=65535,
    )
    bounces_imap_starttls: bool = _key(
        "bool",
        False,
        "True where the connection begins in the clear and turns to TLS (mostly port 143). Without TLS nobody logs in.",
        section="bounces",
        name="imap_starttls",
    )
    bounces_imap_user: str = _key(
        "str", "", "The name that logs in there, often the whole address.", section="bounces", name="imap_user"
    )
    bounces_imap_password: str = _key(
        "str",
        "",
        "The password of that mailbox.",
        section="bounces",
        name="imap_password",
        secret=True,
        in_file=False,
    )
    bounces_imap_folder: str = _key(
        "str",
        "INBOX",
        "The folder that bounces are in. It is emptied: let nothing else come there.",
        section="bounces",
        name="imap_folder",
    )
    bounces_imap_done: str = _key(
        "str",
        "",
        "The folder that mails are moved to once they are recorded. Empty: they are deleted.",
        section="bounces",
        name="imap_done",
    )
    home: Path | None = None

    @property
    def inner_addresses(self) -> frozenset[tuple[str, int]]:
        """`fetch_inner` as (host, port) pairs. Raises `ConfigError` for one that is not "host:port"."""
        pairs = set()
        for text in self.fetch_inner:
            host, _, port = text.rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 65536:
                raise ConfigError(
                    f'"fetch.inner" holds "{text}", which is not host:port.', hint='Write it like "127.0.0.1:8080".'
                )
            pairs.add((host.strip("[]").lower(), int(port)))
        return frozenset(pairs)

    @property
    def token_keys(self) -> Keys:
        """The keys of readers' links. Raises `ValueError` for an empty one: it would sign for anybody."""
        return Keys(*(key.encode() for key in (self.secret_key, *self.previous_secret_keys)))

    @property
    def seal(self) -> Seal:
        """What closes secrets that the database keeps. Raises `ValueError` when there is no secret key."""
        return Seal(*(key.encode() for key in (self.secret_key, *self.previous_secret_keys)))

    @property
    def host(self) -> str:
        """The host name of `base_url`."""
        return urlsplit(self.base_url).hostname or ""

    def need_home(self) -> Path:
        """The home, for what can't be done without one. Raises `ConfigError` with the command that makes one."""
        if self.home is None:
            raise ConfigError("There is no newsletter home here.", hint="Type: newsletter init DIR")
        return self.home


def keys() -> tuple[Key, ...]:
    """Every key, in the order of the file."""
    return tuple(
        Key(attribute=entry.name, **entry.metadata["key"])
        for entry in dataclasses.fields(Config)
        if "key" in entry.metadata
    )
