"""Nodes of the recorded graph: one for every operation, and one for every array with a gradient."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

__all__ = ["Gradient", "Leaf", "Node", "Operator", "graph", "release"]

_number = itertools.count().__next__


class _Every:
    """The gradient functions of an operator with any number of inputs: the i-th is ``rule(i, g, out, *values)``."""

    __slots__ = ("_rule",)

    def __init__(self, rule: Callable[..., Any]) -> None:
        self._rule = rule

    def __getitem__(self, i: int) -> Callable[..., Any]:
        return partial(self._rule, i)


class Operator:
    """An operation with its gradients.

    For ``out = forward(x_0, x_1, …, attributes…)`` the i-th gradient is a function
    ``gradient_i(g, out, x_0, x_1, …, attributes…) = gᵀ ∂out/∂x_i`` with the shape of ``x_i``, where ``g`` is the
    gradient of the final result with respect to ``out``. It is called only if ``x_i`` has a node.

    Attributes
    ----------
    name : str
        The name in messages and in `learnrate explain`.
    forward : callable
        Computes the output from the input values.
    gradients : indexable by i
        The gradient functions. An operator with any number of inputs has one function ``every`` for all:
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
        The operation.
    parents : tuple of (Node or None), or None
        The nodes of the input values, None for a constant. None as a whole after a backward pass has released the
        graph.
    values : tuple
        The arguments of the operator: the input values, then its attributes.
    output
        The output value.
    number : int
        Increases with every new node, so it is larger than those of the parents.
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
        """Whether this node was released before ``consumer`` was recorded, and so is a constant for it."""
        released: int = self.values[0]
        return released < consumer.number

    def __repr__(self) -> str:
        shape = getattr(self.output, "shape", None)
        return f"<{type(self).__name__} {self.number}: {self.operator.name} {shape}>"


class Gradient(Protocol):
    """An array that holds the gradient of a leaf and is written in place."""

    def _replace(self, gradient: Any) -> None:
        """Replace the values."""
        ...

    def _accumulate(self, gradient: Any) -> None:
        """Add to the values."""
        ...


_VARIABLE = Operator("variable", lambda value: value)


class Leaf(Node):
    """The node of an array with `attach_grad`, where a backward pass ends.

    Attributes
    ----------
    output
        The values of the array, which training changes in place.
    grad : Gradient
        The array for the gradient.
    grad_req : str
        In each backward pass ``"write"`` replaces the gradient, ``"add"`` adds to it, ``"null"`` drops it.
    fresh : bool
        Whether a backward pass has reached this leaf since this was last set to False.
    name : str
        The name of the array in explanations, such as ``dense0_weight``; may be empty.
    """

    __slots__ = ("fresh", "grad", "grad_req", "name")

    def __init__(self, output: Any, grad: Any, grad_req: str) -> None:
        super().__init__(_VARIABLE, (), (), output)
        self.grad = grad
        self.grad_req = grad_req
        self.fresh = False
        self.name = ""

    def deliver(self, gradient: Any) -> None:
        """Write or add the gradient to ``grad``."""
        self.fresh = True
        if self.grad_req == "write":
            self.grad._replace(gradient)
        elif self.grad_req == "add":
            self.grad._accumulate(gradient)


def release(nodes: list[Node]) -> None:
    """Free the values of these nodes, which cannot be differentiated again."""
    now = _number()
    for node in nodes:
        node.parents = None
        node.values = (now,)
        node.output = None


def graph(head: Node) -> list[Node]:
    """All nodes from which ``head`` was computed, in the order in which they were recorded; ``head`` is the last."""
    seen = {head}
    unvisited = [head]
    while unvisited:
        for parent in unvisited.pop().parents or ():
            if parent is not None and parent not in seen:
                seen.add(parent)
                unvisited.append(parent)
    return sorted(seen, key=lambda node: node.number)
