"""Lanes being trained: what stacked lanes and lanes one at a time have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from learnrate._shapes import Array, Float
from learnrate.torch.examples import Examples
from learnrate.torch.layout import Layout
from learnrate.torch.losses import LossFunction
from learnrate.torch.optimizers import Optimizer, State
from learnrate.torch.probe import Probe

__all__ = ["Lanes", "Task", "Updates"]


@dataclass(frozen=True, eq=False)
class Task:
    """What all lanes of a seed have in common.

    Attributes
    ----------
    module : nn.Module
        Where they start from, on the device.
    layout : Layout
        Its trained parameters.
    seed : int
        Decides order and draws.
    loss : LossFunction
        Trained on.
    measures : mapping
        What is evaluated, by name: the loss first, then the metrics.
    optimizer, options
        The update rule and all its options.
    probe : Probe
        What a first pass showed.
    evaluated_at_once : int
        Examples in one evaluation; the same however many lanes are trained at once.
    """

    module: nn.Module
    layout: Layout
    seed: int
    loss: LossFunction
    measures: Mapping[str, LossFunction]
    optimizer: Optimizer
    options: Mapping[str, Any]
    probe: Probe
    evaluated_at_once: int

    @property
    def device(self) -> torch.device:
        """Where lanes are trained."""
        return next(self.module.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """What lanes are trained in."""
        return self.start_row().dtype

    def start_row(self) -> Tensor:
        """The parameters at the start, (P,)."""
        return self.layout.join(self.module)


class Updates:
    """An optimiser's rule with its memory, for the lanes ``θ`` (K, P) at the rates ``η`` (K,)."""

    def __init__(self, task: Task, theta: Tensor, lrs: Float[Array, " K"]) -> None:
        self._task = task
        self._lrs = torch.as_tensor(lrs, device=theta.device)[:, None]
        self._state: State = [torch.zeros_like(theta) for _ in range(task.optimizer.memory)]
        self._t = 0

    def step(self, theta: Tensor, gradient: Tensor, multiplier: float) -> None:
        """Change ``θ`` in place by one step at the rates ``s_t η``."""
        self._t += 1
        lr = (self._lrs * multiplier).to(theta.dtype)
        self._task.optimizer.rule(theta, gradient, self._state, lr, self._t, self._task.options)


class Lanes(ABC):
    """Some lanes of one seed, in training."""

    @abstractmethod
    def train(
        self,
        examples: Examples,
        batches: Sequence[Tensor],
        multipliers: Sequence[float],
        epoch: int,
    ) -> None:
        """Visit the minibatches of one epoch in order; ``epoch`` counts from 0."""

    @abstractmethod
    def evaluate(self, examples: Examples) -> Float[Array, "M K"]:
        """Each of the task's measures over all examples, in evaluation mode."""

    @abstractmethod
    def states(self) -> list[dict[str, Tensor]]:
        """Trained parameters and buffers of each lane, by name, on the CPU."""


def evaluation_blocks(examples: Examples, at_once: int) -> tuple[Tensor, ...]:
    """Numbers of all examples, in blocks."""
    return torch.split(torch.arange(len(examples)), at_once)
