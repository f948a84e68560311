"""Questions to the DNS with one time limit for all of them together."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from time import monotonic
from typing import Protocol
from urllib.parse import urlsplit

import dns.exception
import dns.name
import dns.resolver
import dns.reversename

from newsletter.core.domain.spf import Lookup
from newsletter.core.errors import ConfigError, DnsError
from newsletter.core.sentence import sentence

SECONDS = 5.0
"""For a whole examination: a send must not wait longer for a DNS that says nothing."""

_ONE_QUESTION = 3.0


class Resolver(Lookup, Protocol):
    """What an examination asks. Each raises `DnsError` when no server answers."""

    def ptr(self, ip: str) -> list[str]:
        """The names of an address, without a last dot."""


class Dns:
    """The machine's own resolvers, or one server. The time runs from the first question on."""

    def __init__(self, server: str = "", *, seconds: float = SECONDS) -> None:
        """`server` is HOST[:PORT], "" for the machine's own. Raises `ConfigError` when it is no such thing."""
        self._until: float | None = None
        self._seconds = seconds
        self._resolver = dns.resolver.Resolver(configure=False)
        self._resolver.cache = dns.resolver.Cache()
        if server:
            self._resolver.nameservers, self._resolver.port = _server(server)
            return
        try:
            self._resolver.read_resolv_conf("/etc/resolv.conf")
        except (OSError, dns.resolver.NoResolverConfiguration):
            # Said at the first question, as any other silence.
            self._resolver.nameservers = []

    def txt(self, name: str) -> list[str]:
        return [b"".join(row.strings).decode("utf-8", "replace") for row in self._ask(name, "TXT")]

    def addresses(self, name: str) -> list[str]:
        return [row.address for kind in ("A", "AAAA") for row in self._ask(name, kind)]

    def mx(self, name: str) -> list[str]:
        return [row.exchange.to_text(omit_final_dot=True) for row in self._ask(name, "MX")]

    def ptr(self, ip: str) -> list[str]:
        return [row.target.to_text(omit_final_dot=True) for row in self._ask(dns.reversename.from_address(ip), "PTR")]

    def _ask(self, name: str | dns.name.Name, kind: str) -> list:  # type: ignore[type-arg] # rows of any kind
        if self._until is None:
            self._until = monotonic() + self._seconds
        left = self._until - monotonic()
        try:
            if left <= 0 or not self._resolver.nameservers:
                raise dns.exception.Timeout
            return list(
                self._resolver.resolve(
                    name, kind, lifetime=min(left, _ONE_QUESTION), search=False, raise_on_no_answer=False
                )
            )
        except (dns.resolver.NXDOMAIN, dns.name.EmptyLabel, dns.name.LabelTooLong, dns.name.NameTooLong):
            return []
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise DnsError(
                sentence("The DNS gave no answer about {name}.", name=name), hint=sentence("Try again later.")
            ) from error


def _server(text: str) -> tuple[list[str], int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "", parts.port or 53
    except ValueError:
        host, port = "", 53
    try:
        return [str(ip_address(host))], port
    except ValueError:
        pass
    try:
        return [str(socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4][0])], port
    except (OSError, UnicodeError, IndexError) as error:
        raise ConfigError(
            sentence("{text} is no resolver.", text=repr(text)),
            hint=sentence("Write it like 192.0.2.53 or 127.0.0.1:5353."),
        ) from error
