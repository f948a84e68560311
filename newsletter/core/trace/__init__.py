"""The tracing compiler's engine: render a template once for a path of answers, not once for a reader.

Read `deferred` first (what a reader's value is during a trace), then `nodes` (expressions), `environment` (where
Jinja2 is held; `stock` is Jinja2 unheld), `output` (texts and slots), `places` (what a value may do at its place in
MJML), `tree` (paths and letters), `sites` and `blocks` (parts of a letter with trees of their own) and `positions`
(which template wrote a mistake).
"""

from newsletter.core.trace.deferred import Deferred, Question, Tracer
from newsletter.core.trace.environment import TracingEnvironment
from newsletter.core.trace.nodes import Node, Nodes, State
from newsletter.core.trace.stock import StockEnvironment

__all__ = ["Deferred", "Node", "Nodes", "Question", "State", "StockEnvironment", "Tracer", "TracingEnvironment"]
