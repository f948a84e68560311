"""The one polite, guarded fetcher: every feed, page and picture comes through here.

Guarded: each connection, redirects included, goes only to a public address that was checked at dial time
(`sources.guard`); no proxy, no login, no cookie; at most `max_bytes` are read, before and after decompression; a
wall-clock deadline closes the connection whatever the server drips. Polite: a user agent with an address to
complain to, validators sent back exactly as received (RFC 9110, 13.1), `Retry-After` kept (10.2.3), a pause between two
requests to one host.
"""

from __future__ import annotations

import hashlib
import logging
import socket
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any
from urllib.parse import urljoin

import requests
import requests.adapters
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.util.connection import create_connection

from newsletter.core.errors import FetchError
from newsletter.core.sentence import sentence
from newsletter.sources.guard import Opening, check_url, port_of, public_addresses

logger = logging.getLogger(__name__)

MAX_BYTES = 10 * 1024 * 1024
DEADLINE = 30.0
MAX_REDIRECTS = 5
CONNECT_TIMEOUT = 10.0
USER_AGENT = "newsletter/0.1 (gathers reviews for a weekly letter)"
_CHUNK = 65536
_LONGEST_RETRY = 7 * 24 * 3600
_PERMANENT = (301, 308)
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Fetched:
    """One answer. `unchanged` means 304: the body is empty because the server said that ours is still good.

    `url` is where the answer came from; `permanent_url` is set when every hop there was a permanent redirect;
    `media_type` is lower case without parameters, `charset` as the header gave it, `headers` has lower-case names;
    `etag` and `last_modified` are kept exactly as received.
    """

    url: str
    status: int
    body: bytes = b""
    unchanged: bool = False
    permanent_url: str = ""
    media_type: str = ""
    charset: str = ""
    etag: str = ""
    last_modified: str = ""
    headers: Mapping[str, str] | None = None

    @property
    def sha256(self) -> str:
        """The SHA-256 of the body, in hex."""
        return hashlib.sha256(self.body).hexdigest()


