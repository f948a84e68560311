"""What each kind of service mail says. Second person, one thing a mail, buttons that are verbs (the wording guide)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


class Kind(StrEnum):
    """What a service mail is for."""

    CONFIRM = "confirm"
    REMIND = "remind"
    WELCOME = "welcome"
    ALREADY = "already"
    PREFERENCES = "preferences"
    DATA = "data"
    ADDRESS = "address"
    MOVED = "moved"
    ERASED = "erased"
    KEEP = "keep"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentences name: the newsletter and its magazine, when its next issue comes (ready to print, "" when none
    is planned), and for how many days the link works.
    """

    newsletter: str
    magazine: str
    next_issue: str = ""
    days: int = 7


@dataclass(frozen=True, slots=True)
class Mail:
    """A service mail in words. With `button` goes the reader's own link; `pieces` says that the last issue's reviews
    are listed; `list_mail` that the reader is subscribed, and can leave with the mail's own button.
    """

    subject: str
    heading: str
    paragraphs: tuple[str, ...]
    button: str = ""
    small: tuple[str, ...] = ()
    pieces: bool = False
    list_mail: bool = False
    days: int = 0


def _confirm(facts: Facts, values: Mapping[str, str]) -> Mail:
    return Mail(
        subject=_("Confirm your subscription to {newsletter}"),
        heading=_("One click and you’re in"),
        paragraphs=(_("Please confirm that you want {newsletter} at this address."),),
        button=_("Yes, subscribe me"),
        small=(
            ngettext("The link works for {days} day.", "The link works for {days} days.", facts.days),
            _("Didn’t ask for this? Ignore this mail; we won’t write again."),
        ),
    )


def _remind(facts: Facts, values: Mapping[str, str]) -> Mail:
    return Mail(
        subject=_("Still want {newsletter}? Your confirmation is open"),
        heading=_("You’re one click away"),
        paragraphs=(_("Two days ago somebody asked for {newsletter} at this address. It comes once you confirm."),),
        button=_("Yes, subscribe me"),
        small=(
            _("This is the only reminder. If you do nothing, we delete your address."),
            _("Didn’t ask for this? Ignore this mail; we won’t write again."),
        ),
    )


def _welcome(facts: Facts, values: Mapping[str, str]) -> Mail:
    when = _("The next issue comes {next_issue}.") if facts.next_issue else _("The next issue comes soon.")
    return Mail(
        subject=_("You’re in: {newsletter}"),
        heading=_("You’re in"),
        paragraphs=(
            when,
            _("Add our address to your contacts, so that it lands in your inbox. Replies reach our editors."),
        ),
        button=_("Choose topics and rhythm"),
        pieces=True,
        list_mail=True,
    )


def _already(facts: Facts, values: Mapping[str, str]) -> Mail:
    return Mail(
        subject=_("You already get {newsletter}"),
        heading=_("You’re already subscribed"),
        paragraphs=(_("Somebody entered this address into our form. It is on the list, and nothing has changed."),),
        button=_("See your preferences"),
        small=(_("Wasn’t it you? You need not do anything."),),
        list_mail=True,
    )


def _preferences(facts: Facts, values: Mapping[str, str]) -> Mail:
    return Mail(
        subject=_("Your link to {newsletter}"),
        heading=_("Here is your link"),
        paragraphs=(_("It opens your preferences: topics, rhythm, address, pause."),),
        button=_("Open my preferences"),
        small=(
            ngettext("The link works for {days} day.", "The link works for {days} days.", facts.days),
            _("Didn’t ask for this? Ignore this mail; nothing has changed."),
        ),
        list_mail=True,
    )


def _data(facts: Facts, values: Mapping[str, str]) -> Mail:
    return Mail(
        subject=_("Your data at {newsletter}"),
        heading=_("Your data, your address"),
        paragraphs=(_("This link shows what we keep about you, changes your address, or deletes everything."),),
        button=_("Open my data"),
        small=(
            ngettext("The link works for {days} day.", "The link works for {days} days.", 1),
            _("Didn’t ask for this? Ignore this mail; nothing has changed."),
        ),
        days=1,
    )


def _address(facts: Facts, values: Mapping[str, str]) -> Mail:
    return Mail(
        subject=_("Confirm your new address for {newsletter}"),
        heading=_("Is this your new address?"),
        paragraphs=(_("Press the button, and {newsletter} comes here from the next issue on."),),
        button=_("Yes, use this address"),
        small=(
            ngettext("The link works for {days} day.", "The link works for {days} days.", facts.days),
            _("Didn’t ask for this? Ignore this mail; nothing has changed."),
        ),
    )


def _moved(facts: Facts, values: Mapping[str, str]) -> Mail:
    return Mail(
        subject=_("{newsletter} goes to another address now"),
        heading=_("Your address has changed"),
        paragraphs=(
            _("From now on {newsletter} goes to the address that you confirmed. This one gets no more of it."),
        ),
        small=(_("Wasn’t it you? Answer this mail, and an editor will look at it."),),
    )


def _erased(facts: Facts, values: Mapping[str, str]) -> Mail:
    return Mail(
        subject=_("We delete your data at {newsletter}"),
        heading=_("Your data goes in a day"),
        paragraphs=(_("You get no more mail from now on. In a day we delete everything that we keep about you."),),
        button=_("Keep my data after all"),
        small=(_("What stays is a code that can’t be read back, so that no import brings you back by mistake."),),
    )


def _keep(facts: Facts, values: Mapping[str, str]) -> Mail:
    return Mail(
        subject=_("Still want {newsletter}?"),
        heading=_("Still want it?"),
        paragraphs=(_("Some of our mails to you came back lately, and we have not heard from you for long."),),
        button=_("Yes, keep it coming"),
        small=(_("If you do nothing, we ask once more and then pause it. One press brings it back."),),
        list_mail=True,
    )


def _notice(facts: Facts, values: Mapping[str, str]) -> Mail:
    """For editors: the words come with it (`flow.editors`), and none of them is a format."""
    told = {name: text.replace("{", "{{").replace("}", "}}") for name, text in values.items()}
    return Mail(
        subject=told.get("subject") or "{newsletter}",
        heading=told.get("heading") or "{newsletter}",
        paragraphs=tuple(line for line in told.get("text", "").split("\n") if line),
        button=told.get("button") or "Open",  # editors read English, as the studio is
    )


KINDS: Mapping[Kind, Callable[[Facts, Mapping[str, str]], Mail]] = {
    Kind.CONFIRM: _confirm,
    Kind.REMIND: _remind,
    Kind.WELCOME: _welcome,
    Kind.ALREADY: _already,
    Kind.PREFERENCES: _preferences,
    Kind.DATA: _data,
    Kind.ADDRESS: _address,
    Kind.MOVED: _moved,
    Kind.ERASED: _erased,
    Kind.KEEP: _keep,
    Kind.NOTICE: _notice,
}


def mail_of(kind: Kind, facts: Facts, values: Mapping[str, str]) -> Mail:
    """The words of a mail in the language that is active (`translation.override`)."""
    made = KINDS[kind](facts, values)
    fill = {
        "newsletter": facts.newsletter, "magazine": facts.magazine, "next_issue": facts.next_issue,
        "days": made.days or facts.days,
    }  # fmt: skip

    def filled(text: str) -> str:
        # Only our own sentences are formats; a name with braces in it is data.
        return text.format(**fill)

    return Mail(
        filled(made.subject),
        filled(made.heading),
        tuple(map(filled, made.paragraphs)),
        filled(made.button),
        tuple(map(filled, made.small)),
        made.pieces,
        made.list_mail,
        made.days,
    )
