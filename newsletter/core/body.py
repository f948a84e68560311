"""The body of an article, out of the markup round it: junk left out, credits, byline, release, pictures taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from newsletter.core import junk
from newsletter.core.bylines import MAX_CREDIT, is_byline, picture_credit, read_byline, split_caption
from newsletter.core.content import PictureRef, Release
from newsletter.core.dates import read_release
from newsletter.core.markup import Element, absolute, drop, parse_markup, text_of, words_in
from newsletter.core.prose import count_words, folded, plain, unescaped
from newsletter.core.sanitise import sanitised_blocks, serialise

PROSE_WORDS = 40
MAX_PICTURES = 100
_ESCAPED_MARKUP = re.compile(r"&lt;(?:p|div|br|a|em|strong|img|ul|blockquote)\b[^<>]{0,400}&gt;", re.IGNORECASE)
_HEADINGS = ("h2", "h3", "h4")
SIZED = re.compile(
    r"(?:-\d{2,4}x\d{2,4}|-scaled|@\dx|_\dx)(?=\.\w{3,4}$)|(?<=/)s\d{2,4}(?:-c)?(?=/)|(?<=/)w\d{2,4}(?:-h\d{2,4})?(?=/)"
)


@dataclass(frozen=True, slots=True)
class Body:
    """An article's body. `html` is allow-listed XHTML, `text` its paragraphs parted by blank lines.

    `byline`, `release` and `credit` were paragraphs of their own and are no longer in the body; `related` holds the
    titles under a "More from" heading.
    """

    html: str = ""
    text: str = ""
    byline: str = ""
    credit: str = ""
    author_bio: str = ""
    release: Release | None = None
    related: tuple[str, ...] = ()
    pictures: tuple[PictureRef, ...] = ()
    has_spoilers: bool = False


def read_body(markup: str, *, base_url: str = "", title: str = "", published: date | None = None) -> Body:
    """Read the markup of one article.

    1. Escaped markup is unescaped once; shortcodes go.
    2. Pictures are collected with captions and credits, counting pixels dropped, boxes named as junk taken out.
    3. The rest is sanitised into flat blocks.
    4. Blocks are judged by their words: repeated title, byline, related lists, "Continue reading", credits, release.
    Never raises.
    """
    if _ESCAPED_MARKUP.search(markup) and not re.search(r"<(?:p|div|br)\b", markup, re.IGNORECASE):
        markup = unescaped(markup)
    tree = parse_markup(junk.without_shortcodes(markup))
    bio = _take_junk_boxes(tree)
    pictures = _take_pictures(tree, base_url)
    spoilers = any("spoiler" in f"{e.get('class', '')} {e.tag}".lower() for e in tree.iter() if isinstance(e.tag, str))
    blocks = sanitised_blocks(tree, base_url)
    blocks, related = _without_related(blocks)
    blocks = [block for block in blocks if not _is_junk(block)]
    blocks, byline = _without_head(blocks, title)
    blocks, credit = _without_credits(blocks)
    blocks, release = _without_release(blocks, published)
    blocks = _without_loose_headings(blocks)
    return Body(
        html=serialise(blocks),
        text="\n\n".join(text_of(block) for block in blocks if block.tag != "hr"),
        byline=byline,
        credit=credit,
        author_bio=bio,
        release=release,
        related=related,
        pictures=_credited(pictures, credit),
        has_spoilers=spoilers,
    )


def _take_junk_boxes(tree: Element) -> str:
    """Take out elements whose class or role says junk; returns the words of an author's box."""
    drop(tree, tree.iter("nav", "aside", "footer", "form", "button"))
    whole = len(words_in(tree))
    bio = ""
    boxes = []
    for element in tree.iterdescendants():
        names = f"{element.get('class', '')} {element.get('id', '')} {element.get('role', '')}".strip()
        kind = junk.junk_classes(names[:500]) if names else ""
        # A body that is called "post-with-related" as a whole is still the body.
        if not kind or (whole > 200 and len(words_in(element)) * 2 > whole):
            continue
        if kind == "author" and not bio:
            bio = plain(words_in(element, " "))[:600]
        boxes.append(element)
    drop(tree, boxes)
    return bio


def _take_pictures(tree: Element, base_url: str) -> list[PictureRef]:
    found: dict[str, PictureRef] = {}
    images = list(tree.iter("img"))
    for image in images[:MAX_PICTURES]:
        address = _address(image, base_url)
        width, height = image.get("width", ""), image.get("height", "")
        alt = plain(unescaped(image.get("alt", "")))
        if re.search(r"wp-smiley|\bemoji\b", image.get("class", "")):
            image.tail = alt + (image.tail or "")
        elif address and not junk.is_pixel(address, width, height, image.get("style", "").lower()):
            caption, credit = split_caption(_caption(image))
            picture = PictureRef(
                address,
                alt=alt,
                credit=credit,
                caption=caption,
                role="inline",
                width=_pixels(width),
                height=_pixels(height),
            )
            key = SIZED.sub("", address.split("?")[0])
            found[key] = _better(found.get(key), picture)
    captions = [e for e in tree.iterdescendants() if e.tag == "figcaption" or "wp-caption-text" in e.get("class", "")]
    drop(tree, [*images, *captions])
    return list(found.values())


def _better(old: PictureRef | None, new: PictureRef) -> PictureRef:
    """Of one picture at two sizes the wider, with whatever words either has."""
    if old is None:
        return new
    wide, other = (new, old) if _likely_width(new) > _likely_width(old) else (old, new)
    return PictureRef(
        wide.url,
        alt=wide.alt or other.alt,
        credit=wide.credit or other.credit,
        caption=wide.caption or other.caption,
        role=wide.role,
        width=wide.width,
        height=wide.height,
    )


