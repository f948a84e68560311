"""What a Python programmer would write, for the same letters.

    rivals smtplib|django FOLDER PORT MESSAGES

MJML has been compiled beforehand (FOLDER holds the letter as templates); Jinja2 renders HTML and text for each reader,
and the standard library or Django makes the message. Names come from memory, no ledger is kept, nothing is checked:
all in the rivals' favour. Prints one JSON line.
"""

from __future__ import annotations

import hmac
import json
import smtplib
import sys
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from pathlib import Path

import jinja2

SENDER, ENVELOPE = "LANTERN <weekly@news.example.test>", "weekly@news.example.test"
KEY = b"a key for benchmarks only"


@dataclass(frozen=True)
class Letter:
    """The letter as templates."""

    subject: str
    html: jinja2.Template
    text: jinja2.Template

    @classmethod
    def load(cls, folder: Path) -> Letter:
        html = jinja2.Environment(autoescape=True).from_string((folder / "issue.html").read_text())
        text = jinja2.Environment(autoescape=False).from_string((folder / "issue.txt").read_text())
        return cls((folder / "subject.txt").read_text(), html, text)


@dataclass(frozen=True)
class Reader:
    """One of the made-up readers."""

    number: int

    @property
    def address(self) -> str:
        return f"reader{self.number}@readers.example.org"

    @property
    def values(self) -> dict[str, str]:
        number = self.number.to_bytes(6, "big")
        token = urlsafe_b64encode(number + hmac.digest(KEY, number, "sha256")[:12]).decode()
        link = f"https://news.example.test/u/{token}"
        return {"name": "Ada Marlow", "address": self.address, "unsubscribe": link, "token": token}


def headers(values: dict[str, str]) -> dict[str, str]:
    return {
        "Message-ID": f"<{values['token']}@news.example.test>",
        "List-Id": "<weekly.news.example.test>",
        "List-Unsubscribe": f"<{values['unsubscribe']}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def by_smtplib(letter: Letter, port: int, messages: int) -> None:
    """EmailMessage over one connection."""
    with smtplib.SMTP("127.0.0.1", port) as server:
        for reader in map(Reader, range(messages)):
            values = reader.values
            message = EmailMessage(policy=policy.SMTP)
            message["Subject"], message["From"], message["To"] = letter.subject, SENDER, reader.address
            for name, value in headers(values).items():
                message[name] = value
            message.set_content(letter.text.render(values))
            message.add_alternative(letter.html.render(values), subtype="html")
            server.send_message(message, ENVELOPE, [reader.address])


def by_django(letter: Letter, port: int, messages: int) -> None:
    """EmailMultiAlternatives over one connection."""
    import django
    from django.conf import settings

    backend = "django.core.mail.backends.smtp.EmailBackend"
    settings.configure(EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, EMAIL_BACKEND=backend, USE_I18N=False)
    django.setup()
    from django.core.mail import EmailMultiAlternatives, get_connection

    with get_connection() as connection:
        for reader in map(Reader, range(messages)):
            values = reader.values
            message = EmailMultiAlternatives(
                letter.subject,
                letter.text.render(values),
                SENDER,
                [reader.address],
                headers=headers(values),
                connection=connection,
            )
            message.attach_alternative(letter.html.render(values), "text/html")
            message.send()


def main(way: str, folder: str, port: str, messages: str) -> None:
    letter = Letter.load(Path(folder))
    send = {"smtplib": by_smtplib, "django": by_django}[way]
    cpu, began = time.process_time(), time.perf_counter()
    send(letter, int(port), int(messages))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps({"messages": int(messages), "seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    main(*sys.argv[1:])
