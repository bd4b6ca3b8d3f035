"""The reference engine: the note's loop on `nd`, one lane after another. It is slow; other engines are tested against it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from learnrate import autograd, nd
from learnrate._shapes import Array, Float, Int
from learnrate.data.order import MinibatchOrders, initial_weights
from learnrate.linear.losses import row_blocks
from learnrate.linear.parameters import names_of, slots_of
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.linear.recorded_losses import recorded
from learnrate.nd import NDArray
from learnrate.scratch import data_iter, linreg, sgd
from learnrate.training.optimizers import get_optimizer
from learnrate.training.optimizers.arrays import NumpyOperations, Step
from learnrate.training.problem import Engine
from learnrate.training.states import LaneStates

__all__ = ["ReferenceEngine"]


class ReferenceEngine(Engine):
    """Trains each lane by `learnrate.scratch`: recorded forward pass, backward pass, update.

    The loss of a state is computed in float64, whatever the type of the training, so that it shows the rounding errors of
    the training and not those of the evaluation.
    """

    name = "reference"

    def states(
        self, problem: LinearProblem, start: LaneStates | None = None
    ) -> Iterator[EpochState]:
        """Yield the state of all lanes before training and after each epoch; see `Engine`."""
        start = EpochState.of(start)
        lanes = [_Lane(problem, k, start) for k in range(problem.lrs.size)]
        orders = problem.orders()
        if start is None:
            yield _state(problem, orders, lanes, 0)
        for epoch in range(start.epoch if start else 0, problem.epochs):
            for X, y, order, steps in problem.visits(orders, epoch):
                features, labels = (nd.array(array, dtype=problem.dtype) for array in (X, y))
                for lane in lanes:
                    lane.train(features, labels, order, problem.epoch_multipliers(epoch, steps))
            yield _state(problem, orders, lanes, epoch + 1)


class _Lane:
    """One lane: its parameters, the state of its optimizer, and its training."""

    def __init__(self, problem: LinearProblem, k: int, start: EpochState | None) -> None:
        d, C = problem.d, problem.loss.outputs

        def columns(values: Float[Array, "..."], rows: int) -> NDArray:
            return nd.array(values.reshape((rows, C)), dtype=problem.dtype)

        self.problem = problem
        self.lr = float(problem.lrs[k])
        self.steps = 0 if start is None else start.epoch * problem.steps
        self.slots: dict[str, tuple[Array, Array]] = {}
        for slot in slots_of(problem):
            W, b = np.zeros((d, C)), np.zeros((1, C))
            if start is not None:
                W, b = (start.arrays[name][k : k + 1] for name in names_of(slot))
            self.slots[slot] = (columns(W, d).asnumpy(), columns(b, 1).asnumpy()[0])
        if start is None:
            self.w = columns(initial_weights(d, problem.seed, C), d)
            self.b = columns(np.zeros(C), 1).reshape((C,))
        else:
            self.w = columns(start.W[k : k + 1], d)
            self.b = columns(start.b[k : k + 1], 1).reshape((C,))
        self.w.attach_grad()
        self.b.attach_grad()

    def train(
        self,
        features: NDArray,
        labels: NDArray,
        order: Int[Array, " visits"],
        multipliers: Float[Array, " steps"],
    ) -> None:
        """Visit the examples once, in ``order``."""
        phi = recorded(self.problem.loss)
        minibatches = data_iter(self.problem.batch_size, features, labels, order=order)
        for (X, y), multiplier in zip(minibatches, multipliers, strict=True):
            with autograd.record():
                loss = phi(linreg(X, self.w, self.b), y)
            loss.backward()
            self.steps += 1
            self.step(self.lr * float(multiplier))

    def step(self, lr: float) -> None:
        """The optimizer's rule for w and for b, which is not decayed; for plain SGD the note's own `sgd`."""
        options = self.problem.rule_options
        if self.problem.plain and not options["momentum"] and not options["weight_decay"]:
            sgd([self.w, self.b], lr, self.problem.batch_size)
            return
        rule = get_optimizer(self.problem.optimizer).rule
        with np.errstate(all="ignore"):
            rate = self.problem.dtype.type(lr)
        for place, parameter in enumerate((self.w, self.b)):
            theta = parameter.asnumpy()
            gradient = (parameter.grad / self.problem.batch_size).asnumpy()
            state = {name: arrays[place] for name, arrays in self.slots.items()}
            with np.errstate(all="ignore"):
                rule(NumpyOperations(), theta, gradient, Step(state, rate, self.steps, options))
            parameter[:] = nd.array(theta, dtype=self.problem.dtype)
            options = {**options, "weight_decay": 0.0}


def _state(
    problem: LinearProblem, orders: MinibatchOrders, lanes: list[_Lane], epoch: int
) -> EpochState:
    """The state of all lanes."""
    several, loss = problem.loss.outputs > 1, problem.loss
    measured: dict[str, Array] = {}
    for X, y in problem.in_turn(orders):
        for rows in row_blocks(*X.shape):
            features, labels = (nd.array(array[rows], dtype="float64") for array in (X, y))
            encoded = loss.encode(y[rows], np.float64)
            for k, lane in enumerate(lanes):
                z = linreg(features, lane.w.astype("float64"), lane.b.astype("float64"))
                total = float(recorded(loss)(z, labels).sum().asscalar())
                with np.errstate(all="ignore"):
                    fit = loss.fit(z.asnumpy()[:, :, None], encoded)
                found = {"loss": total, **{name: float(sums[0]) for name, sums in fit.items()}}
                for name, value in found.items():
                    measured.setdefault(name, np.zeros(len(lanes)))[k] += value / problem.n

    def stacked(pairs: list[tuple[Array, Array]]) -> tuple[Array, Array]:
        W, b = (np.array(arrays, dtype=np.float64) for arrays in zip(*pairs, strict=True))
        return (W, b) if several else (W[:, :, 0], b[:, 0])

    W, b = stacked([(lane.w.asnumpy(), lane.b.asnumpy()) for lane in lanes])
    arrays: dict[str, Array] = {}
    for slot in slots_of(problem):
        pair = stacked([lane.slots[slot] for lane in lanes])
        arrays.update(zip(names_of(slot), pair, strict=True))
    return EpochState(epoch, W, b, measured.pop("loss"), measured=measured, **arrays)
