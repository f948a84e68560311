"""As whom the letter is shown: nobody in particular, or a subscriber found by address."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest

from newsletter.models import Issue
from subscribers import address
from subscribers.models import Subscription

MOST = 8


@dataclass(frozen=True, slots=True)
class Found:
    """One subscription that the search brought. `shown` is masked for whoever may not see addresses."""

    pk: int
    shown: str
    name: str


class Readers:
    """The request's search (`q`) and choice (`as`) on the issue's list.

    Who may not see subscribers finds them by their whole address only, and can choose nobody else: numbers can be
    counted through.
    """

    def __init__(self, request: HttpRequest, issue: Issue) -> None:
        """Reads `q` and `as` of the address; what makes no sense is nobody."""
        self._rows = Subscription.objects.filter(mailing_list=issue.newsletter.mailing_list).select_related(
            "subscriber"
        )
        self.sees_addresses = request.user.has_perm("subscribers.view_subscriber")
        self.query = request.GET.get("q", "").strip()[:254].replace("\x00", "")
        self.found = [self._shown(row) for row in self._search()]
        wanted = request.GET.get("as", "")
        number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 else None
        if number is None and len(self.found) == 1:
            number = self.found[0].pk
        self.chosen: Subscription | None = self._choice(number)

    @property
    def chosen_query(self) -> str:
        """The choice for another address of this page; "" for nobody in particular."""
        return self.query_for(self.chosen.pk) if self.chosen is not None else ""

    def query_for(self, pk: int) -> str:
        """What chooses `pk`. The search goes along: without it, not everybody may choose."""
        return urlencode({"q": self.query, "as": pk} if self.query else {"as": pk})

    @property
    def name(self) -> str:
        """Whom the letter is shown as, in words."""
        if self.chosen is None:
            return "nobody in particular"
        found = self._shown(self.chosen)
        return f"{found.name} ({found.shown})" if found.name else found.shown

    def _choice(self, number: int | None) -> Subscription | None:
        if number is None or not (self.sees_addresses or number in (found.pk for found in self.found)):
            return None
        return self._rows.filter(pk=number).first()

    def _search(self) -> list[Subscription]:
        if not self.query:
            return []
        key = address.key(self.query)
        exact = list(self._rows.filter(subscriber__address_key=key))
        if exact or not self.sees_addresses:
            return exact
        return list(self._rows.filter(subscriber__address_key__contains=key).order_by("subscriber__address_key")[:MOST])

    def _shown(self, row: Subscription) -> Found:
        person = row.subscriber
        if self.sees_addresses:
            return Found(row.pk, person.address, person.name)
        return Found(row.pk, address.masked(person.address), "")
