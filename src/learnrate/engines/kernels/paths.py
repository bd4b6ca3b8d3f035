"""The two ways of training that the fused engine has, with the arrays that their kernels work on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from learnrate._shapes import Array
from learnrate.data.order import Sampling
from learnrate.engines.kernels.gram_path import train_on_grams
from learnrate.engines.kernels.memory import indices, read_only
from learnrate.engines.kernels.path import NO_QUADRATIC, Path
from learnrate.engines.kernels.permutation import epoch_orders
from learnrate.engines.kernels.report import PARTS, close
from learnrate.engines.kernels.rows import losses_on_rows, train_on_rows
from learnrate.engines.losses import residuals, row_blocks, squared_errors
from learnrate.engines.problem import EpochState, LinearProblem
from learnrate.engines.workers import Workers

__all__ = ["GramPath", "RowPath"]

_GRAM_BYTES = 1 << 16  # of matrices made and used at a time, so that they come from a near cache
_PART_BYTES = 1 << 19  # of matrices of a part that threads make at a time
_VISITS = 1 << 16  # in one call at most: about a millisecond
_UNTOLD = np.empty((0, 0, 0)), np.empty((0, 0)), np.empty((0, 0))


class GramPath(Path):
    """Training through the Gram matrices of the minibatches.

    The matrices of the first epoch add up to the `learnrate.engines.losses.Quadratic` behind every loss.
    So the loss before training is known after the first epoch, and a resumed run makes them again.
    """

    def __init__(self, problem: LinearProblem, start: EpochState | None, workers: Workers) -> None:
        super().__init__(problem, start, workers)
        size, dtype, threads = self.width**2, problem.dtype, workers.threads
        self.at_once = max(1, min(problem.steps, _GRAM_BYTES // (size * dtype.itemsize)))
        # Threads make more at a time, each of them some parts.
        self.part_steps = self.at_once * max(
            1, _PART_BYTES // (self.at_once * size * dtype.itemsize)
        )
        room = self.at_once if threads == 1 else min(problem.steps, PARTS * self.part_steps)
        self.G = np.empty(room * size, dtype=dtype)
        self.part = np.empty((threads, size), dtype=dtype)
        self.other = np.zeros_like(self.delta)
        self.sums_of_parts = PARTS * size
        self.sums = np.empty(0)
        self.Q = NO_QUADRATIC
        self.epoch = 0
        # Epochs of a few thousand examples take less time than calls from here: several go into one.
        simple = threads == 1 and not problem.momentum and problem.block_size is None
        rows = problem.n + problem.steps * problem.lrs.size // 8
        self.together = max(1, _VISITS // rows) if simple and problem.source is None else 1

    def run(self, epoch: int) -> list[EpochState]:
        """Train one epoch, or several, in one call."""
        if self.together == 1:
            return super().run(epoch)
        stop = min(epoch + self.together, self.problem.epochs)
        self._open_sums(epoch)
        problem, K = self.problem, self.problem.lrs.size
        orders = epoch_orders(self.orders, epoch, stop)
        scales = np.array([self._scales(e) for e in range(epoch, stop)])
        W, b, loss = (np.empty((stop - epoch, K, *more)) for more in ((problem.d,), (), ()))
        flat = read_only(problem.X.reshape(-1)), read_only(problem.y)
        blocks = 0, self.layout.blocks
        self.call(
            *flat, orders, scales, problem.batch_size, 0, self.G, blocks,
            (0, problem.steps, self.at_once, self.at_once), True, (W, b, loss),
        )  # fmt: skip
        self.sums = self.sums[:0]
        states = [self.first_state()] if self.started(epoch) else []
        for i in range(len(orders)):
            if problem.on_rows is not None:
                problem.on_rows(problem.n)
            states.append(EpochState(epoch + i + 1, W[i], b[i], loss[i]))
        return states

    def train(self, epoch: int) -> None:
        """One pass over the minibatches."""
        self._open_sums(epoch)
        self.epoch = epoch
        self._visit(epoch)
        self._close_sums()

    def _open_sums(self, epoch: int) -> None:
        """Make room for sums, if it is with this epoch that Q is made; else see that there is Q."""
        adds_up = self.problem.sampling is Sampling.SHUFFLE
        if not self.Q.size and not (adds_up and epoch == 0):
            self.make_quadratic()
        if not self.Q.size:
            self.sums, self.Q = np.zeros(self.sums_of_parts), self._empty_quadratic()

    def _visit(self, epoch: int, moving: bool = True) -> None:
        B = self.problem.batch_size
        for X, y, order, steps in self.problem.visits(self.orders, epoch, tell=moving):
            flat = read_only(X.reshape(-1)), read_only(y), indices(order)
            self._train(*flat, self._scales(epoch, steps), B, moving)

    def make_quadratic(self) -> None:
        """Go through the data for Q alone: as in the first epoch where that adds up to it."""
        self.sums, self.Q = np.zeros(self.sums_of_parts), self._empty_quadratic()
        if self.problem.sampling is Sampling.SHUFFLE:
            self._visit(0, moving=False)
        else:
            for X, y, order in self._in_turn():
                scales = np.zeros(-(-order.size // self.room), dtype=self.problem.dtype)
                self._train(X, y, order, scales, self.room, moving=False)
        self._close_sums()

    def _empty_quadratic(self) -> Array:
        return np.empty((self.problem.d + 2, self.problem.d + 2))

    def _close_sums(self) -> None:
        if self.sums.size:
            close(self.sums, self.width, self.problem.n, self.Q)
            self.sums = self.sums[:0]

    def _train(
        self, X: Array, y: Array, order: Array, scales: Array, batch_size: int, moving: bool
    ) -> None:
        steps, at_once, threads = scales.size, self.at_once, self.workers.threads
        call = partial(self.call, X, y, order[None], scales[None], batch_size)
        if threads == 1:
            blocks = 0, self.layout.blocks if moving else 0
            call(0, self.G, blocks, (0, steps, at_once, at_once), True)
            return
        for chunk in range(0, steps, PARTS * self.part_steps):
            stop = min(chunk + PARTS * self.part_steps, steps)
            ahead = moving and chunk == 0 and self.epoch + 1 < self.problem.epochs
            jobs = iter(range(-1 if ahead else 0, PARTS))

            def make(
                worker: int, jobs: Iterator[int] = jobs, chunk: int = chunk, stop: int = stop
            ) -> None:
                # Whoever is free takes the next part, so the next epoch's order is made meanwhile.
                while (part := next(jobs, None)) is not None:
                    if part < 0:
                        self.orders.prepare(self.epoch + 1)
                        continue
                    room = self.G[part * at_once * self.width**2 :]
                    steps = chunk + part * at_once, stop, at_once, PARTS * at_once
                    call(worker, room, (0, 0), steps, True)

            def move(worker: int, chunk: int = chunk, stop: int = stop) -> None:
                mine = self.layout.share(worker, threads)
                steps = chunk, stop, stop - chunk, stop - chunk
                call(worker, self.G, mine, steps, False)

            self.workers.run(make)
            if moving:
                self.workers.run(move)

    def call(
        self,
        X: Array,
        y: Array,
        orders: Array,
        scales: Array,
        batch_size: int,
        worker: int,
        G: Array,
        blocks: tuple[int, int],
        steps: tuple[int, int, int, int],
        make: bool,
        after: tuple[Array, Array, Array] = _UNTOLD,
    ) -> None:
        """The kernel, on what belongs to this path; see `train_on_grams`."""
        anchor = self.anchor
        delta, other, velocity = (a.reshape(-1) for a in (self.delta, self.other, self.velocity))
        train_on_grams(
            X, y, self.problem.d, orders, batch_size, self.shift, self.ref, self.shifted, self.decay,
            self.kappa, self.eta, scales, self.momentum, *blocks, self.layout.rows, self.layout.lanes,
            delta, other, velocity, self.Z[worker], self.room, G, self.part[worker],
            self.sums, self.width, self.step, *steps, make,
            anchor.w, anchor.beta, anchor.shift, self.Q, self.u, *after,
        )  # fmt: skip

    def _start_loss(self) -> float:
        return float(self._read(self.begin, 1, self._quadratic())[2][0])

    def _quadratic(self) -> Array:
        if not self.Q.size:
            self.make_quadratic()
        return self.Q

    def _losses(self, loss: Array) -> Array:
        return loss


class RowPath(Path):
    """Training on the rows: for wide data."""

    def __init__(self, problem: LinearProblem, start: EpochState | None, workers: Workers) -> None:
        super().__init__(problem, start, workers)
        threads, dtype, layout = workers.threads, problem.dtype, self.layout
        self.R = np.empty((threads, self.room * layout.lanes), dtype=dtype)
        self.gradient = np.empty((2, threads, layout.rows * layout.lanes), dtype=dtype)
        self.nothing = np.zeros(1, dtype=dtype)

    def train(self, epoch: int) -> None:
        """One pass over the minibatches; each thread gathers the rows for its own lanes."""
        for X, y, order, steps in self.problem.visits(self.orders, epoch):
            flat = read_only(X.reshape(-1)), read_only(y), indices(order)
            self._train(*flat, self._scales(epoch, steps))

    def _train(self, X: Array, y: Array, order: Array, scales: Array) -> None:
        layout = self.layout

        def move(worker: int) -> None:
            train_on_rows(
                X, y, self.problem.d, order, self.problem.batch_size, self.shift, self.ref,
                self.shifted, self.decay, self.kappa, self.eta, scales, self.momentum,
                *layout.share(worker, self.workers.threads), layout.rows, layout.lanes,
                self.delta.reshape(-1), self.velocity.reshape(-1), self.Z[worker], self.room, self.R[worker], self.gradient[0, worker],
                self.gradient[1, worker], self.nothing, self.width, self.step,
            )  # fmt: skip

        self.workers.run(move)

    def _start_loss(self) -> float:
        assert self.start is not None
        w, b = (before[0].astype(self.problem.dtype) for before in self.start[:2])
        total = 0.0
        for X, y in self.problem.in_turn(self.orders):
            for rows in row_blocks(*X.shape):
                error = X[rows] @ w + (b - y[rows])
                total += float(error @ error)
        return total / (2 * self.problem.n)

    def _quadratic(self) -> Array:
        return NO_QUADRATIC

    def _losses(self, loss: Array) -> Array:
        problem, layout = self.problem, self.layout
        sums = np.zeros(layout.blocks * layout.lanes)
        for X, y, order in self._in_turn():
            self._add_squares(X, y, order, sums)
        loss[:] = sums[: problem.lrs.size] / (2 * problem.n)
        large = ~(loss < np.sqrt(np.finfo(problem.dtype).max))
        if problem.dtype != np.float64 and large.any():
            delta = layout.get(self.delta, problem.d + 1)[:, large]
            loss[large] = 0
            for X, y in problem.in_turn(self.orders):
                r = residuals(X, y, self.anchor)
                loss[large] += squared_errors(X, r, self.anchor, delta) / (2 * problem.n)
        return loss

    def _add_squares(self, X: Array, y: Array, order: Array, sums: Array) -> None:
        layout = self.layout

        def add(worker: int) -> None:
            losses_on_rows(
                X, y, self.problem.d, order, self.shift, self.ref,
                *layout.share(worker, self.workers.threads), layout.rows, layout.lanes,
                self.delta.reshape(-1), self.Z[worker], self.room, self.R[worker], sums,
                self.width, self.step,
            )  # fmt: skip

        self.workers.run(add)
