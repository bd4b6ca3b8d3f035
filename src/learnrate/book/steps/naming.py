"""The names of a script's arrays: the variables of the frames on the stack at a ``backward()``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import FrameType
from typing import Any

import numpy as np

from learnrate import autograd
from learnrate._shapes import Array
from learnrate.nd import NDArray

__all__ = ["VariableNames", "arrays_of"]


class VariableNames:
    """Names of arrays by the variables that hold them, those of the innermost frame first.

    A parameter that has a name, as in Gluon, keeps it. Results without a variable are named h1, h2, …, data c1, c2, …, or
    mask1, mask2, … if they contain only 0 and 1.

    Parameters
    ----------
    frame : frame
        The frame that called ``backward()``.
    """

    def __init__(self, frame: FrameType) -> None:
        self._nodes: dict[autograd.Node, str] = {}
        self._data: dict[tuple[int, int], str] = {}
        self._used: set[str] = set()
        for name, array in arrays_of(frame):
            self._hold(name, array)

    def _hold(self, name: str, array: NDArray) -> None:
        if name in self._used or name.startswith("_"):
            return
        node, place = array._node, _place(array._data)
        if node is not None and node not in self._nodes:
            self._nodes[node] = name
        elif node is None and place not in self._data:
            self._data[place] = name
        else:
            return
        self._used.add(name)

    def node(self, node: autograd.Node) -> str:
        """The name of a parameter or a result."""
        given = getattr(node, "name", "") or self._nodes.get(node)
        return given or self._new("h" if node.parents else "w")

    def data(self, value: Array, consumer: autograd.Node, position: int) -> str:
        """The name of an array without a gradient; a reshaped one has the name of the array whose memory it shares."""
        del consumer, position
        given = self._data.get(_place(value))
        if given:
            return given
        return self._new("mask" if bool(np.isin(value, (0, 1)).all()) else "c")

    def _new(self, letter: str) -> str:
        number = 1
        while f"{letter}{number}" in self._used:
            number += 1
        self._used.add(f"{letter}{number}")
        return f"{letter}{number}"


_MOST = 100
"""Longer lists are ignored, since they hold examples rather than parameters."""

_DEEPEST = 2
"""Depth to which lists in lists are searched."""


def arrays_of(frame: FrameType) -> Iterator[tuple[str, NDArray]]:
    """Yield the arrays of a frame and its callers with their names: first variables, then elements of lists and tuples."""
    inside = []
    for name, value in _variables(frame):
        if isinstance(value, NDArray):
            yield name, value
        elif isinstance(value, list | tuple):
            inside.append((name, value))
    while inside:
        name, values = inside.pop(0)
        for i, item in enumerate(values if len(values) <= _MOST else ()):
            if isinstance(item, NDArray):
                yield f"{name}[{i}]", item
            elif isinstance(item, list | tuple) and name.count("[") < _DEEPEST:
                inside.append((f"{name}[{i}]", item))


def _variables(frame: FrameType | None) -> Iterator[tuple[str, Any]]:
    """Yield the variables of a frame and of its callers, then those of their modules."""
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    seen: set[int] = set()
    for one in frames:
        yield from dict(one.f_locals).items()
    for one in frames:
        module: Mapping[str, Any] = one.f_globals
        if id(module) not in seen:
            seen.add(id(module))
            yield from dict(module).items()


def _place(value: Array) -> tuple[int, int]:
    """The memory address of an array, and its size."""
    return value.__array_interface__["data"][0], value.size
