"""The two ways of training that the fused engine has, with the arrays that their kernels work on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from learnrate._shapes import Array
from learnrate.data.order import Sampling, initial_weights
from learnrate.engines.anchor import find_anchor
from learnrate.engines.kernels.gram_path import PARTS, train_on_grams
from learnrate.engines.kernels.layout import Layout
from learnrate.engines.kernels.permutation import permutation
from learnrate.engines.kernels.report import read_lanes
from learnrate.engines.kernels.rows import losses_on_rows, train_on_rows
from learnrate.engines.kernels.vectors import ROW_BYTES
from learnrate.engines.losses import residuals, row_blocks, squared_errors
from learnrate.engines.problem import EpochState, LinearProblem
from learnrate.engines.workers import Workers

__all__ = ["GramPath", "RowPath", "indices", "read_only"]

_GRAM_BYTES = 1 << 18  # of matrices made and used at a time: a quarter of a level-2 cache
_ROOM = 1 << 17  # numbers in the gathered rows
_MOST_ROWS = 256


class _Path:
    """One problem being trained in the anchor's coordinates.

    The rows of a block of lanes are ``δ_w``, then ``δ_β``, then room to make them a multiple of 8.
    """

    def __init__(self, problem: LinearProblem, start: EpochState | None, workers: Workers) -> None:
        d, B, dtype = problem.d, problem.batch_size, problem.dtype
        self.problem, self.workers = problem, workers
        self.anchor = anchor = find_anchor(problem)
        self.step = ROW_BYTES // dtype.itemsize
        self.width = -(-(d + 2) // 8) * 8
        self.room = max(8, min(_MOST_ROWS, _ROOM // self.width))
        self.shift, self.ref = np.zeros(self.width, dtype), np.zeros(self.width + self.step, dtype)
        self.shift[:d], self.ref[:d], self.ref[d] = anchor.shift, anchor.w, anchor.beta
        again = -d % self.step  # numbers of a row that its last vector takes a second time
        self.ref[self.width + again :] = anchor.w[d - (self.step - again) :] if again else 0
        self.shifted = anchor.shifted
        self.layout = layout = Layout(problem.lrs.size, d + 1, dtype)
        self.eta = np.zeros(layout.blocks * layout.lanes, dtype=dtype)
        self.eta[: problem.lrs.size] = problem.lrs
        self.decay = dtype.type(problem.weight_decay * B)
        self.kappa = dtype.type(anchor.kappa)
        self.momentum = dtype.type(problem.momentum)
        self.delta = layout.zeros()
        self.velocity = layout.zeros() if problem.momentum else np.zeros((0, 0, 0), dtype=dtype)
        self.Z = np.zeros((workers.threads, self.room * self.width), dtype=dtype)
        self.orders = problem.orders(permutation)
        self._enter(start)

    def _enter(self, start: EpochState | None) -> None:
        """Put a state, or the common start, into the lanes."""
        dtype, anchor = self.problem.dtype, self.anchor
        if start is not None:
            self.layout.put(self.delta, anchor.enter(start.W, start.b))
            if start.V is not None and start.vb is not None:
                self._put_velocity(start.V, start.vb)
            return
        w = initial_weights(self.problem.d, self.problem.seed).astype(dtype)
        begin = anchor.enter(w[None].astype(np.float64), np.zeros(1)).astype(dtype)
        self.start = anchor.leave(begin.astype(np.float64))
        self.layout.put(self.delta, anchor.enter(*self.start))

    def _put_velocity(self, V: Array, vb: Array) -> None:
        """Kernels keep ``|B|`` times the velocity, in the anchor's coordinates."""
        columns = np.vstack([V.T, vb + self.anchor.offset(V)])
        self.layout.put(self.velocity, columns * self.problem.batch_size)

    def first_state(self) -> EpochState:
        """All lanes before training: the same numbers for each."""
        K, d = self.problem.lrs.size, self.problem.d
        W, b = self.start
        moving = self.problem.momentum > 0
        return EpochState(
            epoch=0,
            W=np.repeat(W, K, axis=0),
            b=np.repeat(b, K),
            loss=np.full(K, self._start_loss()),
            V=np.zeros((K, d)) if moving else None,
            vb=np.zeros(K) if moving else None,
        )

    def state(self, epoch: int) -> EpochState:
        """All lanes as they are. Going on from it gives the bits that not stopping would have given."""
        K, d, anchor = self.problem.lrs.size, self.problem.d, self.anchor
        W, b, loss = np.empty((K, d)), np.empty(K), np.empty(K)
        room = np.empty((d + 2) * self.layout.lanes)
        read_lanes(
            self.delta.reshape(-1), self.layout.rows, self.layout.lanes,
            anchor.w, anchor.beta, anchor.shift, self._quadratic(), room, W, b, loss,
        )  # fmt: skip
        V = vb = None
        if self.problem.momentum:
            columns = self.layout.get(self.velocity, d + 1) / self.problem.batch_size
            V = np.ascontiguousarray(columns[:-1].T)
            vb = columns[-1] - anchor.offset(V)
            self._put_velocity(V, vb)
        return EpochState(epoch=epoch, W=W, b=b, loss=self._losses(loss), V=V, vb=vb)

    def _scales(self, epoch: int, steps: slice) -> Array:
        scales = self.problem.epoch_multipliers(epoch, steps) / self.problem.batch_size
        return scales.astype(self.problem.dtype)

    def _in_turn(self) -> Iterator[tuple[Array, Array, Array]]:
        """The blocks from the first to the last, as kernels take them: X, y, the order of the rows."""
        for X, y in self.problem.in_turn(self.orders):
            yield read_only(X.reshape(-1)), read_only(y), indices(np.arange(len(y)))

    def _start_loss(self) -> float:
        raise NotImplementedError

    def _quadratic(self) -> Array:
        """Q of `learnrate.engines.losses.Quadratic`, or nothing."""
        raise NotImplementedError

    def _losses(self, loss: Array) -> Array:
        """The losses, where ``read_lanes`` has them, or made now."""
        raise NotImplementedError


