"""The two ways of training of the fused engine: by Gram matrices, and on the rows. Each holds the arrays of its kernels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from learnrate._shapes import Array
from learnrate.data.order import Sampling, initial_weights
from learnrate.linear.anchor import Anchor, fits
from learnrate.linear.kernels.arguments import Steps
from learnrate.linear.kernels.gram_path import train_on_grams
from learnrate.linear.kernels.layout import aligned_zeros, indices, read_only
from learnrate.linear.kernels.path import NO_QUADRATIC, Path
from learnrate.linear.kernels.permutation import epoch_orders
from learnrate.linear.kernels.report import PARTS, close
from learnrate.linear.kernels.rows import losses_on_rows, train_on_rows
from learnrate.linear.losses import quadratic_fits, row_blocks
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.linear.workers import Workers

__all__ = ["GramPath", "RowPath"]

_GRAM_BYTES = 1 << 16  # of matrices made and used at a time, so that they come from a near cache
_PART_BYTES = 1 << 19  # of matrices of a part that threads make at a time
_VISITS = 1 << 16  # in one call at most: about a millisecond
_NO_REPORT = np.empty((0, 0, 0)), np.empty((0, 0)), np.empty((0, 0))


def _places(first: int, stop: int, at_once: int, stride: int) -> int:
    """The number of matrices for which `train_on_grams` needs room with these steps."""
    whole = 0 if stride <= at_once else max(0, stop - first - 1) // stride * stride
    return min(whole + at_once, max(0, stop - first))


class GramPath(Path):
    """Training through the Gram matrices of the minibatches.

    The matrices of the first epoch add up to the matrix of `learnrate.linear.losses.Quadratic`, from which every loss is
    computed. So the loss before training is known only after the first epoch, and a resumed run has to compute the matrix
    again.
    """

    def __init__(
        self,
        problem: LinearProblem,
        start: EpochState | None,
        workers: Workers,
        anchor: Anchor | None = None,
    ) -> None:
        super().__init__(problem, start, workers, anchor)
        size, dtype, threads = self.width**2, problem.dtype, workers.threads
        self.at_once = max(1, min(problem.steps, _GRAM_BYTES // (size * dtype.itemsize)))
        # Threads make more at a time, each of them some parts.
        self.part_steps = self.at_once * max(
            1, _PART_BYTES // (self.at_once * size * dtype.itemsize)
        )
        room = self.at_once if threads == 1 else min(problem.steps, PARTS * self.part_steps)
        self.G = aligned_zeros((room * size,), dtype)
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
        doubtful = math.isnan(loss.sum())
        for i in range(len(orders)):
            if problem.on_rows is not None:
                problem.on_rows(problem.n)
            if doubtful:
                self._settle(W[i], b[i], loss[i])
            states.append(EpochState(epoch + i + 1, W[i], b[i], loss[i]))
        return states

    def train(self, epoch: int) -> None:
        """One pass over the minibatches."""
        self._open_sums(epoch)
        self.epoch = epoch
        self._visit(epoch)
        self._close_sums()

    def _open_sums(self, epoch: int) -> None:
        """Prepare for sums if Q is computed from this epoch; otherwise compute Q now, if there is none."""
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
        """Read the data for Q alone: in the order of the first epoch, if its matrices add up to Q."""
        self.sums, self.Q = np.zeros(self.sums_of_parts), self._empty_quadratic()
        if self.problem.sampling is Sampling.SHUFFLE:
            self._visit(0, moving=False)
        else:
            # No smaller than the minibatches: there is room for as many matrices as an epoch has steps.
            rows = max(self.room, self.problem.batch_size)
            for X, y, order in self._in_turn():
                scales = np.zeros(-(-order.size // rows), dtype=self.problem.dtype)
                self._train(X, y, order, scales, rows, moving=False)
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
        after: tuple[Array, Array, Array] = _NO_REPORT,
    ) -> None:
        """Call the kernel `train_on_grams` with the arrays of this path."""
        if G.size < (places := _places(*steps)) * self.width**2:
            raise AssertionError(f"{places} matrices need room. Got {G.size / self.width**2:g}.")
        of_steps = Steps(orders, scales, batch_size, *steps)
        train_on_grams(
            self.rows_of(X, y), self.lanes_of(blocks), of_steps, self.scratch_of(worker),
            G, self.sums, make, self.report_of(self.Q), *after,
        )  # fmt: skip

    @property
    def serves(self) -> bool:
        """Whether the anchor is accurate enough; True as long as Q is not known."""
        return not self.Q.size or quadratic_fits(self.Q, self.anchor)

    def _start_loss(self) -> Array:
        return self._read(self.begin, 1, self._quadratic())[2]

    def _quadratic(self) -> Array:
        if not self.Q.size:
            self.make_quadratic()
        return self.Q

    def _losses(self, loss: Array) -> Array:
        return loss


class RowPath(Path):
    """Training on the rows themselves, which is faster for many features."""

    def __init__(
        self,
        problem: LinearProblem,
        start: EpochState | None,
        workers: Workers,
        anchor: Anchor | None = None,
    ) -> None:
        super().__init__(problem, start, workers, anchor)
        self.loss_at_start, self.serves_all = self._look_at_rows()

    @property
    def serves(self) -> bool:
        """Whether the anchor is accurate enough."""
        return self.serves_all

    def _look_at_rows(self) -> tuple[float, bool]:
        """The loss of the common start, and whether the anchor is accurate enough; from one pass over the examples."""
        problem, anchor = self.problem, self.anchor
        w = initial_weights(problem.d, problem.seed).astype(problem.dtype)
        about_anchor = anchor.w.astype(problem.dtype)
        bias = problem.dtype.type(anchor.beta - float(anchor.shift @ anchor.w))
        start = left = labels = 0.0
        for X, y in problem.in_turn(self.orders):
            for rows in row_blocks(*X.shape):
                error = (
                    X[rows] @ w - y[rows]
                )  # one column after the other is quicker than both at once
                r, about = X[rows] @ about_anchor + (bias - y[rows]), y[rows] - anchor.beta
                start += float(error @ error)
                left += float(r @ r)
                labels += float(about @ about)
        return start / (2 * problem.n), fits(left, labels)

    def train(self, epoch: int) -> None:
        """One pass over the minibatches; each thread gathers the rows for its own lanes."""
        for X, y, order, steps in self.problem.visits(self.orders, epoch):
            flat = read_only(X.reshape(-1)), read_only(y), indices(order)
            self._train(*flat, self._scales(epoch, steps))

    def _train(self, X: Array, y: Array, order: Array, scales: Array) -> None:
        rows, threads = self.rows_of(X, y), self.workers.threads
        steps = Steps(order[None], scales[None], self.problem.batch_size, 0, scales.size, 1, 1)

        def move(worker: int) -> None:
            lanes = self.lanes_of(self.layout.share(worker, threads))
            train_on_rows(rows, lanes, steps, self.scratch_of(worker))

        self.workers.run(move)

    def _start_loss(self) -> Array:
        # No difference of large numbers, but squares may be too large for their type.
        return np.array([self.loss_at_start if math.isfinite(self.loss_at_start) else np.nan])

    def _quadratic(self) -> Array:
        return NO_QUADRATIC

    def _losses(self, loss: Array) -> Array:
        problem, layout = self.problem, self.layout
        sums = np.zeros(layout.blocks * layout.lanes)
        for X, y, order in self._in_turn():
            self._add_squares(X, y, order, sums)
        loss[:] = sums[: problem.lrs.size] / (2 * problem.n)
        large = ~(loss < np.sqrt(np.finfo(problem.dtype).max))
        delta = layout.get(self.delta, problem.d + 1)
        doubtful = self.trust.doubts_rows(loss, self.anchor.sizes_of(delta))
        loss[doubtful | (large & (problem.dtype != np.float64))] = np.nan
        return loss

    def _add_squares(self, X: Array, y: Array, order: Array, sums: Array) -> None:
        rows, threads = self.rows_of(X, y), self.workers.threads

        def add(worker: int) -> None:
            lanes = self.lanes_of(self.layout.share(worker, threads))
            losses_on_rows(rows, lanes, order, self.scratch_of(worker), sums)

        self.workers.run(add)
