"""An opened ``backward()`` as plain data: names, ids, numbers. Words and drawings are made elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from learnrate._shapes import Array

__all__ = ["Attached", "GraphNode", "Opened"]


@dataclass(frozen=True, eq=False)
class Attached:
    """What ``attach_grad()`` allocated for one parameter.

    Attributes
    ----------
    name : str
        Such as ``"w"``.
    grad : array
        ``.grad`` before the ``backward()``: right after the call zeros of the same shape and dtype.
    grad_req : str
        ``"write"``: each ``backward()`` replaces what ``.grad`` holds; ``"add"``: it is added.
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
    """One node of the recorded graph, or an array of data that went into one.

    Attributes
    ----------
    id : str
        Unique in the graph, ``"n0"``, ``"n1"``, … in forward order.
    name : str
        ``X``, ``y``, ``w``, ``b``, ``Xw``, ``ŷ``, ``r``, ``r²`` or ``loss``; in a script what it calls the array.
    kind : {"data", "parameter", "operation"}
        Data has no gradient; a parameter is an array with ``attach_grad()``.
    operator : str
        The recorded operator, such as ``"dot"``; empty unless ``kind`` is ``"operation"``.
    expression : str
        The value in terms of the parents' names: ``"Xw + b"``.
    parents : tuple of str
        Ids of the nodes that went in.
    parent_rules : tuple of str
        How the gradient of each of them comes from this one's; empty for data.
    values : array
        What came out in the forward pass.
    gradient : array or None
        What reached the node in the backward pass, shaped like ``values``; None where nothing did.
    visited : int or None
        Place in the backward pass, from 1.
    rule : str
        How the gradient came from those before it: ``"grad(r²) × 2r"``.
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
    """What any opened ``backward()`` has.

    Attributes
    ----------
    attached : tuple of Attached
        What ``attach_grad()`` allocated.
    nodes : tuple of GraphNode
        The recorded graph in forward order.
    """

    attached: tuple[Attached, ...]
    nodes: tuple[GraphNode, ...]

    @property
    def visited(self) -> tuple[GraphNode, ...]:
        """The nodes that ``backward()`` reached, in its order."""
        reached = [node for node in self.nodes if node.visited is not None]
        return tuple(sorted(reached, key=lambda node: node.visited or 0))

    def row_labels(self, node: GraphNode, rows: Sequence[int]) -> list[str]:
        """What rows of a node's values are called, by their places."""
        del node
        return [f"[{i}]" for i in rows]

    def column_labels(self, node: GraphNode, columns: Sequence[int]) -> list[str]:
        """What columns of a node's values are called, by their places; empty where they are only counted."""
        del node, columns
        return []

    def is_told(self, node: GraphNode) -> bool:
        """Whether a node's values are data that a table of their own shows, column by column."""
        return node.kind == "data" and bool(self.column_labels(node, [0]))

    def save(self, path: str | Path, *, lang: str = "en") -> Path:
        """Write it as html, svg, mmd (Mermaid) or json: the suffix decides.

        Parameters
        ----------
        path : str or Path
            Output file.
        lang : {"en", "zh"}
            Language of the text.

        Raises
        ------
        OutputError
            For a suffix that is not known or a place that cannot be written; nothing half-written stays.
        """
        from learnrate.book.steps.files import save_explanation

        return save_explanation(self, path, lang=lang)

    def as_dict(self) -> dict[str, Any]:
        """Everything as JSON can hold it, unabridged; a number that is not finite is null."""
        from learnrate.version import __version__

        parts = {name: _plain(value) for name, value in vars(self).items()}
        return {"learnrate": __version__, **parts}

    def __str__(self) -> str:
        """The text that ``learnrate explain`` prints."""
        from learnrate.book.steps.terminal import render_text

        return render_text(self)


_DERIVED = ("shape", "dtype", "disagreement")
"""Properties that JSON holds beside the fields."""


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
