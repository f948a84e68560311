"""Every way out with the world behind it: smtp, esp, outbox and memory."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from newsletter.core.errors import ProviderError
from newsletter.core.mime import Headers, Mailbox, whole
from newsletter.providers import build
from newsletter.providers.base import Outcome, Provider, SendResult
from newsletter.providers.memory import MemoryProvider, mailbox
from tests.providers.dispatching import SENDER
from tests.providers.servers import BAD_TOKEN, INACTIVE, RATE_LIMIT, PostmarkServer, SmtpServer
from tests.sending import SLOT

TEXT = "Dear Ada,\n.a line with a dot\n..\nGrüße — and goodbye\n"


def wire(to: str = "ada@box.test", name: str = "Ünal, the Boss", number: int = 1) -> bytes:
    """Finished bytes as our own encoder makes them."""
    headers = Headers(
        from_=Mailbox(SENDER, "LANTERN, the weekly"),
        to=Mailbox(to, name),
        message_id=f"<{number:030x}@news.example.test>",
        date=SLOT,
        reply_to=Mailbox("editors@example.org", "The Editors"),
        list_id="LANTERN Weekly <weekly.news.example.test>",
        list_unsubscribe="https://news.example.test/u/" + "A" * 24,
        extra=(("Feedback-ID", "2026-11-05:weekly:issue:lantern"),),
    )
    return whole(headers, "Fünf neue, „Licht“", TEXT, "<p>Grüße</p>\n", "=_boundary")


class Rig:
    """One provider with the world behind it. `received()` is what came out, as (recipient, message or fields)."""

    kind: str

    def provider(self) -> Provider:
        raise NotImplementedError

    def received(self) -> list[tuple[str, dict[str, Any]]]:
        raise NotImplementedError

    def stop(self) -> None:
        pass


def boxes(value: str) -> tuple[str, str]:
    """(name, address) of a raw header with one mailbox. The library's own parser breaks long encoded names in 3.11."""
    name, address = parseaddr("".join(value.splitlines()))
    return str(make_header(decode_header(name))), address


def fields(raw: bytes) -> dict[str, Any]:
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None and html is not None
    old = message_from_bytes(raw)
    return {
        "subject": str(message["Subject"]),
        "text": text.get_content().replace("\r\n", "\n"),
        "html": html.get_content().replace("\r\n", "\n"),
        "from": boxes(old["From"])[1],
        "from_name": boxes(old["From"])[0],
        "to_name": boxes(old["To"])[0],
        "reply_to": boxes(old["Reply-To"])[1],
        "headers": {key.lower(): str(value) for key, value in message.items()},
    }


class MemoryRig(Rig):
    kind = "memory"

    def __init__(self, folder: Path) -> None:
        mailbox("shared").clear()
        self.answers: dict[str, SendResult | Exception] = {}

    def provider(self) -> Provider:
        if not self.answers:
            return build("memory", {"name": "shared"}, folder=Path(), environ={})

        def answer(recipient: str) -> SendResult | None:
            found = self.answers.get(recipient.partition("@")[0])
            if isinstance(found, Exception):
                raise found
            return found

        return MemoryProvider("shared", answer)

    def received(self) -> list[tuple[str, dict[str, Any]]]:
        return [(sent.recipient, fields(sent.message)) for sent in mailbox("shared")]

    def refuse(self) -> None:
        self.answers["hard"] = SendResult(Outcome.REFUSED, 550, "550 no such user")

    def later(self) -> None:
        self.answers["grey"] = SendResult(Outcome.DEFERRED, 451, "451 try later")

    def silence(self) -> None:
        self.answers["ada"] = SendResult(Outcome.UNKNOWN, reply="no answer")

    def lock(self) -> None:
        self.answers["ada"] = ProviderError(permanent=True)

    def leave(self) -> None:
        self.answers["ada"] = ProviderError()


class OutboxRig(Rig):
    kind = "outbox"

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "outbox"

    def provider(self) -> Provider:
        return build("outbox", {}, folder=self.folder, environ={})

    def received(self) -> list[tuple[str, dict[str, Any]]]:
        files = sorted(self.folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
        raws = [file.read_bytes() for file in files]
        return [
            (message_from_bytes(raw, policy=policy.default)["To"].addresses[0].addr_spec, fields(raw)) for raw in raws
        ]

    def lock(self) -> None:
        self.folder.write_text("a file in the way")


class SmtpRig(Rig):
    kind = "smtp"

    def __init__(self, folder: Path) -> None:
        self.server = SmtpServer(login=("weekly", "open sesame"))
        self.server.start()
        self.address = self.server.address
        self.password = "open sesame"

    def provider(self) -> Provider:
        host, port = self.address
        settings = {
            "host": host, "port": port, "username": "weekly", "password_env": "SMTP_PASSWORD", "hello": "sender.test",
            "timeout": 5, "final_timeout": 1,
        }  # fmt: skip
        return build("smtp", settings, folder=Path(), environ={"SMTP_PASSWORD": self.password})

    def received(self) -> list[tuple[str, dict[str, Any]]]:
        assert all(taken.sender == SENDER for taken in self.server.taken)
        return [(taken.recipient, fields(taken.message)) for taken in self.server.taken]

    def refuse(self) -> None:
        pass  # the server refuses local parts "hard" ...

    def later(self) -> None:
        pass  # ... and puts off "grey"

    def silence(self) -> None:
        self.server.faults.cut_at = "dot"

    def lock(self) -> None:
        self.password = "wrong"

    def leave(self) -> None:
        self.stop()

    def stop(self) -> None:
        if self.server.server is not None:
            self.server.stop(no_assert=True)


class EspRig(Rig):
    kind = "esp"

    def __init__(self, folder: Path) -> None:
        self.server = PostmarkServer()
        self.server.start()
        self.token = self.server.TOKEN
        self.running = True

    def provider(self) -> Provider:
        settings = {"esp": "postmark", "api_key_env": "POSTMARK_TOKEN", "api_url": self.server.url, "timeout": 5}
        return build("esp", settings, folder=Path(), environ={"POSTMARK_TOKEN": self.token})

    def received(self) -> list[tuple[str, dict[str, Any]]]:
        return [self._fields(request) for request in self.server.requests]

    @staticmethod
    def _fields(request: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        headers = {each["Name"].lower(): each["Value"] for each in request["Headers"]}
        return boxes(request["To"])[1], {
            "subject": request["Subject"],
            "text": request["TextBody"],
            "html": request["HtmlBody"],
            "from": boxes(request["From"])[1],
            "from_name": boxes(request["From"])[0],
            "to_name": boxes(request["To"])[0],
            "reply_to": request["ReplyTo"].rpartition("<")[2].rstrip(">"),
            "headers": headers,
        }

    def refuse(self) -> None:
        self.server.answers["hard"] = (422, INACTIVE, {})

    def later(self) -> None:
        self.server.answers["grey"] = (429, RATE_LIMIT, {"Retry-After": "17"})

    def silence(self) -> None:
        self.server.cut = True

    def lock(self) -> None:
        self.token = "not-the-token"
        assert BAD_TOKEN["ErrorCode"] == 10

    def leave(self) -> None:
        self.stop()

    def stop(self) -> None:
        if self.running:
            self.server.stop()
        self.running = False


RIGS = {"memory": MemoryRig, "outbox": OutboxRig, "smtp": SmtpRig, "esp": EspRig}
