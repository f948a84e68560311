"""What an HTTP interface is asked and answers, written down for a person who looks for the fault."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from newsletter.providers.dialogue import HIDDEN, Dialogue, Side

LONGEST_BODY = 2000
# Of a request's headers and an answer's, what can hold no key.
_PLAIN_HEADERS = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "date", "retry-after", "server",
     "user-agent"}
)  # fmt: skip


class ListeningAdapter(HTTPAdapter):
    """Writes down what a `requests` session asks and is answered. Mount it for https:// and http://."""

    def __init__(self, dialogue: Dialogue) -> None:
        """Of `dialogue` the keys are hidden already."""
        super().__init__()
        self._dialogue = dialogue

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """As the parent's."""
        say = self._dialogue
        # Some interfaces take the key in the address.
        say.add(Side.WE, f"{request.method} {str(request.url).partition('?')[0]}")
        say.text(Side.WE, _headers(request.headers.items()))
        say.text(Side.WE, _body(request.body))
        try:
            response = super().send(request, *args, **options)
        except requests.RequestException as error:
            say.note(f"No answer: {type(error).__name__}.")
            raise
        say.add(Side.THEY, f"HTTP {response.status_code} {response.reason or ''}".strip())
        say.text(Side.THEY, _headers(response.headers.items()))
        say.text(Side.THEY, _body(response.content))
        return response


def _headers(rows: Iterable[tuple[str, Any]]) -> str:
    """One line a header. By name, not by value: a new kind of key must not have to be known here first."""
    return "\n".join(
        f"{name}: {_text(value) if name.lower() in _PLAIN_HEADERS else HIDDEN}" for name, value in sorted(rows)
    )


def _body(body: Any) -> str:
    text = _text(body)
    return (
        text if len(text) <= LONGEST_BODY else f"{text[:LONGEST_BODY]}\n… and {len(text) - LONGEST_BODY} letters more"
    )


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else "" if value is None else str(value)
