"""One ``backward()`` of a running script: its graph, every gradient, and the updates until the next one."""

from __future__ import annotations

import linecache
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import takewhile
from types import FrameType
from typing import Any

import numpy as np

from learnrate import autograd
from learnrate._shapes import Array
from learnrate.book.steps.abridging import largest
from learnrate.book.steps.explanation import ScriptExplanation
from learnrate.book.steps.graph import GraphReader, Heads
from learnrate.book.steps.naming import VariableNames, arrays_of
from learnrate.book.steps.opened import Attached, GraphNode
from learnrate.book.steps.opened_script import DifferenceCheck, ParameterStep, ScriptUpdate
from learnrate.nd import NDArray

__all__ = ["Opening"]

_H = 1e-5
"""The error of a central difference is h² f‴/6, plus 1e-16 |f|/h by rounding."""

_ELEMENTS = 12
"""Number of elements of the parameters whose gradients are checked."""

_WORK = 1_000_000_000
"""Multiplications that the check may take."""

_LINES = 40
"""Number of lines before ``backward()`` in which ``record()`` is searched."""


class _Done(BaseException):
    """Ends the script once all that is explained has been stored."""


class Opening:
    """Stores the ``number``-th backward pass inside `watching`, and ends the code there at the next one.

    Parameters
    ----------
    number : int
        Number of the backward pass, from 1.
    inner : tuple of str
        Packages whose lines are not shown as lines of the script.
    """

    def __init__(self, number: int, inner: tuple[str, ...] = ()) -> None:
        self.number = number
        self._inner = inner
        self.count = 0
        """Number of backward passes so far."""
        self._reader: GraphReader | None = None
        self._leaves: dict[str, autograd.Leaf] = {}
        self._place = ("", 0, "", "")
        self._attached: tuple[Attached, ...] = ()
        self._old: dict[str, Array] = {}
        self._gradients: dict[str, Array] = {}
        self._steps: dict[str, tuple[ParameterStep, tuple[str, ...], dict[str, float]]] = {}
        self._new: dict[str, Array] | None = None
        self._beside: dict[str, tuple[NDArray, Array]] = {}
        self._kept: dict[str, tuple[Array, Array]] = {}
        self._update_code = ""

    @property
    def is_open(self) -> bool:
        """Whether the backward pass has been stored."""
        return self._reader is not None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """A context in which ``backward()`` is watched."""
        with autograd.watch_backward(self._around):
            try:
                yield
            except _Done:
                pass
            finally:
                self._see_new()

    def step(
        self,
        weight: NDArray,
        old: Array,
        new: Array,
        formulas: tuple[str, ...],
        constants: dict[str, float],
        kept: dict[str, tuple[Array, Array]],
    ) -> None:
        """Store an optimizer's step of one parameter, if it is the first one after the ``backward()``."""
        for name, leaf in self._leaves.items():
            if leaf is weight._node and name not in self._steps and self._new is None:
                step = ParameterStep(name, old, self._gradients[name], new, kept)
                self._steps[name] = (step, formulas, constants)
                if len(self._steps) == 1:
                    self._update_code = _line_of(_caller(sys._getframe(1), self._inner, True))

    def _around(self, heads: Heads, sweep: Callable[[], None]) -> None:
        if self._reader is not None:
            self._see_new()
            raise _Done
        if self.count + 1 < self.number:
            sweep()
            self.count += 1
            return
        frame = _caller(sys._getframe(), self._inner)
        reader = GraphReader(heads, VariableNames(frame))
        attached = tuple(
            Attached(name, np.array(leaf.grad), leaf.grad_req)
            for name, leaf in reader.leaves.items()
        )
        with autograd.watch(reader):
            sweep()
        self.count += 1
        self._reader, self._attached = reader, attached
        reached = {node.name for node in reader.nodes() if node.visited}
        self._leaves = {name: leaf for name, leaf in reader.leaves.items() if name in reached}
        self._old = {name: np.array(leaf.output) for name, leaf in self._leaves.items()}
        self._gradients = {name: np.array(leaf.grad) for name, leaf in self._leaves.items()}
        self._beside = _beside(frame, self._leaves.values())
        code, after = _lines_around(frame)
        self._place = (_file(frame), frame.f_lineno, code, _line_of(frame))
        self._update_code = after

    def _see_new(self) -> None:
        if self._new is None and self._reader is not None:
            self._new = {name: np.array(leaf.output) for name, leaf in self._leaves.items()}
            self._kept = {
                name: (before, array.asnumpy())
                for name, (array, before) in self._beside.items()
                if not np.array_equal(before, array._data, equal_nan=True)
            }

    def explanation(self, script: str) -> ScriptExplanation:
        """The explanation; only if `is_open`."""
        reader = self._reader
        assert reader is not None
        nodes = reader.nodes()
        file, line, forward, backward = self._place
        updates = self._updates()
        return ScriptExplanation(
            attached=self._attached,
            nodes=nodes,
            script=script,
            number=self.number,
            file=file,
            line=line,
            forward_code=forward,
            backward_code=backward,
            update_code=self._update_code if updates else "",
            loss=reader.replay().loss,
            updates=updates,
            check=self._check(reader, nodes),
        )

    def _updates(self) -> tuple[ScriptUpdate, ...]:
        """The parameters, grouped by the rule that updated them."""
        groups: dict[Any, list[ParameterStep]] = {}
        for step, formulas, constants in self._steps.values():
            groups.setdefault((formulas, tuple(constants.items())), []).append(step)
        found = [ScriptUpdate(key[0], dict(key[1]), None, tuple(p)) for key, p in groups.items()]
        own = [
            ParameterStep(name, old, self._gradients[name], new)
            for name, old in self._old.items()
            if name not in self._steps
            and not np.array_equal(old, new := (self._new or {})[name], equal_nan=True)
        ]
        own = [self._with_kept(step, own) for step in own]
        found += [ScriptUpdate((), {}, None, (step,)) for step in own if step.kept]
        plain = [step for step in own if not step.kept]
        if plain:
            found.append(ScriptUpdate((), {}, _rate(plain), tuple(plain)))
        return tuple(found)

    def _with_kept(self, step: ParameterStep, steps: list[ParameterStep]) -> ParameterStep:
        """The step with the script's own state of this parameter: arrays of its shape, if no other parameter has that shape."""
        shape = step.old.shape
        if sum(other.old.shape == shape for other in steps) > 1:
            return step
        mine = {name: pair for name, pair in self._kept.items() if pair[0].shape == shape}
        return replace(step, kept=mine)

    def _check(self, reader: GraphReader, nodes: tuple[GraphNode, ...]) -> DifferenceCheck:
        gradients = {
            node.name: node.gradient
            for node in nodes
            if node.name in self._leaves and node.gradient is not None
        }
        replay = reader.replay()
        most = int(_WORK // max(2 * replay.work(), 1))
        chosen = largest(gradients, min(_ELEMENTS, max(most, len(gradients))))
        elements = tuple((name, int(j)) for name, at in chosen.items() for j in at)
        return DifferenceCheck(
            elements=elements,
            backward=np.array([gradients[name].flat[j] for name, j in elements], dtype=float),
            finite_difference=np.concatenate(
                [replay.differences(self._leaves[name], at, _H) for name, at in chosen.items()]
            ),
            h=_H,
            parameters=sum(gradient.size for gradient in gradients.values()),
        )


def _beside(frame: FrameType, leaves: Iterable[autograd.Leaf]) -> dict[str, tuple[NDArray, Array]]:
    """Arrays that may be a script's own state of its parameters, by name, with their current values: those of the same shape."""
    shapes = {leaf.output.shape for leaf in leaves}
    known = {id(array) for leaf in leaves for array in (leaf.output, leaf.grad._data)}
    found = {}
    for name, array in arrays_of(frame):
        if array._node is None and array.shape in shapes and id(array._data) not in known:
            known.add(id(array._data))
            found[name] = array, array.asnumpy()
    return found


def _rate(steps: list[ParameterStep]) -> float | None:
    """k, if every element changed by −k times its gradient, up to rounding; else None."""
    gradient, old, new = (
        np.concatenate([np.ravel(getattr(step, part)).astype(float) for step in steps])
        for part in ("gradient", "old", "new")
    )
    with np.errstate(all="ignore"):
        change = new - old
        k = -float(gradient @ change) / float(gradient @ gradient)
        precision = max(np.finfo(step.old.dtype).eps for step in steps)
        room = precision * (4 * (np.abs(old) + np.abs(new)) + 8 * np.abs(change))
        return k if (np.abs(change + k * gradient) <= room).all() else None


def _caller(frame: FrameType, inner: tuple[str, ...], through: bool = False) -> FrameType:
    """The innermost frame outside of learnrate: that of the script, or of a module that it uses.

    With ``through`` it is the innermost frame outside of the ``inner`` packages, even if they have called a function.
    """
    machinery = ("learnrate.nd", "learnrate.autograd", __name__, *inner)

    def is_in(one: FrameType, modules: tuple[str, ...]) -> bool:
        name = f"{one.f_globals.get('__name__')}."
        return name.startswith(tuple(f"{module}." for module in modules))

    while through and inner and frame.f_back and not is_in(frame, inner):
        frame = frame.f_back
    while frame.f_back and is_in(frame, machinery):
        frame = frame.f_back
    return frame


def _file(frame: FrameType) -> str:
    return frame.f_code.co_filename


def _line_of(frame: FrameType) -> str:
    linecache.checkcache(_file(frame))
    return linecache.getline(_file(frame), frame.f_lineno).strip()


def _lines_around(frame: FrameType) -> tuple[str, str]:
    """The lines from the last ``record()`` to the current line, and the next statement if it has the same indentation."""
    linecache.checkcache(_file(frame))
    lines = linecache.getlines(_file(frame))
    here = frame.f_lineno - 1
    before = range(here - 1, max(here - _LINES, -1), -1)
    start = next((i for i in before if i < len(lines) and "record(" in lines[i]), None)
    code = "" if start is None else textwrap.dedent("".join(lines[start:here])).strip("\n")
    after = lines[here + 1 : here + 2]
    if not after or not after[0].strip() or _depth(after[0]) != _depth(lines[here]):
        return code, ""
    block = takewhile(
        lambda line: line.strip() and _depth(line) > _depth(after[0]), lines[here + 2 :]
    )
    return code, textwrap.dedent("".join([*after, *block])).strip("\n")


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
