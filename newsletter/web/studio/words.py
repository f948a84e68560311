"""The words for editors: English in code and pages, and another language where somebody translated the studio.

They are a domain of their own, "studio": readers' words (Django's domain) are complete in five languages or a test
fails, and editors' words need not be. `make messages` gathers them into newsletter/locale/studio.pot. A translation is
newsletter/locale/LANG/LC_MESSAGES/studio.po, compiled beside itself; it speaks when LANG is the studio's
(`language` in section [studio] of newsletter.toml), and what it lacks is said in English. It is read once a process.
"""

from __future__ import annotations

from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

from django.conf import settings
from django.utils.functional import lazy
from django.utils.translation import to_locale

from newsletter.core.rubrics import label
from newsletter.core.sentence import Sentence, sentence
from newsletter.core.words import dir_of

DOMAIN = "studio"


def gettext(message: str) -> str:
    """The message as the studio speaks."""
    # The empty one is the catalogue's own head.
    return _spoken().gettext(message) if message else ""


def ngettext(singular: str, plural: str, number: int) -> str:
    """That of the two that goes with `number`; a language may have more than two."""
    return _spoken().ngettext(singular, plural, number)


def numbered(newsletter: str, number: int) -> str:
    """What an issue is called as long as nobody wrote its subject."""
    return gettext("%(newsletter)s no. %(number)s") % {"newsletter": newsletter, "number": number}


def said(text: str) -> str:
    """What core and flow say, as the studio speaks; a text that is no sentence of theirs stays as it is."""
    return text.said(gettext, ngettext) if isinstance(text, Sentence) else text


def rubric(key: str) -> str:
    """A rubric in words; what has none is unsorted."""
    return label(key, language()) or gettext("Unsorted")


def event(kind: str) -> str:
    """What kind of thing happened, for whoever does not read the English of its text; "" where nobody translated it."""
    known = kind if kind in _EVENTS else kind.partition(" ")[0]
    word = gettext(known) if known in _EVENTS else known
    return word[:1].upper() + word[1:] if word != known else ""


gettext_lazy = lazy(gettext, str)
"""For what is written down when a module is read, long before it is said."""


def language() -> str:
    """The code of the language that the studio speaks: English where nobody translated it."""
    return settings.NEWSLETTER.studio_language if type(_spoken()) is not NullTranslations else "en"


def direction() -> str:
    """ "rtl" or "ltr", for the pages' own frame."""
    return dir_of(language())


def _spoken() -> NullTranslations:
    return _catalogue(str(settings.LOCALE_PATHS[0]), settings.NEWSLETTER.studio_language)


@cache
def _catalogue(folder: str, code: str) -> NullTranslations:
    return translation(DOMAIN, Path(folder), languages=[to_locale(code)], fallback=True)


# States, kinds, roles and fields, as the ledger, `core.saying` and `flow` have them: keys there, marked here, and
# said by `|translated` and the desk.
_ = gettext_lazy
_MARKED = (
    _("draft"), _("approved"), _("sending"), _("paused"), _("sent"), _("skipped"), _("missed"), _("discarded"),
    _("scheduled"), _("held"), _("nothing sent yet"), _("sent with failures"),
    _("off"), _("planned"), _("no issue"),
    _("accepted"), _("failed"), _("excluded"), _("uncertain"), _("pending"),
    _("card"), _("line"),
    _("bounce"), _("complaint"), _("erased"), _("manual"),
    _("refused"), _("kept out"), _("warning"),
    _("status"), _("subscription"), _("unsubscribed at"), _("cleaned at"), _("deleted at"), _("wants mail"),
    _("mail off"), _("plain text"), _("changed"), _("refusals"), _("frequency"), _("consent"),
    _("in"), _("out"), _("waiting"),
    _("editor"), _("approver"), _("admin"),
    _("Headline"), _("Kicker"), _("Byline"), _("Dek"), _("Excerpt"), _("Facts"), _("Words of the link"), _("Rating"),
    _("Description"), _("Credit"), _("Subject"), _("Preview text"), _("Note"), _("Signature"),
)  # fmt: skip

# Kinds of events, as the ledger has them. "edited 12/dek" and "ignored 0f3a…" are of the kind of their first word.
_EVENTS = frozenset((
    sentence("account tried"), sentence("address changed"), sentence("approval taken back"), sentence("approved"),
    sentence("brought back"), sentence("composed"), sentence("correction"), sentence("design chosen"),
    sentence("discarded"), sentence("edited"), sentence("erased"), sentence("exported"), sentence("form closed"),
    sentence("form opened"), sentence("form saved"), sentence("held"), sentence("ignored"), sentence("imported"),
    sentence("included"), sentence("invitation withdrawn"), sentence("invited"), sentence("joined"),
    sentence("late arrivals"), sentence("left out"), sentence("let in again"), sentence("log-in link"),
    sentence("minded"), sentence("missed"), sentence("moved"), sentence("name chosen"), sentence("newsletter begun"),
    sentence("password changed"), sentence("paused"), sentence("pinned"), sentence("recovery code used"),
    sentence("recovery codes renewed"), sentence("refusals doubted"), sentence("removed"), sentence("resumed"),
    sentence("revived"), sentence("role changed"), sentence("run again"), sentence("scheduled"),
    sentence("second step off"), sentence("second step on"), sentence("segment deleted"), sentence("segment saved"),
    sentence("send now"), sentence("sending"), sentence("sent"), sentence("setting changed"),
    sentence("signup ceiling"), sentence("skipped"), sentence("source added"), sentence("source changed"),
    sentence("source failed"), sentence("source mapped"), sentence("source paused"), sentence("source removed"),
    sentence("source resumed"), sentence("special"), sentence("stopped"), sentence("suppression lifted"),
    sentence("taken back"), sentence("taught"), sentence("uncertain settled"), sentence("undone"),
    sentence("unpinned"), sentence("unsubscribed"), sentence("waiting for the provider"), sentence("week off"),
    sentence("week on"), sentence("wrong codes"),
))  # fmt: skip
