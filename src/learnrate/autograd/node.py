"""Nodes of the recorded graph: one for every operation, and one for every array with a gradient."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

__all__ = ["Gradient", "Leaf", "Node", "Operator", "graph", "release"]

_number = itertools.count().__next__


class _Every:
    """The gradients of an operator with any number of inputs: the i-th is ``rule(i, g, out, *values)``."""

    __slots__ = ("_rule",)

    def __init__(self, rule: Callable[..., Any]) -> None:
        self._rule = rule

    def __getitem__(self, i: int) -> Callable[..., Any]:
        return partial(self._rule, i)


class Operator:
    """An operation beside its gradient.

    For ``out = forward(x_0, x_1, …, attributes…)`` the i-th gradient is the function
    ``gradient_i(g, out, x_0, x_1, …, attributes…) = gᵀ ∂out/∂x_i``, shaped like ``x_i``, where ``g`` is the
    gradient of the result with respect to ``out``. It is asked for only where ``x_i`` has a node.

    Attributes
    ----------
    name : str
        What messages and `learnrate explain` call it.
    forward : callable
        From values to the value.
    gradients : indexable by i
        The gradient functions. With ``every``, inputs may be any number and one function serves all:
        ``every(i, g, out, x_0, x_1, …, attributes…)``.
    """

    __slots__ = ("forward", "gradients", "name")

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        *gradients: Callable[..., Any],
        every: Callable[..., Any] | None = None,
    ) -> None:
        self.name = name
        self.forward = forward
        self.gradients: Any = _Every(every) if every else gradients

    def __repr__(self) -> str:
        return f"<Operator {self.name}>"


class Node:
    """One recorded operation: ``output = operator.forward(*values)``.

    Attributes
    ----------
    operator : Operator
    parents : tuple of (Node or None), or None
        The node behind each leading value; None for a constant. None as a whole once a backward sweep
        has used the graph up.
    values : tuple
        What the operator was called with: the input values, then its attributes.
    output
        The value that came out.
    number : int
        Counts up as nodes are made, so a node's number is larger than its parents'.
    """

    __slots__ = ("number", "operator", "output", "parents", "values")

    def __init__(
        self,
        operator: Operator,
        parents: tuple[Node | None, ...] | None,
        values: tuple[Any, ...],
        output: Any,
    ) -> None:
        self.operator = operator
        self.parents = parents
        self.values = values
        self.output = output
        self.number = _number()

    def spent_before(self, consumer: Node) -> bool:
        """Whether this node was released before ``consumer`` was recorded: to that one it is a constant."""
        released: int = self.values[0]
        return released < consumer.number

    def __repr__(self) -> str:
        shape = getattr(self.output, "shape", None)
        return f"<{type(self).__name__} {self.number}: {self.operator.name} {shape}>"


class Gradient(Protocol):
    """Where a leaf's gradient is kept: memory that is written in place."""

    def _replace(self, gradient: Any) -> None:
        """Replace what is held."""
        ...

    def _accumulate(self, gradient: Any) -> None:
        """Add to what is held."""
        ...


_VARIABLE = Operator("variable", lambda value: value)


class Leaf(Node):
    """Where a backward sweep ends: an array that `attach_grad` was called on.

    Attributes
    ----------
    output
        The array's memory, which training writes to in place.
    grad : Gradient
        The memory that the gradient is written to.
    grad_req : str
        ``"write"`` replaces the gradient at each sweep, ``"add"`` adds to it, ``"null"`` drops it.
    """

    __slots__ = ("grad", "grad_req")

    def __init__(self, output: Any, grad: Any, grad_req: str) -> None:
        super().__init__(_VARIABLE, (), (), output)
        self.grad = grad
        self.grad_req = grad_req

    def deliver(self, gradient: Any) -> None:
        """Write the gradient that reached this leaf where its array shows it."""
        if self.grad_req == "write":
            self.grad._replace(gradient)
        elif self.grad_req == "add":
            self.grad._accumulate(gradient)


def release(nodes: list[Node]) -> None:
    """Let go of the graph behind these nodes; they cannot be differentiated again."""
    now = _number()
    for node in nodes:
        node.parents = None
        node.values = (now,)
        node.output = None


def graph(head: Node) -> list[Node]:
    """All nodes that ``head`` was computed from, in the order in which they were made, ``head`` last."""
    seen = {head}
    unvisited = [head]
    while unvisited:
        for parent in unvisited.pop().parents or ():
            if parent is not None and parent not in seen:
                seen.add(parent)
                unvisited.append(parent)
    return sorted(seen, key=lambda node: node.number)
