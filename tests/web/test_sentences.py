"""What core and flow say to editors: gathered whole, and said by every page in the language of the studio."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from html import unescape
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.test import Client
from django.utils import timezone
from jinja2 import DictLoader
from pytest_django import Settings

from newsletter.core.saying import what_next
from newsletter.core.sentence import counted, sentence
from newsletter.flow.compile import checks
from newsletter.flow.overview import standing
from newsletter.models import Entry, Event, Issue, Magazine, Placement
from newsletter.web.jinja import environment
from newsletter.web.studio import words
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.web.test_catalogues import FOLDER
from tests.web.test_home import soon as soon
from tests.web.test_settings import admin as admin
from tests.web.test_settings import send
from tests.web.test_studio import person
from tests.web.test_studio_words import Text, speak

SOURCES = FOLDER.parent
FIELD = re.compile(r"\{(\w+)\}")
SAID = ("core", "flow", "ledger", "providers", "sources", "media.py")
"""Where every finding and error is made of sentences, because the studio may show it."""
ELSEWHERE = (
    "flow/bounce/", "flow/service/", "flow/signup/", "ledger/deliveries/claims.py", "ledger/deliveries/settling.py",
)  # fmt: skip
"""What readers, a mailbox of bounces and the log hear: no page of the studio."""
KEYS = re.compile(r"R\d+ [a-z ]+|return path|service mails")
"""What rules and findings are told apart by."""
SHOWN = re.compile(r"^_?[Rr]ow$|Error$|^Refused$|^Finding$|^Problem$|^Verdict$")
PROSE = re.compile(r"[a-zA-Z] [a-z]|^[A-Z]| [a-z]+…|[a-z]: ")
OURS = (
    "AssertionError", "KeyError", "LookupError", "NewConnectionError", "NotPlainError", "OSError", "RuntimeError",
    "TypeError", "ValueError",
)  # fmt: skip
"""Slips of programmers, not of people."""

# --- the sources ----------------------------------------------------------------------------------------------------


def called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def misfits(source: str) -> Iterator[str]:
    """Sentences that can't be gathered, or whose fields and values are not the same."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or called(node) not in ("sentence", "counted"):
            continue
        texts = node.args[: 2 if called(node) == "counted" else 1]
        templates = [text.value for text in texts if isinstance(text, ast.Constant) and isinstance(text.value, str)]
        if len(templates) != len(texts):
            yield ast.unparse(node)
            continue
        own = {"n"} if called(node) == "counted" else set()  # the number, which need not be given, nor shown
        named = {one.arg for one in node.keywords}
        fields = {name for template in templates for name in FIELD.findall(template)}
        if named - own != fields - own or set("{}") & set("".join(FIELD.sub("", template) for template in templates)):
            yield ast.unparse(node)


