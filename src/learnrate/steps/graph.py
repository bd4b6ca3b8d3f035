"""The recorded graph of one step, read while ``backward()`` walks it, with names a reader knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from learnrate import autograd
from learnrate._shapes import Array
from learnrate.nd import NDArray
from learnrate.steps.explanation import GraphNode

__all__ = ["GraphReader"]

# What `learnrate.scratch` computes, operator by operator: the name of the result and its expression in
# the names of what went in.
_RESULTS = {
    "dot": ("Xw", "{0}·{1}"),
    "add": ("ŷ", "{0} + {1}"),
    "subtract": ("r", "{0} − {1}"),
    "power": ("r²", "{0} · {0}"),
    "divide": ("loss", "{0} / 2"),
}
_DATA = {("dot", 0): "X", ("subtract", 1): "y"}
"""Inputs without a gradient, by operator and position."""

_RULES = {
    ("dot", 1): "{0}ᵀ · {g}",
    ("add", 0): "{g} × 1",
    ("add", 1): "Σ {g}",
    ("subtract", 0): "{g} × 1",
    ("power", 0): "{g} × 2{0}",
    ("divide", 0): "{g} / 2",
}
"""The gradient of each input that has one, beside `learnrate.nd.operators`; ``{g}`` is the result's.
The bias is added to every row, so its gradient sums over the rows."""


class GraphReader:
    """A watcher for `autograd.watch` that keeps the graph and every gradient.

    The graph is copied when the backward pass reaches its first node, the loss: afterwards it is used
    up, and the parameters are overwritten by the update.

    Parameters
    ----------
    parameters : mapping of str to NDArray
        The arrays with ``attach_grad()``, by name.
    """

    def __init__(self, parameters: Mapping[str, NDArray]) -> None:
        self._parameters = parameters
        self._drafts: dict[Any, dict[str, Any]] = {}
        self._visits: list[autograd.Node] = []

    def __call__(self, node: autograd.Node, gradient: Array) -> None:
        """Take note of a node that the backward pass reached."""
        if not self._visits:
            self._read(node)
        self._visits.append(node)
        self._drafts[node].update(gradient=np.array(gradient), visited=len(self._visits))

    def nodes(self) -> tuple[GraphNode, ...]:
        """What was read: data and parameters in the order of their use, then the operations."""
        return tuple(GraphNode(**draft) for draft in self._drafts.values())

    def _read(self, head: autograd.Node) -> None:
        operations = [n for n in autograd.graph(head) if not isinstance(n, autograd.Leaf)]
        for node in operations:
            for key, position in _inputs(node):
                if key not in operations:
                    self._add_input(key, node, position)
        for node in operations:
            self._add_operation(node)
        self._drafts[head]["rule"] = "1"

    def _add_input(self, key: Any, consumer: autograd.Node, position: int) -> None:
        operator = consumer.operator.name
        if isinstance(key, autograd.Leaf):
            kind = "parameter"
            name = next(k for k, array in self._parameters.items() if array.grad is key.grad)
        else:
            kind, name = "data", _DATA[operator, position]
        self._add(key, consumer.values[position], kind=kind, name=name)

    def _add_operation(self, node: autograd.Node) -> None:
        operator = node.operator.name
        parents = [self._drafts[key] for key, _ in _inputs(node)]
        names = [parent["name"] for parent in parents]
        name, expression = _RESULTS[operator]
        for position, parent in enumerate(parents):
            if parent["kind"] != "data":
                rule = _RULES[operator, position]
                parent["rule"] = rule.format(*names, g=f"grad({name})")
        self._add(
            node,
            node.output,
            kind="operation",
            name=name,
            operator=operator,
            expression=expression.format(*names),
            parents=tuple(parent["id"] for parent in parents),
        )

    def _add(self, key: Any, values: Array, *, kind: str, name: str, **known: Any) -> None:
        self._drafts[key] = {
            "id": f"n{len(self._drafts)}",
            "name": name,
            "kind": kind,
            "operator": "",
            "expression": "",
            "parents": (),
            "values": np.array(values),
            "gradient": None,
            "visited": None,
            "rule": "",
            **known,
        }


def _inputs(node: autograd.Node) -> list[tuple[Any, int]]:
    """The arrays that went into a node, each as (its node, or a key of its own for data; position)."""
    parents = node.parents or ()
    return [
        (parent if parent is not None else (node, position), position)
        for position, parent in enumerate(parents)
        if isinstance(node.values[position], np.ndarray)
    ]
