"""The engine for small and medium problems: NumPy alone, with all lanes in about the time of one.

All lanes of a seed share their minibatches. In the coordinates of `learnrate.linear.anchor`, with
``z̃ = (z, 1)``, a step on minibatch J is, for all lanes ``δ_1 … δ_K`` at once::

    δ_k ← δ_k − (η_k/|B|) M (G δ_k − c)        G = Σ_{i∈J} z̃_i z̃_iᵀ        c = Σ_{i∈J} z̃_i r_i

where M is the identity unless features are far from 0. Only ``η_k`` depends on the lane, so ``M (G, −c)`` is computed
once for all lanes. With many features it is faster to multiply by the minibatch itself, ``Z̃_Jᵀ (Z̃_J δ − r)``, without G.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from learnrate._shapes import Array, Bool, Float, Int
from learnrate.data.order import initial_weights
from learnrate.linear.anchor import Anchor, find_anchor, fits, plain_anchor
from learnrate.linear.losses import (
    Quadratic,
    Trust,
    measure_again,
    quadratic_fits,
    residuals,
    squared_errors,
    sum_of_products,
)
from learnrate.linear.minibatches import Minibatches
from learnrate.linear.problem import EpochState, LinearProblem, beyond_grams
from learnrate.linear.several_steps import polynomials, powers, steps_at_once
from learnrate.training.problem import Engine
from learnrate.training.states import LaneStates

__all__ = ["GramEngine", "gram_pays"]

_TERMS = 256  # terms of a sum that BLAS adds without an intermediate sum


def gram_pays(d: int, batch_size: int, lanes: int) -> bool:
    """Whether an epoch through Gram matrices takes fewer operations than one through the rows.

    With ``D = d + 1``, Gram matrices take ``2BD² + 2D²K`` operations per minibatch, and rows ``4BDK`` for the step and
    ``2BDK`` for the loss. Rows also need more calls of NumPy, about as long as half a million operations. So rows are
    faster only if D is several hundred, or above ``3B`` with many lanes.
    """
    D, B, K = d + 1, batch_size, lanes
    return 2 * B * D**2 + 2 * D**2 * K < 6 * B * D * K + 500_000


class GramEngine(Engine):
    """Train with NumPy and BLAS; see this module."""

    name = "gram"

    def supports(self, problem: LinearProblem) -> str | None:
        """None for squared loss and SGD with or without momentum, else why not; see `Engine`."""
        return beyond_grams(problem)

    def states(
        self, problem: LinearProblem, start: LaneStates | None = None
    ) -> Iterator[EpochState]:
        """Train, yielding the state before training and then after each epoch."""
        with np.errstate(all="ignore"):
            run = _Run(problem, EpochState.of(start))
        if start is None:
            with np.errstate(all="ignore"):
                state = run.state(0)
            yield state
        for epoch in range(0 if start is None else start.epoch, problem.epochs):
            with np.errstate(all="ignore"):
                run.train(epoch)
                state = run.state(epoch + 1)
            yield state


class _Run:
    """The training of one problem, with parameters and velocities of the lanes in the coordinates of the anchor.

    ``delta`` is (d + 2, K): the rows of ``δ_w``, then ``δ_β``, then ones, so that ``M (G, −c) @ delta`` is
    the gradient in one product, and ``(z, 1, −r) @ delta`` an error. ``velocity`` is (d + 1, K).
    """

    def __init__(self, problem: LinearProblem, start: EpochState | None) -> None:
        d, lanes, dtype = problem.d, problem.lrs.size, problem.dtype
        self.problem = problem
        self.orders = problem.orders()
        self.grams = gram_pays(d, problem.batch_size, problem.lanes)
        self.quadratic: Quadratic | None = None
        if not self._begin_at(find_anchor(problem)):
            self._begin_at(plain_anchor(problem))
        self.minibatches: Minibatches | None = None
        self.lrs = problem.lrs.astype(dtype)
        self.at_once = steps_at_once(d + 1, problem.lanes)
        self.unit = problem.dtype.type(
            1.0 if self.quadratic is None else self._unit(self.quadratic)
        )
        self.powers = powers(self.lrs * self.unit, self.at_once)
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

    def _begin_at(self, anchor: Anchor) -> bool:
        """Use this anchor, and return whether it is good enough."""
        self.anchor, self.trust = anchor, Trust.of(anchor, self.problem.dtype, _TERMS)
        self.r: Array | None = None  # of all examples, if they are one block
        if self.grams:
            self.quadratic = self._full_quadratic()
            return quadratic_fits(self.quadratic.Q, anchor)
        left = labels = 0.0
        for X, y in self.problem.in_turn(self.orders):
            r, y = self._residuals(X, y).astype(np.float64), y - anchor.beta
            left, labels = left + float(r @ r), labels + float(y @ y)
        return fits(left, labels)

    def _unit(self, quadratic: Quadratic) -> float:
        """About the size of ``M G / |B|``, a power of 2 so that dividing by it rounds nothing."""
        size = self.anchor.kappa * float(quadratic.sizes[:-1] @ quadratic.sizes[:-1])
        return 2.0 ** round(np.log2(size)) if 0 < size < np.inf else 1.0

    def _full_quadratic(self) -> Quadratic:
        """The loss as a quadratic form, from one pass over the examples."""
        Q = np.zeros((self.problem.d + 2, self.problem.d + 2))
        for X, y in self.problem.in_turn(self.orders):
            part, r = sum_of_products(X, y, self.anchor)
            Q += part
            if self.orders.count == 1:
                self.r = r
        return Quadratic(Q / self.problem.n)

    def _residuals(self, X: Float[Array, "rows d"], y: Float[Array, " rows"]) -> Array:
        """``r`` of a block; stored if it is the only one."""
        if self.r is not None:
            return self.r
        r = residuals(X, y, self.anchor)
        if self.orders.count == 1:
            self.r = r
        return r

    def _enter_block(self, X: Float[Array, "rows d"], y: Float[Array, " rows"]) -> Minibatches:
        """The minibatches of a block; stored if it is the only one."""
        if self.minibatches is None or self.orders.count > 1:
            self.minibatches = Minibatches(self.problem, self.anchor, X, self._residuals(X, y))
        return self.minibatches

    def _direct_losses(self) -> tuple[Float[Array, " K"], Bool[Array, " K"]]:
        """Losses from another pass over the examples, and which of them may be wrong."""
        total = np.zeros(self.problem.lrs.size)
        for X, y in self.problem.in_turn(self.orders):
            total += squared_errors(X, self._residuals(X, y), self.anchor, self.delta[:-1])
        loss = total / (2 * self.problem.n)
        return loss, self.trust.doubts_rows(loss, self.anchor.sizes_of(self.delta[:-1]))

    def state(self, epoch: int) -> EpochState:
        """The state of all lanes. Training that continues from it gives the same bits as without the interruption."""
        W, b = self.anchor.leave(self.delta[:-1].astype(np.float64))
        self.delta[:-1] = self.anchor.enter(W, b)
        if self.quadratic is not None:
            delta = self.delta.astype(np.float64, copy=False)
            loss, doubtful = self.quadratic.losses(delta, self.trust)
        else:
            loss, doubtful = self._direct_losses()
        if doubtful is not None:
            measure_again(self.problem, self.orders, W, b, loss, doubtful)
        V = vb = None
        if self.problem.momentum:
            V, v_beta = self.velocity[:-1].T.astype(np.float64), self.velocity[-1]
            vb = v_beta - self.anchor.offset(V)
            self.velocity[-1] = vb + self.anchor.offset(V)
        return EpochState(epoch=epoch, W=W, b=b, loss=loss, V=V, vb=vb)

    def train(self, epoch: int) -> None:
        """One pass over the minibatches."""
        if self.quadratic is None:
            walk = self._by_rows
        elif self.problem.momentum:
            walk = self._by_grams_with_momentum
        elif self.at_once > 1 and np.isfinite(self.powers[-1] ** 2).all():
            walk = self._by_several
        else:
            walk = self._by_grams
        for X, y, order, steps in self.problem.visits(self.orders, epoch):
            multipliers = self.problem.epoch_multipliers(epoch, steps).astype(self.problem.dtype)
            walk(self._enter_block(X, y), order, multipliers)

    def _by_grams(
        self,
        minibatches: Minibatches,
        order: Int[Array, " visits"],
        multipliers: Float[Array, " steps"],
    ) -> None:
        """``δ ← δ − η s (G, −c)(δ, 1) / |B|``"""
        delta, step = self.delta[:-1], np.empty_like(self.velocity)
        for chunk in minibatches.grams(order, multipliers / self.problem.batch_size):
            for gram in chunk:  # the method has a third of the function's overhead
                gram.dot(self.delta, out=step)
                np.multiply(step, self.lrs, out=step)
                np.subtract(delta, step, out=delta)

    def _by_several(
        self,
        minibatches: Minibatches,
        order: Int[Array, " visits"],
        multipliers: Float[Array, " steps"],
    ) -> None:
        """``δ ← δ − η s (G, −c)(δ, 1) / |B|``, several steps in one product: see `learnrate.linear.several_steps`.

        Matrices and rates are scaled, because the fourth power of a matrix may overflow and that of a rate underflow.
        """
        delta = self.delta
        stack = np.empty((len(self.powers), *delta.shape), dtype=delta.dtype)
        flat, scale = stack.reshape(-1, delta.shape[1]), np.empty_like(stack)
        scale[:] = self.powers[:, None]
        scales = multipliers / self.problem.batch_size / self.unit
        for chunk in minibatches.grams(order, scales):
            P = polynomials(chunk, self.at_once)
            for several in P.reshape(len(P), len(delta), -1):
                np.multiply(scale, delta, out=stack)
                several.dot(flat, out=delta)

    def _by_grams_with_momentum(
        self,
        minibatches: Minibatches,
        order: Int[Array, " visits"],
        multipliers: Float[Array, " steps"],
    ) -> None:
        """``v ← μ v + (G, −c)(δ, 1) / |B|``, ``δ ← δ − η s v``"""
        delta, velocity, step = self.delta[:-1], self.velocity, np.empty_like(self.velocity)
        momentum = self.problem.dtype.type(self.problem.momentum)
        shares = np.full_like(multipliers, 1 / self.problem.batch_size)
        rates = iter(multipliers)
        for chunk in minibatches.grams(order, shares):
            for gram in chunk:
                gram.dot(self.delta, out=step)
                np.multiply(velocity, momentum, out=velocity)
                np.add(velocity, step, out=velocity)
                np.multiply(velocity, self.lrs * next(rates), out=step)
                np.subtract(delta, step, out=delta)

    def _by_rows(
        self,
        minibatches: Minibatches,
        order: Int[Array, " visits"],
        multipliers: Float[Array, " steps"],
    ) -> None:
        """``M Z̃_Jᵀ (Z̃_J δ − r) / |B|`` for all lanes at once."""
        problem, B = self.problem, self.problem.batch_size
        delta, gradient = self.delta[:-1], np.empty_like(self.velocity)
        shift, w_ref = (v.astype(problem.dtype) for v in (self.anchor.shift, self.anchor.w))
        settings = problem.weight_decay, problem.momentum, self.anchor.kappa
        decay, momentum, kappa = map(problem.dtype.type, settings)
        shifted = minibatches.shift is not None
        for t, scale in enumerate(multipliers):
            gradient[:] = 0
            q = np.zeros(problem.lrs.size)
            for Z in minibatches.blocks(order[t * B : (t + 1) * B], problem.lanes):
                errors = Z @ self.delta
                gradient += Z[:, :-1].T @ errors
                if shifted:
                    # If features are far from 0, errors have the same sign, and sums in float32 would be biased.
                    q += errors.sum(axis=0, dtype=np.float64)
            gradient /= B
            if shifted:
                q = (q / B).astype(problem.dtype)
                gradient[-1] = shift @ gradient[:-1] + kappa * q
                gradient[:-1] += shift[:, None] * q
            if decay:
                pull = decay * (delta[:-1] + w_ref[:, None])
                gradient[:-1] += pull
                gradient[-1] += shift @ pull
            if momentum:
                self.velocity *= momentum
                self.velocity += gradient
                np.copyto(gradient, self.velocity)
            gradient *= self.lrs * scale
            np.subtract(delta, gradient, out=delta)
