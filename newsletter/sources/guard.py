"""Which addresses the fetcher may dial: the public internet, and nothing behind our own walls.

Checked twice: `check_url` looks at the words of an address before anything is resolved, `public_addresses` at what
the name resolves to, at the moment of dialling. The connection then goes to exactly the checked IP address, so a name
that answers differently a second later (DNS rebinding) gains nothing. Ranges: RFC 6890.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading

from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from newsletter.core.errors import FetchError
from newsletter.core.sentence import sentence

Opening = tuple[str, int]
"""A (host, port) pair for which the guard is opened: host exactly as it is written in the address, lower case."""

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_DEFAULT_PORTS = {"http": 80, "https": 443}
_MAX_URL = 4096

# Ranges that carry an IPv4 address inside an IPv6 one, or that Python 3.11 still calls global: whoever may dial them
# may reach an inner address through a relay.
_NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",
        "::ffff:0:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/9",
        "ff00::/8",
    )
)


def check_url(url: str) -> Url:
    """Read `url` and refuse what can't be a public web address. Raises `FetchError` that says why.

    The parser is the one that the HTTP library itself dials with: two parsers that disagree about where the host ends
    are the classic way round a guard.
    """
    if len(url) > _MAX_URL:
        raise FetchError(
            sentence("The address is longer than {max_url} characters.", max_url=_MAX_URL), where=url[:80] + "…"
        )
    if re.search(r"[\x00-\x20\x7f\\]", url):
        raise FetchError(
            sentence("The address holds a space, a backslash or a control character."), where=repr(url)[:120]
        )
    try:
        parts = parse_url(url)
    except LocationParseError as error:
        raise FetchError(sentence("This is not a web address."), where=url[:120]) from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise FetchError(sentence("Only http and https addresses can be fetched."), where=url[:120])
    if not parts.host:
        raise FetchError(sentence("The address has no host name."), where=url[:120])
    if parts.auth is not None:
        raise FetchError(
            sentence("The address holds a login before the host name."),
            where=parts.host,
            hint=sentence("Remove the part up to the @."),
        )
    port = port_of(parts)
    if not (port in _DEFAULT_PORTS.values() or 1024 <= port <= 65535):
        raise FetchError(sentence("Port {port} is not one that web servers use.", port=port), where=url[:120])
    return parts


def port_of(parts: Url) -> int:
    """The port that will be dialled."""
    return parts.port if parts.port is not None else _DEFAULT_PORTS[parts.scheme or "http"]


def is_public(address: str | IpAddress) -> bool:
    """Whether an IP address is on the public internet."""
    ip = ipaddress.ip_address(address) if isinstance(address, str) else address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(ip.ipv4_mapped)
        if ip.scope_id:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NEVER)


def resolve(host: str, port: int, seconds: float) -> list[str]:
    """The IP addresses of `host`, at most `seconds` later. Raises `FetchError` when the name has none."""
    answer: list[str] = []
    trouble: list[Exception] = []

    def ask() -> None:
        try:
            for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                if str(address[0]) not in answer:
                    answer.append(str(address[0]))
        except (OSError, UnicodeError) as error:
            trouble.append(error)

    # getaddrinfo knows no time limit of its own; a thread that is left behind ends with the resolver's.
    thread = threading.Thread(target=ask, name=f"resolve {host[:40]}", daemon=True)
    thread.start()
    thread.join(max(seconds, 0.0))
    if thread.is_alive():
        raise FetchError(sentence("The name server did not answer in time."), where=host)
    if trouble or not answer:
        raise FetchError(
            sentence("No server has this name."), where=host, hint=sentence("Check the spelling of the address.")
        )
    return answer


def public_addresses(host: str, port: int, seconds: float, allow: frozenset[Opening]) -> list[str]:
    """What may be dialled for `host`. Raises `FetchError` when the name leads to an inner address.

    One inner address among public ones refuses them all: such a name is either broken or a trick.
    """
    addresses = resolve(host, port, seconds)
    if (host.lower(), port) in allow:
        return addresses
    for address in addresses:
        if not is_public(address):
            raise FetchError(
                sentence(
                    "The address leads into a private network ({address}), where gathering never goes.", address=address
                ),
                where=host,
            )
    return addresses
