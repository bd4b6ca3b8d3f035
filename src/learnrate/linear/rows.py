"""The engine for any loss and any optimizer: NumPy and BLAS on the rows of a minibatch, all lanes at once.

With the rows ``X̃_J = (x, 1)`` of a minibatch and ``Θ`` (D, C, K) of `learnrate.linear.parameters`, a step of all lanes and
outputs is two products of matrices, and the loss and the optimizer element by element::

    z = X̃_J Θ        G = X̃_Jᵀ φ'(z, y_J) / |B|        Θ ← rule(Θ, G, η)

The rows are gathered once for all lanes. For squared loss and SGD `gram` is faster, and in float32 more accurate.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from learnrate._shapes import Array, Float, Int
from learnrate.linear.evaluation import OUTPUTS, means
from learnrate.linear.parameters import begin, state_of
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.training.optimizers import get_optimizer
from learnrate.training.optimizers.arrays import NumpyOperations, Step
from learnrate.training.problem import Engine
from learnrate.training.states import LaneStates

__all__ = ["RowsEngine"]

_GATHER = 1 << 17  # numbers in one chunk of gathered rows


class RowsEngine(Engine):
    """Train with NumPy and BLAS on rows; see this module."""

    name = "rows"

    def states(
        self, problem: LinearProblem, start: LaneStates | None = None
    ) -> Iterator[EpochState]:
        """Train, yielding the state before training and then after each epoch."""
        run = _Run(problem, EpochState.of(start))
        if start is None:
            yield run.state(0)
        for epoch in range(0 if start is None else start.epoch, problem.epochs):
            run.train(epoch)
            yield run.state(epoch + 1)


class _Run:
    """The training of one problem."""

    def __init__(self, problem: LinearProblem, start: EpochState | None) -> None:
        self.problem, self.orders = problem, problem.orders()
        with np.errstate(all="ignore"):
            self.theta, self.slots = begin(problem, start)
        self.gradient = np.empty_like(self.theta)
        self.update = _Update(problem, self.theta, self.gradient, self.slots)

    @property
    def flat(self) -> Float[Array, "D CK"]:
        """Θ as a matrix."""
        return self.theta.reshape(len(self.theta), -1)

    def train(self, epoch: int) -> None:
        """One pass over the minibatches."""
        with np.errstate(all="ignore"):
            t = epoch * self.problem.steps
            for X, y, order, steps in self.problem.visits(self.orders, epoch):
                multipliers = self.problem.epoch_multipliers(epoch, steps)
                self._walk(X, y, order, multipliers, t + steps.start)

    def _walk(
        self,
        X: Float[Array, "rows d"],
        y: Float[Array, " rows"] | Int[Array, " rows"],
        order: Int[Array, " visits"],
        multipliers: Float[Array, " steps"],
        done: int,
    ) -> None:
        problem, B = self.problem, self.problem.batch_size
        at_once = max(1, _GATHER // (B * len(self.theta))) * B
        for first in range(0, len(order), at_once):
            J = order[first : first + at_once]
            Z, labels = self._gathered(X, J), problem.loss.encode(y.take(J), problem.dtype)
            for a in range(0, len(J), B):
                self._gradient(Z[a : a + B], labels[a : a + B])
                step = (first + a) // B
                self.update(multipliers[step], done + step + 1)

    def _gathered(self, X: Float[Array, "rows d"], J: Int[Array, " some"]) -> Array:
        """The rows ``(x, 1)``."""
        Z = np.empty((len(J), X.shape[1] + 1), dtype=X.dtype)
        Z[:, :-1] = X.take(J, axis=0)  # several times faster than X[J]
        Z[:, -1] = 1
        return Z

    def _gradient(self, Z: Float[Array, "rows D"], labels: Array) -> None:
        """Compute ``X̃_Jᵀ φ'(X̃_J Θ, y_J)``; a large minibatch in blocks of rows."""
        flat, out = self.flat, self.gradient.reshape(len(Z.T), -1)
        rows = max(1, OUTPUTS // flat.shape[1])
        for first in range(0, len(Z), rows):
            some = Z[first : first + rows]
            z = (some @ flat).reshape(len(some), *self.theta.shape[1:])
            derivative = self.problem.loss.derivative(z, labels[first : first + rows])
            derivative = derivative.reshape(len(some), -1)
            if first:
                out += some.T @ derivative
            else:
                np.matmul(some.T, derivative, out=out)

    def state(self, epoch: int) -> EpochState:
        """The state of all lanes, with the measurements on all examples."""
        measured = means(self.problem.loss, self.problem.in_turn(self.orders), self.theta)
        with np.errstate(all="ignore"):
            return state_of(self.problem, epoch, self.theta, self.slots, measured)


class _Update:
    """A step of the optimizer on Θ, in place. Weights and biases are updated separately only with weight decay."""

    def __init__(
        self,
        problem: LinearProblem,
        theta: Float[Array, "D C K"],
        gradient: Float[Array, "D C K"],
        slots: dict[str, Float[Array, "D C K"]],
    ) -> None:
        self.theta, self.gradient = theta, gradient
        self.lrs, self.batch_size = problem.lrs, problem.batch_size
        self.rule, self.ops = get_optimizer(problem.optimizer).rule, NumpyOperations()
        options = problem.rule_options
        self.bare = problem.plain and not options["momentum"] and not options["weight_decay"]
        parts = [(slice(None), options)]
        if options["weight_decay"]:
            parts = [(slice(-1), options), (slice(-1, None), {**options, "weight_decay": 0.0})]
        self.parts = [
            (theta[rows], gradient[rows], {name: array[rows] for name, array in slots.items()}, own)
            for rows, own in parts
        ]
        self.dtype = problem.dtype

    def __call__(self, multiplier: float, t: int) -> None:
        """Make step t, counted from 1, with the multiplier of the schedule."""
        if self.bare:
            self.gradient *= (self.lrs * (multiplier / self.batch_size)).astype(self.dtype)
            self.theta -= self.gradient
            return
        self.gradient /= self.batch_size
        lr = (self.lrs * multiplier).astype(self.dtype)
        for theta, gradient, state, options in self.parts:
            self.rule(self.ops, theta, gradient, Step(state, lr, t, options))
