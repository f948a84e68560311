"""The words for editors: gathered whole, said in another language where there is one, and none outside of gettext."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.utils.translation import to_locale
from jinja2 import DictLoader, nodes
from pytest_django import Settings

from newsletter.core.saying import Standing, label
from newsletter.flow.issue.editing import spoken
from newsletter.flow.issue.wording import CARD_FIELDS, PICTURE_FIELDS
from newsletter.flow.people import Role
from newsletter.flow.report import Counts
from newsletter.models import Issue, IssueState, Placement
from newsletter.web.jinja import environment
from newsletter.web.studio import words
from newsletter.web.studio.bars import bars
from subscribers.csv_io.columns import STOPPING
from subscribers.models import SubscriptionState, SuppressionReason
from tests.flow.compile.fixtures import issue as issue
from tests.flow.compile.fixtures import newsletter as newsletter
from tests.web.test_catalogues import FIELDS, FOLDER, gathered
from tests.web.test_studio import person

WEB = FOLDER.parent.parent / "templates" / "web"
PAGES = WEB / "studio"
TAGS = re.compile(r"<[^>]*>")
Text = str | tuple[str, ...]

STANDING = Standing(state="draft", reviews=1, due="", cutoff="")
SAID_ALOUD = ("title", "aria-label", "placeholder", "alt")
KEYS = set("ejkmnpxz")
"""What stands on a keyboard in every language."""


# --- the catalogue --------------------------------------------------------------------------------------------------


def test_the_template_for_translators_is_what_the_pages_say(tmp_path: Path) -> None:
    with (FOLDER / "studio.pot").open("rb") as file:
        found = {message.id for message in read_po(file) if message.id}
    assert found == gathered("babel-studio.cfg", tmp_path / "studio.pot", "sentence", "counted:1,2"), "make messages"


def test_every_state_that_a_page_shows_as_a_word_can_be_translated() -> None:
    with (FOLDER / "studio.pot").open("rb") as file:
        found = {message.id for message in read_po(file)}
    nobody = Counts(
        frozen=0, pending=0, claimed=0, waiting=0, accepted=0, failed=0, excluded=0, uncertain=0, undecided=0
    )
    labels = {label(replace(STANDING, state=state)) for state in IssueState.values}
    labels |= {label(replace(STANDING, state="draft", held="Late.")), label(replace(STANDING, state="sent", failed=1))}
    labels |= {label(replace(STANDING, state="paused", nothing_sent=True)), "off", "planned", "no issue"}
    labels |= {"in", "out", "waiting", *(role.word for role in Role)}
    fields = (*CARD_FIELDS, *PICTURE_FIELDS, "rating", "subject", "preview_text", "note", "note_signature")
    labels |= {f"{said[:1].upper()}{said[1:]}" for said in map(spoken, fields)}
    assert {*labels, *IssueState.values, *Placement.Kind.values, *(bar.name for bar in bars(nobody))} <= found
    assert {*SuppressionReason.values, *STOPPING, *(name.capitalize() for name in SubscriptionState.values)} <= found


def _faults(catalog: Catalog) -> Iterator[str]:
    """Sentences whose translation breaks a page: a field or tag lost or made up, a quote that ends an attribute."""
    for message in catalog:
        ids = message.id if isinstance(message.id, tuple | list) else (message.id,)
        texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        for text in (text for text in texts if message.id and text):
            whole = [sorted(FIELDS.findall(one)) + TAGS.findall(one) for one in (ids[-1], text)]
            # A sentence of core and flow has its fields in braces, and may say 83%.
            bare = ["%" in FIELDS.sub("", one).replace("%%", "") for one in (ids[-1], text)]
            if whole[0] != whole[1] or '"' in TAGS.sub("", text) or bare == [False, True]:
                yield str(ids[0])


def test_no_translation_of_the_studio_breaks_a_page() -> None:
    made_up = Catalog(locale="de")
    made_up.add("%(num)s day", "%(zahl)s Tag")
    made_up.add("Sent to <strong>%(number)s</strong>.", "An %(number)s gesendet.")
    made_up.add("Weeks", '"Wochen"')
    made_up.add("Rate", "100 %")
    made_up.add("As %(name)s gets it.", "Wie %(name)s es bekommt.")
    made_up.add("Write it like 83%.", "So wie 83 %.")
    made_up.add("{work} is over.", "{werk} ist vorbei.")
    assert list(_faults(made_up)) == ["%(num)s day", "Sent to <strong>%(number)s</strong>.", "Weeks", "Rate",
                                      "{work} is over."]  # fmt: skip
    for file in FOLDER.glob("*/LC_MESSAGES/studio.po"):
        with file.open("rb") as found:
            assert not list(_faults(read_po(found, locale=file.parent.parent.name))), file


# --- another language -----------------------------------------------------------------------------------------------


@pytest.fixture
def polish(settings: Settings, tmp_path: Path) -> None:
    """The studio in a language with three numbers, translated in part."""
    speak(settings, tmp_path, "pl", {
        ("%(num)s review", "%(num)s reviews"): ("%(num)s recenzja", "%(num)s recenzje", "%(num)s recenzji"),
        "No issue has “%(query)s” in it.": "Żaden numer nie ma „%(query)s”.",
        "Plain text": "Czysty tekst",
        "draft": "szkic",
        "Subject, number or date": "Temat, numer lub data",
    })  # fmt: skip


def speak(settings: Settings, folder: Path, code: str, texts: Mapping[Text, Text]) -> None:
    """From now on the studio speaks `texts`, compiled into `folder`."""
    catalog = Catalog(locale=code if code in ("ar", "de", "pl") else None)
    for message, text in texts.items():
        catalog.add(message, text)
    file = folder / to_locale(code) / "LC_MESSAGES" / "studio.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as written:
        write_mo(written, catalog)
    settings.LOCALE_PATHS = [folder]
    settings.NEWSLETTER = replace(settings.NEWSLETTER, studio_language=code)


@pytest.mark.django_db
@pytest.mark.usefixtures("polish", "issue")
def test_a_translation_shows_on_the_pages_with_its_own_numbers_and_what_it_lacks_is_english() -> None:
    edda = person("edda")
    rows = list(Placement.objects.order_by("pk").values_list("pk", flat=True))
    for number, said in ((4, "4 recenzje"), (1, "1 recenzja"), (0, "0 recenzji")):
        Placement.objects.exclude(pk__in=rows[:number]).delete()
        page = edda.get("/studio/").content.decode()
        assert f">{said}" in page
    assert '<html lang="pl" dir="ltr">' in page
    assert '<span class="state draft">szkic</span>' in page
    assert words.gettext(IssueState.DRAFT) == "szkic"
    assert '<h2 id="weeks">Twelve weeks</h2>' in page
    page = edda.get("/studio/?q=<b>{{ 7 }}%s").content.decode()
    assert "Żaden numer nie ma „&lt;b&gt;{{ 7 }}%s”." in page
    assert 'placeholder="Temat, numer lub data"' in page
    assert ">Czysty tekst</a>" in edda.get(f"/studio/weekly/{Issue.objects.get().slot}/").content.decode()


@pytest.mark.usefixtures("polish")
def test_pages_for_readers_do_not_speak_the_studios_words() -> None:
    said = '{{ _("Plain text") }}, {{ ngettext("%(num)s review", "%(num)s reviews", 2) }}, {{ frame_language() }}'
    pages = environment(loader=DictLoader({"public/one.html": said, "studio/one.html": said}))
    assert pages.get_template("public/one.html").render() == "Plain text, 2 reviews, en"
    assert pages.get_template("studio/one.html").render() == "Czysty tekst, 2 recenzje, pl"


@pytest.mark.parametrize(("code", "direction"), [("ar", "rtl"), ("de", "ltr"), ("pt-BR", "ltr"), ("fa-IR", "rtl")])
def test_a_page_runs_the_way_of_its_language(settings: Settings, tmp_path: Path, code: str, direction: str) -> None:
    speak(settings, tmp_path, code, {})
    assert (words.language(), words.direction()) == (code, direction)
    settings.LOCALE_PATHS = [tmp_path / "empty"]
    assert (words.language(), words.direction()) == ("en", "ltr")


# --- the sources ----------------------------------------------------------------------------------------------------


def visible(node: nodes.Node) -> str:
    """The template as HTML with every branch of it, without what goes through gettext and without values."""
    if isinstance(node, nodes.TemplateData):
        return node.data
    if isinstance(node, nodes.Const):
        # Not the formats of numbers and days.
        return re.sub(r"\{[^}]*\}|%-?[a-zA-Z]", "", node.value) if isinstance(node.value, str) else ""
    if isinstance(node, nodes.CondExpr):
        return visible(node.expr1) + (visible(node.expr2) if node.expr2 else "")
    if isinstance(node, nodes.Dict):
        return "".join(visible(pair.value) for pair in node.items)
    if isinstance(node, nodes.Compare | nodes.Test) or (isinstance(node, nodes.Filter) and node.name == "translated"):
        return ""
    if isinstance(node, nodes.Block) and node.name == "look":  # a class of the page's frame
        return ""
    if isinstance(node, nodes.If):
        return "".join(visible(one) for one in (*node.body, *node.elif_, *node.else_))
    if isinstance(node, nodes.For):
        return "".join(visible(one) for one in (*node.body, *node.else_))
    if isinstance(node, nodes.Include | nodes.Extends | nodes.Import | nodes.FromImport):
        return ""
    if isinstance(node, nodes.Getitem):
        return visible(node.node)
    if isinstance(node, nodes.Call):
        return visible(node.node) + "".join(_arguments(node))
    return "".join(visible(one) for one in node.iter_child_nodes())


def _arguments(call: nodes.Call) -> Iterator[str]:
    named = [one.value for one in call.kwargs]
    if isinstance(call.node, nodes.Name) and call.node.name in ("_", "gettext", "ngettext", "url", "static"):
        yield from (visible(one) for one in named if call.node.name not in ("url", "static"))
        return
    for one in (*call.args, *named):
        text = visible(one)
        # A macro's or method's key ("undo") is one small word; what is meant for people is not.
        yield text if re.search(r"[A-Z ]", text) else ""


class Letters(HTMLParser):
    """Gathers the texts that people see or hear and that have a letter."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in SAID_ALOUD:
                self.handle_data(value or "")

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if any(char.isalpha() for char in text) and text not in KEYS:
            self.found.append(text)


