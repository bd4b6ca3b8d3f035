"""What moves stacked lanes: an optimizer's rule on all rows; a parameter without a gradient is skipped."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from learnrate._shapes import Array, Float
from learnrate.torch.lanes import Task
from learnrate.torch.states import STEPS, Rows, joined, taken_apart
from learnrate.training.optimizers.arrays import Step, TorchOperations

__all__ = ["Moves", "Updates"]

_OPERATIONS = TorchOperations()


class Moves(ABC):
    """Moves the lanes ``θ`` (K, P) by an optimizer, whose state it keeps."""

    @abstractmethod
    def step(self, theta: Tensor, gradients: Sequence[Tensor], multiplier: float) -> None:
        """Change ``θ`` in place by one step at the rates ``s_t η``.

        Parameters
        ----------
        theta : Tensor, (K, P)
        gradients : sequence of Tensor, (K, P_j) each
            One for each parameter; without numbers where there is none.
        multiplier : float
            ``s_t``.
        """

    @abstractmethod
    def rows(self, which: slice) -> Iterator[tuple[str, Rows]]:
        """The state of some lanes, with names as in `learnrate.torch.states`."""

    @abstractmethod
    def load(self, kinds: Mapping[str, Mapping[str, Array]], steps: int) -> None:
        """Go to where lanes were that had taken so many steps; all go to where a single one was."""

    @abstractmethod
    def unmoved(self) -> set[str]:
        """Names of the parameters that no minibatch gave a gradient."""


class Updates(Moves):
    """The rule for the lanes ``θ`` (K, P) at the rates ``η`` (K,).

    As in `torch.optim`, a parameter without a gradient takes no step: no decay, no state, and it does not count.
    Whether it has one is a matter of the graph, which all stacked lanes share.

    Attributes
    ----------
    state : dict from str to Tensor, (K, P)
        Optimizer state by slot.
    taken : list of int
        Steps that each parameter has taken.
    """

    def __init__(self, task: Task, theta: Tensor, lrs: Float[Array, " K"]) -> None:
        self._lrs = torch.as_tensor(lrs, device=theta.device)[:, None]
        self._layout, self._sizes = task.layout, task.layout.sizes
        assert task.rules is not None
        self._rules = task.rules
        slots = [slot for rule in task.rules for slot in rule.row.slots(rule.options)]
        self.state = {name: torch.zeros_like(theta) for name in dict.fromkeys(slots)}
        self.taken = [0] * len(self._sizes)

    def step(self, theta: Tensor, gradients: Sequence[Tensor], multiplier: float) -> None:
        """Change ``θ`` in place by one step at the rates ``s_t η``; see `Moves.step`."""
        lr = (self._lrs * multiplier).to(theta.dtype)
        begin = first = 0
        for j, gradient in enumerate(gradients):
            end = begin + sum(self._sizes[first : j + 1])
            if not gradient.numel() and self._sizes[j]:
                begin, first = end, j + 1
                continue
            self.taken[j] += 1
            rule, after = self._rules[j], j + 1
            if (
                after < len(gradients)
                and gradients[after].numel()
                and self.taken[after] + 1 == self.taken[j]
                and (self._rules[after] is rule or self._rules[after] == rule)
            ):
                continue  # the next one takes the same step
            g = gradients[first] if first == j else torch.cat(list(gradients[first : j + 1]), dim=1)
            state = {name: rows[:, begin:end] for name, rows in self.state.items()}
            step = Step(state, lr * rule.ratio, self.taken[j], rule.options)
            rule.row.rule(_OPERATIONS, theta[:, begin:end], g, step)
            begin, first = end, j + 1

    def rows(self, which: slice) -> Iterator[tuple[str, Rows]]:
        """The state of some lanes; see `Moves.rows`."""
        for slot, rows in self.state.items():
            yield from taken_apart(self._layout, slot, rows[which])
        for name, taken in zip(self._layout.names, self.taken, strict=True):
            yield f"{STEPS} {name}", np.full(len(self._lrs[which]), taken, np.float32)

    def load(self, kinds: Mapping[str, Mapping[str, Array]], steps: int) -> None:
        """Go to where lanes were; see `Moves.load`."""
        for slot, rows in self.state.items():
            rows.copy_(joined(self._layout, kinds[slot], rows))
        self.taken = [int(kinds[STEPS][name][0]) for name in self._layout.names]

    def unmoved(self) -> set[str]:
        """Names of the parameters that no minibatch gave a gradient."""
        pairs = zip(self._layout.names, self.taken, strict=True)
        return {name for name, taken in pairs if not taken}
