"""Lanes one at a time, each a module of its own: for a single lane, and for models that cannot be stacked."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from learnrate._shapes import Array, Float
from learnrate.torch.examples import Batch, Examples
from learnrate.torch.lanes import Lanes, Task, Updates, evaluation_blocks
from learnrate.torch.randomness import Stream, reseed

__all__ = ["SeparateLanes", "plain_gradient"]


class _Lane:
    """One learning rate: a module whose parameters and gradients are views of two rows."""

    def __init__(self, task: Task, lrs: Float[Array, " one"]) -> None:
        self.task = task
        self.module = copy.deepcopy(task.module)
        self.theta = task.start_row()[None].clone()
        self.gradient = torch.zeros_like(self.theta)
        task.layout.bind(self.module, self.theta[0], self.gradient[0])
        for name, parameter in self.module.named_parameters():
            parameter.requires_grad_(name in task.layout.names)
        self.updates = Updates(task, self.theta, lrs)

    def backward(self, batch: Batch) -> None:
        """Put the gradient of the minibatch's loss into ``gradient``."""
        inputs, target = batch
        self.gradient.zero_()
        loss = self.task.loss(self.module(*inputs), target)
        loss.reshape(()).backward()  # type: ignore[no-untyped-call]


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
            lane.module.train()
            reseed(self._task.device, self._task.seed, Stream.TRAINING, epoch)
            for indices, multiplier in zip(batches, multipliers, strict=True):
                with torch.enable_grad():
                    lane.backward(examples.batch(indices))
                with torch.no_grad():
                    lane.updates.step(lane.theta, lane.gradient, multiplier)

    def evaluate(self, examples: Examples) -> Float[Array, "M K"]:
        """Each measure over all examples, in evaluation mode."""
        task = self._task
        total = torch.zeros(len(task.measures), len(self._lanes), dtype=torch.float64)
        for k, lane in enumerate(self._lanes):
            lane.module.eval()
            reseed(task.device, task.seed, Stream.EVALUATION)
            with torch.no_grad():
                for block in evaluation_blocks(examples, task.evaluated_at_once):
                    inputs, target = examples.batch(block)
                    output = lane.module(*inputs)
                    values = [f(output, target).reshape(()) for f in task.measures.values()]
                    total[:, k] += len(block) * torch.stack(values).to("cpu", torch.float64)
        return (total / len(examples)).numpy()

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


def plain_gradient(task: Task, batch: Batch) -> Tensor:
    """The gradient (P,) of one lane at the start on a minibatch, by PyTorch's own backward pass."""
    lane = _Lane(task, torch.ones(1).numpy())
    reseed(task.device, task.seed, Stream.TRAINING)
    lane.module.train()
    with torch.enable_grad():
        lane.backward(batch)
    return lane.gradient[0]