def outside(source: str) -> list[str]:
    """What of a template's source people see that no translation can reach."""
    letters = Letters()
    letters.feed(visible(environment().parse(source)))
    letters.close()
    return letters.found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ('<p>{{ _("Hello") }} {% trans n=1 %}so <b>{{ n }}</b>{% endtrans %} · {{ name }}</p>', []),
        ('<p class="a">{{ "Try" if x == "sent" else _("Go") }}</p>', ["Try"]),
        ('<i class="{{ "good" if x else "bad" }}" title="Help" data-x="y"></i>', ["Help"]),
        ('<b aria-label="{{ _("Pages") }}" placeholder="{{ "whole" if x }}"></b>', ["whole"]),
        ('{{ {"a": "Refused", "b": _("Left out")}[name] }}', ["Refused"]),
        ('{{ {"a": _("Refused")}.get(name, "What became of it") }}', ["What became of it"]),
        ('{{ title or "no. " ~ number }}', ["no."]),
        ('{% set title = "Log in" %}{{ title }}', ["Log in"]),
        ('{{ frame(issue, "Cover") }}{{ act("undo") }}{{ url("issue", args=[1]) }}', ["Cover"]),
        ('{{ "{:,}".format(n) }} {{ _("%(n)s left", n="all" if x else n) }}', ["all"]),
        ("{% if x %}One{% else %}Two{% endif %}", ["OneTwo"]),
        ('{{ x|default("None yet") }}', ["None yet"]),
        ("<dt>n</dt>{# a note #}", []),
    ],
)
def test_the_look_out_for_letters_sees_what_people_see(source: str, found: list[str]) -> None:
    assert outside(source) == found


