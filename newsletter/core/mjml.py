"""MJML to HTML: the one module that calls the compiler (mjml-python), with its faults worked round.

What mjml-python 1.4 does on its own: it writes attribute values with a programmer's escapes (`\\u{a0}`), panics on a
plain `>` after a letter outside ASCII, dies by segmentation fault on deep nesting, copies unknown elements into the
letter, adds links to web fonts, and names no line for most mistakes. Every place that normalises must work character
by character: a compiled letter is cut after this step, so norm(a + b) must be norm(a) + norm(b).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches

from lxml import etree
from mjml import mjml2html

from newsletter.core.errors import DesignError
from newsletter.core.mjml_schema import ALL_ATTRIBUTES, ANY_ATTRIBUTE, ELEMENTS, REQUIRED, UNSUPPORTED
from newsletter.core.sentence import ended, sentence

MAX_DEPTH = 100
"""Elements inside each other. The compiler's stack overflows (SIGSEGV, no exception) at some 2,000."""

_TAG = re.compile(
    r"""<!--|<(?P<end>/?)(?P<name>[A-Za-z][\w:.-]*+)(?P<attributes>(?:[^<>"']++|"[^"]*+"|'[^']*+')*+)>""", re.ASCII
)
_ATTRIBUTE = re.compile(r"""([^\s=/"'<>]++)(?:(\s*+=\s*+)("[^"]*+"|'[^']*+'|[^\s"'<>]++))?""")
_DECLARATION = re.compile(r"\ufeff?\s*+(?:<\?xml[^>]*+>\s*+)?")
# A double quote stands inside a value only where single ones are around it.
_NEEDS_NORM = re.compile(r"[\r\n\t\\']|[^\x00-\x7f]")
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_BYTE_POSITION = re.compile(r"at position (\d+):")
_PAIRING = re.compile("Opening and ending tag mismatch|Premature end|Extra content|EndTag")
_LINE = re.compile(r" line \d+")
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_RAW_TEXT = frozenset({"mj-style", "style"})
_FORBIDDEN = frozenset({"script", "form", "iframe", "object", "embed", "applet", "svg", "input", "button"})
_NORM = str.maketrans({"\r": " ", "\n": " ", "\t": " ", '"': "&quot;", "\\": "&#92;"})
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_BLANK = re.compile(r"[^\n]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a design's file; `line` and `column` count from 1."""

    message: str
    hint: str
    line: int
    column: int

    def error(self, file: str) -> DesignError:
        """The exception that says so."""
        return DesignError(ended(self.message), file=file, line=self.line, column=self.column, hint=self.hint)


def norm_attribute(value: str) -> str:
    """The attribute value (already escaped for HTML) as the compiler can carry it unharmed: CR, LF and TAB each
    become one space, `"` and backslash references, all else outside ASCII decimal character references.
    """
    return value.translate(_NORM).encode("ascii", "xmlcharrefreplace").decode("ascii")


def normalise(source: str) -> str:
    """The MJML document as the compiler can carry it unharmed; the same document to every mail client.

    Attribute values go through `norm_attribute`; `>` in text becomes `&gt;` (in styles it gets two spaces before it);
    the text of mj-title is treated as an attribute, since the compiler copies it into one; blanks between elements of
    the head become a line break; blanks between the children of mj-body go, of which the compiler copies those without
    a line end; an XML declaration goes.
    What is not well-formed passes unchanged, so the compiler still refuses it.
    """
    position = _start(source)
    out: list[str] = []
    inside = ""
    head = False
    depth = -1  # elements of MJML open inside mj-body; -1 outside of it
    while True:
        tag = _TAG.search(source, position)
        text = source[position : tag.start() if tag else len(source)]
        if not depth and text.isspace():
            text = ""
        if head and tag and tag["name"] and text.isspace() and _between(tag):
            text = "\n"  # any other blanks between two elements of the head are refused by the compiler
        out.append(_text(text, inside))
        if tag is None:
            return "".join(out)
        if tag.group() == "<!--":
            end = source.find("-->", tag.end())
            position = len(source) if end < 0 else end + 3
            out.append(source[tag.start() : position])
            continue
        position = tag.end()
        name, attributes = tag["name"], tag["attributes"]
        if name == "mj-head":
            head = not tag["end"]
        elif name == "mj-body":
            depth = -1 if tag["end"] or attributes.endswith("/") else 0
        elif depth >= 0 and name.startswith("mj-") and not attributes.endswith("/"):
            depth += -1 if tag["end"] else 1
        if tag["end"]:
            out.append(f"</{name}>")
            inside = ""
            continue
        inside = name if name == "mj-title" or name in _RAW_TEXT else ""
        if name == "mj-image" and "padding" in attributes:
            attributes = _long_padding(attributes)
        if _NEEDS_NORM.search(attributes):
            attributes = _ATTRIBUTE.sub(_attribute, attributes)
        out.append(f"<{name}{attributes}>")


def _between(tag: re.Match[str]) -> bool:
    """Whether blanks before `tag` stand between elements of the head, not in an element's own text."""
    return tag["name"] in ("mj-head", "mj-attributes") if tag["end"] else tag["name"] in ELEMENTS


def _start(source: str) -> int:
    """Where the document begins, past a byte order mark, blanks and an XML declaration."""
    start = _DECLARATION.match(source)
    return start.end() if start else 0


def _text(text: str, inside: str) -> str:
    if inside == "mj-title":
        text = norm_attribute(text)
    return text.replace(">", "  >" if inside in _RAW_TEXT else "&gt;") if ">" in text else text


def _attribute(match: re.Match[str]) -> str:
    name, _, value = match.groups()
    if value is None or value[0] not in "\"'":
        return match.group()
    return f'{name}="{norm_attribute(value[1:-1])}"'


def _long_padding(attributes: str) -> str:
    """`padding="0 8px"` written out, and a bare 0 as 0px: else the compiler sizes the picture by its default sides."""
    values = {name: value[1:-1] for name, _, value in _ATTRIBUTE.findall(attributes) if value[:1] in ('"', "'")}
    own = {name: value for name, value in values.items() if name.startswith("padding-")}
    sides = values.get("padding", "").split()
    drop = set(own)
    if 2 <= len(sides) <= 4:
        top, right = sides[0], sides[1]
        bottom = sides[2] if len(sides) > 2 else top
        left = sides[3] if len(sides) > 3 else right
        own = {"padding-top": top, "padding-right": right, "padding-bottom": bottom, "padding-left": left} | own
        drop.add("padding")
    rest = _ATTRIBUTE.sub(lambda match: "" if match[1] in drop else match.group(), attributes).strip()
    return (
        "".join(f' {name}="{"0px" if value == "0" else norm_attribute(value)}"' for name, value in own.items())
        + f" {rest}"
    )


def to_html(source: str, *, file: str = "letter.mjml") -> str:
    """The rendered MJML document as HTML: no comments but conditional ones, no link to a font that was not asked for.

    Raises `DesignError` with file, line and column (of the rendered MJML, from 1) and what to do.
    """
    _guard(source, file)
    normal = normalise(source)
    try:
        return str(mjml2html(normal, disable_comments=True, fonts={}))
    except ValueError as error:
        raise _explain(source, normal, str(error), file) from error
    except BaseException as error:
        # A panic of the compiler's Rust code is a BaseException of its own, not an Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise _explain(source, normal, sentence("the MJML compiler broke down on this"), file) from error


def lint(template: str, *, file: str = "letter.mjml") -> list[Problem]:
    """The mistakes of a template before Jinja2 has run: unknown, unsupported and forbidden elements and attributes,
    pictures without src or alt, a letter without lang or dir. Lines are the template's own.
    """
    source = _JINJA.sub(lambda match: _BLANK.sub(" ", match.group()), template)
    problems: list[Problem] = []
    defaults = False
    for tag in _TAG.finditer(re.sub(r"(?s)<!--.*?-->", lambda m: _BLANK.sub(" ", m.group()), source)):
        if tag["name"] == "mj-attributes":
            defaults = not tag["end"]
        if tag["end"] or not tag["name"]:
            continue
        problem = _vocabulary(tag) or (None if defaults else _omission(tag))
        if problem:
            problems.append(_at(source, tag.start(), *problem))
    return problems


def _guard(source: str, file: str) -> None:
    """Refuse what the compiler would crash on, or copy into the letter without a word."""
    stack: list[str] = []
    position = 0
    while tag := _TAG.search(source, position):
        position = tag.end()
        name = tag["name"]
        if name is None:
            end = source.find("-->", position)
            if end < 0:
                raise _at(
                    source, tag.start(), sentence("this comment is never closed"), sentence("Write --> where it ends.")
                ).error(file)
            position = end + 3
        elif tag["end"]:
            if name in stack:
                while stack.pop() != name:
                    pass
        else:
            problem = _vocabulary(tag) or _place(name, stack)
            if problem:
                found = _at(source, tag.start(), *problem)
                # An element that was left open puts all that follows in the wrong place: that is the one to mend.
                broken = None if _vocabulary(tag) else _malformed(source)
                raise (broken if broken and _before(broken, found) else found).error(file)
            if not tag["attributes"].endswith("/") and name not in _VOID:
                stack.append(name)
                if len(stack) > MAX_DEPTH:
                    message = sentence("elements are nested more than {most} deep", most=MAX_DEPTH)
                    raise _at(source, tag.start(), message, sentence("Close what is no longer needed.")).error(file)


def _vocabulary(tag: re.Match[str]) -> tuple[str, str] | None:
    name = tag["name"]
    if not name.startswith("mj"):
        if name.lower() in _FORBIDDEN:
            return sentence("<{name}> can't stand in a letter", name=name), sentence(
                "Mail clients remove it, or the whole letter."
            )
        return None
    if name in UNSUPPORTED:
        return sentence("<{name}> is not supported", name=name), UNSUPPORTED[name]
    element = ELEMENTS.get(name)
    if element is None:
        return sentence("MJML has no element <{name}>", name=name), _nearest(name, ELEMENTS)
    known = ALL_ATTRIBUTES if name in ANY_ATTRIBUTE else element.attributes
    seen: set[str] = set()
    for attribute, _, _ in _ATTRIBUTE.findall(tag["attributes"]):
        if attribute in seen:
            return sentence("<{name}> has {attribute} twice", name=name, attribute=attribute), sentence(
                "Keep one of them."
            )
        seen.add(attribute)
        if attribute not in known:
            if name == "mj-style" and attribute == "inline":
                return sentence("styles can't be inlined"), sentence(
                    "Write the style as attributes, or leave out inline."
                )
            return sentence("<{name}> has no attribute {attribute}", name=name, attribute=attribute), _nearest(
                attribute, known
            )
    return None


def _omission(tag: re.Match[str]) -> tuple[str, str] | None:
    name = tag["name"]
    needed = ("alt",) if name == "img" else REQUIRED.get(name, ())
    given = {attribute for attribute, _, _ in _ATTRIBUTE.findall(tag["attributes"])}
    for attribute in needed:
        if attribute not in given:
            hint = (
                sentence('Describe the picture, or write alt="" if it only decorates.')
                if attribute == "alt"
                else sentence("Add it.")
            )
            return sentence("<{name}> needs {attribute}", name=name, attribute=attribute), hint
    return None


def _place(name: str, stack: list[str]) -> tuple[str, str] | None:
    parent = stack[-1] if stack else ""
    owner = next((element for element in reversed(stack) if element in ELEMENTS), "")
    free = bool(owner) and ELEMENTS[owner].html
    element = ELEMENTS.get(name)
    if element is None:
        if free or not owner:
            return None
        return sentence("<{name}> can't stand in <{owner}>", name=name, owner=owner), sentence(
            "Put it inside <mj-text> or <mj-raw>."
        )
    if (parent in element.parents) or (not parent and not element.parents):
        return None
    if free:
        return sentence("<{name}> can't stand inside <{owner}>: only HTML can", name=name, owner=owner), sentence(
            "Close <{owner}> first.", owner=owner
        )
    allowed = ", ".join(f"<{p}>" for p in sorted(element.parents - {"mj-attributes"})) or sentence(
        "the top of the document"
    )
    where = f"<{parent}>" if parent else sentence("the top of the document")
    return sentence("<{name}> can't stand in {where}", name=name, where=where), sentence(
        "It belongs in {allowed}.", allowed=allowed
    )


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return (
        sentence("Did you mean {near}?", near=near[0])
        if near
        else sentence("See the MJML documentation for the names it knows.")
    )


def _at(source: str, offset: int, message: str, hint: str) -> Problem:
    line = source.count("\n", 0, offset) + 1
    return Problem(message, hint, line, offset - source.rfind("\n", 0, offset))


def _explain(source: str, normal: str, message: str, file: str) -> DesignError:
    """The compiler's refusal with a place: from an XML parser that recovers, else from its own byte offset."""
    odd = re.search(r"<!\[CDATA\[|<!doctype", source, re.IGNORECASE)
    if odd:
        return _at(
            source, odd.start(), sentence("MJML takes no doctype and no CDATA"), sentence("Leave it out.")
        ).error(file)
    odd = re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]", source)
    if odd:
        hint = sentence("Remove it: no mail may hold it.")
        return _at(
            source, odd.start(), sentence("a control character (U+{code})", code=f"{ord(odd.group()):04X}"), hint
        ).error(file)
    broken = _malformed(source)
    if broken:
        return broken.error(file)
    offset = _BYTE_POSITION.search(message)
    if offset is None:
        return DesignError(
            sentence("the MJML compiler says: {message}.", message=message),
            file=file,
            hint=sentence("It names no line."),
        )
    # Normalising never adds or takes a "<": count them to find the same place in the source.
    before = normal.encode()[: int(offset[1])].decode(errors="ignore").count("<")
    position = _start(source)
    for _ in range(before + 1):
        position = source.find("<", position) + 1
    words = _BYTE_POSITION.split(message)[0].strip()
    return _at(source, max(position - 1, 0), sentence("the MJML compiler says: {words}", words=words), "").error(file)


