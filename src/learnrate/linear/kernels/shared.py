"""The Gram path in two parts: one process computes the matrices, and another trains the lanes with them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from learnrate._shapes import Array
from learnrate.linear.kernels.layout import indices, read_only
from learnrate.linear.kernels.paths import GramPath
from learnrate.linear.kernels.permutation import permutation
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.linear.units import Grams, Unit
from learnrate.linear.workers import Workers

__all__ = ["GramMaker", "MovingPath"]


class GramMaker:
    """Computes the matrices of any unit of a problem, for which its lanes are not needed."""

    def __init__(self, problem: LinearProblem) -> None:
        self.problem = problem
        self.path = GramPath(problem, None, Workers(1, None))
        self.orders = problem.orders(permute=permutation)
        self._visited: tuple[int, int] | None = None
        self._block: tuple[Array, Array, Array] | None = None

    def make(self, unit: Unit) -> Grams:
        """The matrices in the kernels' layout, ``width²`` numbers each, and their sum in float64."""
        path, size = self.path, self.path.width**2
        X, y, order = self._enter(unit.epoch, unit.place)
        path.sums = np.zeros(path.sums_of_parts if unit.adds_up else 0)
        room = np.empty((unit.stop - unit.first) * size if unit.moves else path.G.size, X.dtype)
        at_once = room.size // size
        scales = np.empty(0, dtype=X.dtype)  # not read: no lane moves
        B = self.problem.batch_size
        steps = unit.first, unit.stop, at_once, at_once
        path.call(X, y, order[None], scales[None], B, 0, room, (0, 0), steps, True)
        total = path.sums.reshape(-1, size).sum(axis=0) if unit.adds_up else path.sums
        return Grams(room if unit.moves else room[:0], total)

    def _enter(self, epoch: int, place: int) -> tuple[Array, Array, Array]:
        """A block of an epoch: X, y and the order of its rows. The last one is cached."""
        if self._block is None or self._visited != (epoch, place):
            number = int(self.orders.sequence(epoch)[place])
            X, y = next(iter(self.problem.rows.blocks(self.orders.rows, [number])))
            order = indices(self.orders.inside(epoch, number))
            self._block = read_only(X.reshape(-1)), read_only(y), order
            self._visited = epoch, place
        return self._block


class MovingPath(GramPath):
    """Trains the lanes with matrices that are computed elsewhere, and given in order."""

    def __init__(
        self,
        problem: LinearProblem,
        start: EpochState | None,
        workers: Workers,
        made: Iterator[tuple[Unit, Grams]],
    ) -> None:
        super().__init__(problem, start, workers)
        self.made, self.together = made, 1
        nothing = np.zeros(0, dtype=problem.dtype)
        self.no_examples = read_only(nothing), read_only(nothing), np.zeros((1, 0), dtype=np.int32)

    def _visit(self, epoch: int, moving: bool = True) -> None:
        scales, steps = self._scales(epoch, slice(None)), 0
        while steps < self.problem.steps:
            unit, grams = next(self.made)
            if unit.adds_up:
                self.sums[: grams.total.size] += grams.total
            if moving:
                self._move(unit, grams.G, scales)
            steps += unit.stop - unit.first
            if moving and self.problem.on_rows is not None:
                self.problem.on_rows(min(steps * self.problem.batch_size, self.problem.n))

    def leave_the_rest(self, epoch: int) -> None:
        """Take the matrices of this epoch and all later ones, without training on them."""
        for _ in range(epoch, self.problem.epochs):
            self._visit(epoch, moving=False)

    def _move(self, unit: Unit, G: Array, scales: Array) -> None:
        """Train on the matrices of a unit, as many at a time as fit into the nearest cache."""
        size, room, threads = self.width**2, self.G, self.workers.threads
        B, steps = self.problem.batch_size, unit.stop - unit.first
        for begin in range(0, steps, self.at_once):
            end = min(begin + self.at_once, steps)
            room[: (end - begin) * size] = G[begin * size : end * size]

            def move(
                worker: int, first: int = unit.step + begin, stop: int = unit.step + end
            ) -> None:
                mine = self.layout.share(worker, threads)
                steps = first, stop, stop - first, stop - first
                self.call(*self.no_examples, scales[None], B, worker, room, mine, steps, False)

            self.workers.run(move)
