"""A letter that can't be made, shown all the same: each block that fails is a red card in plain words.

For people who look at it, never for readers: nothing here is sent. Blocks are those of the compiler (trace.sites): what
fails outside of one takes the whole letter with it, as ever. A file that can't be parsed, or that is included and not
there, has another in its place which fails as it runs: inside a block, or as one. Where no card can stand (in the head,
within a section), it is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, NoReturn

from jinja2 import nodes
from jinja2.runtime import Context, Macro
from markupsafe import Markup, escape

from newsletter.core.context import Card, Line
from newsletter.core.errors import DesignError
from newsletter.core.letter.compiler import HTML, SUBJECT, TEXT, Design, Rendered
from newsletter.core.mjml import to_html
from newsletter.core.reader import Reader
from newsletter.core.trace.environment import block_body, sites_of
from newsletter.core.trace.output import design_errors, no_template, scrub
from newsletter.core.trace.sites import BLOCK
from newsletter.core.trace.stock import StockEnvironment, within

_FAIL = "_newsletter_fail"
"""The name of the function that a file in place of another calls."""

_CARD = """<mj-section background-color="#FDECEA" border="2px solid #B3261E" padding="14px 0"><mj-column>
<mj-text font-family="Arial,sans-serif" font-size="16px" line-height="23px" color="#7A1712" padding="0 24px">
<b>{what} can’t be shown.</b><br />{why}</mj-text></mj-column></mj-section>"""


def mended(design: Design, context: Mapping[str, object], reader: Reader, error: DesignError) -> Rendered:
    """The letter of `reader` with a card in place of each block that fails; `error` is what its full render raised, and
    is raised again where no card can help. `context` as a `Compiler` has it.
    """
    values = {"design": design.tokens, **context, "subscriber": reader}
    faults = _Faults(design.files)
    for tries_mjml, leaves_out in ((False, False), (True, False), (False, True)):
        files = faults.left_out if leaves_out else faults.stood_in
        shared = frozenset(map(id, values.values()))
        environment = _Mending(files, error if tries_mjml else None, shared, faults.fail)
        try:
            subject, source, text = (_run(environment, name, values) for name in (SUBJECT, HTML, TEXT))
            html = to_html(source, file=HTML)
        except DesignError:
            continue
        return Rendered(" ".join(subject.split()), html + "\n", text + "\n")
    raise error


def _run(environment: _Mending, name: str, values: Mapping[str, object]) -> str:
    with design_errors():
        template = environment.get_template(name)
        environment.begin()
        return scrub(within(template.root_render_func(template.new_context(dict(values)))))


class _Faults:
    """The files of a design that can't be parsed, and those that it includes and has not.

    `stood_in` are the design's files with one that fails in place of each of these, `left_out` with an empty one.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self._errors: dict[str, DesignError] = {}
        stock, loops, wanted = StockEnvironment(files, {}), set[str](), dict[str, DesignError]()
        for name, text in files.items():
            try:
                with design_errors():
                    # (Not all is said by parsing: an unknown filter only when code is made of it.)
                    stock.get_template(name)
                    tree = stock.parse(text, name)
            except DesignError as error:
                self._errors[name] = error
                continue
            loops |= {loop.target.name for loop in tree.find_all(nodes.For) if isinstance(loop.target, nodes.Name)}
            wanted |= {other: no_template(other, name, line) for other, line in _included(tree)}
        self._errors |= {name: error for name, error in wanted.items() if name not in files}
        # What a loop has at hand is read, so that the block knows its title.
        self.stood_in = {**files, **{name: _failing(name, loops) for name in self._errors}}
        self.left_out = {**files, **dict.fromkeys(self._errors, "")}

    def fail(self, name: str, *_: object) -> NoReturn:
        """What a file in place of `name` calls."""
        raise self._errors[name]


def _included(tree: nodes.Template) -> Iterable[tuple[str, int]]:
    """The files that a template can't do without, and where it includes them."""
    for node in tree.find_all(nodes.Include):
        if isinstance(node.template, nodes.Const) and isinstance(node.template.value, str) and not node.ignore_missing:
            yield node.template.value, node.lineno


def _failing(name: str, reads: Iterable[str]) -> str:
    # (A condition is what can be a block.)
    return f"{{% if true %}}{{{{ {_FAIL}({', '.join([repr(name), *sorted(reads)])}) }}}}{{% endif %}}\n"


class _Mending(StockEnvironment):
    """The stock environment, with the blocks of the tracing one."""

    def __init__(
        self, files: Mapping[str, str], error: DesignError | None, shared: frozenset[int], fail: Callable[..., NoReturn]
    ) -> None:
        """With an `error` of MJML's each block's output is given to MJML by itself: which one it was. `shared` are the
        identities of what every template sees; `fail` is for files that stand in for others.
        """
        super().__init__(files, {})
        named = tuple(sorted(files.items()))
        self._sites = sites_of(named)
        self.code_mark = f"mending {sha256(repr(named).encode('utf-8', 'surrogatepass')).hexdigest()}"
        self.globals |= {BLOCK: block_body, _FAIL: fail}
        self._error, self._shared = error, shared
        self._inside = False

    def _generate(self, source: nodes.Template, name: str | None, *args: Any, **kwargs: Any) -> str:
        return super()._generate(self._sites.mark(source, name or ""), name, *args, **kwargs)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        if __obj is not block_body:
            return super().call(__context, __obj, *args, **kwargs)
        return __self._block(__context, args[0], args[1:], kwargs["caller"])

    def _block(self, context: Context, site: tuple[str, int, Any], values: tuple[Any, ...], caller: Macro) -> Any:
        if self._inside:
            return caller(context.eval_ctx)
        is_page = site[0].endswith(".mjml")
        self._inside = True
        try:
            with design_errors():
                made = caller(context.eval_ctx)
            if self._error is not None and is_page and str(made).strip():
                to_html(f"<mjml><mj-body>{made}</mj-body></mjml>", file=site[0])
        except DesignError as error:
            return self._card(values, self._error or error, is_page=is_page)
        else:
            return made
        finally:
            self._inside = False

    def _card(self, values: tuple[Any, ...], error: DesignError, *, is_page: bool) -> str:
        # What a loop has at hand, not what every block can see.
        titles = [value.title for value in values if isinstance(value, Card | Line) and id(value) not in self._shared]
        what = f"“{titles[0]}”" if titles else "This part of the letter"
        if not is_page:
            return f"[{what} can’t be shown: {error}]\n"
        return Markup(_CARD.format(what=escape(what), why=escape(str(error))))
