"""Training with any loss and optimizer on PyTorch tensors, like `learnrate.linear.rows`, with derivatives by autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from learnrate._extras import require
from learnrate._shapes import Array, Float
from learnrate.linear.losses import row_blocks
from learnrate.linear.parameters import begin, state_of
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.training.losses import Huber
from learnrate.training.optimizers import get_optimizer
from learnrate.training.optimizers.arrays import Step, TorchOperations

__all__ = ["TensorRun"]

torch: Any = require("torch", extra="torch", purpose="the engine 'torch'")
Tensor = Any


def _squared(loss: Any, z: Tensor, y: Tensor) -> Tensor:
    return (z[:, 0] - y[:, None]).square() / 2


def _huber(loss: Huber, z: Tensor, y: Tensor) -> Tensor:
    target = y[:, None].expand_as(z[:, 0])
    return torch.nn.functional.huber_loss(z[:, 0], target, reduction="none", delta=loss.delta)


def _logistic(loss: Any, z: Tensor, y: Tensor) -> Tensor:
    margin = torch.where(y[:, None] > 0.5, z[:, 0], -z[:, 0])
    return -torch.nn.functional.logsigmoid(margin)


def _softmax(loss: Any, z: Tensor, y: Tensor) -> Tensor:
    index = y[:, None, None].expand(-1, 1, z.shape[2])
    return -z.log_softmax(dim=1).gather(1, index)[:, 0]


def _poisson(loss: Any, z: Tensor, y: Tensor) -> Tensor:
    counts = y[:, None]
    return z[:, 0].exp() - counts * z[:, 0] + torch.xlogy(counts, counts) - counts


_VALUES: dict[str, Callable[[Any, Tensor, Tensor], Tensor]] = {
    "squared": _squared,
    "huber": _huber,
    "logistic": _logistic,
    "softmax": _softmax,
    "poisson": _poisson,
}
"""``φ(z, y)`` of every row and lane: z is (rows, C, K), y (rows,), the result (rows, K)."""


class TensorRun:
    """The training of one problem."""

    def __init__(self, problem: LinearProblem, start: EpochState | None, device: str) -> None:
        self.problem, self.device, self.orders = problem, device, problem.orders()
        with np.errstate(all="ignore"):
            theta, slots = begin(problem, start)
        self.theta = torch.tensor(theta, device=device)
        self.slots = {name: torch.tensor(array, device=device) for name, array in slots.items()}
        self.X = torch.tensor(problem.X, device=device)
        self.y = torch.tensor(problem.y, device=device)
        self.lrs = torch.tensor(problem.lrs, device=device)
        options = problem.rule_options
        self.parts = [(slice(None), options)]
        if options["weight_decay"]:
            self.parts = [(slice(-1), options), (slice(-1, None), {**options, "weight_decay": 0.0})]
        self.rule, self.ops = get_optimizer(problem.optimizer).rule, TorchOperations()

    def train(self, epoch: int) -> None:
        """One pass over the minibatches."""
        problem = self.problem
        order = torch.from_numpy(self.orders.epoch(epoch)).to(self.device)
        multipliers = problem.epoch_multipliers(epoch)
        for step, J in enumerate(torch.split(order, problem.batch_size)):
            gradient = self._gradient(J) / problem.batch_size
            lr = (self.lrs * float(multipliers[step])).to(self.theta.dtype)
            t = epoch * problem.steps + step + 1
            for rows, options in self.parts:
                state = {name: slot[rows] for name, slot in self.slots.items()}
                self.rule(self.ops, self.theta[rows], gradient[rows], Step(state, lr, t, options))

    def _outputs(self, theta: Tensor, X: Tensor) -> Tensor:
        flat = theta.reshape(len(theta), -1)
        return (X @ flat[:-1] + flat[-1]).reshape(len(X), *theta.shape[1:])

    def _values(self, z: Tensor, y: Tensor) -> Tensor:
        return _VALUES[self.problem.loss.name](self.problem.loss, z, y)

    def _gradient(self, J: Tensor) -> Tensor:
        """``Σ_{i∈J} ∂φ/∂Θ`` of every lane, by a backward pass."""
        theta = self.theta.detach().requires_grad_()
        total = torch.zeros_like(self.theta)
        for rows in row_blocks(len(J), self.problem.d + theta[0].numel()):
            some = J[rows]
            with torch.enable_grad():
                value = self._values(self._outputs(theta, self.X[some]), self.y[some]).sum()
            total += torch.autograd.grad(value, theta)[0]
        return total

    def state(self, epoch: int) -> EpochState:
        """The state of all lanes, with the measurements on all examples."""
        arrays = {name: slot.cpu().numpy() for name, slot in self.slots.items()}
        with np.errstate(all="ignore"):
            theta = self.theta.cpu().numpy()
            return state_of(self.problem, epoch, theta, arrays, self._measured())

    def _measured(self) -> dict[str, Float[Array, " K"]]:
        """Means over all examples of the loss, and of the numbers from which its score is computed."""
        loss = self.problem.loss
        total: dict[str, Any] = {}
        for rows in row_blocks(self.problem.n, self.theta[0].numel()):
            z, y = self._outputs(self.theta, self.X[rows]), self.y[rows]
            parts = {"loss": self._values(z, y).double().sum(dim=0).cpu().numpy()}
            labels = loss.encode(self.problem.y[rows], self.problem.dtype)
            parts.update(loss.fit(z.cpu().numpy(), labels))
            for name, value in parts.items():
                total[name] = total.get(name, 0.0) + value
        return {name: value / self.problem.n for name, value in total.items()}
