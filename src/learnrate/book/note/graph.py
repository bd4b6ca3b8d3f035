"""The recorded graph of one step, node by node as ``backward()`` visits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from learnrate.book.note.catalogue import Texts
from learnrate.book.note.plot import render

__all__ = ["graph"]

_WIDTH, _HEIGHT = 190.0, 62.0
_LETTERS = 18
_COLUMN, _ROW, _MARGIN = 240.0, 92.0, 12.0


@dataclass(frozen=True)
class _Place:
    node: Any
    x: float
    y: float
    value: str
    gradient: str
    state: str


def graph(step: Any, lit: int, t: Texts) -> str:
    """The graph with the first ``lit`` nodes of the backward pass lit, the last of them brightest.

    Operations stand below each other in forward order; what goes into one from outside stands beside it.
    """
    places = {place.node.id: place for place in _places(step, lit)}
    arrows = [
        (
            *_ends(places[parent], place),
            place.state != "waiting" and places[parent].state != "waiting",
        )
        for place in places.values()
        for parent in place.node.parents
    ]
    visited = len(step.visited)
    return render(
        "graph.svg",
        places=list(places.values()),
        arrows=arrows,
        title=t("graph_alt", lit=lit, all=visited),
        width=_COLUMN + _WIDTH + 2 * _MARGIN,
        height=max(place.y for place in places.values()) + _HEIGHT + _MARGIN,
        box=(_WIDTH, _HEIGHT),
        t=t,
    )


def _places(step: Any, lit: int) -> list[_Place]:
    operations = [node for node in step.nodes if node.kind == "operation"]
    by_id = {node.id: node for node in step.nodes}
    found = []
    row = 0
    for operation in operations:
        leaves = [by_id[parent] for parent in operation.parents]
        leaves = [leaf for leaf in leaves if leaf.kind != "operation"]
        for i, leaf in enumerate(leaves):
            found.append(_place(leaf, 0, row + i, lit))
        # A first operation with two leaves stands beside the second of them.
        row += max(len(leaves), 1)
        found.append(_place(operation, 1, row - 1, lit))
    return found


def _place(node: Any, column: int, row: int, lit: int) -> _Place:
    order = node.visited
    reached = order is not None and order <= lit
    state = "now" if order == lit and reached else "lit" if reached else "waiting"
    return _Place(
        node,
        _MARGIN + column * _COLUMN,
        _MARGIN + row * _ROW,
        _short(node.values) if node.kind != "data" else "×".join(map(str, node.shape)),
        _short(node.gradient) if reached else "",
        state,
    )


def _ends(source: _Place, target: _Place) -> tuple[float, float, float, float]:
    """The ends of an arrow from the edge of one box to the edge of the next, downwards or to the right."""
    if source.x == target.x:
        middle = source.x + _WIDTH / 2
        return middle, source.y + _HEIGHT, middle, target.y
    return source.x + _WIDTH, source.y + _HEIGHT / 2, target.x, target.y + _HEIGHT / 2


def _short(values: Any) -> str:
    """As many numbers of an array as there is room for."""
    numbers = [f"{value:.3g}" for value in np.ravel(values)]
    count = len(numbers)
    while count > 1 and len(", ".join(numbers[:count])) > _LETTERS:
        count -= 1
    return f"[{', '.join(numbers[:count])}{', …' if count < len(numbers) else ''}]"
