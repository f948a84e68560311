"""A certificate for loopback, made once; SMTP servers and connections that end with their test."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.providers import build
from newsletter.providers.smtp import SmtpProvider
from tests.providers.servers import SmtpServer


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of localhost and 127.0.0.1 in one file; it is its own authority."""
    folder = tmp_path_factory.mktemp("tls")
    file = folder / "both.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key -out crt -addext"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    subprocess.run([*command.split(), names], cwd=folder, check=True, capture_output=True)
    file.write_bytes((folder / "key").read_bytes() + (folder / "crt").read_bytes())
    return file


@pytest.fixture
def servers() -> Iterator[list[SmtpServer]]:
    started: list[SmtpServer] = []
    yield started
    for server in started:
        if server.server is not None:
            server.stop(no_assert=True)


@pytest.fixture
def serve(servers: list[SmtpServer]) -> Any:
    def begin(**options: Any) -> SmtpServer:
        server = SmtpServer(**options)
        server.start()
        servers.append(server)
        return server

    return begin


@pytest.fixture
def connect() -> Iterator[Any]:
    opened: list[SmtpProvider] = []

    def begin(server: SmtpServer, **settings: Any) -> SmtpProvider:
        host, port = server.address
        table = {"host": host, "port": port, "hello": "sender.test", "timeout": 5, "final_timeout": 1, **settings}
        environ = {"SMTP_PASSWORD": "open sesame"}
        provider = build("smtp", table, folder=Path(), environ=environ)
        assert isinstance(provider, SmtpProvider)
        opened.append(provider)
        return provider

    yield begin
    for provider in opened:
        provider.close()
