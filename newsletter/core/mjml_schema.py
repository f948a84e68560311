"""MJML's vocabulary: element names, where each may stand and which attributes it takes.

Facts of the MJML 4 documentation (names only); the compiler itself checks none of them and copies what it does not
know into the letter.
"""

from __future__ import annotations

from typing import NamedTuple

from newsletter.core.sentence import sentence


class Element(NamedTuple):
    """`parents` may be empty only for `mjml`; `html` means that ordinary HTML may stand inside (an "ending tag")."""

    parents: frozenset[str]
    attributes: frozenset[str]
    html: bool = False


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PADDING = "padding padding-top padding-right padding-bottom padding-left"
_INNER = "inner-padding inner-padding-top inner-padding-right inner-padding-bottom inner-padding-left"
_BORDER = "border border-top border-right border-bottom border-left border-radius"
_FONT = "font-family font-size font-style font-weight letter-spacing line-height color text-decoration text-transform"
_BACKGROUND = (
    "background-color background-url background-repeat background-size background-position"
    " background-position-x background-position-y"
)
_CONTAINER = "container-background-color"
_LINK = "href target rel name title"
_EVERYWHERE = _names("css-class mj-class")
_COLUMN_PARENTS = "mj-column mj-hero mj-attributes"
_BODY_PARENTS = "mj-body mj-wrapper mj-attributes"
_HEAD = "mj-head"
_DEFAULTS = _names("mj-all mj-class")

