"""Training by the kernels of `learnrate.linear.kernels.outputs`: their arrays, and the states of the lanes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from learnrate._shapes import Array, Bool, Float
from learnrate.linear.kernels.arguments import Examples, Outputs, Room
from learnrate.linear.kernels.layout import aligned_zeros, indices, read_only
from learnrate.linear.kernels.outputs import KINDS, measure_outputs, train_outputs
from learnrate.linear.kernels.permutation import permutation
from learnrate.linear.kernels.vectors import LANE_BYTES, TILE
from learnrate.linear.parameters import begin, state_of
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.linear.workers import Workers

__all__ = ["OutputsPath"]

_ROOM = 1 << 17  # numbers in the gathered rows, and in their outputs
_MOST_ROWS = 256


class _Blocks:
    """A number for each parameter of each lane, in the kernels' layout: (blocks, outputs, rows, lanes of one vector)."""

    def __init__(self, columns: Float[Array, "D C K"], dtype: np.dtype[np.floating]) -> None:
        self.shape = D, C, K = columns.shape
        self.count = LANE_BYTES // dtype.itemsize
        self.rows, self.blocks = -(-D // TILE) * TILE, -(-K // self.count)
        self.array = aligned_zeros((self.blocks, C, self.rows, self.count), dtype)
        full = np.zeros((D, C, self.blocks * self.count), dtype)
        full[:, :, :K] = columns
        self.array[:, :, :D] = full.reshape(D, C, self.blocks, -1).transpose(2, 1, 0, 3)

    @property
    def columns(self) -> Float[Array, "D C K"]:
        """The numbers by parameter, output and lane, without padding."""
        D, C, K = self.shape
        full = self.array[:, :, :D].transpose(2, 1, 0, 3).reshape(D, C, -1)
        return np.ascontiguousarray(full[:, :, :K])


class OutputsPath:
    """The training of one problem.

    Parameters
    ----------
    problem : LinearProblem
        One whose loss is in `KINDS`, by SGD with or without momentum.
    start : EpochState, optional
        The state to continue from.
    workers : Workers
        The threads; each trains some blocks of lanes.
    """

    def __init__(self, problem: LinearProblem, start: EpochState | None, workers: Workers) -> None:
        self.problem, self.workers = problem, workers
        self.orders = problem.orders(permutation)
        with np.errstate(all="ignore"):
            theta, slots = begin(problem, start)
        self.theta = _Blocks(theta, problem.dtype)
        self.velocity = _Blocks(slots["velocity"], problem.dtype) if slots else None
        self.eta = np.zeros(self.theta.blocks * self.theta.count, problem.dtype)
        with np.errstate(over="ignore"):
            self.eta[: problem.lrs.size] = problem.lrs
        self.rooms = [self._room(problem.dtype) for _ in range(workers.threads)]
        self._squares: Float[Array, " d"] | None = None

    def _room(self, dtype: np.dtype[np.floating]) -> Room:
        D, C, _ = self.theta.shape
        width, n = -(-D // TILE) * TILE, LANE_BYTES // dtype.itemsize
        rows = max(1, min(_MOST_ROWS, _ROOM // width, _ROOM // (C * n)) // TILE) * TILE
        return Room(
            rows,
            width,
            aligned_zeros((rows * width,), dtype),
            np.zeros(rows, dtype),
            aligned_zeros((C * rows * n,), dtype),
            aligned_zeros((C * width * n,), dtype),
        )

    def _lanes(self, theta: _Blocks, blocks: tuple[int, int]) -> Outputs:
        """Some blocks of lanes, as an argument of the kernels."""
        problem, of = self.problem, theta.array.dtype.type
        empty = np.zeros(0, theta.array.dtype)
        return Outputs(
            *blocks,
            theta.rows,
            theta.count,
            theta.shape[1],
            self.eta,
            theta.array.reshape(-1),
            empty if self.velocity is None else self.velocity.array.reshape(-1),
            of(problem.momentum),
            of(problem.weight_decay),
            KINDS.index(problem.loss.name),
            of(getattr(problem.loss, "delta", 0.0)),
        )

    def _examples(self, X: Array, y: Array) -> Examples:
        labels = y.astype(self.problem.dtype, copy=False)
        return Examples(read_only(X.reshape(-1)), read_only(labels), self.problem.d)

    def train(self, epoch: int) -> None:
        """One pass over the minibatches; each thread gathers the rows for its own lanes."""
        problem, threads = self.problem, self.workers.threads
        for X, y, visited, steps in problem.visits(self.orders, epoch):
            examples, order = self._examples(X, y), indices(visited)
            scales = problem.epoch_multipliers(epoch, steps).astype(problem.dtype)

            def move(
                worker: int,
                examples: Examples = examples,
                order: Array = order,
                scales: Array = scales,
            ) -> None:
                lanes = self._lanes(self.theta, _share(self.theta.blocks, worker, threads))
                room = self.rooms[worker]
                train_outputs(examples, lanes, order, scales, problem.batch_size, room)

            self.workers.run(move)

    def state(self, epoch: int) -> EpochState:
        """The current state of all lanes. Training that continues from it gives the same bits as training without a stop."""
        theta = self.theta.columns
        slots = {} if self.velocity is None else {"velocity": self.velocity.columns}
        with np.errstate(all="ignore"):
            return state_of(self.problem, epoch, theta, slots, self._measured(theta))

    def first_state(self) -> EpochState:
        """All lanes before training. Their numbers are the same, so they are measured for one lane only."""
        theta = self.theta.columns
        slots = {} if self.velocity is None else {"velocity": self.velocity.columns}
        measured = {
            name: np.repeat(mean, theta.shape[2])
            for name, mean in self._measured(theta[:, :, :1]).items()
        }
        return state_of(self.problem, 0, theta, slots, measured)

    def _measured(self, theta: Float[Array, "D C K"]) -> dict[str, Float[Array, " K"]]:
        """Means over all examples: the loss, and accuracy or squared error. In float64 where float32 is not accurate enough."""
        dtype = self.problem.dtype
        if dtype != np.float64 and not self.problem.loss.of_classes:
            dtype = np.dtype(np.float64)
        found = self._means(theta, dtype)
        if dtype != np.float64 and (again := self._doubts(theta)).any():
            for name, better in self._means(theta[:, :, again], np.dtype(np.float64)).items():
                found[name][again] = better
        return found

    def _doubts(self, theta: Float[Array, "D C K"]) -> Bool[Array, " K"]:
        """Which losses of classes may have a relative error above 1e-4 if outputs are computed in float32.

        An output is a sum of D terms whose mean square is ``s² = Σ_i θ_i² mean x_i²``: its roundings are a random walk of
        size ``ε s √D``, with ``ε = 2⁻²⁴``. No derivative is larger than twice the loss, since ``1 − p_y ≤ −log p_y``, so the
        relative error of the loss is at most ``2 ε s √D``.
        """
        if self._squares is None:
            total, n = np.zeros(theta.shape[0]), 0
            for X, y in self.problem.in_turn(self.orders):
                total[:-1] += np.einsum("nd,nd->d", X, X)
                n += len(y)
            self._squares = total / n
            self._squares[-1] = 1
        wide = theta.astype(np.float64)
        size = np.sqrt(np.einsum("dck,d->ck", wide * wide, self._squares).max(axis=0))
        trusted: Array = 2 * 2.0**-24 * size * math.sqrt(len(theta)) <= 1e-4
        return ~trusted & np.isfinite(wide).all(axis=(0, 1))

    def _means(
        self, theta: Float[Array, "D C K"], dtype: np.dtype[np.floating]
    ) -> dict[str, Float[Array, " K"]]:
        K, threads = theta.shape[2], self.workers.threads
        lanes = _Blocks(theta, dtype)
        own = dtype == self.problem.dtype
        rooms = self.rooms if own else [self._room(dtype) for _ in range(threads)]
        sums, fits = np.zeros((2, lanes.blocks * lanes.count))
        n = 0
        for X, y, order in self._in_turn():
            examples = self._examples(X, y)
            n += order.size

            def add(worker: int, examples: Examples = examples, order: Array = order) -> None:
                blocks = self._lanes(lanes, _share(lanes.blocks, worker, threads))
                measure_outputs(examples, blocks, order, rooms[worker], sums, fits)

            self.workers.run(add)
        loss = self.problem.loss
        names = {"accuracy": "accuracy", "R²": "squared_error"}
        found = {"loss": sums[:K] / n}
        if loss.score in names:
            found[names[loss.score]] = fits[:K] / n
        return found

    def _in_turn(self) -> Iterator[tuple[Array, Array, Array]]:
        """Yield the blocks of examples in order: X, y, the order of the rows."""
        for X, y in self.problem.in_turn(self.orders):
            yield X, y, indices(np.arange(len(y)))


def _share(blocks: int, worker: int, threads: int) -> tuple[int, int]:
    """The first block of a worker, and the one after its last."""
    return worker * blocks // threads, (worker + 1) * blocks // threads