def _before(one: Problem, other: Problem) -> bool:
    return (one.line, one.column) < (other.line, other.column)


def _malformed(source: str) -> Problem | None:
    """The first place where the document is not well-formed."""
    for line, column, words in _xml_errors(source):
        if _PAIRING.match(words):
            # The parser sees it only at some later end, and names lines of the rendered document in its words.
            return _unpaired(source) or _unreadable(line, column, _LINE.sub("", words))
        # The parser stops inside the tag: where it begins is what a person looks for, if on the same line.
        begins = "".join(source.split("\n")[line - 1 : line]).rfind("<", 0, column - 1)
        column = begins + 1 if begins >= 0 else column
        return _unreadable(line, column, words)
    return None


def _unreadable(line: int, column: int, words: str) -> Problem:
    hint = sentence("Close every tag, quote every attribute, write < in text as &lt; and no -- inside a comment.")
    return Problem(sentence("this is not well-formed: {words}", words=words), hint, line, column)


def _unpaired(source: str) -> Problem | None:
    """The first element without its end, or end without its element."""
    stack: list[re.Match[str]] = []
    position = 0
    while tag := _TAG.search(source, position):
        position, name = tag.end(), tag["name"]
        if name is None:
            end = source.find("-->", position)
            position = len(source) if end < 0 else end + 3
        elif name in _VOID or tag["attributes"].endswith("/"):
            continue
        elif not tag["end"]:
            stack.append(tag)
        elif stack and stack[-1]["name"] == name:
            stack.pop()
        elif any(each["name"] == name for each in stack):
            return _at(
                source, stack[-1].start(), *_never_closed(stack[-1]["name"], sentence("before </{name}>", name=name))
            )
        else:
            return _at(
                source,
                tag.start(),
                sentence("</{name}> ends nothing", name=name),
                sentence("Remove it, or write <{name}> where it begins.", name=name),
            )
    return (
        _at(source, stack[-1].start(), *_never_closed(stack[-1]["name"], sentence("where it ends"))) if stack else None
    )


