"""A recorded graph that is computed again with other parameters, for finite differences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.autograd import Node, Operator

__all__ = ["Replay"]


class Replay:
    """The sum of the results of a graph, each times its initial gradient, as a function of one parameter, in float64.

    Parameters
    ----------
    computed : sequence of (key, Operator, values, inputs)
        The operations in their order; ``inputs`` has, by position, the keys of the values that are results.
    values : mapping
        The values of parameters, data and results, by key.
    heads : sequence of (key, array)
        The results that are summed, and their weights.
    """

    def __init__(
        self,
        computed: Sequence[tuple[Any, Operator, tuple[Any, ...], dict[int, Any]]],
        values: dict[Any, Array],
        heads: Sequence[tuple[Node, Array]],
    ) -> None:
        self._computed = computed
        self._values = {key: _wide(value) for key, value in values.items()}
        self._heads = [(key, _wide(weights)) for key, weights in heads]
        with np.errstate(all="ignore"):
            self._compute(self._values, computed)
            self.loss = self._loss(self._values)
            """The sum with the recorded parameters."""

    def work(self) -> int:
        """Number of multiplications of one computation, estimated."""
        total = 0
        for key, operator, _, inputs in self._computed:
            size = self._values[key].size
            first = self._values[next(iter(inputs.values()))] if inputs else np.zeros(1)
            total += size * (first.shape[-1] if operator.name == "dot" else 1)
        return total

    def differences(self, leaf: Any, at: Int[Array, " k"], h: float) -> Float[Array, " k"]:
        """``(L(θ + h e_j) − L(θ − h e_j)) / 2h`` for the elements with the flat indices ``at`` of a parameter.

        h is multiplied by ``max(1, |θ_j|)``.
        """
        known = {leaf}
        below = []
        for step in self._computed:
            if known.intersection(step[3].values()):
                known.add(step[0])
                below.append(step)
        found = np.empty(len(at))
        with np.errstate(all="ignore"):
            for k, j in enumerate(at):
                sides = []
                for sign in (1, -1):
                    moved = self._values[leaf].copy()
                    moved.flat[j] += sign * h * max(1.0, abs(moved.flat[j]))
                    values = {**self._values, leaf: moved}
                    self._compute(values, below)
                    sides.append((self._loss(values), moved.flat[j]))
                (up, right), (down, left) = sides
                found[k] = (up - down) / (right - left)
        return found

    def _compute(self, values: dict[Any, Array], steps: Iterable[Any]) -> None:
        for key, operator, given, inputs in steps:
            arguments = [
                values[inputs[i]] if i in inputs else _wide(value) for i, value in enumerate(given)
            ]
            values[key] = _wide(operator.forward(*arguments))

    def _loss(self, values: dict[Any, Array]) -> float:
        return float(sum((values[key] * weights).sum() for key, weights in self._heads))


def _wide(value: Any) -> Any:
    """Arrays of floats and bools, and float types, as float64."""
    if isinstance(value, np.ndarray):
        return value.astype(np.float64) if value.dtype.kind in "fb" else value
    if isinstance(value, np.dtype | type) and np.dtype(value).kind == "f":
        return np.dtype(np.float64)
    return value