@pytest.mark.parametrize("page", sorted(str(file.relative_to(PAGES)) for file in PAGES.rglob("*.html")))
def test_no_letter_of_a_page_stands_outside_of_gettext(page: str) -> None:
    assert outside((PAGES / page).read_text()) == [], "CONTRIBUTING.md, Words"


# --- the scripts ----------------------------------------------------------------------------------------------------

SCRIPTS = sorted((WEB / "static").glob("*.js"))
LITERAL = re.compile(r"""(?:^|\s)//[^\n]*|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`""")
PROSE = re.compile(r"^\s*[A-Z][a-z]+\b(?!-)|^\s+[a-z]+\b|[a-z](?:[.!?…]| …)$")
NAMES = re.compile(r"Arrow\w+|Enter|Shift|Control|Alt|AltGraph|Meta")
"""Keys, as browsers call them."""


def prose(script: str) -> list[str]:
    """The texts of a script that are meant for people."""
    found = ("".join(groups) for groups in LITERAL.findall(script))
    texts = (re.sub(r"\$\{[^}]*\}", "", text) for text in found)
    return [text for text in texts if PROSE.search(text) and not NAMES.fullmatch(text)]


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('say("Saving …");', ["Saving …"]),
        ("said.textContent = 'Copied';", ["Copied"]),
        ("say(`Saved ${time}`)", ["Saved "]),
        ('place.append(" people now");', [" people now"]),
        ('note("not saved.")', ["not saved."]),
        ('form.querySelector(".item > a.name"); // says "Hello"', []),
        ('button.className = "button quiet small"; if (key === "ArrowUp") go("X-Requested-With", "POST")', []),
        ("say(speech.saved)", []),
    ],
)
def test_the_look_out_for_prose_sees_what_a_script_says(script: str, found: list[str]) -> None:
    assert prose(script) == found


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: file.name)
def test_a_script_says_only_what_its_page_gave_it(script: Path) -> None:
    text = script.read_text()
    assert prose(text) == []
    tags = re.compile(rf"<script[^>]*'{re.escape(script.name)}'.*?</script>", re.DOTALL)
    given = [
        set(re.findall(r"\bdata-(\w+)=", tag))
        for page in PAGES.rglob("*.html")
        for tag in tags.findall(page.read_text())
    ]
    assert given and all(names == set(re.findall(r"\bspeech\.(\w+)", text)) for names in given)


@pytest.mark.django_db
def test_a_script_says_its_words_in_the_language_of_the_studio(
    settings: Settings, tmp_path: Path, issue: Issue
) -> None:
    speak(settings, tmp_path, "pl", {"Saved {time}": "Zapisano {time}"})
    page = person("edda").get(f"/studio/weekly/{issue.slot}/edit").content.decode()
    assert 'data-saved="Zapisano {time}"' in page
    assert 'data-saving="Saving …"' in page
