"""Every error the product raises on purpose, in one tree.

    NewsletterError
    ├── ConfigError          the home, newsletter.toml or magazine.toml is wrong
    │   ├── KeyRefusedError  one key of magazine.toml, typed there or in the studio, can't hold this value
    │   └── StudioError      an older magazine.toml would take back what was changed in the studio
    ├── DnsError             the DNS gave no answer: nothing is known, good or bad
    ├── ContentError         a page, paste, file or feed entry cannot be read
    ├── SourceError          a source could not be gathered (it never stops the others)
    │   └── FetchError       the fetcher refused or failed: address, size, time, status
    ├── PictureError         a picture is not a picture, or is a bomb
    ├── DesignError          a design's template, MJML or tokens are wrong: file, line, column
    │   └── TraceError       the template asks a subscriber something that can't be answered exactly
    ├── LetterMismatchError  a compiled letter differs from its full render: the send is held
    ├── IssueError           an issue is not in the state that the verb needs
    │   └── StaleError       somebody changed the same words meanwhile
    ├── LedgerError          a promise of the ledger would break
    │   └── ClaimLostError   another worker owns this batch now
    ├── ProviderError        the provider account can't send at all (login, connection, configuration)
    ├── PeopleError          who works here would change in a way that it can't
    └── SubscriberError      an address, a CSV row or a consent change is refused

Work raises these; only the edges (commands, pages) turn them into exit codes and words. Each message says
what failed, where, and what to do next; none carries a key or a list of addresses.
"""

from __future__ import annotations

from newsletter.core.sentence import sentence, together


class NewsletterError(Exception):
    """Something in the newsletter failed."""

    def __init__(self, message: str | None = None, *, where: str = "", hint: str = "") -> None:
        """`message` defaults to the class docstring's first line; `where` is a file or source (with line when known);
        `hint` is what to do or type next.
        """
        self.message = message or (self.__doc__ or type(self).__name__).splitlines()[0]
        self.where = where
        self.hint = hint
        super().__init__(self.message)

    def __str__(self) -> str:
        where = sentence("{where}:", where=self.where) if self.where else ""
        return together(where, self.message, self.hint)


class ConfigError(NewsletterError):
    """The configuration is wrong."""


class KeyRefusedError(ConfigError):
    """This value can't stand here."""

    def __init__(self, message: str | None = None, *, field: str, where: str = "", hint: str = "") -> None:
        """`field` is the key as the file names it."""
        super().__init__(message, where=where, hint=hint)
        self.field = field


class StudioError(ConfigError):
    """The file would take back what was changed in the studio."""


class DnsError(NewsletterError):
    """The DNS gave no answer."""


class ContentError(NewsletterError):
    """This content can't be read."""


class SourceError(NewsletterError):
    """The source could not be gathered."""


class FetchError(SourceError):
    """The address could not be fetched."""

    def __init__(
        self,
        message: str | None = None,
        *,
        where: str = "",
        hint: str = "",
        status: int | None = None,
        retry_after: int | None = None,
    ) -> None:
        """`status` is the HTTP status when there was an answer; `retry_after` the seconds that the server asked for."""
        super().__init__(message, where=where, hint=hint)
        self.status = status
        self.retry_after = retry_after


class PictureError(NewsletterError):
    """The picture can't be used."""


class DesignError(NewsletterError):
    """The design can't be compiled."""

    def __init__(
        self,
        message: str | None = None,
        *,
        file: str = "",
        line: int | None = None,
        column: int | None = None,
        field: str = "",
        hint: str = "",
    ) -> None:
        """`file`, `line` and `column` (both from 1) point into the design; `field` names the subscriber's field."""
        self.file, self.line, self.column, self.field = file, line, column, field
        where = ":".join(str(part) for part in (file, line, column) if part)
        super().__init__(message, where=where, hint=hint)


class TraceError(DesignError):
    """This template asks a subscriber something that can't be answered exactly."""


class LetterMismatchError(NewsletterError):
    """The letter for this subscriber would differ from its preview."""


class IssueError(NewsletterError):
    """The issue is not in the state that this needs."""


class StaleError(IssueError):
    """Somebody changed the same words meanwhile."""

    def __init__(self, theirs: dict[str, str], *, where: str = "", by: str = "") -> None:
        """`theirs` are the words as they are now, by field; `by` who wrote them last, when that is known."""
        self.theirs, self.by = theirs, by
        what = ", ".join(name.replace("_", " ").replace("picture ", "") for name in theirs)
        super().__init__(
            sentence("{name} changed this meanwhile: {what}.", name=by or sentence("Somebody"), what=what),
            where=where,
            hint=sentence("Look at both, and save again."),
        )


class LedgerError(NewsletterError):
    """A promise of the ledger would break."""


class ClaimLostError(LedgerError):
    """Another worker owns this batch now."""


class ProviderError(NewsletterError):
    """The provider account can't send."""

    def __init__(self, message: str | None = None, *, where: str = "", hint: str = "", permanent: bool = False) -> None:
        """`permanent` means that waiting will not help (login refused, unknown kind): a person must act."""
        super().__init__(message, where=where, hint=hint)
        self.permanent = permanent


class PeopleError(NewsletterError):
    """Who works here can't change like that."""


class SubscriberError(NewsletterError):
    """This subscriber or change is refused."""
