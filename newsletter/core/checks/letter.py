"""The finished letter: its envelope, its links, its words."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator

from newsletter.core.checks.rows import Level, Row, Subject
from newsletter.core.context import to_json
from newsletter.core.letter import Rendered
from newsletter.core.markup import is_web, shown_address
from newsletter.core.prose import folded
from newsletter.core.sentence import counted, sentence, together

LIMIT = 90 * 1024
"""Bytes of HTML that a letter may have. Gmail clips at about 102 KB, and with the end goes the unsubscribe link; what a
mail program or a link tracker adds on its way must fit, too.
"""

HEAVY = 80 * 1024
HEAVIEST = 3
SUBJECT_LENGTH = 60

_MARKS = re.compile(r"\{\{|\}\}|\{%|%\}|\[\[|\*\||lorem ipsum", re.IGNORECASE)
_LINK = re.compile(r'(?:href|src)="(http://[^"]*)"')
_TAG = re.compile(r"""<[A-Za-z](?:[^<>"']|"[^"]*"|'[^']*')*>""")
_ATTRIBUTE = re.compile(r"""([^\s=<>"'/]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""")


def envelope(subject: Subject) -> Iterator[Row]:
    content, sample, url = subject.content, subject.sample, subject.unsubscribe_url
    address = content.magazine.address_lines
    if not address:
        yield Row(
            Level.BLOCK,
            sentence("The postal address is missing."),
            sentence("magazine"),
            sentence("Set its postal_address: the law asks for it."),
            code="address-missing",
        )
    elif not all(_has(sample, line) for line in address):
        yield Row(
            Level.BLOCK,
            sentence("The design does not print the postal address."),
            sentence("design"),
            sentence("Add it to both parts."),
            code="address-not-printed",
        )
    if not _has(sample, url):
        yield Row(
            Level.BLOCK,
            sentence("The letter has no unsubscribe link."),
            sentence("design"),
            sentence("Print subscriber.unsubscribe_url."),
            code="unsubscribe-missing",
        )
    if subject.headers is not None and (missing := _missing_headers(subject.headers)):
        yield Row(
            Level.BLOCK,
            sentence(
                "The message has no {missing} header: mail programs show no button to unsubscribe.", missing=missing
            ),
            sentence("sender"),
            sentence("Links must begin with https: see base_url in newsletter.toml."),
            code="unsubscribe-header",
        )
    if not url.startswith("https://"):
        level = Level.BLOCK if subject.mails_people else Level.WARN
        yield Row(
            level,
            sentence("Links in mails need https."),
            "base_url",
            sentence("Set base_url in newsletter.toml to an https address."),
            code="not-https",
        )
    if subject.audience == 0:
        yield Row(
            Level.BLOCK,
            sentence("There is nobody to send to."),
            sentence("audience"),
            "newsletter subscribers import FILE",
            code="audience-empty",
            anchor="audience",
        )
    size = len(sample.html.encode())
    if size >= HEAVY:
        level = Level.BLOCK if size > LIMIT else Level.WARN
        heaviest = ", ".join(str(weight) for weight in subject.weights[:HEAVIEST])
        text = together(
            sentence(
                "The letter is {size} KB of HTML, and {most} is the most.",
                size=f"{size / 1024:.1f}",
                most=LIMIT // 1024,
            ),
            sentence("Most of it: {heaviest}.", heaviest=heaviest) if heaviest else "",
        )
        yield Row(
            level,
            text,
            sentence("design"),
            sentence("Use fewer cards: newsletter issue note ISSUE --max-cards N."),
            code="too-heavy",
            anchor="issue/max_cards",
            about=str(size),
        )
    sponsor = content.sponsor
    if sponsor and not (sponsor.label and _has(sample, sponsor.label)):
        yield Row(
            Level.BLOCK,
            sentence("The design does not label the sponsor."),
            sentence("design"),
            sentence("Print sponsor.label in both parts."),
            code="sponsor-label",
            anchor="sponsor",
        )
    for link in sorted(set(_LINK.findall(sample.html))):
        if link.startswith(url.partition("/u/")[0]):
            continue  # our own host: said once, above
        yield Row(
            Level.WARN,
            sentence("A link without https."),
            link,
            sentence("Readers' mail programs may warn."),
            "http-link",
            _anchor_of(subject, link),
        )


def links(subject: Subject) -> Iterator[Row]:
    """The last gate: whatever way an address came in, a letter links to the web, to mail and to places within itself
    that there are, and to nothing else.
    """
    places = {f"#{place}" for place in _values(subject.sample.html, "id")}
    others = {address for address in _values(subject.sample.html, "href") if not _is_link(address)}
    for address in sorted(others - places):
        yield Row(
            Level.BLOCK,
            sentence("The letter links to {address}, which is no web or mail address.", address=shown_address(address)),
            sentence("links"),
            sentence("Mend the address, or leave the review out."),
            code="link-not-web",
        )
    for address, answer in sorted((subject.dead or {}).items()):
        yield Row(
            Level.BLOCK,
            sentence("A link leads nowhere: {answer}", answer=answer),
            shown_address(address),
            sentence("Mend it at its source, or leave the review out."),
            code="dead-link",
            anchor=_anchor_of(subject, address),
            about=f"{address} {answer}",
        )


def _anchor_of(subject: Subject, address: str) -> str:
    """The review that the address is of, or nothing."""
    found = next((each for each in subject.content.placed if each.url == address), None)
    return f"review/{found.key}" if found else ""


def _missing_headers(headers: str) -> str:
    """Which header of one-click unsubscription (RFC 8058 section 3.1) the message lacks."""
    names = {line.partition(":")[0].lower() for line in headers.splitlines()}
    return next((name for name in ("List-Unsubscribe", "List-Unsubscribe-Post") if name.lower() not in names), "")


def _values(letter: str, wanted: str) -> Iterator[str]:
    """What each attribute of that name says in the letter, those for Outlook in its comments included."""
    for tag in _TAG.finditer(letter):
        for name, *values in _ATTRIBUTE.findall(tag.group()):
            if name.lower().rpartition(":")[2] == wanted:
                yield html.unescape("".join(values))


def _is_link(address: str) -> bool:
    return is_web(address) or re.fullmatch(r"mailto:[^\s\"<>]+", address, re.IGNORECASE) is not None


def words(subject: Subject) -> Iterator[Row]:
    content, sample = subject.content, subject.sample
    line, preview = sample.subject, content.issue.preview_text
    at = {"where": sentence("issue"), "anchor": "issue/subject", "about": line}
    if not line:
        yield Row(
            Level.BLOCK, sentence("The subject is empty."), hint=sentence("Write one."), code="subject-empty", **at
        )
    elif len(line) > SUBJECT_LENGTH:
        text = counted("The subject has {n} character.", "The subject has {n} characters.", len(line))
        yield Row(
            Level.WARN,
            text,
            hint=sentence("Keep it within {most}.", most=SUBJECT_LENGTH),
            code="subject-long",
            **at,
        )
    at = {"where": sentence("issue"), "anchor": "issue/preview_text", "about": f"{preview}\n{line}"}
    if not preview:
        hint = sentence("Inboxes show it after the subject.")
        yield Row(Level.WARN, sentence("There is no preview text."), hint=hint, code="preview-missing", **at)
    elif folded(preview) and (folded(preview) in folded(line) or folded(line) in folded(preview)):
        text = sentence("The preview text repeats the subject.")
        yield Row(Level.WARN, text, hint=sentence("Let it say something more."), code="preview-repeats", **at)
    quoted = json.dumps(to_json(content), ensure_ascii=False)
    for part, text in (("subject", line), ("letter.mjml", sample.html), ("letter.txt", sample.text)):
        for mark in sorted({match.group() for match in _MARKS.finditer(text)} - set(_MARKS.findall(quoted))):
            text = sentence("A leftover {mark} is in the letter.", mark=repr(mark))
            yield Row(Level.BLOCK, text, part, sentence("Mend the template."), code="leftover", anchor="design")


def _has(sample: Rendered, words: str) -> bool:
    """Whether both parts hold the words, whatever the escapes and line breaks."""
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    in_html = any(each in sample.html for each in (words, escaped, escaped.replace('"', "&#34;").replace("'", "&#39;")))
    return in_html and "".join(words.split()) in "".join(sample.text.split())