class Fetcher:
    """Fetches public web addresses, one at a time per call; safe to share between threads.

    `allow` opens the guard for exactly the given (host, port) pairs. It is for a magazine that lives on this
    machine or in this network, by its owner's own setting (the demo's does); nothing gathered may ever widen it.
    """

    def __init__(
        self,
        *,
        allow: frozenset[Opening] = frozenset(),
        user_agent: str = USER_AGENT,
        max_bytes: int = MAX_BYTES,
        deadline: float = DEADLINE,
        max_redirects: int = MAX_REDIRECTS,
        pause: float = 0.2,
    ) -> None:
        """`max_bytes` bounds a body, compressed and not; `deadline` (seconds) bounds a whole `get`, redirects and name
        look-ups included; `pause` (seconds) is kept between two requests to one public host.
        """
        self.allow = allow
        self.user_agent = user_agent
        self.max_bytes = max_bytes
        self.deadline = deadline
        self.max_redirects = max_redirects
        self.pause = pause
        self._not_before: dict[str, float] = {}
        self._asked_to_wait: dict[str, float] = {}
        self._lock = threading.Lock()

    def get(
        self, url: str, *, etag: str = "", last_modified: str = "", accept: str = "*/*", max_bytes: int | None = None
    ) -> Fetched:
        """Fetch `url`. Raises `FetchError` for everything but a 200 and a 304 that was asked for.

        The error carries `status` when there was an answer, and `retry_after` (seconds) when the server named a time.
        """
        limit = self.max_bytes if max_bytes is None else max_bytes
        headers = {"User-Agent": self.user_agent, "Accept": accept, "Accept-Encoding": "gzip, deflate"}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        permanent = ""
        only_permanent = True
        with _Watch(self.deadline) as watch:
            here = url
            for _ in range(self.max_redirects + 1):
                self._wait_for_turn(here, watch)
                # A session for each hop: no cookie goes along, and no connection that the server may be closing.
                with self._session(watch) as session, self._ask(session, here, headers, watch) as answer:
                    if answer.status_code not in _REDIRECTS:
                        return self._read(answer, here, permanent, bool(etag or last_modified), limit, watch)
                    only_permanent = only_permanent and answer.status_code in _PERMANENT
                    here = _redirect_target(answer, here)
                    permanent = here if only_permanent else ""
        raise FetchError(
            sentence("The address redirects more than {max_redirects} times.", max_redirects=self.max_redirects),
            where=url,
            hint=sentence("Open it in a browser."),
        )

    def _session(self, watch: _Watch) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        for scheme in ("http://", "https://"):
            session.mount(scheme, _GuardedAdapter(self.allow, watch))
        return session

    def _wait_for_turn(self, url: str, watch: _Watch) -> None:
        parts = check_url(url)
        host = (parts.host or "").lower()
        with self._lock:
            now = time.monotonic()
            if self._asked_to_wait.get(host, 0.0) > now:
                left = int(self._asked_to_wait[host] - now) + 1
                raise FetchError(
                    sentence("The server asked us to wait; {left} seconds are left.", left=left),
                    where=url,
                    status=429,
                    retry_after=left,
                )
            turn = max(now, self._not_before.get(host, 0.0))
            opened = (host, port_of(parts)) in self.allow
            self._not_before[host] = turn + (0.0 if opened else self.pause)
        time.sleep(max(0.0, min(turn - now, watch.left())))

    def _ask(self, session: requests.Session, url: str, headers: dict[str, str], watch: _Watch) -> requests.Response:
        timeout = max(0.01, min(CONNECT_TIMEOUT, watch.left()))
        try:
            return session.get(
                url, headers=headers, stream=True, allow_redirects=False, timeout=(timeout, max(0.01, watch.left()))
            )
        except FetchError as error:
            raise FetchError(error.message, where=url, hint=error.hint) from error
        except requests.exceptions.SSLError as error:
            raise FetchError(sentence("The server's certificate can't be trusted."), where=url) from error
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            if watch.fired or isinstance(error, requests.Timeout):
                raise FetchError(
                    sentence("No answer within {deadline} seconds.", deadline=f"{self.deadline:g}"), where=url
                ) from error
            raise FetchError(sentence("The server could not be reached."), where=url, hint=_plain(error)) from error

    def _read(
        self, answer: requests.Response, url: str, permanent: str, conditional: bool, limit: int, watch: _Watch
    ) -> Fetched:
        status = answer.status_code
        headers = {name.lower(): value for name, value in answer.headers.items()}
        unchanged = status == 304 and conditional
        if status != 200 and not unchanged:
            raise self._refusal(status, headers, url)
        media_type, charset = _content_type(headers.get("content-type", ""))
        return Fetched(
            url=url,
            status=status,
            body=b"" if unchanged else self._body(answer, headers, url, limit, watch),
            unchanged=unchanged,
            permanent_url=permanent,
            media_type=media_type,
            charset=charset,
            etag=headers.get("etag", ""),
            last_modified=headers.get("last-modified", ""),
            headers=headers,
        )

    def _refusal(self, status: int, headers: Mapping[str, str], url: str) -> FetchError:
        if status in (429, 503):
            seconds = _retry_after(headers.get("retry-after", ""), time.time())
            if seconds is not None:
                with self._lock:
                    self._asked_to_wait[(check_url(url).host or "").lower()] = time.monotonic() + seconds
                return FetchError(
                    sentence(
                        "The server is busy (status {status}) and asks to come back in {seconds} seconds.",
                        status=status,
                        seconds=seconds,
                    ),
                    where=url,
                    status=status,
                    retry_after=seconds,
                )
        return FetchError(
            sentence("{said} (status {status}).", said=_status_words(status), status=status),
            where=url,
            status=status,
        )

    def _body(
        self, answer: requests.Response, headers: Mapping[str, str], url: str, limit: int, watch: _Watch
    ) -> bytes:
        too_long = FetchError(
            sentence("The answer is larger than {limit} bytes.", limit=f"{limit:,}"),
            where=url,
            status=answer.status_code,
        )
        claimed = headers.get("content-length", "").strip()
        if claimed.isdigit() and int(claimed[:18]) > limit:
            raise too_long
        unpack = _unpacker(headers.get("content-encoding", ""), url)
        body = bytearray()
        read = 0
        try:
            while chunk := answer.raw.read(_CHUNK, decode_content=False):
                read += len(chunk)
                body += unpack(chunk, limit + 1 - len(body))
                if read > limit or len(body) > limit:
                    raise too_long
                if watch.fired or watch.left() <= 0:
                    break
        except zlib.error as error:
            raise FetchError(sentence("The answer's compression is damaged."), where=url) from error
        except (HTTPError, OSError, ValueError) as error:
            if not watch.fired:
                raise FetchError(
                    sentence("The answer broke off in the middle."), where=url, hint=_plain(error)
                ) from error
        if watch.fired or watch.left() <= 0:
            raise FetchError(
                sentence("The answer took longer than {deadline} seconds.", deadline=f"{self.deadline:g}"), where=url
            )
        return bytes(body)


