"""A name server on loopback that knows one small zone: real packets, no network."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

Zone = dict[str, list[tuple[str, str]]]
"""Name without a last dot -> (type, value as in a zone file). A TXT value is given bare."""

SILENT, BROKEN = "SILENT", "BROKEN"
"""As types: the server does not answer about this name, or says SERVFAIL."""


@contextlib.contextmanager
def nameserver(zone: Zone) -> Iterator[str]:
    """Serve `zone` by UDP and TCP on one port of loopback; gives "127.0.0.1:PORT"."""
    udp, tcp = _one_port()
    tcp.settimeout(5)
    threads = [threading.Thread(target=_by_udp, args=(udp, zone)), threading.Thread(target=_by_tcp, args=(tcp, zone))]
    for thread in threads:
        thread.start()
    port = udp.getsockname()[1]
    try:
        yield f"127.0.0.1:{port}"
    finally:
        # An empty packet and an empty connection end the loops.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", port))
        socket.create_connection(("127.0.0.1", port)).close()
        for thread in threads:
            thread.join()
        udp.close()
        tcp.close()


def _one_port() -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on the same port: one that is free for the first may be taken for the second."""
    for _ in range(50):
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            udp.close()
            tcp.close()
        else:
            return udp, tcp
    raise OSError("no port is free for both")


def _by_udp(server: socket.socket, zone: Zone) -> None:
    while True:
        data, peer = server.recvfrom(4096)
        if not data:
            return
        answer = _answer(data, zone)
        if answer is None:
            continue
        wire = answer.to_wire()
        if len(wire) > 512:
            # Too long for plain UDP (RFC 1035 section 4.2.1): the asker comes again by TCP.
            answer.answer = []
            answer.flags |= dns.flags.TC
            wire = answer.to_wire()
        server.sendto(wire, peer)


def _by_tcp(server: socket.socket, zone: Zone) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except TimeoutError:
            continue  # nobody came for a while; the timeout is there for a connection that says nothing
        with connection, connection.makefile("rb") as stream:
            size = stream.read(2)
            if not size:
                return
            answer = _answer(stream.read(int.from_bytes(size, "big")), zone)
            if answer is not None:
                wire = answer.to_wire()
                connection.sendall(len(wire).to_bytes(2, "big") + wire)


def _answer(data: bytes, zone: Zone) -> dns.message.Message | None:
    query = dns.message.from_wire(data)
    question = query.question[0]
    name = question.name.to_text(omit_final_dot=True).lower()
    answer = dns.message.make_response(query, recursion_available=True)
    rows = zone.get(name)
    if rows is None:
        answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer
    kinds = {kind for kind, _ in rows}
    if SILENT in kinds:
        return None
    if BROKEN in kinds:
        answer.set_rcode(dns.rcode.SERVFAIL)
        return answer
    wanted = dns.rdatatype.to_text(question.rdtype)
    found = [_rdata(kind, value) for kind, value in rows if kind == wanted]
    if found:
        answer.answer.append(dns.rrset.from_rdata_list(question.name, 60, found))
    return answer


def _rdata(kind: str, value: str) -> dns.rdata.Rdata:
    if kind == "TXT":
        value = " ".join(f'"{value[start : start + 255]}"' for start in range(0, len(value), 255))
    return dns.rdata.from_text(dns.rdataclass.IN, kind, value, relativize=False)
