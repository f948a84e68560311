"""Putting the demo's magazine into its home: settings, readers, the editor who logs in."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from importlib import resources
from io import BytesIO, StringIO
from pathlib import Path
from string import Template
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction

from newsletter import media
from newsletter.config.create import MAGAZINE_FILE
from newsletter.config.schema import Config
from newsletter.core.rubrics import RUBRICS
from newsletter.demo.people import PEOPLE
from newsletter.demo.pictures import draw
from newsletter.demo.place import Place
from newsletter.demo.reviews import PUBLIC
from newsletter.flow.apply import apply_text
from newsletter.models import Newsletter
from subscribers import address, consent, suppression
from subscribers.csv_io import import_file
from subscribers.models import Subscriber, Subscription, SuppressionReason

EDITOR = "mara"
CONSENT = "Signed the list at the LANTERN stand: yes, send me the weekly."
NOTE = (
    "This was a week of people who stay in the room. A father and daughter at the laundromat, six understudies round a "
    "kettle, twelve gardeners and eleven chairs; even the monster in our best horror film is a maintenance schedule. "
    "It seems to be catching: I began Edda Marrow’s new novel on a tram and was carried on to the depot. If you have "
    "one evening, give it to See You Sunday, and afterwards call somebody. If you have two, there is a boat to row."
)
SIGNATURE = "Mara Quill, editor"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ZONE = ZoneInfo("America/New_York")


def magazine_toml(place: Place, cover: str) -> str:
    """The magazine's settings. The weekly slot is the second quarter of an hour after the demo began."""
    quarter = place.began.replace(minute=place.began.minute // 15 * 15, second=0, microsecond=0)
    slot = (quarter + timedelta(minutes=30)).astimezone(_ZONE)
    text = (resources.files("newsletter.demo") / MAGAZINE_FILE).read_text("utf-8")
    return Template(text).substitute(
        origin=f"http://127.0.0.1:{place.magazine_port}",
        public=PUBLIC,
        mail_port=place.mail_port,
        weekday=_WEEKDAYS[slot.weekday()],
        send_time=f"{slot:%H:%M}",
        cover=cover,
    )


def set_up(config: Config, place: Place, now: datetime) -> Newsletter:
    """Settings, readers and editor, as far as they are not there yet. Doing it again changes nothing."""
    home = config.need_home()
    cover = media.store_bytes(draw("cover", "tall"), folder=config.media_folder, now=now)
    text = magazine_toml(place, f"{config.base_url}/media/{cover.name}")
    file = home / MAGAZINE_FILE
    if file.read_text("utf-8") != text:
        file.write_text(text, encoding="utf-8")
    apply_text(text, now=place.began, file=str(file), home=home)
    newsletter = Newsletter.objects.select_related("mailing_list", "magazine", "account").get(slug="weekly")
    if not Subscription.objects.filter(mailing_list=newsletter.mailing_list).exists():
        add_people(newsletter, home, place.began.astimezone(UTC))
    if not User.objects.filter(username=EDITOR).exists():
        # No password: the only way in is the one-time link that the demo prints.
        User.objects.create_superuser(EDITOR, email="mara@news.example.test", first_name="Mara", last_name="Quill")
    return newsletter


@transaction.atomic
def add_people(newsletter: Newsletter, home: Path, now: datetime) -> None:
    """Import all forty from a CSV file in the home, then let happen to some what has happened to them."""
    table = people_csv()
    (home / "people.csv").write_text(table, encoding="utf-8")
    import_file(
        BytesIO(table.encode()),
        newsletter.mailing_list,
        name="people.csv",
        wording=CONSENT,
        now=now - timedelta(days=200),
        known_topics=RUBRICS.keys(),
    )
    subscriptions = {
        row.subscriber.address_key: row
        for row in Subscription.objects.filter(mailing_list=newsletter.mailing_list).select_related(
            "subscriber", "mailing_list"
        )
    }
    for person in PEOPLE:
        row = subscriptions[address.parse(person.address).key]
        if person.plain_text or person.attributes:
            Subscriber.objects.filter(pk=row.subscriber_id).update(
                plain_text=person.plain_text, attributes=person.attributes
            )
        match person.ends:
            case "unsubscribed":
                consent.unsubscribe(row, now=now - timedelta(days=9), origin="link in the issue before")
            case "suppressed":
                suppression.suppress(
                    row.subscriber.address_key,
                    SuppressionReason.BOUNCE,
                    now=now - timedelta(days=9),
                    evidence="550 5.2.1 mailbox disabled",
                )


def people_csv() -> str:
    """The readers as any magazine would bring them along."""
    out = StringIO()
    table = csv.writer(out)
    table.writerow(["email", "name", "language", "topics", "status"])
    for person in PEOPLE:
        status = "pending" if person.ends == "pending" else "active"
        table.writerow([person.address, person.name, person.language, "; ".join(person.topics), status])
    return out.getvalue()
