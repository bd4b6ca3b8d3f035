"""The engine for small and medium work: NumPy alone, all lanes for about the price of one.

All lanes of a seed share their minibatches. In the coordinates of `learnrate.engines.anchor`, with
``z̃ = (z, 1)``, a step on minibatch J is, for all lanes ``δ_1 … δ_K`` at once::

    δ_k ← δ_k − (η_k/|B|) M (G δ_k − c)        G = Σ_{i∈J} z̃_i z̃_iᵀ        c = Σ_{i∈J} z̃_i r_i

where M is the identity unless features lie far from 0. Nothing but ``η_k`` depends on the lane, so the cost
of ``M (G, −c)`` is shared. Where features are many it is cheaper to leave G out and multiply by the
minibatch itself, ``Z̃_Jᵀ (Z̃_J δ − r)``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.data.order import epoch_order, initial_weights
from learnrate.engines.anchor import Anchor, find_anchor
from learnrate.engines.losses import (
    Quadratic,
    direct_losses,
    full_quadratic,
    residuals,
    row_blocks,
)
from learnrate.engines.problem import EpochState, LinearProblem

__all__ = ["GramEngine", "gram_pays"]

_CHUNK = 1 << 17  # numbers in one chunk of gathered rows or of Gram matrices


def gram_pays(d: int, batch_size: int, lanes: int) -> bool:
    """Whether a step through Gram matrices takes fewer operations than one through the rows.

    With ``D = d + 1``, per minibatch: ``2BD² + 2D²K`` against ``4BDK``, and 300,000 more (some
    40 µs) for the calls to NumPy that the direct form needs in every step and that Gram matrices make once
    for a whole chunk. They cross at ``D (B + K) = 2BK + 150,000/D``: for many lanes near ``D = 2B``.
    """
    D, B, K = d + 1, batch_size, lanes
    return 2 * B * D**2 + 2 * D**2 * K < 4 * B * D * K + 300_000


class GramEngine:
    """Train with NumPy and BLAS; see this module."""

    name = "gram"

    def epochs(
        self, problem: LinearProblem, start: EpochState | None = None
    ) -> Iterator[EpochState]:
        """Train, yielding the state before training and then after each epoch."""
        with np.errstate(all="ignore"):
            run = _Run(problem, start)
            first = 0 if start is None else start.epoch
            if start is None:
                state = run.state(0)
        if start is None:
            yield state
        for epoch in range(first, problem.epochs):
            with np.errstate(all="ignore"):
                run.train(epoch)
                state = run.state(epoch + 1)
            yield state


class _Run:
    """One problem being trained: the lanes' parameters and momenta in the anchor's coordinates.

    ``delta`` is (d + 2, K): the rows of ``δ_w``, then ``δ_β``, then ones, so that ``M (G, −c) @ delta`` is
    the gradient in one product. ``velocity`` is (d + 1, K).
    """

    def __init__(self, problem: LinearProblem, start: EpochState | None) -> None:
        d, lanes, dtype = problem.d, problem.lrs.size, problem.dtype
        self.problem = problem
        self.anchor = find_anchor(problem)
        self.quadratic: Quadratic | None = None
        if gram_pays(d, problem.batch_size, lanes):
            self.quadratic, self.r = full_quadratic(problem, self.anchor)
        else:
            self.r = residuals(problem, self.anchor)
        self.delta = np.ones((d + 2, lanes), dtype=dtype)
        self.velocity = np.zeros((d + 1, lanes), dtype=dtype)
        if start is None:
            w = initial_weights(d, problem.seed).astype(dtype)
            W, b = np.broadcast_to(w, (lanes, d)), np.zeros(lanes)
        else:
            W, b = start.W, start.b
            if start.V is not None and start.vb is not None:
                self.velocity[:-1] = start.V.T
                self.velocity[-1] = start.vb + self.anchor.offset(start.V)
        self.delta[:-1] = self.anchor.enter(W, b)

    def state(self, epoch: int) -> EpochState:
        """All lanes as they are. Going on from it gives the bits that not stopping would have given."""
        W, b = self.anchor.leave(self.delta[:-1].astype(np.float64))
        self.delta[:-1] = self.anchor.enter(W, b)
        if self.quadratic is not None:
            loss = self.quadratic.losses(self.delta[:-1])
        else:
            loss = direct_losses(self.problem.X, self.r, self.anchor, self.delta[:-1])
        V = vb = None
        if self.problem.momentum:
            V, v_beta = self.velocity[:-1].T.astype(np.float64), self.velocity[-1]
            vb = v_beta - self.anchor.offset(V)
            self.velocity[-1] = vb + self.anchor.offset(V)
        return EpochState(epoch=epoch, W=W, b=b, loss=loss, V=V, vb=vb)

    def train(self, epoch: int) -> None:
        """One pass over the minibatches."""
        problem = self.problem
        order = epoch_order(
            problem.n,
            problem.batch_size,
            seed=problem.seed,
            epoch=epoch,
            sampling=problem.sampling,
        )
        multipliers = problem.epoch_multipliers(epoch)
        if self.quadratic is None:
            self._train_on_rows(order, multipliers)
        else:
            self._train_on_grams(order, multipliers)

    def _train_on_grams(
        self, order: Int[Array, " visits"], multipliers: Float[Array, " steps"]
    ) -> None:
        """``δ ← δ − η s (G, −c)(δ, 1)``, with momentum where there is any; G and c include ``1/|B|``."""
        problem = self.problem
        delta, step = self.delta[:-1], np.empty_like(self.velocity)
        lrs = problem.lrs.astype(problem.dtype)
        t = 0
        for grams in gram_chunks(problem, self.anchor, self.r, order):
            scales = multipliers[t : t + len(grams)]
            t += len(grams)
            if problem.momentum:
                for gram, scale in zip(grams, scales, strict=True):
                    np.matmul(gram, self.delta, out=step)
                    self.velocity *= problem.dtype.type(problem.momentum)
                    self.velocity += step
                    np.multiply(
                        self.velocity, (problem.lrs * scale).astype(problem.dtype), out=step
                    )
                    np.subtract(delta, step, out=delta)
            else:
                grams *= scales[:, None, None].astype(problem.dtype)
                for gram in grams:
                    np.matmul(gram, self.delta, out=step)
                    np.multiply(step, lrs, out=step)
                    np.subtract(delta, step, out=delta)

    def _train_on_rows(
        self, order: Int[Array, " visits"], multipliers: Float[Array, " steps"]
    ) -> None:
        """``M Z̃_Jᵀ (Z̃_J δ − r) / |B|`` for all lanes at once, in blocks of rows where J is large."""
        problem, B, anchor = self.problem, self.problem.batch_size, self.anchor
        delta, gradient = self.delta[:-1], np.empty_like(self.velocity)
        shift, w_ref = (v.astype(problem.dtype) for v in (anchor.shift, anchor.w))
        decay, momentum = map(problem.dtype.type, (problem.weight_decay, problem.momentum))
        for t, scale in enumerate(multipliers):
            J = order[t * B : (t + 1) * B]
            gradient[:] = 0
            for rows in row_blocks(len(J), problem.d + problem.lrs.size):
                Z_J = problem.X[J[rows]]
                Z_J -= shift
                error = Z_J @ delta[:-1]
                error += delta[-1]
                error -= self.r[J[rows], None]
                gradient[:-1] += Z_J.T @ error
                gradient[-1] += error.sum(axis=0)
            gradient /= B
            if shift.any():
                gradient[:-1] += shift[:, None] * gradient[-1]
                gradient[-1] += shift @ gradient[:-1]
            if decay:
                pull = decay * (delta[:-1] + w_ref[:, None])
                gradient[:-1] += pull
                gradient[-1] += shift @ pull
            if momentum:
                self.velocity *= momentum
                self.velocity += gradient
                np.copyto(gradient, self.velocity)
            gradient *= (problem.lrs * scale).astype(problem.dtype)
            np.subtract(delta, gradient, out=delta)


def gram_chunks(
    problem: LinearProblem, anchor: Anchor, r: Float[Array, " n"], order: Int[Array, " visits"]
) -> Iterator[Float[Array, "steps D D1"]]:
    """``M (G, −c) / |B|`` of the minibatches in order, as many at a time as fit the scratch.

    Weight decay is the same for all lanes, so it is in here too: ``α I`` on the weights' part of G and
    ``−α w_ref`` on theirs of c.
    """
    d, B, dtype = problem.d, problem.batch_size, problem.dtype
    shift = anchor.shift.astype(dtype)
    at_once = max(1, _CHUNK // ((d + 2) * max(B, d + 1)))
    weights = np.arange(d)
    for first in range(0, len(order), at_once * B):
        J = order[first : first + at_once * B]
        whole = len(J) // B * B
        for batches in (J[:whole].reshape(-1, B), J[whole:].reshape(1, -1)):
            if not batches.size:
                continue
            A = np.zeros((len(batches), d + 1, d + 2), dtype=dtype)
            for columns in row_blocks(batches.shape[1], (d + 2) * len(batches)):
                _add_grams(A, problem.X, shift, r, batches[:, columns])
            A[:, d, :d] = A[:, :d, d]
            A /= B
            if shift.any():
                A[:, :d] += shift[:, None] * A[:, d:]
            if problem.weight_decay:
                A[:, weights, weights] += dtype.type(problem.weight_decay)
                A[:, :d, d + 1] += (problem.weight_decay * anchor.w).astype(dtype)
            if shift.any():
                A[:, d] += shift @ A[:, :d]
            yield A


def _add_grams(
    A: Float[Array, "steps D D1"],
    X: Float[Array, "n d"],
    shift: Float[Array, " d"],
    r: Float[Array, " n"],
    rows: Int[Array, "steps batch"],
) -> None:
    """Add ``Σ z̃ (z̃, −r)ᵀ`` of some rows of each minibatch, leaving out the part known by symmetry."""
    Z_J = X[rows]
    Z_J -= shift
    right = np.ones((*rows.shape, 2), dtype=X.dtype)
    np.negative(r[rows], out=right[:, :, 1])
    A[:, :-1, :-2] += Z_J.transpose(0, 2, 1) @ Z_J
    A[:, :-1, -2:] += Z_J.transpose(0, 2, 1) @ right
    A[:, -1, -2:] += right.sum(axis=1)
