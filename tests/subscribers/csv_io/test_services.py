"""The exports of the common services, made up in their shapes: each is recognised, and nobody who left comes back."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest

from subscribers.csv_io import ImportReport, import_file
from subscribers.errors import ImportFileError
from subscribers.models import ConsentEvent, Subscription, Suppression
from tests.factories import make_list

pytestmark = pytest.mark.django_db
CONSENT = "Signed up at our old service, double opt-in since 2019."

MAILCHIMP = (
    '"Email Address","First Name","Last Name",City,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,'
    "LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS{more}\n"
)
MEMBER = (
    '{address},Ana,Quill,Köln,2,"2021-03-04 10:11:12",203.0.113.7,"2021-03-04 10:15:00",203.0.113.7,50.9,6.9,1,2,'
    'Europe/Berlin,DE,NW,"2024-01-02 03:04:05",1,aa,,"""Press"",""Donor of, 2020"""{more}\n'
)
SUBSCRIBED = MAILCHIMP.format(more="") + MEMBER.format(address="ana@example.org", more="")
UNSUBSCRIBED = MAILCHIMP.format(
    more=",UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER"
) + MEMBER.format(address="bo@example.org", more=',"2023-05-06 07:08:09",Week 18,9,"No longer interested",')
CLEANED = MAILCHIMP.format(more=",CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID") + MEMBER.format(
    address="cy@example.org", more=",,Week 19,9"
)


def bring_in(data: bytes | str, now: datetime, name: str = "members.csv", **options: Any) -> ImportReport:
    raw = data.encode() if isinstance(data, str) else data
    return import_file(io.BytesIO(raw), make_list(), name=name, wording=CONSENT, now=now, **options)


def zipped(**files: bytes | str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), text)
    return out.getvalue()


def states() -> dict[str, str]:
    found = {row.subscriber.address: row.state for row in Subscription.objects.select_related("subscriber")}
    return {**found, **dict(Suppression.objects.values_list("address_key", "reason"))}


@pytest.mark.parametrize("form", ["zip", "one by one"])
def test_mailchimps_three_files_go_where_they_belong(now: datetime, form: str) -> None:
    files = {"subscribed": SUBSCRIBED, "unsubscribed": UNSUBSCRIBED, "cleaned": CLEANED}
    if form == "zip":
        names = {
            f"subscribed_segment_export_ab12__{kind}_email_audience_ab12_csv": text for kind, text in files.items()
        }
        report = bring_in(zipped(**names), now, "export.zip")
        assert (report.rows, report.added, report.stopped) == (3, 1, 2)
        assert [table.service for table in report.tables] == ["Mailchimp"] * 3
    else:
        for text in files.values():
            assert bring_in(text, now).tables[0].service == "Mailchimp"
    assert states() == {"ana@example.org": "active", "bo@example.org": "unsubscribed", "cy@example.org": "bounce"}
    ana = Subscription.objects.select_related("subscriber").get(subscriber__address="ana@example.org")
    assert (ana.subscriber.name, ana.subscriber.language) == ("Ana Quill", "")
    assert ana.subscriber.attributes == {
        "TAGS": ["Press", "Donor of, 2020"], "TIMEZONE": "Europe/Berlin", "CC": "DE", "REGION": "NW"
    }  # fmt: skip
    assert ana.joined_at == datetime(2021, 3, 4, 10, 11, 12, tzinfo=UTC)
    assert ana.confirmed_at == datetime(2021, 3, 4, 10, 15, tzinfo=UTC)
    proof = ConsentEvent.objects.get(subscription=ana)
    assert (proof.at, proof.wording) == (now, CONSENT)
    assert proof.evidence["columns"] == {
        "OPTIN_TIME": "2021-03-04 10:11:12", "OPTIN_IP": "203.0.113.7", "CONFIRM_TIME": "2021-03-04 10:15:00",
        "CONFIRM_IP": "203.0.113.7", "LAST_CHANGED": "2024-01-02 03:04:05",
    }  # fmt: skip
    left = ConsentEvent.objects.get(address_key="bo@example.org")
    assert left.kind == "unsubscribed" and left.evidence["columns"]["UNSUB_REASON"] == "No longer interested"
    assert "CLEAN_CAMPAIGN_TITLE Week 19" in Suppression.objects.get().evidence


@pytest.mark.parametrize(
    ("kind", "state"), [("unsubscribed", "unsubscribed"), ("cleaned", "bounce"), ("nonsubscribed", None)]
)
def test_the_name_of_a_file_in_the_zip_counts_where_its_columns_do_not_say(
    now: datetime, kind: str, state: str | None
) -> None:
    report = bring_in(zipped(**{f"{kind}_members_csv": SUBSCRIBED}), now, "export.zip")
    assert states() == ({"ana@example.org": state} if state else {})
    assert report.refused == (kind == "nonsubscribed")
    assert not report.refused or report.problems[0].file == "nonsubscribed_members.csv"


SERVICES = [
    (
        "Substack",
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n"
        "ana@example.org,true,2027-01-01T00:00:00.000Z,annual,false,2022-02-03T04:05:06.789Z,2022-02-03T04:05:06.789Z\n"
        "bo@example.org,false,,other,true,2022-02-03T04:05:06.789Z,\n",
        {"plan": "annual"},
    ),
    (
        "Substack",
        "email,active_subscription,expiry,plan,email_disabled,prefer_digests,created_at\n"
        "ana@example.org,false,,,false,false,2022-02-03T04:05:06.789Z\n"
        "bo@example.org,false,,other,true,false,2022-02-03T04:05:06.789Z\n",
        {},
    ),
    (
        "Ghost",
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers"
        '\n1,ana@example.org,Ana,Met at the fair,true,,,2022-02-03T04:05:06.789Z,,"VIP,Press",Gold\n'
        "2,bo@example.org,Bo,,false,,,2022-02-03T04:05:06.000Z,,,\n",
        {"note": "Met at the fair", "labels": ["VIP", "Press"], "tiers": ["Gold"]},
    ),
    (
        "Ghost",
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,"
        "tiers,gift_id\n1,ana@example.org,Ana,,true,,,2022-02-03T04:05:06.789Z,,,,\n"
        "2,bo@example.org,Bo,,true,,,2022-02-03T04:05:06.000Z,2023-01-01T00:00:00.000Z,,,\n",
        {},
    ),
    (
        "listmonk",
        "uuid,email,name,attributes,status,created_at,updated_at\n"
        'a,ana@example.org,Ana,"{""city"": ""Köln"", ""size"": 4}",enabled,2022-02-03 04:05:06.789+00,2022-02-04\n'
        "b,bo@example.org,Bo,{},disabled,2022-02-03 04:05:06.000+00,2022-02-04 00:00\n",
        {"city": "Köln", "size": 4},
    ),
    (
        "beehiiv",
        "email,First Name,Last Name,status,tier,created_at,stripe_customer_id,utm_source,unsubscribed_at\n"
        "ana@example.org,Ana,,active,free,2022-02-03T04:05:06Z,,site,\n"
        "bo@example.org,Bo,,inactive,free,2022-02-03T04:05:06Z,,site,2023-01-01T00:00:00Z\n",
        {"tier": "free"},
    ),
    (
        "Curated",
        "Email Address,Subscribed at,UTM Source,UTM Medium,UTM Campaign,UTM Channel\n"
        "ana@example.org,2022-02-03 04:05:06 UTC,site,,,\n",
        {},
    ),
]


@pytest.mark.parametrize(("service", "text", "attributes"), SERVICES)
def test_each_service_is_known_by_its_header(
    now: datetime, service: str, text: str, attributes: dict[str, Any]
) -> None:
    report = bring_in(text, now)
    assert (report.tables[0].service, report.refused, report.problems) == (service, 0, [])
    ana = Subscription.objects.select_related("subscriber").get(subscriber__address="ana@example.org")
    assert (ana.state, ana.subscriber.attributes) == ("active", attributes)
    assert ana.joined_at.replace(microsecond=0) == datetime(2022, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert ConsentEvent.objects.get(subscription=ana).evidence["columns"]
    assert service == "Curated" or states()["bo@example.org"] == "unsubscribed"
    assert bring_in(text, now).added == 0


@pytest.mark.parametrize("zone", [b"\xef\xbb\xbf", b""])
def test_a_mapping_says_what_no_header_does(now: datetime, zone: bytes) -> None:
    text = "Kontakt;Wer;Ort;email;Punkte\nana@example.org;Ana;Köln;old@example.org;7\n"
    mapping = {"email": "KONTAKT", "name": "wer", "attributes.city": "Ort"}
    report = bring_in(zone + text.encode(), now, mapping=mapping, keep_columns=True)
    row = Subscription.objects.select_related("subscriber").get()
    assert (row.subscriber.address, row.subscriber.name) == ("ana@example.org", "Ana")
    assert row.subscriber.attributes == {"city": "Köln", "email": "old@example.org", "Punkte": "7"}
    assert report.tables[0].attributes == ["city", "email", "Punkte"]


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"email": "Contact"}, "no column of the first line has the name 'Contact'. Did you mean 'kontakt'"),
        ({"email": "twice"}, "several columns of the first line"),
        ({"name": "Kontakt"}, 'Say which it is: --map email="ITS NAME"'),
    ],
)
def test_a_mapping_that_names_no_column_is_refused(now: datetime, mapping: dict[str, str], words: str) -> None:
    with pytest.raises(ImportFileError) as caught:
        bring_in("Kontakt,twice,twice\nana@example.org,a,b\n", now, mapping=mapping)
    assert words in str(caught.value)


def test_a_date_that_cannot_be_read_is_kept_as_proof_and_said(now: datetime) -> None:
    text = "email,OPTIN_TIME,CONFIRM_TIME\n" + "".join(
        f"p{number}@example.org,{when},\n"
        for number, when in enumerate(["3/4/21 10:11", "2921-01-01", "1899-12-30", "2021-02-30", "9" * 600])
    )
    report = bring_in(text, now)
    assert report.added == 5
    assert {problem.kind for problem in report.problems} == {"warning"} and len(report.problems) == 5
    assert set(Subscription.objects.values_list("joined_at", "confirmed_at")) == {(now, now)}
    kept = [event.evidence["columns"]["OPTIN_TIME"] for event in ConsentEvent.objects.order_by("pk")]
    assert kept == ["3/4/21 10:11", "2921-01-01", "1899-12-30", "2021-02-30", "9" * 500]


def test_attributes_in_any_letters_are_kept(now: datetime) -> None:
    bring_in('email,attributes\nana@example.org,"{""a"": ""😀 \\ud83d\\ude00 \\\\u0000"", ""b"": null}"\n', now)
    assert Subscription.objects.get().subscriber.attributes == {"a": "😀 😀 \\u0000", "b": None}


@pytest.mark.parametrize("consent", ['{"a": "\\u0000"}', '["\\ud800"]', "[1e999]", "[" * 30 + "]" * 30, "nothing"])
def test_a_consent_that_no_database_keeps_is_refused_by_row(now: datetime, consent: str) -> None:
    quoted = consent.replace('"', '""')
    report = bring_in(f'email,subscription,consent\nana@example.org,active,"{quoted}"\nbo@example.org,,[]\n', now)
    assert (report.added, report.refused) == (1, 1)
    assert "The consent is not JSON that can be kept" in report.problems[0].reason


def test_controls_in_headers_and_names_reach_neither_the_database_nor_a_terminal(now: datetime) -> None:
    header = "email,LEID,EUID,OPTIN_TIME\x00,\x1b[2Jshoe\x00,ci\x00ty"
    data = zipped(**{"a\x1b[2Jb_csv": f"{header}\nana@example.org,1,2,2020-01-01,43,Köln\n"})
    report = bring_in(data, now, "ex\udcffport.zip", keep_columns=True)
    said = str(report.as_json())
    assert report.added == 1 and report.tables[0].attributes == ["LEID", "EUID", "OPTIN_TIME", "[2Jshoe", "city"]
    assert all(letter.isprintable() for letter in said)
    assert Subscription.objects.get().subscriber.attributes["city"] == "Köln"
    assert "\x1b" not in ConsentEvent.objects.get().origin


@pytest.mark.parametrize(
    "cell", ['"[1]"', '"{""a"": NaN}"', "{broken", '"{""a"": ""\\ud800""}"', '"{""a"": ""\\u0000""}"', "[" * 3000]
)
def test_attributes_that_no_database_keeps_are_refused_by_row(now: datetime, cell: str) -> None:
    report = bring_in(f"email,attributes\nana@example.org,{cell}\nbo@example.org,{{}}\n", now)
    assert (report.added, report.refused) == (1, 1)
    assert "The attributes are not an object of JSON" in report.problems[0].reason


def test_attributes_without_end_are_refused_by_row(now: datetime) -> None:
    report = bring_in(f"email,note\nana@example.org,{'x' * 2001}\n", now, keep_columns=True)
    assert "The attributes are too long" in report.problems[0].reason
