"""From a queued row to a finished message, by the compiler that issues go through.

Mails of one kind in one language differ in the address and the link alone: those are the reader's, so one compiled
letter serves them all, and a burst of sign-ups costs a burst of joins.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation

from newsletter.config.home import template_folders
from newsletter.core import context
from newsletter.core.letter import Compiler, Design, Headers, Mailbox
from newsletter.core.reader import Reader
from newsletter.core.tokens import UNSUBSCRIBE, Keys, message_id, token
from newsletter.core.words import day_and_time, dir_of
from newsletter.flow.compile import find_design
from newsletter.flow.compile.gathering import magazine_of
from newsletter.flow.compile.inputs import thaw
from newsletter.flow.service.wording import Facts, Kind, Mail, mail_of
from newsletter.models import Issue, IssueState, Newsletter, ServiceMail

PIECES = 4
"""Reviews of the last issue that a welcome names: its lead and three more."""
KEPT = 64
"""Compiled letters of one composer."""


class Composer:
    """Makes the messages of one installation; keep it for as long as the clock runs. Serves one thread."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._compilers: OrderedDict[str, Compiler] = OrderedDict()

    def message(self, mail: ServiceMail) -> bytes:
        """The finished message (RFC 5322 bytes with CRLF), the same for every attempt.

        Raises `DesignError` when the design can't make it, `ValueError` for a kind that there is not.
        """
        newsletter = mail.newsletter
        language = mail.language or newsletter.language
        kind = Kind(mail.kind)
        words = _words(kind, newsletter, language, mail)
        base_url = str(settings.NEWSLETTER.base_url).rstrip("/")
        unsubscribe = ""
        if words.list_mail and mail.subscription_id is not None and base_url.startswith("https://"):
            unsubscribe = f"{base_url}/u/{token(self._keys, UNSUBSCRIBE, mail.subscription_id)}"
        compiler = self._compiler(newsletter, language, words, mail.created_at)
        reader = Reader(
            mail.address, attributes={"link": str(mail.values.get("link", ""))}, unsubscribe_url=unsubscribe
        )
        return compiler.message(reader, _headers(mail, reader))

    def _compiler(self, newsletter: Newsletter, language: str, words: Mail, at: datetime) -> Compiler:
        pieces = _pieces(newsletter) if words.pieces else ()
        home = settings.NEWSLETTER.home
        folders = template_folders(home)
        design = find_design(newsletter.design, folders, newsletter.design_tokens, service=True)
        about = magazine_of(newsletter, _local(newsletter, at).date())
        mark = sha256(repr((design, newsletter.name, language, words, pieces, about)).encode()).hexdigest()
        known = self._compilers.get(mark)
        if known is None:
            known = Compiler(design, _context(newsletter, language, words, pieces, about, design), self_check_every=0)
            self._compilers[mark] = known
            while len(self._compilers) > KEPT:
                self._compilers.popitem(last=False)
        self._compilers.move_to_end(mark)
        return known


def _words(kind: Kind, newsletter: Newsletter, language: str, mail: ServiceMail) -> Mail:
    upcoming = Issue.objects.filter(
        newsletter=newsletter, state__in=(IssueState.DRAFT, IssueState.APPROVED), slot_at__gt=mail.created_at
    )
    slot_at = upcoming.order_by("slot_at").values_list("slot_at", flat=True).first()
    facts = Facts(
        newsletter=newsletter.name,
        magazine=newsletter.magazine.name,
        next_issue=day_and_time(_local(newsletter, slot_at), language) if slot_at else "",
    )
    with translation.override(language):
        return mail_of(kind, facts, mail.values)


def _context(
    newsletter: Newsletter,
    language: str,
    words: Mail,
    pieces: Iterable[context.Line],
    about: context.Magazine,
    design: Design,
) -> dict[str, object]:
    return {
        "language": language,
        "dir": dir_of(language),
        "magazine": about,
        "newsletter": context.Newsletter(newsletter.slug, newsletter.name, newsletter.tagline),
        "mail": words,
        "pieces": tuple(pieces),
        "tokens": MappingProxyType(dict(design.tokens)),
        "words": MappingProxyType(_own_words(language)),
    }


def _own_words(language: str) -> dict[str, str]:
    with translation.override(language):
        return {
            "open_link": translation.gettext("Open this address:"),
            "last_issue": translation.gettext("From the last issue"),
            "unsubscribe": translation.gettext("Unsubscribe"),
        }


def _pieces(newsletter: Newsletter) -> tuple[context.Line, ...]:
    """The lead and three more of the last issue that went out, as it was frozen; nothing before the first."""
    sent = Issue.objects.filter(newsletter=newsletter, state=IssueState.SENT).select_related("freeze")
    last = sent.order_by("-slot_at").first()
    if last is None or last.freeze is None:
        return ()
    # Of any versions: what went out under older ones is still what it was.
    content = thaw(last.freeze.inputs, last.freeze.fingerprint, str(last)).content
    cards = content.shown
    lines = [
        context.Line(card.key, card.title, card.url, kicker=card.kicker, byline=card.byline, lang=card.lang,
                     dir=card.dir, title_dir=card.title_dir, isolated=card.isolated, number=card.number)
        for card in cards
    ]  # fmt: skip
    return tuple([*lines, *content.lines][:PIECES])


def _headers(mail: ServiceMail, reader: Reader) -> Headers:
    newsletter = mail.newsletter
    domain = newsletter.from_address.rpartition("@")[2].encode("idna").decode("ascii").lower()
    return Headers(
        from_=Mailbox(newsletter.from_address, newsletter.from_name),
        to=Mailbox(reader.address),
        message_id=message_id(f"service {mail.pk}", mail.subscription_id or 0, domain),
        date=mail.created_at,
        reply_to=Mailbox(newsletter.reply_to) if newsletter.reply_to else None,
        list_unsubscribe=reader.unsubscribe_url,
        # RFC 3834 section 5: a program wrote this; no program should answer it.
        extra=(("Auto-Submitted", "auto-generated"),),
    )


def _local(newsletter: Newsletter, moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(newsletter.timezone))
