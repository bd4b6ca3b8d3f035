"""All lanes in one vectorised run: ``vmap`` over lanes of the gradient of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap

from learnrate._shapes import Array, Float
from learnrate.torch.examples import Batch, Examples
from learnrate.torch.failures import short
from learnrate.torch.lanes import Lanes, Task, Updates, evaluation_blocks
from learnrate.torch.memory import is_out_of_memory
from learnrate.torch.randomness import Stream, draws, reseed
from learnrate.torch.separate import plain_gradient
from learnrate.torch.trace import Traced, close

__all__ = ["StackedLanes", "StackedSteps", "why_not_stacked"]

_CHECKS = 6
"""How often the stacked gradient of a model with random draws is compared with its own."""


class _WithBuffers(nn.Module):
    """Calls a module and returns its buffers too, as they are after the call."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> tuple[Any, dict[str, Tensor]]:
        output = self.module(*inputs)
        return output, dict(self.module.named_buffers())


class StackedSteps:
    """The gradient step and the evaluation of one lane, vectorised over lanes.

    Both take ``θ`` (K, P), the K lanes' buffers, the model's inputs and the target, all as plain tensors.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._model = _WithBuffers(task.module)
        self.buffers = tuple(name for name, _ in task.module.named_buffers())
        kept = {"device": task.device, "worthwhile": not task.probe.draws_in_python}
        self.gradient = Traced(self._gradient, **kept)  # type: ignore[arg-type]
        self.measures = Traced(self._measures, **kept)  # type: ignore[arg-type]

    def _call(self, row: Tensor, buffers: Sequence[Tensor], inputs: Sequence[Tensor]) -> Any:
        # Modules change buffers in place: they get copies, so that a step has no effect but its values.
        named = {n: b.clone() for n, b in zip(self.buffers, buffers, strict=True)}
        state = {
            f"module.{name}": tensor
            for name, tensor in {**self._task.layout.split(row), **named}.items()
        }
        return functional_call(self._model, state, tuple(inputs))

    def _gradient(self, theta: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """Gradients (K, P) of every lane's loss, and its buffers after the step."""

        def loss(row: Tensor, buffers: Sequence[Tensor], *batch: Tensor) -> Any:
            output, after = self._call(row, buffers, batch[:-1])
            value = self._task.loss(output, batch[-1])
            return value.reshape(()), [after[name] for name in self.buffers]

        buffers, batch = rest[: len(self.buffers)], rest[len(self.buffers) :]
        dims = (0, [0] * len(buffers), *[None] * len(batch))
        step = vmap(grad_and_value(loss, has_aux=True), in_dims=dims, randomness="same")
        gradient, (_, after) = step(theta, list(buffers), *batch)
        return gradient, *after

    def _measures(self, theta: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """Loss and metrics (K,) of every lane."""

        def measure(row: Tensor, buffers: Sequence[Tensor], *batch: Tensor) -> list[Tensor]:
            output, _ = self._call(row, buffers, batch[:-1])
            return [f(output, batch[-1]).reshape(()) for f in self._task.measures.values()]

        buffers, batch = rest[: len(self.buffers)], rest[len(self.buffers) :]
        dims = (0, [0] * len(buffers), *[None] * len(batch))
        return tuple(vmap(measure, in_dims=dims, randomness="same")(theta, list(buffers), *batch))


class StackedLanes(Lanes):
    """Lanes whose parameters are the rows of one matrix; see this module."""

    def __init__(self, task: Task, lrs: Float[Array, " K"], steps: StackedSteps) -> None:
        K = len(lrs)
        self._task = task
        self._steps = steps
        self._theta = task.start_row().repeat(K, 1)
        buffers = dict(task.module.named_buffers())
        self._buffers = [
            buffers[name].detach().expand(K, *buffers[name].shape).clone() for name in steps.buffers
        ]
        self._updates = Updates(task, self._theta, lrs)

    def train(
        self,
        examples: Examples,
        batches: Sequence[Tensor],
        multipliers: Sequence[float],
        epoch: int,
    ) -> None:
        """Visit the minibatches of one epoch in order."""
        self._task.module.train()
        reseed(self._task.device, self._task.seed, Stream.TRAINING, epoch)
        with torch.no_grad():  # torch.func differentiates all the same
            for indices, multiplier in zip(batches, multipliers, strict=True):
                inputs, target = examples.batch(indices)
                gradient, *self._buffers = self._steps.gradient(
                    self._theta, *self._buffers, *inputs, target
                )
                self._updates.step(self._theta, gradient, multiplier)

    def evaluate(self, examples: Examples) -> Float[Array, "M K"]:
        """Each measure over all examples, in evaluation mode."""
        task = self._task
        task.module.eval()
        reseed(task.device, task.seed, Stream.EVALUATION)
        total = torch.zeros(len(task.measures), len(self._theta), dtype=torch.float64)
        with torch.no_grad():
            for block in evaluation_blocks(examples, task.evaluated_at_once):
                inputs, target = examples.batch(block)
                values = self._steps.measures(self._theta, *self._buffers, *inputs, target)
                total += len(block) * torch.stack(values).to("cpu", torch.float64)
        return (total / len(examples)).numpy()

    def states(self) -> list[dict[str, Tensor]]:
        """Parameters and buffers of each lane."""
        theta = self._theta.cpu()
        buffers = dict(zip(self._steps.buffers, (b.cpu() for b in self._buffers), strict=True))
        return [
            {
                **{name: value.clone() for name, value in self._task.layout.split(row).items()},
                **{name: buffer[k].clone() for name, buffer in buffers.items()},
            }
            for k, row in enumerate(theta)
        ]


def why_not_stacked(task: Task, steps: StackedSteps, batch: Batch) -> str | None:
    """Why a model has to be trained one lane at a time; None if its lanes can be stacked.

    Two equal lanes are stacked on one minibatch, and must give the plain gradient twice: what `vmap`
    refuses is found here, and what it would get wrong too. A model with random draws has to do so
    several times: masks that differ may look alike once.

    Parameters
    ----------
    task : Task
        What is trained.
    steps : StackedSteps
        Its steps.
    batch : Batch
        A minibatch.
    """
    if task.probe.keeps_state:
        return "the model keeps state outside its buffers (register_buffer would let it be stacked)"
    inputs, target = batch
    before = None
    for epoch in range(_CHECKS):
        reseed(task.device, task.seed, Stream.TRAINING, epoch)
        before = draws(task.device)
        gradient = plain_gradient(task, _copy(batch), epoch)
        after = draws(task.device)
        lanes = StackedLanes(task, torch.ones(2).numpy(), steps)
        reseed(task.device, task.seed, Stream.TRAINING, epoch)
        task.module.train()
        part = "it"
        try:
            with torch.no_grad():
                inputs, target = _copy(batch)
                stacked, *_ = steps._gradient(lanes._theta, *lanes._buffers, *inputs, target)
                if not all(close(row, gradient) for row in stacked):
                    return "its stacked gradient differs from its own"
                task.module.eval()
                for name, measure in task.measures.items() if epoch == 0 else ():
                    part = "it in evaluation mode" if name == "loss" else f"the metric {name!r}"
                    inputs, target = _copy(batch)
                    alone = StackedSteps(replace(task, measures={name: measure}))
                    alone._measures(lanes._theta, *lanes._buffers, *inputs, target)
        except Exception as error:
            if is_out_of_memory(error):
                return "memory ran out with two of them stacked"
            return f"vmap cannot stack {part}: {_reason(error)}"
        finally:
            task.module.train()
        if all(map(torch.equal, before, after)):
            break
    return None


def _copy(batch: Batch) -> Batch:
    """A minibatch that a model may change."""
    inputs, target = batch
    return tuple(tensor.clone() for tensor in inputs), target.clone()


def _reason(error: Exception) -> str:
    """What `vmap` complains of; at its most usual complaint it goes on for half a page."""
    if "calling .item() on a Tensor" in str(error):
        return "a value decides what is done (an if, or .item()), and lanes differ in it"
    sentence = short(error, 150).removeprefix("vmap: ").split(". ")[0]
    return sentence.rstrip(".")
