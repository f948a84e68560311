"""A provider's HTTP interface through django-anymail: one finished, personalised message per call.

The wire bytes are taken apart again into subject, bodies and headers, because these interfaces take fields and not
messages. What the answers mean follows anymail's documentation ("Sending email", "Exceptions") and the providers' own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import Any

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailError,
    AnymailRecipientsRefused,
    AnymailUnsupportedFeature,
)
from django.core.mail import EmailMultiAlternatives, get_connection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from newsletter.core.errors import ConfigError, ProviderError
from newsletter.core.sentence import sentence
from newsletter.providers.base import Dispatch, Outcome, Outgoing, SendResult, WithdrawnError, pause
from newsletter.providers.dialogue import Dialogue
from newsletter.providers.listening import ListeningAdapter
from newsletter.providers.settings import Settings

# Each provider's own name for its key.
KEY_NAMES = {
    "brevo": "api_key",
    "mailersend": "api_token",
    "mailgun": "api_key",
    "mailjet": "api_key",
    "mailtrap": "api_token",
    "mandrill": "api_key",
    "postal": "api_key",
    "postmark": "server_token",
    "resend": "api_key",
    "scaleway": "secret_key",
    "sendgrid": "api_key",
    "sparkpost": "api_key",
    "unisender_go": "api_key",
}
_KNOWN = (
    "esp", "api_key_env", "api_key_file", "secret_key_env", "secret_key_file", "api_url", "timeout", "options",
    "calls",
)  # fmt: skip
# Links go out plain: where the account would rewrite them by default, it is told not to.
_CAN_SWITCH_TRACKING = {"mailgun", "mailjet", "mandrill", "postmark", "sendgrid", "sparkpost", "unisender_go"}
# Fields of their own in the interface, or the provider's to write.
_NOT_EXTRA = {
    "from", "to", "cc", "bcc", "reply-to", "subject", "date", "sender", "return-path", "received", "dkim-signature",
    "mime-version",
}  # fmt: skip
# Postmark's API error codes (Postmark developer documentation, "API error codes"): 422 for nearly everything, so the
# code decides whether the account or this one message is at fault. 10 token, 400/401 sender signature, 405 not allowed
# to send, 412/413 account pending or barred.
_POSTMARK_ACCOUNT = {10, 400, 401, 405, 412, 413}
_POSTMARK_LATER = {100, 429}  # maintenance, rate limit
_FOLD = re.compile(r"\r\n(?=[ \t])")
_KEY = re.compile(r"[A-Za-z0-9_.:+/=-]{24,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
LONGEST_REPLY = 500
CONNECT_SECONDS = 10.0


class EspProvider:
    """A few HTTP sessions of one provider: each call waits for its answer, so several go at once."""

    kind = "esp"
    # The calls run in threads of their own; the thread of `run` looks up from them every second.
    longest_silence = 10.0

    def __init__(
        self, esp: str, arguments: Mapping[str, Any], calls: int = 1, dialogue: Dialogue | None = None
    ) -> None:
        """`arguments` are those of anymail's backend: keys, `api_url`, `timeout` ... `calls` go at once. Raises
        `ConfigError`.
        """
        self.esp = esp
        self.calls = calls
        self._dialogue = dialogue
        if dialogue is not None:
            keys = {KEY_NAMES.get(esp, ""), "secret_key"}
            dialogue.hide(*(str(value) for name, value in arguments.items() if name in keys))
        try:
            # A session serves one thread at a time: as many sessions as calls, handed out by the thread of `run`.
            self._idle = [get_connection(f"anymail.backends.{esp}.EmailBackend", **arguments) for _ in range(calls)]
        except AnymailConfigurationError as error:
            # Its text names the missing setting, never a value.
            raise ConfigError(
                sentence("The account of {esp} is not complete: {error}", esp=esp, error=error), where="account (esp)"
            ) from error

    @classmethod
    def from_settings(
        cls,
        settings: Mapping[str, Any],
        *,
        environ: Mapping[str, str],
        home: Path | None = None,
        dialogue: Dialogue | None = None,
    ) -> EspProvider:
        """Settings: `esp`, `api_key_env` or `api_key_file`, for Mailjet `secret_key_env` or `secret_key_file`,
        `api_url`, `timeout` in seconds, `calls` at once, and `options`: what else anymail's backend takes
        (`sender_domain` ...).
        """
        read = Settings("esp", settings, _KNOWN)
        esp = read.text("esp", choices=tuple(KEY_NAMES))
        arguments = read.table("options")
        key, secret = read.secret("api_key", environ, home), read.secret("secret_key", environ, home)
        if not key:
            raise ConfigError(
                sentence("There is no key."),
                where="account (esp)",
                hint=sentence('Give "api_key_env" or "api_key_file".'),
            )
        arguments[KEY_NAMES[esp]] = key
        if secret:
            arguments["secret_key"] = secret
        if url := read.text("api_url", ""):
            arguments["api_url"] = url
        arguments["timeout"] = (CONNECT_SECONDS, read.number("timeout", 60.0, at_least=0.05, at_most=600))
        return cls(esp, arguments, int(read.number("calls", 4, at_least=1, at_most=32)), dialogue)

    def open(self) -> None:
        """Make the HTTP sessions. No request yet: these interfaces have no log-in of their own."""
        for backend in self._idle:
            backend.open()
            if self._dialogue is not None:
                for scheme in ("https://", "http://"):
                    backend.session.mount(scheme, ListeningAdapter(self._dialogue))  # type: ignore[attr-defined]

    def run(self, dispatch: Dispatch) -> None:
        """Up to `calls` requests at once. The first that shows the account at fault ends it once the others are back.

        What `take` or `leaving` raises goes through as well, and only then: a call that is out has an answer to book.
        """
        out: dict[Future[SendResult], tuple[Outgoing, Any]] = {}
        failure: BaseException | None = None
        more, not_before = True, 0.0
        with ThreadPoolExecutor(self.calls, thread_name_prefix="esp") as pool:
            while True:
                try:
                    while more and failure is None and self._idle and time.monotonic() >= not_before:
                        item = dispatch.take()
                        if item is None:
                            more = False
                        elif isinstance(item, float):
                            not_before = time.monotonic() + item
                        else:
                            dispatch.leaving(item)
                            backend = self._idle.pop()
                            out[pool.submit(self._attempt, item, backend)] = item, backend
                except WithdrawnError:
                    continue
                except Exception as error:  # the dispatch's own: kept until every call is answered
                    failure = error
                if not out and (failure is not None or not more):
                    break
                if not out:
                    pause(dispatch, min(1.0, not_before - time.monotonic()))
                    continue
                done, _ = wait(
                    out, 1.0 if not more else max(0.0, min(1.0, not_before - time.monotonic())) or 1.0, FIRST_COMPLETED
                )
                for future in done:
                    item, backend = out.pop(future)
                    self._idle.append(backend)
                    failure = _book(dispatch, item, future) or failure
                dispatch.tick()
        if failure is not None:
            raise failure

    def _attempt(self, outgoing: Outgoing, backend: Any) -> SendResult:
        """One call. The From header decides the sender; the provider makes the envelope (and its bounces) its own."""
        try:
            fields = rebuild(outgoing.message, outgoing.recipient)
        except (ValueError, LookupError) as error:
            return SendResult(Outcome.REFUSED, reply=_clean(f"Not sent: the message can't be taken apart: {error}"))
        if self.esp in _CAN_SWITCH_TRACKING:
            vars(fields).update(track_clicks=False, track_opens=False)
        if self.esp == "postmark":
            # Postmark replaces a Message-ID unless told to keep it; ours marks a copy that is sent again.
            fields.extra_headers["X-PM-KeepID"] = "true"
        backend.open()
        try:
            backend.send_messages([fields])
        except AnymailRecipientsRefused as error:
            return self._refused(error)
        except AnymailAPIError as error:
            return self._api_error(error)
        except (AnymailUnsupportedFeature, AnymailConfigurationError) as error:
            raise self._broken(f"can't send such messages: {error}", permanent=True) from error
        except (AnymailError, ValueError) as error:
            # Raised while the request is put together: nothing has left.
            return SendResult(Outcome.REFUSED, reply=_clean(f"Not sent: {error}"))
        return _outcome(fields)

    def close(self) -> None:
        """Let the HTTP sessions go."""
        for backend in self._idle:
            backend.close()

    def _refused(self, error: AnymailRecipientsRefused) -> SendResult:
        response = getattr(error, "response", None)
        words = _body_words(response) or "refused by the provider"
        return SendResult(Outcome.REFUSED, code=_status(response), reply=words)

    def _api_error(self, error: AnymailAPIError) -> SendResult:
        response = getattr(error, "response", None)
        if response is None:
            return self._no_response(error)
        status, words = _status(response), _body_words(response)
        code = _postmark_code(response) if self.esp == "postmark" else 0
        if status in (401, 402, 403, 404) or code in _POSTMARK_ACCOUNT:
            raise self._broken(f"refused the account ({status}): {words}", permanent=True)
        if status in (429, 503) or code in _POSTMARK_LATER:
            return SendResult(Outcome.DEFERRED, code=status, reply=words, retry_after=_retry_after(response))
        if 400 <= status < 500:
            return SendResult(Outcome.REFUSED, code=status, reply=words)
        # 5xx once the body was out, or a 200 that can't be read: it may have been taken.
        return SendResult(Outcome.UNKNOWN, code=status, reply=words)

    def _no_response(self, error: AnymailAPIError) -> SendResult:
        """Only a connection that never came about is certain; a read time-out or a cut may hide a yes."""
        causes = list(_causes(error))
        if any(isinstance(cause, SSLCertVerificationError) for cause in causes):
            raise self._broken("has a certificate that can't be trusted", permanent=True) from error
        never = (NewConnectionError, ConnectTimeoutError, requests.ConnectTimeout)
        if any(isinstance(cause, never) for cause in causes):
            raise self._broken("can't be reached") from error
        return SendResult(Outcome.UNKNOWN, reply=f"No answer from {self.esp} after the message was out.")

    def _broken(self, what: str, *, permanent: bool = False) -> ProviderError:
        hint = (
            sentence("Mend the account's settings, then type: newsletter deliver --resume")
            if permanent
            else sentence("Sending goes on when it answers again, or type: newsletter deliver --resume")
        )
        text = _clean(f"The provider {self.esp} {what}").rstrip(".")
        return ProviderError(sentence("{text}.", text=text), hint=hint, permanent=permanent)


def _book(dispatch: Dispatch, outgoing: Outgoing, future: Future[SendResult]) -> BaseException | None:
    """Tell what a call came to. Returns what must stop the run."""
    error = future.exception()
    if isinstance(error, ProviderError):
        dispatch.returned(outgoing, str(error))
        return error
    if error is not None:
        # A fault of ours in the middle of a call: the request may have been out.
        dispatch.answered(outgoing, SendResult(Outcome.UNKNOWN, reply=_clean(f"{type(error).__name__}: {error}")))
        return error
    dispatch.answered(outgoing, future.result())
    return None


def rebuild(message: bytes, recipient: str) -> EmailMultiAlternatives:
    """The fields of finished wire bytes, addressed to `recipient` under the name that its To header gives.

    Raises `ValueError` or `LookupError` for bytes that are no message with a text.
    """
    parsed = message_from_bytes(message, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    text, html = _part(parsed, "plain"), _part(parsed, "html")
    if text is None:
        raise ValueError("it has no text part")
    headers = _headers(message)
    one = {name.lower(): value for name, value in headers}
    names = {address: name for name, address in _mailboxes(one.get("to", ""))}
    fields = EmailMultiAlternatives(
        subject=_decoded(one.get("subject", "")),
        body=text,
        from_email=next((_quoted(*box) for box in _mailboxes(one.get("from", ""))), ""),
        to=[_quoted(names.get(recipient, ""), recipient)],
        reply_to=[_quoted(*box) for box in _mailboxes(one.get("reply-to", ""))],
        headers={name: _decoded(value) for name, value in headers if _is_extra(name)},
    )
    if html is not None:
        fields.attach_alternative(html, "text/html")
    return fields


def _part(parsed: EmailMessage, subtype: str) -> str | None:
    part = parsed.get_body((subtype,))
    if part is None:
        return None
    return str(part.get_content()).replace("\r\n", "\n")


def _headers(message: bytes) -> list[tuple[str, str]]:
    """The header fields, unfolded and not decoded. Not by the standard library's own reading of them: in 3.11 that puts
    blanks between the encoded-words of one long name.
    """
    head = message.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    lines = _FOLD.sub("", head).split("\r\n")
    return [(name, value.strip()) for name, colon, value in (line.partition(":") for line in lines) if colon]


def _is_extra(name: str) -> bool:
    return name.lower() not in _NOT_EXTRA and not name.lower().startswith("content-")


def _mailboxes(value: str) -> list[tuple[str, str]]:
    """(name, address) of an address header. Taken apart before it is decoded: a decoded name may hold a comma."""
    return [(_decoded(name), address) for name, address in getaddresses([value]) if address]


def _decoded(value: str) -> str:
    return str(make_header(decode_header(value)))


def _quoted(name: str, address: str) -> str:
    """Name and address as a mailbox. The name is always quoted: a comma in it must not make two addresses."""
    if not name:
        return address
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address}>'


def _outcome(fields: Any) -> SendResult:
    """What anymail made of a good answer: sent, queued, rejected, invalid, failed, unknown."""
    status = fields.anymail_status
    states = status.status or set()
    response = status.esp_response
    code, provider_id = _status(response), str(status.message_id or "")
    if states and states <= {"sent", "queued"}:
        return SendResult(Outcome.ACCEPTED, code=code, reply=", ".join(sorted(states)), provider_id=provider_id)
    if states and states <= {"rejected", "invalid", "failed"}:
        return SendResult(Outcome.REFUSED, code=code, reply=_body_words(response))
    return SendResult(Outcome.UNKNOWN, code=code, reply="The provider's answer does not say what became of it.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and what urllib3 tucked into `reason` and `args`, once each."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]


def _status(response: Any) -> int:
    return int(getattr(response, "status_code", 0) or 0)


def _json(response: Any) -> Mapping[str, Any]:
    try:
        body = response.json()
    except (AttributeError, ValueError):
        return {}
    return body if isinstance(body, Mapping) else {}


def _postmark_code(response: Any) -> int:
    code = _json(response).get("ErrorCode", 0)
    return code if isinstance(code, int) else 0


def _body_words(response: Any) -> str:
    """The provider's own sentence. What looks like a key is blotted out: some interfaces quote it back."""
    body = _json(response)
    words = next((body[key] for key in ("Message", "message", "error", "errors") if body.get(key)), None)
    if words is None:
        words = getattr(response, "reason", "") or ""
    return _clean(f"{_status(response) or ''} {_KEY.sub('...', str(words))}")


def _retry_after(response: Any) -> float | None:
    """Seconds, from a number or an HTTP date (RFC 9110 10.2.3)."""
    value = str(response.headers.get("Retry-After", "")).strip()
    if value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    sent = response.headers.get("Date")
    # The provider's own clock when it gives it: ours is not to be asked here, and may be wrong.
    try:
        since = parsedate_to_datetime(str(sent))
    except ValueError:
        return None
    return max(
        0.0, (until.replace(tzinfo=until.tzinfo or UTC) - since.replace(tzinfo=since.tzinfo or UTC)).total_seconds()
    )


def _clean(text: str) -> str:
    return _CONTROL.sub(" ", text).encode("utf-8", "replace").decode().strip()[:LONGEST_REPLY]