def loose(source: str) -> Iterator[str]:
    """English that is given to a finding or an error, by a name too, and is no sentence. Commands to type are the same
    everywhere.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and is_shown(node):
            yield from (ast.unparse(text) for text in english(given(node)))
        if isinstance(node, ast.FunctionDef):
            inside = list(ast.walk(node))
            calls = [one for one in inside if isinstance(one, ast.Call) and is_shown(one)]
            names = {text.id for call in calls for text in given(call) if isinstance(text, ast.Name)}
            for one in inside:
                if isinstance(one, ast.Assign) and any(
                    isinstance(to, ast.Name) and to.id in names for to in one.targets
                ):
                    yield from (ast.unparse(text) for text in english([one.value]))


def is_shown(call: ast.Call) -> bool:
    return SHOWN.search(called(call)) is not None and called(call) not in OURS


def given(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(one.value for one in call.keywords if one.arg in ("message", "text", "hint"))]


def english(texts: Iterable[ast.expr]) -> Iterator[ast.expr]:
    for one in texts:
        for text in [one.body, one.orelse] if isinstance(one, ast.IfExp) else [one]:
            parts = text.values if isinstance(text, ast.JoinedStr) else [text]
            written = "…".join(part.value for part in parts if isinstance(getattr(part, "value", None), str))
            typed = written.startswith("newsletter ") and not written.endswith(".")
            if PROSE.search(written) and not KEYS.fullmatch(written) and not typed:
                yield text


@pytest.mark.parametrize(
    ("source", "fits"),
    [
        ('sentence("It is over.")', True),
        ('sentence("{work} is over.", work=card.work)', True),
        ('counted("{n} card", "{n} cards", 3)', True),
        ('counted("one card of {title}", "{n} cards of {title}", 3, n="3", title=x)', True),
        ('sentence("{work} is over.", title=card.work)', False),
        ('sentence("{work} is over.")', False),
        ('sentence("It is over.", work=card.work)', False),
        ('counted("{n} card", "{n} cards", 3, title=x)', False),
        ('sentence(f"{work} is over.")', False),
        ('sentence("{work:>3} is over.", work=work)', False),
        ("sentence(text)", False),
    ],
)
def test_the_look_out_for_misfits_sees_fields_and_values(source: str, fits: bool) -> None:
    assert (not list(misfits(source))) is fits


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('Row(Level.WARN, "It is late.", sentence("issue"), hint=f"{x} is late")', ["'It is late.'", "f'{x} is late'"]),
        ('raise IssueError("No." if x else sentence("Yes."), where="the desk", hint="newsletter apply")', ["'No.'"]),
        ('raise IssueError(sentence("No."), hint=sentence("Wait.") if x else "")', []),
        ('_row(level, each, "title", "no-link", text, hint)', []),
        ('def f():\n    hint = f"Wait {x}."\n    raise IssueError(text, hint=hint)', ["f'Wait {x}.'"]),
    ],
)
def test_the_look_out_for_loose_english_sees_what_is_shown(source: str, found: list[str]) -> None:
    assert list(loose(source)) == found


def test_the_fields_of_every_sentence_are_its_values() -> None:
    assert [one for file in sorted(SOURCES.rglob("*.py")) for one in misfits(file.read_text())] == []


def shown() -> Iterator[str]:
    """The modules whose errors and findings pages show."""
    for name in SAID:
        place = SOURCES / name
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            module = file.relative_to(SOURCES).as_posix()
            if not module.startswith(ELSEWHERE):
                yield module


@pytest.mark.parametrize("module", shown())
def test_what_the_studio_shows_is_made_of_sentences(module: str) -> None:
    assert list(loose((SOURCES / module).read_text())) == [], "CONTRIBUTING.md, Words"


# --- the pages ------------------------------------------------------------------------------------------------------


@pytest.fixture
def bracketed(settings: Settings, tmp_path: Path) -> None:
    """The studio in a language whose every sentence is the English one in brackets."""
    texts: dict[Text, Text] = {}
    with (FOLDER / "studio.pot").open("rb") as file:
        for message in read_po(file):
            if isinstance(message.id, tuple | list):
                texts[tuple(message.id)] = tuple(f"⟦{one}⟧" for one in message.id)
            elif message.id:
                texts[message.id] = f"⟦{message.id}⟧"
    speak(settings, tmp_path, "de", texts)


@pytest.fixture
def mara() -> Client:
    return person("mara", "approve_issue", "change_issue", "view_subscriber")


@pytest.mark.usefixtures("bracketed")
def test_a_page_says_sentences_alone_and_as_values_and_escapes_them() -> None:
    said = sentence("A link leads nowhere: {answer}", answer="<b>{answer}</b>")
    page = '{{ said }} {{ _("Mind again: %(text)s", text=said) }} {{ said.upper() }} <i title="{{ said }}"></i>'
    pages = environment(loader=DictLoader({"studio/one.html": page, "public/one.html": page}))
    shown = "⟦A link leads nowhere: &lt;b&gt;{answer}&lt;/b&gt;⟧"
    english = "A link leads nowhere: &lt;b&gt;{answer}&lt;/b&gt;"
    loud = "A LINK LEADS NOWHERE: &lt;B&gt;{ANSWER}&lt;/B&gt;"
    assert (
        pages.get_template("studio/one.html").render(said=said)
        == f'{shown} ⟦Mind again: {shown}⟧ {loud} <i title="{shown}"></i>'
    )
    assert (
        pages.get_template("public/one.html").render(said=said)
        == f'{english} Mind again: {english} {loud} <i title="{english}"></i>'
    )


@pytest.mark.usefixtures("bracketed")
def test_what_somebody_typed_is_not_looked_up() -> None:
    assert words.said("It is over.") == "It is over."
    assert words.said(sentence("A link leads nowhere: {answer}", answer="It is over.")) == (
        "⟦A link leads nowhere: It is over.⟧"
    )
    assert words.said(counted("The subject has {n} character.", "The subject has {n} characters.", 80)) == (
        "⟦The subject has 80 characters.⟧"
    )


@pytest.fixture
def faulty(issue: Issue) -> Issue:
    Magazine.objects.update(postal_address="")
    issue.subject, issue.preview_text = "A subject that nobody reads to its end " * 2, ""
    issue.save()
    Placement.objects.filter(issue=issue, kind="card").update(edits={"picture_alt": "", "dek": ""})
    return Issue.objects.get(pk=issue.pk)


@pytest.mark.django_db
@pytest.mark.usefixtures("bracketed")
def test_checks_are_said_in_the_language_of_the_studio(mara: Client, faulty: Issue) -> None:
    page = mara.get(f"/studio/weekly/{faulty.slot}/edit").content.decode()
    found = {row.text: row for row in checks(faulty, timezone.now(), ask_dns=False)}
    assert "The subject has 77 characters." in found and "The postal address is missing." in found and len(found) == 6
    for text, row in found.items():
        assert f"⟦{text}⟧" in unescape(page), text
        assert f"⟦{row.hint}⟧" in unescape(page) or row.hint.startswith("newsletter "), row.hint
    assert "<code>⟦magazine⟧</code>" in page and "⟦Ignore this time: ⟦" in page


@pytest.mark.django_db
@pytest.mark.usefixtures("bracketed")
def test_what_happens_next_is_said_in_the_language_of_the_studio(mara: Client, faulty: Issue) -> None:
    page = mara.get("/studio/").content.decode()
    assert re.search(r"⟦It would go out ⟦.*⟧, but .* against it\.⟧", page)
    assert "⟦Mend what stands against it⟧" in page
    faulty.state, faulty.outcome_reason = "missed", "It is over."
    faulty.save()
    assert words.said(what_next(standing(faulty, timezone.now()))) == (
        "It is over. ⟦Its reviews wait for the next issue, unless you bring it back.⟧"
    ), "what is stored stays as it was written"


@pytest.mark.django_db
@pytest.mark.usefixtures("bracketed")
def test_an_error_is_said_in_the_language_of_the_studio_with_what_was_typed_as_it_is(mara: Client) -> None:
    page = " ".join(mara.post("/studio/plan/weekly/on", {"day": "2026-11-06"}).content.decode().split())
    assert "⟦2026-11-06 is not off.⟧" in page
    page = mara.post("/studio/plan/weekly/special", {"name": "⟦<b>{name}⟧", "at": "2031-01-01T10:00"}).content.decode()
    assert "⟦“⟦&lt;b&gt;{name}⟧” can&#39;t stand in an address.⟧" in page


@pytest.mark.django_db
@pytest.mark.usefixtures("bracketed")
def test_what_stands_against_an_approval_is_said_in_the_language_of_the_studio(mara: Client, faulty: Issue) -> None:
    page = unescape(mara.post(f"/studio/weekly/{faulty.slot}/approve", {"fingerprint": ""}).content.decode())
    against = "⟦⟦magazine⟧:⟧ ⟦The postal address is missing.⟧ ⟦Set its postal_address: the law asks for it.⟧"
    assert f"{against}; " in page and "⟦newsletter checks tells where.⟧" in page
    assert against in unescape(mara.get(f"/studio/weekly/{faulty.slot}/send").content.decode())


@pytest.mark.django_db
@pytest.mark.usefixtures("bracketed")
def test_a_form_says_what_a_file_would_be_refused_for_in_the_language_of_the_studio(admin: Client) -> None:
    page = unescape(send(admin, "identity", "newsletter", name="x" * 3000).content.decode())
    assert "⟦takes at most 200 letters, not 3000⟧" in page


@pytest.mark.django_db
@pytest.mark.usefixtures("bracketed")
def test_what_happened_is_told_by_its_kind_and_in_the_words_of_that_day(admin: Client, issue: Issue) -> None:
    for kind, text in (("week off", "<i>Off</i>."), (f"edited {issue.pk}/dek", "The dek."), ("of old", "It is over.")):
        Event.objects.create(newsletter=issue.newsletter, at=timezone.now(), kind=kind, text=text, by="mara")
    page = " ".join(admin.get("/studio/audit/").content.decode().split())
    assert "<b>⟦week off⟧</b> &lt;i&gt;Off&lt;/i&gt;." in page
    assert "<b>⟦edited⟧</b> The dek." in page
    assert '<p class="what">It is over.' in page


def test_every_kind_of_event_can_be_told_in_another_language() -> None:
    found = set()
    for file in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and called(node) in ("tell", "_tell"):
                given = node.args[:3]
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("Event", "Event.objects.create"):
                given = [one.value for one in node.keywords if one.arg == "kind"]
            else:
                continue
            found |= {one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    kinds = {one for one in found if re.fullmatch(r"[a-z][a-z -]+", one)}
    assert len(kinds) > 40 and kinds <= set(words._EVENTS)


def unsaid(page: str) -> Iterator[str]:
    """The texts of a page that no translation reached: outside of every bracket."""
    body = re.sub(r"<(script|style|head|svg)\b.*?</\1>", "", page, flags=re.DOTALL)
    depth, found = 0, ""
    for letter in unescape(re.sub(r"<[^>]*>", "\n", body)):
        depth += (letter == "⟦") - (letter == "⟧")
        found += letter if depth == 0 and letter != "⟧" else ""
    yield from (" ".join(text.split()) for text in found.split("\n"))


def test_the_look_out_for_what_is_unsaid_sees_around_brackets() -> None:
    page = "<head>Head</head><p>⟦Held: ⟦late⟧ now⟧ and <b>more</b></p><svg><text>x</text></svg>"
    assert list(filter(None, unsaid(page))) == ["and", "more"]


@pytest.mark.django_db
@pytest.mark.usefixtures("bracketed")
def test_no_page_of_the_studio_says_more_than_two_words_in_english(admin: Client, faulty: Issue) -> None:
    written = " ".join(json.dumps(row.content, ensure_ascii=False) for row in Entry.objects.all())
    written += f"{faulty.subject} {faulty.note} {faulty.newsletter.magazine.about}"
    places, seen, english = ["/studio/", "/studio/audit/?clock=1", "/studio/account/"], set[str](), set[str]()
    while places:
        place = places.pop().partition("?")[0]
        if place in seen or re.search(r"/(look|cover)", place):
            continue
        seen.add(place)
        answer = admin.get(place)
        if answer.status_code != 200 or not answer.headers["Content-Type"].startswith("text/html"):
            continue
        page = answer.content.decode()
        places += re.findall(r'href="(/studio/[^"#]*)"', page)
        # Commands, rules and code are the same everywhere; what stands in the letter is the letter's.
        plain = (text for text in unsaid(page) if re.search(r"[a-zA-Z]+ [a-z]+ [a-zA-Z]+", text))
        english |= {text for text in plain if not re.match(r"newsletter |\{|v=", text) and text[:60] not in written}
    assert len(seen) > 25
    # A part of the design by its name, a subject that the letter might have, a colour.
    assert english <= {"head and styles 5.8 KB", "See You Sunday: worth your evening?", "on ink muted"}
