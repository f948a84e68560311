"""What time does to data: reminders, retention, and nothing twice."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from newsletter.flow import bounce, service, signup
from newsletter.flow.housekeeping import Kept, housekeep
from newsletter.flow.service import Kind
from newsletter.models import DeliveryState, ServiceMail, Signup, SignupForm
from subscribers import address, erasure
from subscribers.models import ConsentEvent, Subscription
from tests.factories import make_newsletter
from tests.sending import KEYS, Clock

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 5, 13, 0, tzinfo=UTC)


@pytest.fixture
def config() -> Any:
    return replace(settings.NEWSLETTER, base_url="https://news.example.test", secret_key="s" * 40)


@pytest.fixture
def form() -> SignupForm:
    form = SignupForm.objects.create(slug="weekly", newsletter=make_newsletter())
    client = signup.Client.of("198.51.100.7", "Firefox", KEYS)
    signup.receive(form, address.parse("ada@box.test"), now=AT, client=client, copy=signup.copy_of(form), per_client=9)
    signup.work_off(clock=Clock(AT), keys=KEYS, base_url="https://news.example.test", mails_per_hour=9)
    return form


def test_a_pending_reader_is_reminded_once_and_forgotten_in_the_end(form: SignupForm, config: Any) -> None:
    assert housekeep(config, KEYS, AT + timedelta(days=1)) == Kept()
    assert housekeep(config, KEYS, AT + timedelta(days=3)) == Kept(reminded=1)
    assert housekeep(config, KEYS, AT + timedelta(days=3)) == Kept()
    assert housekeep(config, KEYS, AT + timedelta(days=15)).retired == 1
    assert not Subscription.objects.exists()


def test_a_confirmed_readers_proof_stays_and_its_network_goes(form: SignupForm, config: Any) -> None:
    link = str(ServiceMail.objects.get().values["link"]).rpartition("/")[2]
    signup.confirm(
        signup.read_link(link, keys=KEYS, now=AT), now=AT, wording="Yes", evidence={"network": "198.51.100.0/24"}
    )
    kept = housekeep(config, KEYS, AT + timedelta(days=31))
    assert (kept.proofs, kept.forms, kept.retired) == (2, 1, 0)
    assert all(
        "network" not in event.evidence and "agent" not in event.evidence for event in ConsentEvent.objects.all()
    )
    assert ConsentEvent.objects.filter(evidence__form="weekly").exists() and not Signup.objects.exists()
    assert housekeep(config, KEYS, AT + timedelta(days=31)) == Kept()


def test_old_service_mails_go_and_waiting_ones_stay(form: SignupForm, config: Any) -> None:
    ServiceMail.objects.update(state=DeliveryState.ACCEPTED, subscription=None)
    service.queue(Kind.ALREADY, newsletter=form.newsletter, address="bob@box.test", now=AT)
    assert housekeep(config, KEYS, AT + timedelta(days=91)).mails == 1
    assert ServiceMail.objects.get().address == "bob@box.test"


def test_how_long_things_are_kept_is_a_setting(form: SignupForm, config: Any) -> None:
    ServiceMail.objects.update(state=DeliveryState.ACCEPTED, subscription=None)
    short = replace(config, keep_forms_days=2, keep_mails_days=3, keep_networks_days=1)
    found = [housekeep(short, KEYS, AT + timedelta(days=days)) for days in (1, 2, 4)]
    assert [(kept.proofs, kept.forms, kept.mails) for kept in found] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]


def test_the_command_says_what_it_did(
    form: SignupForm, config: Any, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    settings.NEWSLETTER = config
    Subscription.objects.update(state_at=AT - timedelta(days=400))
    call_command("housekeeping")
    assert capsys.readouterr().out == "1 never confirmed and forgotten\n"
    call_command("housekeeping", "--json")
    assert '"retired": 0' in capsys.readouterr().out


def test_who_is_erased_stands_in_no_mail_that_was_kept_aside(form: SignupForm, config: Any, tmp_path: Path) -> None:
    config = replace(config, home=tmp_path)
    head = "From: mailer@box.test\nSubject: %s\nMIME-Version: 1.0\n"
    hidden = b64encode(b"Your mail to ada@box.test was read.").decode()
    about_her = (
        head % "Plain" + "\nWho is Ada@Box.test?\n",
        head % "Hidden" + f"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n{hidden}\n",
        head % "Spelt" + "To: back+ada=box.test@news.example.test\n\nHello.\n",
    )
    for text in (*about_her, head % "Other" + "\nWho is bo@box.test?\n"):
        bounce.take(text.encode(), keys=KEYS, now=AT, home=tmp_path)
    assert len(bounce.aside(tmp_path)) == 4
    erasure.request(Subscription.objects.get().subscriber, now=AT)
    assert housekeep(config, KEYS, AT + timedelta(days=2)).erased == 1
    (left,) = bounce.aside(tmp_path)
    assert b"bo@box.test" in left.read_bytes()
