"""From a subscription to a finished message: what a letter and its headers need of the person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple, Protocol

from newsletter.core import mime
from newsletter.core.errors import LetterMismatchError
from newsletter.core.letter import Compiler, Headers, Mailbox
from newsletter.core.letter.moulds import Mould, NoMould
from newsletter.core.letter.parts import FullRenderNeeded
from newsletter.core.reader import Plain, Reader, clean_attributes, clean_line, reader_of_clean
from newsletter.core.sentence import sentence
from newsletter.core.tokens import (
    PREFERENCES,
    TOKEN_WIDTH,
    UNSUBSCRIBE,
    Keys,
    copies,
    dated_token,
    dated_tokens,
    message_id,
    token,
    tokens,
)
from newsletter.core.verp import unsubscribe_mail
from newsletter.flow.compile.inputs import Frozen
from subscribers.models import Subscription

MOST_MOULDS = 64
"""Each holds a letter's bytes once more; the letters of most newsletters are far fewer."""


class Recipient(NamedTuple):
    """One person: `subscription` is its number, `address` where the audience was frozen to."""

    subscription: int
    address: str
    name: str
    language: str
    topics: tuple[str, ...]
    attributes: dict[str, Plain]
    plain_text: bool
    joined_on: date
    generation: int = 0


