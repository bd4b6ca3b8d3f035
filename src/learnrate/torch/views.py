"""Stacked lanes moved by the real optimizers: one for each lane, whose parameters are views of the lane's row.

This is for classes that have no stacked rule, and for rates and schedules that are not in proportion to the lane's. Gradients
come from all lanes at once; only the steps are made one lane after the other.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from learnrate._shapes import Array, Float
from learnrate.torch.copying import copy_of
from learnrate.torch.lanes import Task
from learnrate.torch.optimizers import load_state, stacked_states, state_of
from learnrate.torch.pacing import scheduler_of
from learnrate.torch.states import STEPS, Rows
from learnrate.torch.updates import Moves

__all__ = ["Views", "why_no_views"]


def why_no_views(optimizer: torch.optim.Optimizer, closed: bool) -> str | None:
    """Why an optimizer cannot move views: a phrase, or None.

    Parameters
    ----------
    optimizer : Optimizer
    closed : bool
        Whether its step computes the loss again.
    """
    name = type(optimizer).__name__
    if closed:
        return f"its optimizer {name} computes the loss again in a step"
    if any(callable(getattr(optimizer, mode, None)) for mode in ("train", "eval")):
        return f"its optimizer {name} keeps other parameters in evaluation than in training"
    return None


class Views(Moves):
    """An optimizer of the user's own for each of the lanes ``θ`` (K, P)."""

    def __init__(
        self, task: Task, theta: Tensor, lrs: Float[Array, " K"], *, scheduled: bool = True
    ) -> None:
        self._names, self._sizes = task.layout.names, task.layout.sizes
        self._lanes: list[dict[str, nn.Parameter]] = []
        self._optimizers: list[torch.optim.Optimizer] = []
        self._rows = list(theta)
        for row, lr in zip(self._rows, lrs, strict=True):
            like = copy_of(task.whole, task.fixed)
            own = dict(like.named_parameters())
            self._lanes.append({name: own[name] for name in self._names})
            self._tie(self._lanes[-1], row)
            self._optimizers.append(task.chosen.build(like, float(lr)))
        self._rates = [[group["lr"] for group in o.param_groups] for o in self._optimizers]
        self._schedulers: list[Any] = []
        if scheduled and task.options.scheduler is not None:
            self._schedulers = [
                scheduler_of(task.options.scheduler, optimizer) for optimizer in self._optimizers
            ]
        self._changed = False
        self.without = set(self._names)

    def _tie(self, parameters: Mapping[str, nn.Parameter], row: Tensor) -> None:
        """Let parameters be views of a row, which keeps its values."""
        pieces = torch.split(row, self._sizes)
        for name, piece in zip(self._names, pieces, strict=True):
            p = parameters[name]
            p.data = piece.view(p.shape)

    def step(self, theta: Tensor, gradients: Sequence[Tensor], multiplier: float) -> None:
        """Change ``θ`` in place by one step at the rates ``s_t η``; see `Moves.step`."""
        there = [g.numel() > 0 or not size for g, size in zip(gradients, self._sizes, strict=True)]
        self.without -= {name for name, has in zip(self._names, there, strict=True) if has}
        paced = not self._schedulers and (multiplier != 1.0 or self._changed)
        self._changed |= paced
        for k, (parameters, optimizer) in enumerate(
            zip(self._lanes, self._optimizers, strict=True)
        ):
            for p, g, has in zip(parameters.values(), gradients, there, strict=True):
                p.grad = g[k].view(p.shape) if has else None
            if paced:
                for group, lr in zip(optimizer.param_groups, self._rates[k], strict=True):
                    group["lr"] = lr * multiplier
            with torch.enable_grad():  # as outside; a step turns it off by itself
                optimizer.step()
            self._written_back(parameters, self._rows[k])
            if self._schedulers:
                self._schedulers[k].step()

    def _written_back(self, parameters: Mapping[str, nn.Parameter], row: Tensor) -> None:
        """Bring what was put in the place of a view into the row."""
        pieces = torch.split(row, self._sizes)
        for (name, p), piece in zip(parameters.items(), pieces, strict=True):
            if p.data_ptr() != piece.data_ptr():
                piece.copy_(p.detach().reshape(-1))
                parameters[name].data = piece.view(p.shape)

    def rows(self, which: slice) -> Iterator[tuple[str, Rows]]:
        """The state of the optimizers; see `Moves.rows`."""
        pairs = zip(self._optimizers[which], self._lanes[which], strict=True)
        yield from stacked_states([state_of(o, own, self.without) for o, own in pairs])

    def load(self, kinds: Mapping[str, Mapping[str, Array]], steps: int) -> None:
        """Go to where optimizers were; see `Moves.load`."""
        for k, (parameters, optimizer) in enumerate(
            zip(self._lanes, self._optimizers, strict=True)
        ):
            of_lane = {
                kind: {name: array[min(k, len(array) - 1)] for name, array in named.items()}
                for kind, named in kinds.items()
            }
            load_state(optimizer, parameters, of_lane)
        self.without = {name for name, taken in kinds[STEPS].items() if not taken.any()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the optimizer's steps were made elsewhere
            for scheduler in self._schedulers:
                for _ in range(steps):
                    scheduler.step()

    def unmoved(self) -> set[str]:
        """Names of the parameters that no minibatch gave a gradient."""
        return self.without
