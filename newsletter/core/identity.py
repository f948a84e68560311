"""R19 a-c: when two entries are one review. Keys are plain strings to compare; nothing here looks anything up."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import asdict
from urllib.parse import parse_qsl, quote, urlsplit

from newsletter.core.content import EntryContent

GUID_LENGTH = 380  # the column holds 500: a fork adds the address
URL_LENGTH = 1000
POST_LENGTH = 300
SAME_TITLE = 0.3
SAME_TEXT = 0.5
_SHINGLE = 5
_FORK = " => "
_FORK_LENGTH = 110

_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_WEB = re.compile(r"^https?://", re.IGNORECASE)
_HOST_PREFIX = re.compile(r"^(?:(?:www\d?|m|mobile|amp)\.)+(?=[^.]+\.[^.])")
_TRACKING = re.compile(
    r"^(?:utm_.*|fbclid|gclid|dclid|msclkid|mc_.*|xtor|cmp|ito|ns_.*|_location|ref|igshid|amp)$", re.IGNORECASE
)
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})?")
_UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
_POST_ID = re.compile(r"^(?:https?://)?([^/?#]+)(/[^?#]*)?\?(?:[^#]*&)?p=(\d+)(?:[&#]|$)", re.IGNORECASE)
_GLOBAL = re.compile(r"^(?:tag:[^,]+,\d{4}|urn:uuid:)", re.IGNORECASE)
_VOLATILE = ("url", "guid", "updated_at", "origins", "warnings")


def guid_key(content: EntryContent) -> str:
    """R19a: the source's own id without scheme, `www.` and trailing slash; an entry without one is known by its
    address, and without an address by its title and day.
    """
    guid = content.guid.strip()
    if guid:
        return bounded(_bare(guid), GUID_LENGTH)
    if content.url:
        return bounded(f"url:{url_key(content.url)}", GUID_LENGTH)
    day = f"{content.published_at:%Y-%m-%d}" if content.published_at else ""
    return bounded(f"title:{title_key(content.title)}|{day}", GUID_LENGTH)


def fork_key(guid: str, url: str) -> str:
    """The key of a new article under a guid that its source used before; `guid` and `url` are keys.

    With "" for `url` it is what all such keys of one guid begin with.
    """
    return f"{guid}{_FORK}{bounded(url, _FORK_LENGTH)}"


def url_key(url: str) -> str:
    """R19b: what two addresses of one page have in common, "" for what is no web address.

    Without scheme, port, user, fragment, `www.`, `m.` and `amp`, tracking parameters and trailing slash; host in lower
    case and ASCII; the query sorted; percent escapes normalised (RFC 3986, 6.2.2).
    """
    if not _WEB.match(url.strip()):
        return ""
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
    except ValueError:
        return ""
    if not host:
        return ""
    path = _escaped(parts.path)
    path = re.sub(r"(?:/(?:amp)?)+$", "", path)
    pairs = sorted(
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.match(name) and not (name.lower() == "source" and value.lower().startswith("rss"))
    )
    query = "&".join(f"{_part(name)}={_part(value)}" for name, value in pairs)
    return bounded(f"{_host(host)}{path}{'?' + query if query else ''}", URL_LENGTH)


def post_key(content: EntryContent) -> str:
    """R19c: the site with its post id (`?p=12`), or an id unique in the world (`tag:`, `urn:uuid:`); else ""."""
    for text in (content.guid.strip(), content.url.strip()):
        if match := _POST_ID.match(text):
            folder = (match.group(2) or "").rstrip("/").removesuffix("/index.php")
            return bounded(f"{_host(match.group(1).lower())}{folder}?p={match.group(3)}", POST_LENGTH)
    guid = content.guid.strip()
    return bounded(guid.lower(), POST_LENGTH) if _GLOBAL.match(guid) else ""


def title_key(title: str) -> str:
    """A title without case, quotes, punctuation and double spaces."""
    folded = unicodedata.normalize("NFKC", title).casefold()
    kept = "".join(mark if unicodedata.category(mark)[0] in "LMN" else " " for mark in folded)
    return " ".join(kept.split())


def title_similarity(one: str, other: str) -> float:
    """From 0 (nothing in common) to 1 (same key): shared letter triples, so that a corrected typo stays near 1."""
    a, b = title_key(one), title_key(other)
    if a == b:
        return 1.0
    first, second = _triples(a), _triples(b)
    return 2 * len(first & second) / (len(first) + len(second)) if first and second else 0.0


def is_reused_guid(old_title: str, old_url_key: str, new: EntryContent) -> bool:
    """Whether an entry under a known guid is another article: another address and nothing of the title is left."""
    return url_key(new.url) != old_url_key and title_similarity(old_title, new.title_clean or new.title) < SAME_TITLE


def is_second_opinion(one: EntryContent, other: EntryContent) -> bool:
    """Whether two entries have different bylines and different text: two critics, never one review.

    What has no byline or no text can't show that it is different. A teaser is the same text as its article.
    """
    first, second = _people(one), _people(other)
    if not first or not second or first & second:
        return False
    a, b = _shingles(one), _shingles(other)
    if not a or not b:
        return False
    return len(a & b) / min(len(a), len(b)) < SAME_TEXT


def content_hash(content: EntryContent) -> str:
    """The SHA-256 of what readers could see change; ids, addresses and warnings are not part of it (R16)."""
    values = {name: value for name, value in asdict(content).items() if name not in _VOLATILE}
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def bounded(key: str, length: int) -> str:
    """`key` cut to `length` characters, its end replaced by a hash so that long keys stay different.

    NUL can't be stored by PostgreSQL.
    """
    key = key.replace("\0", "")
    if len(key) <= length:
        return key
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{key[: length - len(digest) - 1]}~{digest}"


def _bare(guid: str) -> str:
    if not _SCHEME.match(guid):
        return guid
    rest = _SCHEME.sub("", guid)
    host, slash, path = rest.partition("/")
    return f"{host.lower().removeprefix('www.')}{slash}{path}".rstrip("/")


def _host(host: str) -> str:
    host = host.rstrip(".")
    try:
        host = host.encode("idna").decode("ascii")
    except UnicodeError:
        host = quote(host, safe=":[]", errors="replace")
    return _HOST_PREFIX.sub("", host.lower())


def _escaped(path: str) -> str:
    """Percent escapes in one form: unreserved characters bare, all else escaped in upper case (RFC 3986, 6.2.2)."""

    def one(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return "%25"
        mark = chr(int(match.group(1), 16))
        return mark if mark in _UNRESERVED else match.group(0).upper()

    return quote(_PERCENT.sub(one, path), safe="/%:@!$&'()*+,;=~", errors="replace")


def _part(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _triples(key: str) -> set[str]:
    return {f"  {word} "[at : at + 3] for word in key.split() for at in range(len(word) + 1)}


def _people(content: EntryContent) -> frozenset[str]:
    return frozenset(filter(None, (title_key(name) for name in content.authors)))


def _shingles(content: EntryContent) -> set[tuple[str, ...]]:
    words = title_key(content.body_text or content.dek).split()
    return {tuple(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1)}