class Row(Protocol):
    """The same, read from anything that holds it: a send makes no second object for each of its ledger's rows."""

    # fmt: off
    @property
    def subscription(self) -> int | None: ...
    @property
    def address(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def topics(self) -> tuple[str, ...]: ...
    @property
    def attributes(self) -> Mapping[str, Plain]: ...
    @property
    def plain_text(self) -> bool: ...
    @property
    def joined_on(self) -> date: ...
    @property
    def generation(self) -> int: ...
    # fmt: on


class Composer:
    """The messages of one frozen issue. Like its compiler it serves one thread at a time."""

    def __init__(
        self, frozen: Frozen, compiler: Compiler, keys: Keys, now: datetime, *, one_click: bool, by_mail: bool = False
    ) -> None:
        """`compiler` is the one of `frozen` (`freezing.build`), `now` the Date of every copy. Without `one_click` no
        List-Unsubscribe goes out: for outboxes, whose links need not work. `by_mail` adds the mailto way, where there
        is a return path: mail to it must reach `flow.bounce`.

        Raises `ConfigError` for headers that no copy could have.
        """
        self._compiler, self._keys = compiler, keys
        self._fingerprint, self._domain = frozen.fingerprint, mime.one_line(frozen.sender.domain)
        self._link = unsubscribe_prefix(frozen.base_url)
        self._preferences = preferences_prefix(frozen.base_url)
        self._day = now.date()
        stand_in = "S" * TOKEN_WIDTH
        sample = headers_for(
            frozen,
            Reader("sample@example.org", unsubscribe_url=f"{self._link}{stand_in}"),
            subscription_id=0,
            fingerprint=self._fingerprint,
            now=now,
        )
        if not one_click:
            sample = replace(sample, list_unsubscribe="")
        elif by_mail and frozen.sender.return_path:
            address = unsubscribe_mail(frozen.sender.return_path, stand_in)
            sample = replace(sample, list_unsubscribe_mail=address)
        self._common = mime.common(sample)
        _, after = mime.around_subject(sample, compiler.boundary)
        lines = after.decode("ascii").removeprefix(f"Message-ID: {sample.message_id}\r\n")
        # The token stands between them: once with a button, twice with a mail address beside it.
        self._after_id = lines.split(stand_in)
        self._moulds: dict[tuple[tuple[str, ...], str, bool], Mould | None] = {}
        self._countdown = self._every = compiler.self_check_every
        self._key, self._copy = tokens(keys, UNSUBSCRIBE), copies(self._fingerprint)
        self._preferences_key = dated_tokens(keys, PREFERENCES, self._day)
        # Behind the name of the copy, and the token between them.
        domain = f"@{self._domain}>\r\n".encode("ascii")
        first, *others = (line.encode("ascii") for line in self._after_id)
        self._behind = [domain + first, *others]

    def parts(self, row: Row) -> list[bytes]:
        """`message` in pieces, the bytes of most of them shared with other messages. Raises as `message`.

        Where there is a mould (`core.letter.moulds`) it is filled here, without a call for each little thing: of all
        that a send does, this and the copying of the bytes take longest. The first of each mould, and one in so many
        after it, is compared with the same message made the long way, which is compared with the full render.
        """
        mould = self._moulds.get((row.topics, row.language, row.name != ""))
        if mould is None or row.plain_text or mime.is_plain(row.address) is None:
            return [self._and_mould(row)]
        try:
            before, after, room, names = mould.known.get(row.name) or mould.named(row.name)
        except FullRenderNeeded:
            return [self.message(row)]
        address, subscription = row.address.encode("ascii"), row.subscription
        if len(address) > room:
            return [self.message(row)]
        assert subscription is not None  # an erased person gets no mail
        key = self._key(subscription)
        parts = mould.parts.copy()
        copy, behind = self._copy(subscription), key.join(self._behind)
        parts[0] = b"".join((self._common, before, address, after, mould.subject, b"Message-ID: <", copy, behind))
        for at in mould.unsubscribe:
            parts[at] = key
        if mould.preferences:
            key = self._preferences_key(subscription, row.generation)
            for at in mould.preferences:
                parts[at] = key
        if mould.addresses:
            address += mime.SOFT_BREAK
            for at in mould.addresses:
                parts[at] = address
        for at, filled in names:
            parts[at] = filled
        self._countdown -= 1
        if not self._countdown:
            self._countdown = self._every
            self._compiler.check_next()
            _require_same(b"".join(parts), self.message(row))
        return parts

    def _and_mould(self, row: Row) -> bytes:
        """The message made the long way, and a mould for the next of its kind if there can be one."""
        message = self.message(row)
        kind = (row.topics, row.language, row.name != "")
        if kind in self._moulds or len(self._moulds) >= MOST_MOULDS or row.plain_text:
            return message
        reader = self._reader(row)
        if (reader.name != "") == (row.name != ""):
            prefixes = {"unsubscribe_url": self._link, "preferences_url": self._preferences}
            try:
                mould = self._compiler.mould(reader, prefixes)
            except NoMould:
                self._moulds[kind] = None
            else:
                if mould is not None:
                    self._moulds[kind] = mould
                    _require_same(b"".join(self.parts(row)), message)
        return message

    def message(self, row: Row) -> bytes:
        """The finished message (RFC 5322 bytes with CRLF), the same for every attempt. Raises as `Compiler.message`."""
        reader, subscription = self._reader(row), row.subscription
        assert subscription is not None  # an erased person gets no mail
        key = reader.unsubscribe_url.removeprefix(self._link)
        own = f"Message-ID: {message_id(self._fingerprint, subscription, self._domain)}\r\n{key.join(self._after_id)}"
        before = self._common + mime.mailbox("To", Mailbox(reader.address, reader.name))
        return self._compiler.compose(reader, before, own.encode("ascii"))

    def _reader(self, row: Row) -> Reader:
        assert row.subscription is not None
        return reader_of_clean(
            clean_line(row.address),
            clean_line(row.name),
            _line(row.language),
            _sorted(row.topics),
            clean_attributes(row.attributes),
            plain_text=row.plain_text,
            joined_on=row.joined_on,
            unsubscribe_url=f"{self._link}{token(self._keys, UNSUBSCRIBE, row.subscription)}",
            preferences_url=f"{self._preferences}{preferences_token(self._keys, row, self._day)}",
        )


def _require_same(moulded: bytes, message: bytes) -> None:
    if moulded != message:
        raise LetterMismatchError(
            sentence(
                "a letter from its mould would differ from the same letter made the long way; nothing was sent to them."
            ),
            hint=sentence("Report it with the design: the fault is the compiler's."),
        )


def unsubscribe_prefix(base_url: str) -> str:
    """What stands before the token in a reader's unsubscribe link; `base_url` is the issue's (`Frozen`)."""
    return clean_line(f"{base_url}/u/")


def preferences_prefix(base_url: str) -> str:
    """What stands before the token in a reader's preferences link."""
    return clean_line(f"{base_url}/p/")


def preferences_token(keys: Keys, row: Row, day: date) -> str:
    """The token of a link that may change something: it ages from `day` on, and a new beginning voids it."""
    assert row.subscription is not None
    return dated_token(keys, PREFERENCES, row.subscription, day=day, generation=row.generation)


def recipient_of(subscription: Subscription) -> Recipient:
    """The recipient that a row and its subscriber say, at the address they have now."""
    person = subscription.subscriber
    return Recipient(
        subscription=subscription.pk,
        address=person.address,
        name=person.name,
        language=person.language,
        topics=tuple(subscription.topics),
        attributes=person.attributes,
        plain_text=person.plain_text,
        joined_on=subscription.joined_at.date(),
        generation=subscription.generation,
    )


def reader_of(subscription: Subscription, *, base_url: str, keys: Keys, day: date) -> Reader:
    """The subscriber as a design sees them; `Reader` cleans the values. `base_url` is the issue's (`Frozen`), from
    `day` on the link to the preferences ages.
    """
    person = subscription.subscriber
    return Reader(
        address=person.address,
        name=person.name,
        language=person.language,
        topics=tuple(sorted(subscription.topics)),
        attributes=person.attributes,
        plain_text=person.plain_text,
        joined_on=subscription.joined_at.date(),
        unsubscribe_url=f"{unsubscribe_prefix(base_url)}{token(keys, UNSUBSCRIBE, subscription.pk)}",
        preferences_url=f"{preferences_prefix(base_url)}{preferences_token(keys, recipient_of(subscription), day)}",
    )


def headers_for(frozen: Frozen, reader: Reader, *, subscription_id: int, fingerprint: str, now: datetime) -> Headers:
    """The headers of one subscriber's copy: the same Message-ID for every attempt. `fingerprint` is the freeze's."""
    sender = frozen.sender
    return Headers(
        from_=Mailbox(sender.from_address, sender.from_name),
        to=Mailbox(reader.address, reader.name),
        message_id=message_id(fingerprint, subscription_id, sender.domain),
        date=now,
        reply_to=Mailbox(sender.reply_to) if sender.reply_to else None,
        list_id=sender.list_id,
        # RFC 8058 3.1 wants https: no button is better than one that can't work.
        list_unsubscribe=reader.unsubscribe_url if reader.unsubscribe_url.startswith("https://") else "",
        extra=(
            *((("List-Archive", f"<{frozen.content.view_online_url}>"),) if frozen.content.view_online_url else ()),
            *((("Feedback-ID", sender.feedback_id),) if sender.feedback_id else ()),
        ),
    )


_line = lru_cache(maxsize=1024)(clean_line)


@lru_cache(maxsize=4096)
def _sorted(topics: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(clean_line(topic) for topic in sorted(topics))
