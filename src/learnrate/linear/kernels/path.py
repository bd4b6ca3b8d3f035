"""What both ways of training of the fused engine have in common: one problem, and its lanes in the kernels' layout."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from learnrate._shapes import Array
from learnrate.data.order import initial_weights
from learnrate.linear.anchor import Anchor
from learnrate.linear.kernels.arguments import Lanes, Report, Rows, Scratch
from learnrate.linear.kernels.layout import Layout, aligned_zeros, indices, read_only
from learnrate.linear.kernels.least_squares import anchor_of
from learnrate.linear.kernels.permutation import permutation
from learnrate.linear.kernels.report import report
from learnrate.linear.kernels.vectors import ROW_BYTES, TILE
from learnrate.linear.losses import Trust, measure_again
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.linear.workers import Workers

__all__ = ["NO_QUADRATIC", "Path"]

NO_QUADRATIC = np.empty((0, 0))
_ROOM = 1 << 17  # numbers in the gathered rows
_MOST_ROWS = 256


class Path:
    """One problem being trained in the anchor's coordinates.

    The rows of a block of lanes are ``δ_w``, then ``δ_β``, then −1, then room for whole tiles.
    """

    def __init__(
        self,
        problem: LinearProblem,
        start: EpochState | None,
        workers: Workers,
        anchor: Anchor | None = None,
    ) -> None:
        d, B, dtype = problem.d, problem.batch_size, problem.dtype
        self.problem, self.workers = problem, workers
        self.anchor = anchor = anchor or anchor_of(problem)
        terms = B if dtype == np.float32 else problem.n  # sums of matrices are of float64
        self.trust = Trust.of(anchor, dtype, terms)
        self.width = -(-(d + 2) // TILE) * TILE
        self.room = max(1, min(_MOST_ROWS, _ROOM // self.width) // TILE) * TILE
        self.shift, self.ref = np.zeros(self.width, dtype), np.zeros(self.width, dtype)
        self.shift[:d], self.ref[:d], self.ref[d] = anchor.shift, anchor.w, anchor.beta
        step = ROW_BYTES // dtype.itemsize
        whole, again = d // step * step, -d % step  # the last vector has some numbers again
        self.fit = np.zeros(d + again, dtype)
        self.fit[:whole], self.fit[whole + again :] = anchor.w[:whole], anchor.w[whole:]
        self.layout = layout = Layout(problem.lrs.size, d + 1, dtype)
        self.eta = np.zeros(layout.blocks * layout.lanes, dtype=dtype)
        self.eta[: problem.lrs.size] = problem.lrs
        self.delta = layout.zeros()
        self.delta[:, d + 1] = -1
        self.velocity = layout.zeros() if problem.momentum else np.zeros((0, 0, 0), dtype=dtype)
        threads, block = workers.threads, layout.rows * layout.lanes
        self.Z = aligned_zeros((threads, self.room * self.width), dtype)
        self.R = aligned_zeros((threads, self.room * layout.lanes), dtype)
        self.gradient = aligned_zeros((threads, block), dtype)
        self.row = np.empty((threads, self.width), dtype=dtype)
        self.u = np.empty((d + 3) * (layout.lanes + 1))
        self.orders = problem.orders(permutation)
        self.start: tuple[Array, Array, Array] | None = None
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
        begin = np.empty((len(w) + 1, 1), dtype=dtype)
        begin[:-1, 0] = w - anchor.w
        begin[-1] = float(anchor.shift @ w) - anchor.beta
        self.layout.put(self.delta, begin)
        self.start = self._read(self.delta, self.problem.lrs.size, NO_QUADRATIC)
        self.begin = self.delta[:1].copy()

    def _put_velocity(self, V: Array, vb: Array) -> None:
        """Kernels keep ``|B|`` times the velocity, in the anchor's coordinates."""
        columns = np.vstack([V.T, vb + self.anchor.offset(V)])
        self.layout.put(self.velocity, columns * self.problem.batch_size)

    @property
    def serves(self) -> bool:
        """Whether the anchor is accurate enough for all examples that have been read so far."""
        raise NotImplementedError

    def run(self, epoch: int) -> list[EpochState]:
        """Train one epoch, or several, and return the states after them, in a new run also the state before the first."""
        self.train(epoch)
        states = [self.state(epoch + 1)]
        return [self.first_state(), *states] if self.started(epoch) else states

    def train(self, epoch: int) -> None:
        """One pass over the minibatches."""
        raise NotImplementedError

    def started(self, epoch: int) -> bool:
        """Whether this is the first epoch of a new run, not of a resumed one."""
        return self.start is not None and epoch == 0

    def first_state(self) -> EpochState:
        """All lanes before training: the same numbers for each."""
        assert self.start is not None
        K, d = self.problem.lrs.size, self.problem.d
        W, b, _ = self.start
        loss = self._settle(W[:1], b[:1], self._start_loss())
        loss = np.full(K, loss[0])
        if not self.problem.momentum:
            return EpochState(0, W, b, loss)
        return EpochState(0, W, b, loss, V=np.zeros((K, d)), vb=np.zeros(K))

    def state(self, epoch: int) -> EpochState:
        """The current state of all lanes. Training that continues from it gives the same bits as training without a stop."""
        W, b, loss = self._read(self.delta, self.problem.lrs.size, self._quadratic())
        V = vb = None
        if self.problem.momentum:
            columns = self.layout.get(self.velocity, self.problem.d + 1) / self.problem.batch_size
            V = np.ascontiguousarray(columns[:-1].T)
            vb = columns[-1] - self.anchor.offset(V)
            self._put_velocity(V, vb)
        return EpochState(
            epoch=epoch, W=W, b=b, loss=self._settle(W, b, self._losses(loss)), V=V, vb=vb
        )

    def _settle(self, W: Array, b: Array, loss: Array) -> Array:
        """The losses; those that are NaN are computed again from the rows, unless the lane has diverged."""
        if math.isnan(loss.sum()):
            measure_again(self.problem, self.orders, W, b, loss, np.isnan(loss))
        return loss

    def _read(self, delta: Array, K: int, Q: Array) -> tuple[Array, Array, Array]:
        """W, b and, where Q is known, the losses of the first K lanes."""
        layout = self.layout
        W, b, loss = np.empty((K, self.problem.d)), np.empty(K), np.empty(K)
        report(delta.reshape(-1), layout.rows, layout.lanes, self.report_of(Q), W, b, loss)
        return W, b, loss

    def report_of(self, Q: Array) -> Report:
        """What kernels need to compute parameters and losses."""
        anchor = self.anchor
        return Report(anchor.w, anchor.beta, anchor.shift, Q, self.u, self.trust[:3])

    def rows_of(self, X: Array, y: Array) -> Rows:
        """Examples, as an argument of the kernels."""
        problem, dtype = self.problem, self.problem.dtype
        decay = dtype.type(problem.weight_decay * problem.batch_size)
        kappa = dtype.type(self.anchor.kappa)
        arrays = self.shift, self.ref, self.fit
        return Rows(X, y, problem.d, *arrays, self.anchor.shifted, kappa, decay)

    def lanes_of(self, blocks: tuple[int, int]) -> Lanes:
        """Some blocks of lanes, as an argument of the kernels."""
        momentum = self.problem.dtype.type(self.problem.momentum)
        delta, velocity = self.delta.reshape(-1), self.velocity.reshape(-1)
        shape = self.layout.rows, self.layout.lanes
        return Lanes(*blocks, *shape, self.eta, delta, velocity, momentum)

    def scratch_of(self, worker: int) -> Scratch:
        """The arrays that a thread overwrites."""
        own = self.R[worker], self.gradient[worker], self.row[worker]
        return Scratch(self.Z[worker], self.room, self.width, *own)

    def _scales(self, epoch: int, steps: slice = slice(None)) -> Array:
        """``s_t / |B|`` for some steps of an epoch, where ``s_t`` is the multiplier of the schedule."""
        problem, B = self.problem, self.problem.batch_size
        if problem.multipliers is None:
            return np.full(len(range(problem.steps)[steps]), 1 / B, dtype=problem.dtype)
        return (problem.epoch_multipliers(epoch, steps) / B).astype(problem.dtype)

    def _in_turn(self) -> Iterator[tuple[Array, Array, Array]]:
        """Yield the blocks of examples in order, as arguments of the kernels: X, y, the order of the rows."""
        for X, y in self.problem.in_turn(self.orders):
            yield read_only(X.reshape(-1)), read_only(y), indices(np.arange(len(y)))

    def _start_loss(self) -> Array:
        """The loss before training, the same for all lanes: one number."""
        raise NotImplementedError

    def _quadratic(self) -> Array:
        """Q of `learnrate.linear.losses.Quadratic`, or an empty array."""
        raise NotImplementedError

    def _losses(self, loss: Array) -> Array:
        """The losses: those that ``read_lanes`` computed, or computed now; NaN where they are not accurate enough."""
        raise NotImplementedError
