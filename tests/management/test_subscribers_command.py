from __future__ import annotations

import io
import json
import re
import stat
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from subscribers import segments
from subscribers.models import MailingList, Subscription
from tests.factories import make_list, make_subscription

pytestmark = pytest.mark.django_db
CONSENT = "Asked on paper cards in 2026."
TEXT = "email,name,shoe\nana@example.org,Ana,43\nbo@example.org,Bo,44\n"


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("subscribers", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    make_list()
    path = tmp_path / "door.csv"
    path.write_text(TEXT)
    return path


def test_a_dry_run_tells_and_changes_nothing(file: Path) -> None:
    out = run("import", str(file), "--list", "weekly", "--consent", CONSENT, "--dry-run")
    assert "2 would be added" in out
    assert "not read: shoe" in out
    assert "Nothing was changed" in out
    assert not Subscription.objects.exists()


def test_an_import_adds_and_reports_in_words(file: Path) -> None:
    out = run("import", str(file), "--consent", CONSENT)
    assert "door.csv: 2 rows for the list weekly" in out
    assert Subscription.objects.count() == 2
    assert "2 on the list already" in run("import", str(file), "--consent", CONSENT)


def test_the_report_is_one_json_object_and_bad_rows_make_a_person_look(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(TEXT + "nobody,N,1\n")
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("subscribers", "import", str(file), "--consent", CONSENT, "--json", stdout=out)
    assert ended.value.code == 3
    report = json.loads(out.getvalue())
    assert (report["added"], report["refused"], report["dry_run"]) == (2, 1, False)
    assert report["problems"][0]["line"] == 4


def test_a_long_list_of_problems_is_cut_on_the_screen(file: Path) -> None:
    make_subscription("ana@example.org", state="unsubscribed")
    file.write_text("email\n" + "ana@example.org\n" + "".join(f"p{n}@example.org,x\n" for n in range(60)))
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("subscribers", "import", str(file), "--consent", CONSENT, stdout=out)
    assert "line 2: kept out" in out.getvalue()
    assert "... and 11 more" in out.getvalue()


def test_a_file_without_header_is_read_with_a_warning(file: Path) -> None:
    file.write_text("ana@example.org\n")
    assert "warning: There is no header" in run("import", str(file), "--consent", CONSENT)


def test_standard_input_is_a_file_too(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(TEXT.encode())))
    assert "standard input: 2 rows" in run("import", "-", "--consent", CONSENT)


def test_progress_of_a_long_file_goes_to_the_log(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.management.commands.subscribers.TOLD_EVERY", 1)
    err = io.StringIO()
    call_command("subscribers", "import", str(file), "--consent", CONSENT, stdout=io.StringIO(), stderr=err)
    assert "2 rows" in err.getvalue()


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        (TEXT, ["--list", "weakly"], 'There is no list "weakly". Did you mean "weekly"'),
        ("shoe\n43\n", [], "door.csv: No column of the first line is 'email'"),
        (None, [], "can't be read"),
    ],
)
def test_a_mistake_is_said_in_words(file: Path, text: str | None, arguments: list[str], words: str) -> None:
    file.write_text(text) if text else file.unlink()
    with pytest.raises(CommandError, match=words):
        run("import", str(file), "--consent", CONSENT, *arguments)


def test_without_a_list_or_with_several_it_says_what_to_type(file: Path) -> None:
    make_list("daily")
    with pytest.raises(CommandError, match="--list daily or --list weekly"):
        run("import", str(file), "--consent", CONSENT)
    MailingList.objects.all().delete()
    with pytest.raises(CommandError, match="newsletter apply"):
        run("import", str(file), "--consent", CONSENT)


def test_an_export_is_a_private_new_file(file: Path, tmp_path: Path) -> None:
    make_subscription("ana@example.org", name="=1+1")
    path = tmp_path / "out.csv"
    run("export", str(path))
    assert path.read_bytes().startswith(b"\xef\xbb\xbfemail,name,")
    assert b"ana@example.org,'=1+1," in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="exists already"):
        run("export", str(path))
    with pytest.raises(CommandError, match="can't be written"):
        run("export", str(tmp_path / "no" / "out.csv"))


def test_an_export_to_the_terminal_is_the_same_bytes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_subscription("ana@example.org", name="Ána")
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii", write_through=True))
    run("export")
    assert "ana@example.org,Ána,".encode() in raw.getvalue()
    assert raw.getvalue().count(b"\r\n") == 2


def test_a_mapping_and_a_list_of_differences_go_with_an_import(file: Path, tmp_path: Path) -> None:
    file.write_text("Kontakt,Ort,Wer\nana@example.org,Köln,Ana\n")
    out = tmp_path / "differences.csv"
    arguments = ["--map", "email=Kontakt", "--map", "attributes.city=Ort", "--differences", str(out)]
    told = run("import", str(file), "--consent", CONSENT, "--dry-run", *arguments)
    assert "not read: Wer" in told and "1 would be added" in told
    assert out.read_text().splitlines()[1] == "door.csv,2,ana@example.org,added,,active,"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match=r"differences\.csv exists already"):
        run("import", str(file), "--consent", CONSENT, *arguments)
    run("import", str(file), "--consent", CONSENT, "--keep-columns", *arguments[:4])
    assert Subscription.objects.get().subscriber.attributes == {"city": "Köln", "Wer": "Ana"}


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("Kontakt", "--map takes a meaning and a header"),
        ("emial=Kontakt", "--map knows no 'emial'. Did you mean 'email'?"),
        ("shoe=Kontakt", "--map knows no 'shoe'. It knows email, name"),
        ("attributes.=Kontakt", "--map knows no 'attributes.'"),
    ],
)
def test_a_mapping_that_means_nothing_is_said(file: Path, pair: str, words: str) -> None:
    with pytest.raises(CommandError, match=re.escape(words)):
        run("import", str(file), "--consent", CONSENT, "--map", pair)


def test_an_archive_of_a_service_is_named_with_its_files(file: Path, tmp_path: Path) -> None:
    header = "Email Address,LEID,EUID,Shoe"
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("subscribed_members.csv", f"{header}\nana@example.org,1,a,43\n")
        archive.writestr("cleaned_members.csv", f"{header},CLEAN_TIME\nbo@example.org,1,a,43,\nnobody,1,a,43,\n")
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("subscribers", "import", str(tmp_path / "export.zip"), "--consent", CONSENT, stdout=out)
    assert "subscribed_members.csv: an export of Mailchimp" in out.getvalue()
    assert "cleaned_members.csv: not read: LEID, EUID, Shoe" in out.getvalue()
    assert "cleaned_members.csv line 3: refused" in out.getvalue()


def test_an_export_of_a_segment_names_it(file: Path, tmp_path: Path) -> None:
    make_subscription("ana@example.org", language="en")
    make_subscription("bo@example.org", language="de")
    segments.save("german", make_list(), rule={"language": ["de"]})
    err = io.StringIO()
    call_command("subscribers", "export", str(tmp_path / "out.csv"), "--segment", "german", stderr=err)
    assert "1 subscribers of weekly, segment german" in err.getvalue()
    with pytest.raises(CommandError, match='Did you mean "german"'):
        run("export", "--segment", "germn")
