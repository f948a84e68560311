"""Loopback servers that answer as the real ones do, faults included: SMTP by aiosmtpd, Postmark by its documents."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import CERT_NONE, PROTOCOL_TLS_CLIENT, SSLContext
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class Taken:
    """One message that a server took: envelope and bytes."""

    sender: str
    recipient: str
    message: bytes
    options: list[str] = field(default_factory=list)


class SmtpFaults:
    """What the server does wrong on purpose; by default nothing. Local parts: hard (550), grey (451), busy (421)."""

    greeting: str | None = None
    mail: Callable[[int], str | None] = staticmethod(lambda number: None)
    data: Callable[[str], str | None] = staticmethod(lambda recipient: None)
    cut_at: str = ""  # "rcpt", "data" (before the body), "body", "dot" (after it)
    slow: float = 0.0


class _Server(SMTP):
    faults: SmtpFaults

    async def push(self, status: Any) -> None:
        text = status.decode() if isinstance(status, bytes) else str(status)
        if self.faults.greeting and text.startswith("220 ") and self.session is not None and not self.session.host_name:
            await super().push(self.faults.greeting)
            assert self.transport is not None
            self.transport.close()
            return
        await super().push(status)

    async def smtp_DATA(self, arg: str) -> None:
        if self.faults.cut_at == "data":
            assert self.transport is not None
            self.transport.abort()
            return
        if self.faults.cut_at == "body":
            await self.push("354 go on")
            await self._reader.read(200)
            assert self.transport is not None
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


class _Handler:
    def __init__(self, faults: SmtpFaults) -> None:
        self.faults = faults
        self.taken: list[Taken] = []
        self.mails = 0
        self.connections: set[int] = set()

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.mails += 1
        self.connections.add(id(session))
        answer = self.faults.mail(self.mails)
        if answer:
            return answer
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.faults.cut_at == "rcpt":
            assert server.transport is not None
            server.transport.abort()
        if address.startswith("hard"):
            return "550 5.1.1 no such user here"
        if address.startswith("grey"):
            return "451 4.7.1 greylisted, try later"
        if address.startswith("busy"):
            return "421 4.7.0 closing, too busy"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        recipient = str(envelope.rcpt_tos[0])
        answer = self.faults.data(recipient)
        if answer and not answer.startswith("2"):
            return answer
        self.taken.append(
            Taken(str(envelope.mail_from), recipient, bytes(envelope.original_content or b""), envelope.mail_options)
        )
        if self.faults.slow:
            time.sleep(self.faults.slow)
        if self.faults.cut_at == "dot":
            assert server.transport is not None
            server.transport.abort()
        return answer or "250 2.0.0 queued as 4F2A"


class SmtpServer(Controller):
    """A real SMTP server in a thread. `taken` is what it accepted."""

    def __init__(
        self,
        *,
        utf8: bool = True,
        size: int = 33554432,
        login: tuple[str, str] | None = None,
        starttls: SSLContext | None = None,
        tls: SSLContext | None = None,
        without: tuple[str, ...] = (),
    ) -> None:
        self.faults = SmtpFaults()
        self.login = login
        self.without = without
        self.tls = starttls
        super().__init__(
            _Handler(self.faults),
            hostname="127.0.0.1",
            port=0,
            enable_SMTPUTF8=utf8,
            data_size_limit=size,
            server_hostname="sink.test",
            ssl_context=tls,
        )

    def __enter__(self) -> SmtpServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(no_assert=True)

    def factory(self) -> SMTP:
        login = self.login

        def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
            good = login is not None and (data.login.decode(), data.password.decode()) == login
            return AuthResult(success=good, handled=False, message=None if good else "535 5.7.8 wrong password")

        server = _Server(
            self.handler,
            authenticator=authenticate,
            auth_require_tls=False,
            tls_context=self.tls,
            **self.SMTP_kwargs,
        )
        server.faults = self.faults
        without = self.without
        if without:
            push = server.push

            async def hide(status: Any) -> None:
                text = status.decode() if isinstance(status, bytes) else str(status)
                if not any(f"250-{word}" in text for word in without):
                    await push(status)

            server.push = hide  # type: ignore[method-assign]
        return server

    @property
    def address(self) -> tuple[str, int]:
        assert self.server is not None
        host, port = self.server.sockets[0].getsockname()[:2]
        return host, port

    @property
    def taken(self) -> list[Taken]:
        return self.handler.taken

    def _trigger_server(self) -> None:
        """The base class connects to its configured port to wake the factory; ours is chosen by the system."""
        with socket.create_connection(self.address, 2) as client:
            if self.ssl_context is None:
                client.recv(100)
                return
            trusting = SSLContext(PROTOCOL_TLS_CLIENT)
            trusting.check_hostname, trusting.verify_mode = False, CERT_NONE
            with trusting.wrap_socket(client) as secure:
                secure.recv(100)


# Answers in the shape of Postmark's documentation: "Send a single email", "API error codes".
SENT = {
    "SubmittedAt": "2026-11-05T13:00:01.2345678Z",
    "MessageID": "b7bc2f4a-e38e-4336-af7d-e6c392c2f817",
    "ErrorCode": 0,
    "Message": "OK",
}
INACTIVE = {
    "ErrorCode": 406,
    "Message": "You tried to send to a recipient that has been marked as inactive.\nFound inactive addresses: "
    "{address}.\nInactive recipients are ones that have generated a hard bounce, a spam complaint, or a manual "
    "suppression.",
}
INVALID = {"ErrorCode": 300, "Message": "Invalid 'To' address: '{address}'."}
BAD_TOKEN = {
    "ErrorCode": 10,
    "Message": "The Server Token you provided in the X-Postmark-Server-Token request header was invalid.",
}
NO_SIGNATURE = {
    "ErrorCode": 400,
    "Message": "The 'From' address you supplied (weekly@news.example.test) is not a Sender Signature on your account.",
}
RATE_LIMIT = {"ErrorCode": 429, "Message": "Rate limit exceeded."}
BROKEN = {"ErrorCode": 500, "Message": "Internal Server Error"}


class PostmarkServer:
    """A loopback HTTP server that speaks as Postmark. `answers[local part]` is (status, body, headers)."""

    TOKEN = "a-server-token-of-postmark-for-tests"

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: dict[str, tuple[int, dict[str, Any] | bytes, dict[str, str]]] = {}
        self.slow: float = 0.0
        self.cut = False
        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._httpd.daemon_threads = True
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._httpd.server_address[1]}/"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()

    def answer(self, request: dict[str, Any], token: str) -> tuple[int, dict[str, Any] | bytes, dict[str, str]]:
        address = request["To"].rpartition("<")[2].rstrip(">")
        if token != self.TOKEN:
            return 401, BAD_TOKEN, {}
        status, body, headers = self.answers.get(address.partition("@")[0], (200, SENT, {}))
        if isinstance(body, bytes):
            return status, body, headers
        body = {**body, "Message": body["Message"].replace("{address}", address)}
        return status, {**body, "To": request["To"]} if body["ErrorCode"] == 0 else body, headers

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        postmark = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # unbuffered answers wait for a delayed acknowledgement

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                request = json.loads(raw)
                postmark.requests.append(request)
                postmark.headers.append(dict(self.headers))
                if postmark.cut:
                    self.close_connection = True
                    return
                time.sleep(postmark.slow)
                status, body, headers = postmark.answer(request, self.headers.get("X-Postmark-Server-Token", ""))
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

        return Handler
