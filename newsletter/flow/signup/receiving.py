"""A form as it comes in: one row for whatever address, so that neither page nor time tells who is on the list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from ipaddress import ip_address, ip_network

from django.utils.translation import gettext as _

from newsletter.core.errors import NewsletterError
from newsletter.core.tokens import Keys
from newsletter.models import Newsletter, Signup, SignupForm
from subscribers.address import Address

HOUR = timedelta(hours=1)
_WEEKDAYS = 7


class Limited(NewsletterError):
    """This client has handed in too many forms lately."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks, as far as it is kept: `network` is the address cut to its /24 (IPv4) or /48 (IPv6), `mark` a keyed hash
    of the address (of its /64), which only the limit compares.
    """

    network: str = ""
    mark: str = ""
    agent: str = ""

    @classmethod
    def of(cls, address: str, agent: str, keys: Keys) -> Client:
        """From the address of the internet that the request came from; "" or nonsense is one unknown client."""
        try:
            found = ip_address(address.strip().partition("%")[0])
        except ValueError:
            return cls(mark=keys.mac("client", b"unknown").hex(), agent=agent[:300])
        mapped = getattr(found, "ipv4_mapped", None)
        found = mapped or found
        network = ip_network((found, 24 if found.version == 4 else 48), strict=False)
        one = found.packed if found.version == 4 else found.packed[:8]
        return cls(str(network), keys.mac("client", one).hex(), agent[:300])


@dataclass(frozen=True, slots=True)
class Copy:
    """The texts of a form as a reader sees them. `version` changes with any of them."""

    heading: str
    sub: str
    button: str
    consent: str

    @property
    def version(self) -> str:
        return blake2b(
            "\0".join((self.heading, self.sub, self.button, self.consent)).encode(), digest_size=6
        ).hexdigest()

    @property
    def wording(self) -> str:
        """What was agreed to, for the proof."""
        return f"{self.heading}\n{self.sub}\n{self.consent}\n[{self.button}]"


def copy_of(form: SignupForm) -> Copy:
    """The form's own texts, ours where it has none, in the language that is active."""
    newsletter = form.newsletter
    names = {"newsletter": newsletter.name, "magazine": newsletter.magazine.name, "weekday": _weekday(newsletter)}

    def said(own: str, ours: str) -> str:
        # Only our own sentences are formats; a name with braces in it is data.
        return own or ours.format(**names)

    return Copy(
        said(form.heading, _("The best of {magazine} in your inbox")),
        said(form.sub, _("{newsletter}: every {weekday}. Unsubscribe any time.")),
        said(form.button, _("Get the weekly")),
        said(
            form.consent, _("{magazine} sends you {newsletter} by e-mail. You can leave at any time, with one click.")
        ),
    )


def receive(
    form: SignupForm,
    address: Address,
    *,
    now: datetime,
    client: Client,
    copy: Copy,
    per_client: int,
    name: str = "",
    topics: Iterable[str] = (),
    language: str = "",
    page: str = "",
) -> Signup:
    """Keep what was handed in; the clock makes of it what the address deserves. Raises `Limited` when `client` has
    handed in `per_client` forms within an hour.
    """
    lately = Signup.objects.filter(client=client.mark, at__gt=now - HOUR)
    # Counted no further than the limit: a flood must not make its own check dear.
    if len(lately.values_list("pk", flat=True)[:per_client]) >= per_client:
        raise Limited("Too many forms from one place within an hour.")
    offered = set(form.topics)
    return Signup.objects.create(
        form=form,
        address=address.shown,
        name=name[:300] if form.ask_name else "",
        topics=sorted(offered & set(topics)),
        language=language,
        wording=f"{copy.wording}\n({copy.version})",
        page=page[:500],
        at=now,
        network=client.network,
        client=client.mark,
        agent=client.agent,
    )


def _weekday(newsletter: Newsletter) -> str:
    names = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
    return names[newsletter.weekday % _WEEKDAYS]