class _Watch:
    """A wall clock with teeth: at the deadline it shuts the sockets it was given, so a blocked read returns at once.

    A timeout on the socket is per read: a server that sends a byte a second satisfies it for ever.
    """

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True
        self.fired = False

    def __enter__(self) -> _Watch:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._timer.cancel()
        with self._lock:
            for held in self._sockets:
                held.close()
            self._sockets.clear()

    def left(self) -> float:
        return self._ends - time.monotonic()

    def hold(self, sock: socket.socket) -> None:
        # A duplicate, because TLS takes the original socket's descriptor away; shutting one shuts the connection.
        with self._lock:
            self._sockets.append(sock.dup())

    def _fire(self) -> None:
        with self._lock:
            self.fired = True
            for held in self._sockets:
                try:
                    held.shutdown(socket.SHUT_RDWR)
                except OSError:
                    logger.debug("The connection was closed already.")


def _dial(connection: HTTPConnection, allow: frozenset[Opening], watch: _Watch) -> socket.socket:
    port = int(connection.port)
    addresses = public_addresses(connection.host.strip("[]"), port, watch.left(), allow)
    last: OSError | None = None
    for address in addresses:
        try:
            timeout = max(0.01, min(CONNECT_TIMEOUT, watch.left()))
            sock = create_connection((address, port), timeout, socket_options=connection.socket_options)
        except OSError as error:
            last = error
            continue
        watch.hold(sock)
        return sock
    raise NewConnectionError(connection, f"no connection: {last}") from last


class _GuardedAdapter(requests.adapters.HTTPAdapter):
    """An adapter whose connections are dialled by `_dial`: whatever asks for one, the guard is on the way."""

    def __init__(self, allow: frozenset[Opening], watch: _Watch) -> None:
        class GuardedHTTP(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _dial(self, allow, watch)

        class GuardedHTTPS(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _dial(self, allow, watch)

        class HTTPPool(urllib3.HTTPConnectionPool):
            ConnectionCls = GuardedHTTP

        class HTTPSPool(urllib3.HTTPSConnectionPool):
            ConnectionCls = GuardedHTTPS

        self._pools = {"http": HTTPPool, "https": HTTPSPool}
        super().__init__(max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools


def _unpacker(encoding: str, url: str) -> Any:
    """A function (chunk, most bytes wanted) -> decoded bytes that never makes more than it was asked for."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return lambda chunk, most: chunk
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise FetchError(
            sentence("The answer is packed as {encoding}, which was not asked for.", encoding=repr(encoding[:40])),
            where=url,
        )
    state: dict[str, Any] = {"unzip": None}

    def unpack(chunk: bytes, most: int) -> bytes:
        if state["unzip"] is None:
            # RFC 9110, 8.4.1.2: "deflate" is the zlib format, but some servers send it bare.
            bare = encoding == "deflate" and chunk[:1] and (chunk[0] & 0x0F) != 8
            state["unzip"] = zlib.decompressobj(-15 if bare else 47)
        out = bytearray()
        while chunk and most - len(out) > 0:
            out += state["unzip"].decompress(chunk, most - len(out))
            chunk = b""
            if state["unzip"].eof and state["unzip"].unused_data[:2] == b"\x1f\x8b":
                chunk = state["unzip"].unused_data
                state["unzip"] = zlib.decompressobj(47)
        return bytes(out)

    return unpack


def _redirect_target(answer: requests.Response, here: str) -> str:
    target = answer.headers.get("location", "").strip()
    if not target:
        raise FetchError(
            sentence("The server redirects to nowhere (status {status}).", status=answer.status_code),
            where=here,
        )
    # Location is bytes of unknown encoding read as latin-1; most servers mean UTF-8.
    try:
        target = target.encode("latin-1").decode("utf-8")
    except UnicodeError:
        logger.debug("A redirect's address is not UTF-8: taken as it is.")
    return urljoin(here, target)


def _retry_after(value: str, now: float) -> int | None:
    """Seconds to wait by a Retry-After header, at most a week; None when it names none."""
    value = value.strip()
    if value.isdigit():
        return min(int(value[:9]), _LONGEST_RETRY)
    try:
        seconds = parsedate_to_datetime(value).timestamp() - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(int(seconds), 0), _LONGEST_RETRY)


def _content_type(value: str) -> tuple[str, str]:
    media_type, _, parameters = value.partition(";")
    charset = ""
    for parameter in parameters.split(";"):
        name, _, given = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = given.strip(" \"'")
    return media_type.strip().lower(), charset


def _status_words(status: int) -> str:
    known = {
        401: "The server asks for a login",
        402: "The server asks for payment",
        403: "The server does not let us in",
        404: "There is nothing at this address",
        410: "What was at this address has been removed",
        429: "The server says that we ask too often",
    }
    return known.get(status, "The server failed" if status >= 500 else "The server gave an unexpected answer")


def _plain(error: Exception) -> str:
    """The last, plainest reason of a chain of library errors."""
    reason: BaseException = error
    while (inner := reason.__cause__ or reason.__context__) is not None:
        reason = inner
    return f"({type(reason).__name__}: {str(reason)[:160]})"
