"""A copy of the recorded graph, with values, gradients and names, made during a backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from learnrate import autograd
from learnrate._shapes import Array
from learnrate.book.steps.abridging import Omitted, abridge
from learnrate.book.steps.opened import GraphNode
from learnrate.book.steps.replay import Replay
from learnrate.book.steps.rules import expression, gradient_rule

__all__ = ["GraphReader", "Heads", "Names"]

_MOST_RULES = 12

Heads = Sequence[tuple[autograd.Node, Array]]
"""The nodes at which a backward pass starts, each with its gradient."""


@runtime_checkable
class Names(Protocol):
    """Gives the arrays of a graph names for the reader."""

    def node(self, node: autograd.Node) -> str:
        """The name of a parameter or a result; a new one if it has none."""
        ...

    def data(self, value: Array, consumer: autograd.Node, position: int) -> str:
        """The name of an array without a gradient that is an input of ``consumer``."""
        ...


class GraphReader:
    """A watcher for `autograd.watch` that stores the graph and every gradient.

    The graph is copied at once, because a backward pass frees it and training overwrites the parameters.

    Parameters
    ----------
    heads : sequence of (Node, array)
        The nodes at which the backward pass starts, with their gradients.
    names : Names
        The names of the arrays.
    """

    def __init__(self, heads: Heads, names: Names) -> None:
        self._names = names
        self._heads = [(head, np.array(gradient)) for head, gradient in heads]
        self._drafts: dict[Any, dict[str, Any]] = {}
        self._visits: list[autograd.Node] = []
        self.leaves: dict[str, autograd.Leaf] = {}
        """The parameters, by name."""
        self._computed: list[tuple[Any, autograd.Operator, tuple[Any, ...], dict[int, Any]]] = []
        self._read()

    def __call__(self, node: autograd.Node, gradient: Array) -> None:
        """Store the gradient of a node that the backward pass has reached."""
        self._visits.append(node)
        self._drafts[node].update(gradient=np.array(gradient), visited=len(self._visits))

    def nodes(self) -> tuple[GraphNode, ...]:
        """The nodes: data and parameters in the order of their use, then the operations."""
        return tuple(
            GraphNode(**{**draft, "rule": _joined(draft["rule"])})
            for draft in self._drafts.values()
        )

    def replay(self) -> Replay:
        """The graph in a form that can be computed again with other parameters."""
        values = {key: draft["values"] for key, draft in self._drafts.items()}
        return Replay(self._computed, values, self._heads)

    def _read(self) -> None:
        found = {node for head, _ in self._heads for node in autograd.graph(head)}
        operations = sorted((n for n in found if n.parents), key=lambda node: node.number)
        made = set(operations)
        for node in operations:
            for position, key in _inputs(node).items():
                if key not in made and key not in self._drafts:
                    self._add_input(key, node, position)
        for head, _ in self._heads:
            if isinstance(head, autograd.Leaf) and head not in self._drafts:
                self._add_leaf(head, head.output)
        for node in operations:
            self._add_operation(node)
        for head, gradient in self._heads:
            self._give_rule(head, "1" if (gradient == 1).all() else "out_grad")

    def _add_input(self, key: Any, consumer: autograd.Node, position: int) -> None:
        value = consumer.values[position]
        if isinstance(key, autograd.Leaf):
            self._add_leaf(key, value)
        else:
            self._add(key, value, kind="data", name=self._names.data(value, consumer, position))

    def _add_leaf(self, leaf: autograd.Leaf, value: Array) -> None:
        name = self._names.node(leaf)
        self.leaves[name] = leaf
        self._add(leaf, value, kind="parameter", name=name)

    def _add_operation(self, node: autograd.Node) -> None:
        inputs = _inputs(node)
        parents = {position: self._drafts[key] for position, key in inputs.items()}
        texts = [
            parents[i]["name"] if i in parents else _constant(value)
            for i, value in enumerate(node.values)
        ]
        name = self._names.node(node)
        rules = []
        for position, parent in parents.items():
            has_gradient = parent["kind"] != "data"
            rule = gradient_rule(node, position, texts, name) if has_gradient else ""
            rules.append(rule)
            if rule:
                self._give_rule(inputs[position], rule)
        self._add(
            node,
            node.output,
            kind="operation",
            name=name,
            operator=node.operator.name,
            expression=expression(node, texts, list(parents)),
            parents=tuple(parent["id"] for parent in parents.values()),
            parent_rules=tuple(rules),
        )
        self._computed.append((node, node.operator, node.values, inputs))

    def _give_rule(self, key: Any, rule: str) -> None:
        """Add a rule by which a gradient reaches a node; the gradients of several rules are added."""
        self._drafts[key]["rule"].append(rule)

    def _add(self, key: Any, values: Array, *, kind: str, name: str, **known: Any) -> None:
        self._drafts[key] = {
            "id": f"n{len(self._drafts)}",
            "name": name,
            "kind": kind,
            "operator": "",
            "expression": "",
            "parents": (),
            "parent_rules": (),
            "values": np.array(values),
            "gradient": None,
            "visited": None,
            "rule": [],
            **known,
        }


def _inputs(node: autograd.Node) -> dict[int, Any]:
    """The input arrays of a node, by position: the node of each, or a new key if it is data.

    A node that an earlier backward pass has freed counts as data.
    """
    parents = node.parents or ()
    found: dict[int, Any] = {}
    for position, value in enumerate(node.values):
        if isinstance(value, np.ndarray):
            parent = parents[position] if position < len(parents) else None
            known = parent is not None and parent.parents is not None
            found[position] = parent if known else id(value)
    return found


def _joined(rules: list[str]) -> str:
    """The sum of the rules; if there are many, of the first and the last ones."""
    return " + ".join(
        "…" if isinstance(rule, Omitted) else rule for rule in abridge(rules, _MOST_RULES)
    )


def _constant(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