def _never_closed(name: str, where: str) -> tuple[str, str]:
    return sentence("<{name}> is never closed", name=name), sentence("Write </{name}> {where}.", name=name, where=where)


def _xml_errors(source: str) -> list[tuple[int, int, str]]:
    """(line, column, words) of what is not well-formed XML, without what the compiler takes: `<br>`, bare `&`,
    attributes without a value. The substitutions keep every column.
    """

    def closed(match: re.Match[str]) -> str:
        if match["end"] or match["name"] not in _VOID or match["attributes"].endswith("/"):
            return match.group()
        return match.group()[:1] + match.group()[2:-1] + "/>" if len(match["name"]) > 1 else match.group()

    text = _TAG.sub(lambda match: match.group() if match["name"] is None else closed(match), source.replace("&", "+"))
    text = _DECLARATION.sub(lambda match: _BLANK.sub(" ", match.group()), text, count=1)
    start = _start(source)
    text = _BLANK.sub(" ", text[:start]) + text[start:]
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False)
    with suppress(etree.XMLSyntaxError):  # nothing at all could be recovered: the log still says why
        etree.fromstring(_NOT_ASCII.sub("x", text), parser)
    return [
        (entry.line, entry.column, entry.message)
        for entry in parser.error_log
        if entry.type_name != "ERR_ATTRIBUTE_WITHOUT_VALUE"
    ]