class GramPath(_Path):
    """Training through the Gram matrices of the minibatches.

    The matrices of the first epoch add up to the `learnrate.engines.losses.Quadratic` behind every loss.
    So the loss before training is known after the first epoch, and a resumed run makes them again.
    """

    def __init__(self, problem: LinearProblem, start: EpochState | None, workers: Workers) -> None:
        super().__init__(problem, start, workers)
        size, dtype, threads = self.width**2, problem.dtype, workers.threads
        self.at_once = max(1, min(problem.steps, _GRAM_BYTES // (size * dtype.itemsize)))
        self.G = np.empty((1 if threads == 1 else PARTS, self.at_once * size), dtype=dtype)
        self.part = np.empty((threads, size), dtype=dtype)
        self.other = np.zeros_like(self.delta)
        self.sums_of_parts = PARTS * size
        self.sums = np.empty(0)
        self.Q = np.empty((0, 0))

    def train(self, epoch: int) -> None:
        """One pass over the minibatches."""
        adds_up = self.problem.sampling is Sampling.SHUFFLE
        if not self.Q.size and not (adds_up and epoch == 0):
            self.make_quadratic()
        if not self.Q.size:
            self.sums = np.zeros(self.sums_of_parts)
        self._visit(epoch)
        self._close_sums()

    def _visit(self, epoch: int, moving: bool = True) -> None:
        B = self.problem.batch_size
        for X, y, order, steps in self.problem.visits(self.orders, epoch, tell=moving):
            flat = read_only(X.reshape(-1)), read_only(y), indices(order)
            self._train(*flat, self._scales(epoch, steps), B, moving)

    def make_quadratic(self) -> None:
        """Go through the data for Q alone: as in the first epoch where that adds up to it."""
        self.sums = np.zeros(self.sums_of_parts)
        if self.problem.sampling is Sampling.SHUFFLE:
            self._visit(0, moving=False)
        else:
            for X, y, order in self._in_turn():
                scales = np.zeros(-(-order.size // self.room), dtype=self.problem.dtype)
                self._train(X, y, order, scales, self.room, moving=False)
        self._close_sums()

    def _close_sums(self) -> None:
        """From the parts of the sums to Q; the part below the diagonal follows by symmetry."""
        if self.sums.size:
            used = self.problem.d + 2
            total = self.sums.reshape(PARTS, self.width, self.width).sum(axis=0)[:used, :used]
            self.Q = (np.triu(total) + np.triu(total, 1).T) / self.problem.n
            self.sums = self.sums[:0]

    def _train(
        self, X: Array, y: Array, order: Array, scales: Array, batch_size: int, moving: bool
    ) -> None:
        steps, at_once, threads = scales.size, self.at_once, self.workers.threads
        call = partial(self.call, X, y, order, scales, batch_size)
        if threads == 1:
            call(0, self.G[0], (0, self.layout.blocks if moving else 0), 0, steps, at_once, True)
            return
        for chunk in range(0, steps, PARTS * at_once):
            stop = min(chunk + PARTS * at_once, steps)

            def make(worker: int, chunk: int = chunk, stop: int = stop) -> None:
                for part in range(worker, PARTS, threads):
                    first = chunk + part * at_once
                    last = min(first + at_once, stop)
                    call(worker, self.G[part], (0, 0), first, last, at_once, True)

            def move(worker: int, chunk: int = chunk, stop: int = stop) -> None:
                mine = self.layout.share(worker, threads)
                call(worker, self.G.reshape(-1), mine, chunk, stop, stop - chunk, False)

            self.workers.run(make)
            if moving:
                self.workers.run(move)

    def call(
        self,
        X: Array,
        y: Array,
        order: Array,
        scales: Array,
        batch_size: int,
        worker: int,
        G: Array,
        blocks: tuple[int, int],
        first: int,
        stop: int,
        at_once: int,
        make: bool,
    ) -> None:
        """The kernel, on what belongs to this path; see `train_on_grams`."""
        delta, other, velocity = (a.reshape(-1) for a in (self.delta, self.other, self.velocity))
        train_on_grams(
            X, y, self.problem.d, order, batch_size, self.shift, self.ref, self.shifted, self.decay,
            self.kappa, self.eta, scales, self.momentum, *blocks, self.layout.rows, self.layout.lanes,
            delta, other, velocity, self.Z[worker], self.room, G, self.part[worker],
            self.sums, self.width, self.step, first, stop, at_once, make,
        )  # fmt: skip

    def _start_loss(self) -> float:
        if not self.Q.size:
            self.make_quadratic()
        u = np.append(self.anchor.enter(*self.start), -1.0)
        return max(0.0, 0.5 * float(u @ self.Q @ u))

    def _quadratic(self) -> Array:
        if not self.Q.size:
            self.make_quadratic()
        return self.Q

    def _losses(self, loss: Array) -> Array:
        return loss


class RowPath(_Path):
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
        w, b = (start[0].astype(self.problem.dtype) for start in self.start)
        total = 0.0
        for X, y in self.problem.in_turn(self.orders):
            for rows in row_blocks(*X.shape):
                error = X[rows] @ w + (b - y[rows])
                total += float(error @ error)
        return total / (2 * self.problem.n)

    def _quadratic(self) -> Array:
        return np.empty((0, 0))

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


def read_only(array: Array) -> Array:
    """A view that cannot be written, of rows that lie one after another.

    Always of one kind, whether the caller's arrays may be written or not: kernels compile once.
    """
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def indices(order: Array) -> Array:
    """Row numbers in the type that suffices, which kernels were compiled for."""
    return order.astype(np.int32 if order.size < 2**31 else np.int64, copy=False)
