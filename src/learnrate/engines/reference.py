"""The reference engine: the note's loop on `nd`, one lane after another. Slow, and what others must equal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from learnrate import autograd, nd
from learnrate._shapes import Array, Float, Int
from learnrate.data.order import initial_weights
from learnrate.engines.problem import EpochState, LinearProblem
from learnrate.nd import NDArray
from learnrate.scratch import data_iter, linreg, sgd, squared_loss

__all__ = ["ReferenceEngine"]


class ReferenceEngine:
    """Trains each lane by `learnrate.scratch`: recorded forward pass, backward sweep, update.

    The loss of a state is evaluated in float64 whatever type the lane is trained in, so that it shows
    the rounding of the training and not that of the evaluation.
    """

    name = "reference"

    def epochs(
        self, problem: LinearProblem, start: EpochState | None = None
    ) -> Iterator[EpochState]:
        """Yield the state of all lanes before training and after each epoch; see `Engine`."""
        lanes = [_Lane(problem, k, start) for k in range(problem.lrs.size)]
        if start is None:
            yield _state(problem, lanes, 0)
        orders = problem.orders()
        for epoch in range(start.epoch if start else 0, problem.epochs):
            order = orders.epoch(epoch)
            for lane in lanes:
                lane.train(order, problem.epoch_multipliers(epoch))
            yield _state(problem, lanes, epoch + 1)


class _Lane:
    """One learning rate: parameters, their velocities, and the training of an epoch."""

    def __init__(self, problem: LinearProblem, k: int, start: EpochState | None) -> None:
        def column(values: Float[Array, " rows"] | None, rows: int) -> NDArray:
            return nd.array(np.zeros(rows) if values is None else values, dtype=problem.dtype)

        d = problem.d
        self.problem = problem
        self.lr = float(problem.lrs[k])
        self.features = nd.array(problem.X, dtype=problem.dtype)
        self.labels = nd.array(problem.y, dtype=problem.dtype)
        if start is None:
            w, b, v_w, v_b = initial_weights(d, problem.seed), None, None, None
        else:
            w, b = start.W[k], start.b[k : k + 1]
            v_w = None if start.V is None else start.V[k]
            v_b = None if start.vb is None else start.vb[k : k + 1]
        self.w, self.v_w = column(w, d).reshape((d, 1)), column(v_w, d).reshape((d, 1))
        self.b, self.v_b = column(b, 1), column(v_b, 1)
        self.w.attach_grad()
        self.b.attach_grad()

    def train(self, order: Int[Array, " visits"], multipliers: Float[Array, " steps"]) -> None:
        """Visit the examples once, in ``order``."""
        minibatches = data_iter(self.problem.batch_size, self.features, self.labels, order=order)
        for (X, y), multiplier in zip(minibatches, multipliers, strict=True):
            with autograd.record():
                loss = squared_loss(linreg(X, self.w, self.b), y)
            loss.backward()
            self.step(self.lr * float(multiplier))

    def step(self, lr: float) -> None:
        """``v ← μ v + Σ∇ℓ/|B| + α w``, ``w ← w − η s_t v``; the same for b, without decay."""
        momentum, decay, batch_size = (
            self.problem.momentum,
            self.problem.weight_decay,
            self.problem.batch_size,
        )
        if not momentum and not decay:
            sgd([self.w, self.b], lr, batch_size)
            return
        self.v_w[:] = momentum * self.v_w + self.w.grad / batch_size + decay * self.w
        self.v_b[:] = momentum * self.v_b + self.b.grad / batch_size
        self.w[:] = self.w - lr * self.v_w
        self.b[:] = self.b - lr * self.v_b


def _state(problem: LinearProblem, lanes: list[_Lane], epoch: int) -> EpochState:
    """All lanes' parameters and losses."""

    def stack(arrays: list[NDArray]) -> Float[Array, "K rows"]:
        return np.array([array.asnumpy().ravel() for array in arrays], dtype=np.float64)

    features, labels = nd.array(problem.X, dtype="float64"), nd.array(problem.y, dtype="float64")
    losses = [
        squared_loss(
            linreg(features, lane.w.astype("float64"), lane.b.astype("float64")), labels
        ).mean()
        for lane in lanes
    ]
    momentum = bool(problem.momentum)
    return EpochState(
        epoch=epoch,
        W=stack([lane.w for lane in lanes]),
        b=stack([lane.b for lane in lanes])[:, 0],
        loss=stack(losses)[:, 0],
        V=stack([lane.v_w for lane in lanes]) if momentum else None,
        vb=stack([lane.v_b for lane in lanes])[:, 0] if momentum else None,
    )