def _likely_width(picture: PictureRef) -> int:
    """A name without a size in it is the original."""
    return picture.width or (0 if SIZED.search(picture.url.split("?")[0]) else 10_000)


def _address(image: Element, base_url: str) -> str:
    """The picture's address: the widest of srcset, a lazy loader's attribute, or src."""
    widest, address = 0, ""
    for candidate in (image.get("srcset") or image.get("data-srcset") or "").split(", "):
        url, _, size = candidate.strip().partition(" ")
        if size.endswith("w") and size[:-1].isdecimal() and widest < int(size[:-1]) <= 3000:
            widest, address = int(size[:-1]), url
    for name in ("data-src", "data-lazy-src", "data-original", "src"):
        value = image.get(name, "")
        if not address and value and not value.startswith("data:"):
            address = value
    return absolute(address, base_url)


def _caption(image: Element) -> str:
    for parent in image.iterancestors():
        if parent.tag == "figure" or "wp-caption" in parent.get("class", ""):
            for box in parent.iter():
                if box.tag == "figcaption" or "wp-caption-text" in (box.get("class") or ""):
                    return words_in(box, " ")
            return ""
    return ""


def _pixels(value: str) -> int:
    match = re.match(r"\s*(\d{1,5})(?:px)?\s*$", value)
    return int(match[1]) if match else 0


def _credited(pictures: list[PictureRef], credit: str) -> tuple[PictureRef, ...]:
    """Pictures without a credit of their own take the one that the article prints."""
    if not credit:
        return tuple(pictures)
    return tuple(
        picture
        if picture.credit
        else PictureRef(picture.url, picture.alt, credit, picture.caption, picture.role, picture.width, picture.height)
        for picture in pictures
    )


def _is_prose(block: Element) -> bool:
    return block.tag in ("p", "blockquote") and count_words(text_of(block)) >= PROSE_WORDS


def _without_related(blocks: list[Element]) -> tuple[list[Element], tuple[str, ...]]:
    """Cut lists of other articles: after the last real paragraph to the end, between two of them up to the next."""
    last_prose = max((i for i, block in enumerate(blocks) if _is_prose(block)), default=-1)
    kept: list[Element] = []
    related: list[str] = []
    mode = ""
    for index, block in enumerate(blocks):
        words = text_of(block)
        if junk.is_related_heading(words) and not _links_somewhere(block):
            mode = "related"
        elif junk.is_end_heading(words) and index > last_prose:
            mode = "end"
        elif mode == "end":
            continue
        elif mode == "related" and index <= last_prose and _is_prose(block):
            mode = ""
            kept.append(block)
        elif mode == "related" and not junk.is_junk_line(words):
            related += [line.removeprefix("- ") for line in words.split("\n") if len(line) <= 200]
        elif mode != "related":
            kept.append(block)
        else:
            mode = "end" if index > last_prose else mode
    return kept, tuple(dict.fromkeys(line for line in related if line))


def _links_somewhere(block: Element) -> bool:
    return block.tag == "p" and block.find(".//a") is not None


def _is_junk(block: Element) -> bool:
    if block.tag in ("ul", "ol"):
        lines = text_of(block).split("\n")
        return all(junk.is_junk_line(line.removeprefix("- ")) for line in lines)
    if block.tag == "table":
        return re.search(r"\b(?:buy now|amazon|add to cart|check price)\b", text_of(block), re.IGNORECASE) is not None
    return block.tag not in ("hr", "pre") and junk.is_junk_line(text_of(block))


def _without_head(blocks: list[Element], title: str) -> tuple[list[Element], str]:
    """Take a repeated title and a byline off the front."""
    byline = ""
    key = folded(title)
    for _ in range(3):
        if blocks and key and blocks[0].tag in (*_HEADINGS, "p") and folded(text_of(blocks[0])) == key:
            blocks = blocks[1:]
        elif blocks and not byline and blocks[0].tag in (*_HEADINGS, "p") and is_byline(text_of(blocks[0])):
            byline, blocks = text_of(blocks[0]), blocks[1:]
    if not byline and len(blocks) > 1 and blocks[-1].tag == "p" and is_byline(text_of(blocks[-1])):
        byline, blocks = text_of(blocks[-1]), blocks[:-1]
    return blocks, byline


def _without_credits(blocks: list[Element]) -> tuple[list[Element], str]:
    credit = ""
    kept = []
    for block in blocks:
        words = text_of(block)
        found = picture_credit(words) if block.tag == "p" and len(words) < MAX_CREDIT else ""
        if found:
            credit = credit or found
        else:
            kept.append(block)
    return kept, credit


def _without_release(blocks: list[Element], published: date | None) -> tuple[list[Element], Release | None]:
    """Take a release line out when it is a paragraph of its own among the last three."""
    for block in reversed(blocks[-3:]):
        if block.tag == "p" and len(blocks) > 1 and (release := read_release(text_of(block), published)):
            return [other for other in blocks if other is not block], release
    return blocks, None


def _without_loose_headings(blocks: list[Element]) -> list[Element]:
    """Headings and rules with nothing under them say nothing."""
    while blocks and blocks[-1].tag in (*_HEADINGS, "hr"):
        blocks = blocks[:-1]
    while blocks and blocks[0].tag == "hr":
        blocks = blocks[1:]
    return blocks


def byline_of(body: Body) -> tuple[str, ...]:
    """The authors that the body's own byline names."""
    return read_byline(body.byline).authors if body.byline else ()
