"""A ``backward()`` as plain data: names, ids and numbers, without texts and drawings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any, Literal

import numpy as np

from learnrate._shapes import Array
from learnrate.version import __version__

__all__ = ["Attached", "GraphNode", "Opened"]


@dataclass(frozen=True, eq=False)
class Attached:
    """The gradient that ``attach_grad()`` allocated for one parameter.

    Attributes
    ----------
    name : str
        The name of the parameter, such as ``"w"``.
    grad : array
        ``.grad`` before the ``backward()``; after ``attach_grad()`` zeros, of the parameter's shape and dtype.
    grad_req : str
        ``"write"`` if ``backward()`` overwrites ``.grad``, ``"add"`` if it adds to it.
    """

    name: str
    grad: Array
    grad_req: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of ``.grad`` along each axis."""
        return self.grad.shape

    @property
    def dtype(self) -> str:
        """Type of the elements of ``.grad``."""
        return str(self.grad.dtype)


@dataclass(frozen=True, eq=False)
class GraphNode:
    """One node of the recorded graph, or an array of data that is an input of one.

    Attributes
    ----------
    id : str
        Unique in the graph, ``"n0"``, ``"n1"``, … in forward order.
    name : str
        ``X``, ``y``, ``w``, ``b``, ``Xw``, ``ŷ``, ``r``, ``r²`` or ``loss``; in a script the variable.
    kind : {"data", "parameter", "operation"}
        Data has no gradient; a parameter is an array with ``attach_grad()``.
    operator : str
        The recorded operator, such as ``"dot"``; empty unless ``kind`` is ``"operation"``.
    expression : str
        The value in terms of the parents' names: ``"Xw + b"``.
    parents : tuple of str
        Ids of the inputs.
    parent_rules : tuple of str
        For each input, the rule that computes its gradient from that of this node; empty for data.
    values : array
        The result of the forward pass.
    gradient : array or None
        The gradient from the backward pass, with the shape of ``values``; None if there is none.
    visited : int or None
        Position in the order of the backward pass, from 1.
    rule : str
        The rule that computes the gradient: ``"grad(r²) × 2r"``.
    """

    id: str
    name: str
    kind: Literal["data", "parameter", "operation"]
    operator: str
    expression: str
    parents: tuple[str, ...]
    parent_rules: tuple[str, ...]
    values: Array
    gradient: Array | None
    visited: int | None
    rule: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Length along each axis."""
        return self.values.shape


@dataclass(frozen=True, eq=False, kw_only=True)
class Opened:
    """A ``backward()`` with its graph; the base of `OpenedStep` and `OpenedScript`.

    Attributes
    ----------
    attached : tuple of Attached
        The gradients that ``attach_grad()`` allocated.
    nodes : tuple of GraphNode
        The recorded graph in forward order.
    """

    attached: tuple[Attached, ...]
    nodes: tuple[GraphNode, ...]

    @property
    def visited(self) -> tuple[GraphNode, ...]:
        """The nodes that ``backward()`` reached, in the order of the backward pass."""
        reached = [node for node in self.nodes if node.visited is not None]
        return tuple(sorted(reached, key=lambda node: node.visited or 0))

    def row_labels(self, node: GraphNode, rows: Sequence[int]) -> list[str]:
        """Labels for these rows of a node's values."""
        del node
        return [f"[{i}]" for i in rows]

    def column_labels(self, node: GraphNode, columns: Sequence[int]) -> list[str]:
        """Labels for these columns of a node's values; empty if columns have no names."""
        del node, columns
        return []

    def is_told(self, node: GraphNode) -> bool:
        """Whether a node's values are data that have their own table."""
        return node.kind == "data" and bool(self.column_labels(node, [0]))

    def as_dict(self) -> dict[str, Any]:
        """All numbers in types that JSON has; a number that is not finite is null."""
        parts = {name: _plain(value) for name, value in vars(self).items()}
        return {"learnrate": __version__, **parts}


_DERIVED = ("shape", "dtype", "disagreement")
"""Properties that are in the JSON in addition to the fields."""


def _plain(value: Any) -> Any:
    """``value`` as lists, dicts, strings and finite numbers."""
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if is_dataclass(value):
        derived = {name: _plain(getattr(value, name)) for name in _DERIVED if hasattr(value, name)}
        return {**{name: _plain(part) for name, part in vars(value).items()}, **derived}
    return value
