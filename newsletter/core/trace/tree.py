"""The decision tree: questions in the order the template asked them, with a letter at the end of each path."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from newsletter.core.errors import LetterMismatchError
from newsletter.core.sentence import sentence
from newsletter.core.trace.deferred import TRUTH, Question, answer
from newsletter.core.trace.nodes import Nodes, State

Leaf = TypeVar("Leaf")


class Branch(Generic[Leaf]):
    """A question, and where each answer given so far leads."""

    __slots__ = ("answers", "ask", "question")

    def __init__(self, question: Question, nodes: Nodes) -> None:
        self.question = question
        self.ask = _asker(question, nodes)
        self.answers: dict[object, Branch[Leaf] | _End[Leaf]] = {}


class _End(Generic[Leaf]):
    __slots__ = ("leaf", "path")

    def __init__(self, leaf: Leaf, path: tuple[tuple[Branch[Leaf], object], ...]) -> None:
        self.leaf = leaf
        self.path = path


def _asker(question: Question, nodes: Nodes) -> Callable[[State], object]:
    get, kind = nodes.closure(question.node), question.kind
    if kind == TRUTH:
        return lambda state: bool(get(state))
    return lambda state: answer(kind, get(state))


@dataclass(slots=True)
class Split:
    """A question of the tree and how many answers it has had."""

    question: Question
    answers: set[object]


@dataclass(slots=True)
class Tree(Generic[Leaf]):
    """At most `bound` leaves; the least recently used goes first."""

    nodes: Nodes
    bound: int
    evicted: int = 0
    _root: Branch[Leaf] | _End[Leaf] | None = None
    _ends: OrderedDict[_End[Leaf], None] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._ends)

    def find(self, state: State) -> Leaf | None:
        """The leaf of this reader's path, or None when the path is new. Raises what a question's node raises."""
        here = self._root
        while here.__class__ is Branch:
            here = here.answers.get(here.ask(state))
        if here is None:
            return None
        assert isinstance(here, _End)
        if here in self._ends:
            self._ends.move_to_end(here)
        return here.leaf

    def asked(self, state: State) -> list[Question]:
        """The questions on this reader's path. Raises what a question's node raises."""
        found: list[Question] = []
        here = self._root
        while isinstance(here, Branch):
            found.append(here.question)
            here = here.answers.get(here.ask(state))
        return found

    def insert(self, path: Sequence[tuple[Question, object]], leaf: Leaf) -> None:
        """Store the leaf at the end of a path.

        Raises `LetterMismatchError` when an earlier trace asked something else at the same point: the template then
        depends on more than its inputs.
        """
        steps: list[tuple[Branch[Leaf], object]] = []
        here = self._root
        for question, given in path:
            if here is None:
                here = Branch(question, self.nodes)
                self._attach(steps, here)
            elif not isinstance(here, Branch) or here.question.key != question.key:
                raise _not_deterministic(question)
            steps.append((here, given))
            here = here.answers.get(given)
        if here is not None:
            raise _not_deterministic(path[-1][0] if path else None)
        end = _End(leaf, tuple(steps))
        self._attach(steps, end)
        self._ends[end] = None
        while len(self._ends) > self.bound:
            self._evict(self._ends.popitem(last=False)[0])

    def branches(self) -> Iterator[Branch[Leaf]]:
        """Each question of the tree at each of its places."""
        pending = [self._root]
        while pending:
            here = pending.pop()
            if isinstance(here, Branch):
                yield here
                pending.extend(here.answers.values())

    def _attach(self, steps: Sequence[tuple[Branch[Leaf], object]], child: Branch[Leaf] | _End[Leaf]) -> None:
        if steps:
            branch, given = steps[-1]
            branch.answers[given] = child
        else:
            self._root = child

    def _evict(self, end: _End[Leaf]) -> None:
        self.evicted += 1
        for branch, given in reversed(end.path):
            del branch.answers[given]
            if branch.answers:
                return
        self._root = None


def merged(trees: Iterable[Tree[Any]]) -> list[Split]:
    """Each question of some trees once, in the order of the templates, with all answers that lead somewhere."""
    found: dict[object, Split] = {}
    for tree in trees:
        for branch in tree.branches():
            found.setdefault(branch.question.key, Split(branch.question, set())).answers.update(branch.answers)
    return sorted(found.values(), key=lambda split: (split.question.file, split.question.line or 0))


def _not_deterministic(question: Question | None) -> LetterMismatchError:
    file, line = (question.file, question.line) if question else ("", None)
    return LetterMismatchError(
        sentence("the template asked something else this time: it depends on more than the issue and the subscriber."),
        where=f"{file}:{line}" if file else "",
        hint=sentence("Remove what changes from one rendering to the next."),
    )
