"""The tracing compiler's engine: render a template once for a path of answers, not once for a reader.

Read `deferred` first (what a reader's value is during a trace), then `nodes` (expressions), `environment` (where
Jinja2 is held), `tree` (paths and letters) and `places` (what a value may do at its place in MJML).
"""

from newsletter.core.trace.deferred import Deferred, Question, Tracer
from newsletter.core.trace.environment import StockEnvironment, TracingEnvironment
from newsletter.core.trace.nodes import Node, Nodes, State

__all__ = ["Deferred", "Node", "Nodes", "Question", "State", "StockEnvironment", "Tracer", "TracingEnvironment"]
