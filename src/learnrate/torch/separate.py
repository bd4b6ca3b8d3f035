"""Lanes one at a time, each a module of its own: for a single lane, and for models that cannot be stacked.

Some models and losses raise an error on numbers that are not finite (`torch.distributions` does). Where
that is a lane's own fault, for the parameters at the start raise none on the same minibatch, the lane has
diverged: it ends there, and the others go on.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from learnrate._shapes import Array, Float
from learnrate.torch.examples import Batch, Examples
from learnrate.torch.lanes import Lanes, Task, Updates, evaluation_blocks
from learnrate.torch.memory import is_out_of_memory
from learnrate.torch.randomness import Stream, reseed

__all__ = ["SeparateLanes", "plain_gradient"]


class _Lane:
    """One learning rate: a module whose parameters and gradients are views of two rows."""

    def __init__(self, task: Task, lrs: Float[Array, " one"]) -> None:
        self.task = task
        self.lr = float(lrs[0])
        self.module = copy.deepcopy(task.module)
        self.theta = task.start_row()[None].clone()
        self.gradient = torch.zeros_like(self.theta)
        task.layout.bind(self.module, self.theta[0], self.gradient[0])
        for name, parameter in self.module.named_parameters():
            parameter.requires_grad_(name in task.layout.names)
        self.updates = Updates(task, self.theta, lrs)
        self.ended: Exception | None = None

    def end(self, error: Exception) -> None:
        """Let this be the last that is heard of the lane."""
        self.ended = error
        self.theta.fill_(torch.nan)

    def backward(self, batch: Batch) -> None:
        """Put the gradient of the minibatch's loss into ``gradient``."""
        inputs, target = batch
        self.gradient.zero_()
        loss = self.task.loss(self.module(*inputs), target)
        loss.reshape(()).backward()  # type: ignore[no-untyped-call]

    def measure(self, batch: Batch) -> Tensor:
        """Each of the task's measures on some examples, (M,)."""
        inputs, target = batch
        with torch.no_grad():
            output = self.module(*inputs)
            values = [f(output, target).reshape(()) for f in self.task.measures.values()]
        return torch.stack(values).to("cpu", torch.float64)


class SeparateLanes(Lanes):
    """Lanes trained one after the other, epoch by epoch; see this module."""

    def __init__(self, task: Task, lrs: Float[Array, " K"]) -> None:
        self._task = task
        self._lanes = [_Lane(task, lrs[k : k + 1]) for k in range(len(lrs))]

    def train(
        self,
        examples: Examples,
        batches: Sequence[Tensor],
        multipliers: Sequence[float],
        epoch: int,
    ) -> None:
        """Visit the minibatches of one epoch in order."""
        for lane in self._lanes:
            if lane.ended is not None:
                continue
            lane.module.train()
            reseed(self._task.device, self._task.seed, Stream.TRAINING, epoch)
            for indices, multiplier in zip(batches, multipliers, strict=True):
                batch = examples.batch(indices)
                try:
                    with torch.enable_grad():
                        lane.backward(batch)
                except Exception as error:
                    if is_out_of_memory(error) or not self._at_the_start(_Lane.backward, batch):
                        raise
                    lane.end(error)
                    break
                with torch.no_grad():
                    lane.updates.step(lane.theta, lane.gradient, multiplier)

    def evaluate(self, examples: Examples) -> Float[Array, "M K"]:
        """Each measure over all examples, in evaluation mode."""
        task = self._task
        total = torch.zeros(len(task.measures), len(self._lanes), dtype=torch.float64)
        for k, lane in enumerate(self._lanes):
            lane.module.eval()
            reseed(task.device, task.seed, Stream.EVALUATION)
            for block in evaluation_blocks(examples, task.evaluated_at_once):
                if lane.ended is not None:
                    total[:, k] = torch.nan
                    break
                batch = examples.batch(block)
                try:
                    total[:, k] += len(block) * lane.measure(batch)
                except Exception as error:
                    if is_out_of_memory(error) or not self._at_the_start(_Lane.measure, batch):
                        raise
                    lane.end(error)
                    total[:, k] = torch.nan
                    break
        return (total / len(examples)).numpy()

    @property
    def ended(self) -> dict[float, Exception]:
        """What ended a lane, by its learning rate."""
        return {lane.lr: lane.ended for lane in self._lanes if lane.ended is not None}

    def _at_the_start(self, do: Callable[[_Lane, Batch], object], batch: Batch) -> bool:
        """Whether a lane with the parameters at the start can do this."""
        lane = _Lane(self._task, torch.ones(1).numpy())
        lane.module.train(do is _Lane.backward)
        try:
            with torch.enable_grad():
                do(lane, batch)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            return False
        return True

    def states(self) -> list[dict[str, Tensor]]:
        """Parameters and buffers of each lane."""
        return [
            {
                name: tensor.detach().cpu().clone()
                for name, tensor in (
                    *self._task.layout.split(lane.theta[0]).items(),
                    *lane.module.named_buffers(),
                )
            }
            for lane in self._lanes
        ]


def plain_gradient(task: Task, batch: Batch, epoch: int = 0) -> Tensor:
    """The gradient (P,) of one lane at the start on a minibatch, by PyTorch's own backward pass."""
    lane = _Lane(task, torch.ones(1).numpy())
    reseed(task.device, task.seed, Stream.TRAINING, epoch)
    lane.module.train()
    with torch.enable_grad():
        lane.backward(batch)
    return lane.gradient[0]
