"""What stands round an article on a page or in a feed, and never belongs into it (product rules 1.3)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from newsletter.core.prose import plain

# Headings after which a list of other articles follows, in the languages that sites were seen in.
_RELATED = re.compile(
    r"^(?:more\s+(?:from|on|in|like|stories|reviews|reading|about)\b.{0,60}|read\s+(?:more|next|also)|also\s+read|you\s+(?:may|might)\s+(?:also\s+)?"
    r"(?:like|enjoy).{0,30}|(?:related|recommended|similar)(?:\s+(?:posts?|articles?|stories|reviews|content|reading|links))?|"
    r"see\s+also|keep\s+reading|further\s+reading|don[’']t\s+miss|trending(?:\s+now)?|most\s+(?:read|popular)|up\s+next|latest\s+(?:reviews|stories|posts)|"
    r"mehr\s+(?:von|aus|zum\s+thema)\b.{0,60}|weitere\s+(?:artikel|kritiken|beiträge)|lesen\s+sie\s+auch|auch\s+interessant|"
    r"à\s+lire\s+aussi|lire\s+aussi|plus\s+(?:de|sur)\b.{0,60}|articles?\s+(?:liés|similaires)|"
    r"más\s+(?:de|sobre)\b.{0,60}|también\s+te\s+puede\s+(?:gustar|interesar)|leer\s+también|(?:artículos\s+)?relacionados|"
    r"leggi\s+anche|potrebbe(?:ro)?\s+(?:anche\s+)?(?:interessarti|piacerti)|leia\s+(?:também|mais)|veja\s+também|lees\s+ook|læs\s+også)\s*[:…]?$",
    re.IGNORECASE,
)

# Headings and lines after which nothing of the article can come.
_END = re.compile(
    r"^(?:about\s+(?:us|the\s+(?:author|magazine)|this\s+site)|comments?|leave\s+a\s+(?:comment|reply)|\d+\s+(?:comments?|responses?|replies)|"
    r"get\s+the\s+print\s+(?:magazine|edition|issue).{0,40}|(?:sign\s+up|subscribe)(?:\s+(?:to|for)\b.{0,80})?|"
    r"the\s+best\s+of\s+.{1,60}\s+in\s+your\s+inbox\W*|über\s+uns|à\s+propos|quiénes\s+somos|chi\s+siamo|sobre\s+nós|om\s+os|kommentare|commentaires|comentarios)\s*[:!.]?$",
    re.IGNORECASE,
)

# Single short paragraphs that are dropped wherever they stand.
_LINES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^(?:(?:\[?…\]?|\.\.\.)\s*)?(?:continue|keep)\s+reading\b.{0,120}$",
        r"^the\s+post\s+.{1,200}\s+(?:first\s+)?appeared\s+(?:first\s+)?on\s+.{1,120}$",
        r"^(?:der\s+beitrag|l[’']article|la\s+entrada|l[’']articolo|o\s+post)\s+.{1,200}\s+(?:erschien\s+zuerst\s+auf|est\s+apparu\s+en\s+premier\s+sur|"
        r"se\s+publicó\s+primero\s+en|sembra\s+essere\s+il\s+primo\s+su|apareceu\s+primeiro\s+em)\s+.{1,120}$",
        r"^(?:advertisement|advertising|sponsored|anzeige|werbung|publicité|publicidad|pubblicità|scroll\s+to\s+continue.{0,30})\.?$",
        r"^(?:related|also\s+read|read\s+(?:more|also|next)|see\s+also|more|siehe\s+auch|mehr|lire\s+aussi|leer\s+también|leggi\s+anche)\s*[:»→]\s*.{1,160}$",
        r"^(?:sign\s+up|subscribe)\b.{0,140}\b(?:newsletter|inbox|e-?mail|updates|podcast|channel)\b.{0,60}$",
        r"^.{0,80}\bin\s+your\s+inbox\b.{0,20}$",
        r"^(?:get|buy|order)\s+(?:the|our)\s+(?:print|new)\s+(?:magazine|issue|edition)\b.{0,60}$",
        r"^(?:buy|order|shop|rent|stream)\s+(?:it\s+|this\s+|the\s+\w+\s+)?(?:now|on|at|from)\b.{0,60}$",
        r"^(?:share|tweet|pin|email|print|like)(?:\s*(?:this|on|via|[|·,/&]|and)\s*(?:this|on|via|facebook|twitter|x|pinterest|email|e-mail|print|whatsapp|reddit|linkedin|share|tweet|pin|article|post|story)?)*\s*[:.!]?$",
        r"^(?:follow|like|find)\s+us\s+on\b.{0,80}$",
        r"^(?:support|donate)\b.{0,20}\b(?:us|our|donation|journalism|magazine)\b.{0,80}$",
        r"^(?:\d[\d.,k]*\s+)?(?:shares?|likes?|views?|comments?)(?:\s+\d[\d.,k]*)?$",
        r"^(?:filed\s+under|posted\s+in|tagged(?:\s+with)?|tags|categories)\s*:.{0,200}$",
        r"^(?:this\s+(?:post|article|page)\s+(?:may\s+)?contains?\s+affiliate\s+links|we\s+may\s+earn\s+a\s+commission|as\s+an\s+amazon\s+associate)\b.{0,200}$",
        r"^(?:we|this\s+site)\s+uses?\s+cookies\b.{0,200}$",
        r"^(?:©|\(c\)|copyright\b).{0,160}$",
        r"^.{0,80}\ball\s+rights?\s+reserved\b.{0,40}$",
        r"^(?:home|start|startseite|accueil|inicio)\s*[>»›/].{0,120}$",
        r"^(?:click|tap)\s+here\s+to\b.{0,120}$",
        r"^\[[\w/][\w\-]*(?:\s[^\]]*)?\]$",
    )
)

_SHORTCODE = re.compile(
    r"\[(?:/[a-z][\w-]{0,40}|[a-z][\w-]{0,40}\s[^\]\[=]{0,100}=[^\]\[]{0,400}|photogallery|gallery|caption|embed|video|audio|playlist|contact-form[\w-]*|vc_\w+|et_pb_\w+)/?\]",
    re.IGNORECASE,
)

# Words of class names and ids. Whole words only: "share-bar" is one, "shared-universe" is not.
_CLASS_WORDS = frozenset(
    [
        "sharedaddy",
        "share",
        "sharing",
        "sharebar",
        "sharethis",
        "addtoany",
        "social",
        "socials",
        "relatedposts",
        "related",
        "recommended",
        "recirc",
        "recirculation",
        "comments",
        "commentlist",
        "respond",
        "disqus",
        "breadcrumb",
        "breadcrumbs",
        "newsletter",
        "subscribe",
        "subscription",
        "signup",
        "mailchimp",
        "donate",
        "donation",
        "cookie",
        "cookies",
        "consent",
        "gdpr",
        "advert",
        "advertisement",
        "adsbygoogle",
        "ads",
        "ad",
        "promo",
        "promobox",
        "outbrain",
        "taboola",
        "nav",
        "navigation",
        "menu",
        "sidebar",
        "paywall",
        "printfriendly",
        "tags",
        "tagcloud",
        "taglinks",
        "byline-share",
        "authorbox",
        "author-bio",
        "authorbio",
        "bio",
        "skip",
        "screen-reader-text",
        "affiliate",
        "buybox",
        "buynow",
        "shopping",
    ]
)
_AUTHOR_BOXES = frozenset(("authorbox", "author-bio", "authorbio", "author-box", "about-author", "bio"))

_PIXEL_URL = re.compile(
    r"(?:^https?://(?:[^/]*\.)?(?:stats?|pixel|track(?:er|ing)?|beacon|analytics|counter|metrics)\.[^/]+/"
    r"|^https?://feeds\.feedburner\.com/~|^https?://(?:[^/]*\.)?(?:doubleclick\.net|scorecardresearch\.com|quantserve\.com)/"
    r"|/(?:b|pixel|spacer|blank|clear|transparent|1x1|count(?:er)?)\.(?:gif|png)(?:$|\?)|/(?:pixel|beacon|track)(?:$|[/?]))",
    re.IGNORECASE,
)
_NO_PICTURE = re.compile(
    r"(?:gravatar\.com/avatar|s\.w\.org/images/core/emoji|/wp-includes/images/smilies|/emoji/|/icons?/)", re.IGNORECASE
)
_LOGO = re.compile(
    r"(?:^|[/_\-.])(?:logo|blank|no-?img|no-?image|default|placeholder|site-?icon|favicon|avatar)(?:[_\-.\d]|$)",
    re.IGNORECASE,
)


def is_related_heading(line: str) -> bool:
    """Whether a line is a heading over links to other articles, and nothing more ("More from LANTERN")."""
    return len(line) <= 80 and _RELATED.match(plain(line)) is not None


def is_end_heading(line: str) -> bool:
    """Whether a line begins what stands after an article ("About Us", "Comments")."""
    return len(line) <= 120 and _END.match(plain(line)) is not None


def is_junk_line(line: str) -> bool:
    """Whether a paragraph of its own is junk wherever it stands ("Advertisement", "Related: ...")."""
    line = plain(line)
    return len(line) <= 320 and any(pattern.match(line) for pattern in _LINES)


def without_shortcodes(markup: str) -> str:
    """Markup without raw CMS shortcodes; "[sic]" and "[laughs]" are words and stay."""
    return _SHORTCODE.sub("", markup)


def junk_classes(names: str) -> str:
    """ "junk", "author" (a box about the author) or "" by class names and id."""
    words: set[str] = set()
    for name in names.lower().replace("_", "-").split():
        words.add(name)
        words.update(name.split("-"))
    if words & _AUTHOR_BOXES or ("author" in words and words & {"box", "info", "about", "description"}):
        return "author"
    return "junk" if words & _CLASS_WORDS else ""


def is_pixel(address: str, width: str, height: str, style: str = "") -> bool:
    """Whether a picture is there to count readers: one pixel or none, or from a counting host."""
    for size in (width, height):
        if re.fullmatch(r"\s*[01](?:px)?\s*", size):
            return True
    if re.search(r"(?:width|height)\s*:\s*[01]px|display\s*:\s*none", style):
        return True
    return _PIXEL_URL.search(address) is not None or _NO_PICTURE.search(address) is not None


def is_stock_picture(address: str) -> bool:
    """Whether a picture's file name says that it is a logo, a blank or a site's default."""
    return _LOGO.search(urlsplit(address).path.rsplit("/", 1)[-1]) is not None