_TABLE: dict[str, tuple[str, str, bool]] = {
    "mjml": ("", "lang dir owa", False),
    "mj-head": ("mjml", "", False),
    "mj-body": ("mjml mj-attributes", "background-color width", False),
    "mj-attributes": (_HEAD, "", False),
    "mj-all": ("mj-attributes", "", False),
    "mj-class": ("mj-attributes", "name", False),
    "mj-breakpoint": (_HEAD, "width", False),
    "mj-font": (_HEAD, "name href", False),
    "mj-preview": (_HEAD, "", True),
    "mj-style": (_HEAD, "", True),
    "mj-title": (_HEAD, "", True),
    "mj-raw": ("mj-head mj-body mj-wrapper mj-section mj-group mj-column mj-hero mj-navbar mj-social mj-accordion"
               " mj-accordion-element mj-carousel", "position", True),
    "mj-wrapper": ("mj-body mj-attributes", f"{_BACKGROUND} {_BORDER} {_PADDING} full-width text-align gap", False),
    "mj-section": (_BODY_PARENTS, f"{_BACKGROUND} {_BORDER} {_PADDING} direction full-width text-align", False),
    "mj-group": ("mj-section mj-attributes", "background-color direction vertical-align width", False),
    "mj-column": (
        "mj-section mj-group mj-attributes",
        f"background-color {_BORDER} {_PADDING} direction inner-background-color inner-border inner-border-bottom"
        " inner-border-left inner-border-radius inner-border-right inner-border-top vertical-align width",
        False,
    ),
    "mj-hero": (
        _BODY_PARENTS,
        f"align background-color background-height background-position background-url background-width {_BORDER}"
        f" {_CONTAINER} height {_INNER} inner-background-color mode {_PADDING} vertical-align width",
        False,
    ),
    "mj-text": (_COLUMN_PARENTS, f"align {_FONT} {_PADDING} {_CONTAINER} background-color height vertical-align", True),
    "mj-button": (
        _COLUMN_PARENTS,
        f"align {_FONT} {_PADDING} {_CONTAINER} {_BORDER} {_LINK} background-color height inner-padding text-align"
        " vertical-align width",
        True,
    ),
    "mj-image": (
        _COLUMN_PARENTS,
        f"align alt {_BORDER} {_PADDING} {_CONTAINER} {_LINK} fluid-on-mobile font-size height max-height sizes src"
        " srcset usemap width",
        False,
    ),
    "mj-divider": (
        _COLUMN_PARENTS, f"align border-color border-style border-width {_CONTAINER} {_PADDING} width", False
    ),
    "mj-spacer": (_COLUMN_PARENTS, f"{_CONTAINER} height {_PADDING} border border-top border-right border-bottom"
                  " border-left vertical-align width", False),
    "mj-table": (
        _COLUMN_PARENTS,
        f"align border cellpadding cellspacing color {_CONTAINER} font-family font-size font-weight line-height"
        f" {_PADDING} role table-layout text-decoration text-transform vertical-align width",
        True,
    ),
    "mj-social": (
        _COLUMN_PARENTS,
        f"align border-radius {_CONTAINER} color font-family font-size font-style font-weight icon-height"
        f" icon-padding icon-size {_INNER} line-height mode {_PADDING} table-layout text-decoration text-padding"
        " vertical-align",
        False,
    ),
    "mj-social-element": (
        "mj-social mj-attributes",
        f"align alt background-color border-radius color font-family font-size font-style font-weight {_LINK}"
        f" icon-height icon-padding icon-position icon-size line-height {_PADDING} sizes src srcset text-decoration"
        " text-padding vertical-align",
        True,
    ),
    "mj-navbar": (
        _COLUMN_PARENTS,
        f"align base-url hamburger ico-align ico-close ico-color ico-font-family ico-font-size ico-line-height"
        " ico-open ico-padding ico-padding-top ico-padding-right ico-padding-bottom ico-padding-left"
        f" ico-text-decoration ico-text-transform {_PADDING}",
        False,
    ),
    "mj-navbar-link": ("mj-navbar mj-attributes", f"{_FONT} {_LINK} {_PADDING}", True),
    "mj-accordion": (
        _COLUMN_PARENTS,
        f"border {_CONTAINER} font-family icon-align icon-height icon-position icon-unwrapped-alt icon-unwrapped-url"
        f" icon-width icon-wrapped-alt icon-wrapped-url {_PADDING}",
        False,
    ),
    "mj-accordion-element": (
        "mj-accordion mj-attributes",
        "background-color border font-family icon-align icon-height icon-position icon-unwrapped-alt"
        " icon-unwrapped-url icon-width icon-wrapped-alt icon-wrapped-url",
        False,
    ),
    "mj-accordion-title": (
        "mj-accordion-element mj-attributes",
        f"background-color color font-family font-size font-weight {_PADDING}", True,
    ),
    "mj-accordion-text": (
        "mj-accordion-element mj-attributes",
        f"background-color color font-family font-size font-weight letter-spacing line-height {_PADDING}", True,
    ),
    "mj-carousel": (
        _COLUMN_PARENTS,
        f"align background-color border-radius icon-width left-icon {_PADDING} right-icon tb-border tb-border-radius"
        " tb-hover-border-color tb-selected-border-color tb-width thumbnails",
        False,
    ),
    "mj-carousel-image": (
        "mj-carousel mj-attributes", f"alt border-radius {_LINK} src tb-border tb-border-radius thumbnails-src", False
    ),
}  # fmt: skip

ELEMENTS: dict[str, Element] = {
    name: Element(_names(parents), _names(attributes) | _EVERYWHERE, html)
    for name, (parents, attributes, html) in _TABLE.items()
}
ELEMENTS["mj-raw"] = ELEMENTS["mj-raw"]._replace(attributes=_names("position"))

UNSUPPORTED: dict[str, str] = {
    "mj-include": sentence("Use Jinja2's {include} instead.", include="{% include %}"),
    "mj-html-attributes": sentence("The compiler does not know it: write the attribute on the HTML element."),
    "mj-selector": sentence("The compiler does not know it: write the attribute on the HTML element."),
    "mj-html-attribute": sentence("The compiler does not know it: write the attribute on the HTML element."),
}

ANY_ATTRIBUTE = frozenset({"mj-all", "mj-class"})
"""Elements whose attributes are those of every other element."""

ALL_ATTRIBUTES: frozenset[str] = frozenset().union(*(element.attributes for element in ELEMENTS.values()))

REQUIRED: dict[str, tuple[str, ...]] = {
    "mj-image": ("src", "alt"),
    "mj-carousel-image": ("src", "alt"),
    "mjml": ("lang", "dir"),
}
