"""Who wrote it and who took the pictures, out of the lines that say so."""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.core.prose import folded, plain

# Longest first: "review by" before "by". Each must be followed by white space or a colon, so Byron and Vonnegut stay.
_PREFIX = re.compile(
    r"^(?:(?:written|words|review|reviewed|text|story|interview|interviewed|critique|kritik|texte|texto|testo|rezension)"
    r"\s+(?:by|von|par|por|di|af|av|door)\b|(?:words|text|texte|texto|testo|author|autor|autore|auteur)\s*:|"
    r"(?:by|von|par|por|di|de|af|av|door)\b)\s*:?\s*",
    re.IGNORECASE,
)
_PICTURES_BY = re.compile(
    r"[,;·|/–—-]?\s*\(?\b(?:with\s+|and\s+|mit\s+|avec\s+|con\s+)?"
    r"(?:photo(?:graph)?s?|photography|pictures?|images?|illustrations?|fotos?|bilder|photographies|fotografías|fotografie)"
    r"\s*(?:by|von|par|por|di|de|af|:)\s+(?P<who>[^()]+?)\)?\s*$",
    re.IGNORECASE,
)
# Joining words only in lower case and between spaces: the E of "E. Marsh" is an initial.
_BETWEEN = re.compile(r"\s*[,;&/|]\s*(?:(?:and|und|et|y|e|og|och|en)\s+)?|\s+(?:and|und|et|y|e|og|och|en|AND|And)\s+")
_NO_AUTHOR = frozenset(
    {"admin", "administrator", "editor", "editors", "staff", "webmaster", "wordpress", "root", "user"}
)
_CREDIT = re.compile(
    r"^\W{0,3}(?:(?:all\s+)?(?:lead\s+|header\s+|feature[d]?\s+)?"
    r"(?:photo(?:graph)?s?|images?|pictures?|stills?|fotos?|bilder?|artwork)\b"
    r"(?:\s+(?:credit|courtesy))?\s*(?:by|via|von|par|:|©|courtesy)|"
    r"(?:photo\s+)?(?:credits?|crédits?(?:\s+photo)?|courtesy(?:\s+of)?|bildnachweis|foto\s*:|©)\s*:?)\s*(?P<who>.+)$",
    re.IGNORECASE,
)
_CREDIT_TAIL = re.compile(
    r"\(?(?<!\w)(?P<all>(?:(?:photo|image|still|picture|foto)s?\s*(?:credit)?\s*(?:by|via|courtesy|:|/|©)|courtesy\s+of|credit\s*:|crédit(?:\s+photo)?\s*:|"
    r"bildnachweis\s*:|©)\s*(?P<who>[^.()]{2,100}))\)?\s*\.?\s*$",
    re.IGNORECASE,
)
MAX_CREDIT = 120
MAX_CAPTION = 600


@dataclass(frozen=True, slots=True)
class Byline:
    """`authors` in printed order; `display` is the line without its prefix; `credit` is who took the pictures."""

    authors: tuple[str, ...] = ()
    display: str = ""
    credit: str = ""


def read_byline(line: str) -> Byline:
    """Read "by Mara Quill and Ed Kerr, with photos by Jo Lind" (or von, par, por, di, af; words:, review by)."""
    line = plain(line)
    credit = ""
    if "://" in line or "@" in line:
        return Byline((line,), line)
    if match := _PICTURES_BY.search(line):
        credit = match.group("who").strip(" .,")
        line = line[: match.start()].rstrip(" ,;(")
    line = _PREFIX.sub("", line).strip(" .,;|")
    names: list[str] = []
    for name in _BETWEEN.split(line):
        # "and by Ed Kerr" leaves a prefix inside.
        name = _PREFIX.sub("", name).strip(" .")
        if name and name not in names:
            names.append(name)
    return Byline(tuple(names), line if names else "", credit)


def is_byline(line: str) -> bool:
    """Whether a whole paragraph is only a byline: a prefix and at most eight words that look like names."""
    line = plain(line)
    match = _PREFIX.match(line)
    if not match or len(line) > 100 or re.search(r"[.!?]\s+\S", line):
        return False
    rest = _PICTURES_BY.sub("", line[match.end() :])
    words = [word for word in re.split(r"[\s,&/]+", rest) if word]
    if not 1 <= len(words) <= 8 or line.endswith((".", "!", "?", ":")):
        return False
    joiners = {"and", "und", "et", "y", "e", "og", "och", "by", "de", "van", "von", "der", "la", "le", "du", "af", "di"}
    return all(not word[0].islower() or word.casefold() in joiners for word in words)


def believable_author(name: str, publisher: str = "") -> bool:
    """Whether `name` can be a person: not the publisher, an address of any kind, "admin", or a role."""
    key = folded(name)
    if not key or len(name) > 80 or "@" in name or "://" in name or name.lower().startswith("www."):
        return False
    return key not in _NO_AUTHOR and key != folded(publisher)


def picture_credit(paragraph: str) -> str:
    """The credit when a whole short paragraph is one ("Photos via Nightjar Pictures"), else ""."""
    line = plain(paragraph)
    if not line or len(line) >= MAX_CREDIT:
        return ""
    match = _CREDIT.match(line)
    # A sentence that merely begins like one is longer, or a second one follows.
    if not match or len(match.group("who").split()) > 12 or re.search(r"[.!?]\s+[A-Z]", match.group("who")):
        return ""
    return line.strip("()[] ")


def split_caption(caption: str) -> tuple[str, str]:
    """A caption and the credit at its end: ("The band on stage", "Photo: Jo Lind")."""
    caption = plain(caption[:MAX_CAPTION])
    if whole := picture_credit(caption):
        return "", whole
    if match := _CREDIT_TAIL.search(caption):
        return caption[: match.start()].rstrip(" (|–—-,;"), match.group("all").strip()
    return caption, ""
