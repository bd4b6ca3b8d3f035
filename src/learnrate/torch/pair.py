"""A real lane, which is a copy of the user's module with the real `torch.optim` class, and stacked ones beside it.

Both visit the same minibatches with the same draws. What comes out must be the same but for rounding: which
parameters have a gradient, the gradients, the buffers, and the step that the optimizer makes of the same gradients.
Gradients are compared before the step, since Adam's turns the rounding of a gradient that is zero into a whole step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from learnrate._shapes import Array
from learnrate.torch.batches import copied
from learnrate.torch.failures import why_not_stacked
from learnrate.torch.kept import changed, kept_state
from learnrate.torch.lanes import Task
from learnrate.torch.memory import is_out_of_memory
from learnrate.torch.randomness import draws, remembered
from learnrate.torch.separate import SeparateLanes
from learnrate.torch.stacked import StackedLanes, StackedSteps, add_gradients
from learnrate.torch.trace import COARSE, NOISE, close, first_apart

__all__ = ["Pair"]

_ROUNDING = {torch.float64: 1e-6, torch.float32: 1e-3}
"""Tolerance for the step of an optimizer; some classes keep a part of their state in float32."""
_GRADIENTS = 150.0
"""Rounding errors of gradients under autocast, as a multiple of those in float32, beside the whole gradient: where rounding
turns off a ReLU, a gradient changes by several percent. Gradients are compared in full precision first."""
_BESIDE = 1.01
"""The parameters of the other lanes are those of the first, times this number."""


class Pair:
    """A real lane and stacked ones, of which all but the first are there only to be stacked.

    Parameters
    ----------
    task : Task
        What is trained.
    steps : StackedSteps
        How stacked lanes make their steps.
    lr : float
        Learning rate.
    K : int
        How many lanes to stack.
    start : mapping, optional
        Arrays of one lane, from which to go on, without the schedule.

    Attributes
    ----------
    lane : Lane
        The real one.
    drawn : bool
        Whether a step has drawn random numbers.
    """

    def __init__(
        self,
        task: Task,
        steps: StackedSteps,
        lr: float,
        K: int,
        start: Mapping[str, Array] | None = None,
    ) -> None:
        self._task, self._steps, lrs = task, steps, np.full(K, lr)
        real = SeparateLanes(task, lrs[:1], scheduled=start is None)
        self._stacked = StackedLanes(task, lrs, steps, scheduled=start is None)
        if start is not None:
            real.load(start, 0, [""])
            self._stacked.load(start, 0, [""])
        self.lane, self.drawn = real.lanes[0], False
        self.lane.whole.train()
        steps.whole.train()
        self._coarse = 1.0 if task.whole.precision is None else COARSE

    def step(self, group: Sequence[Any], multiplier: float) -> tuple[float, str | None]:
        """Make one step with some minibatches at the rate ``s_t η``.

        Returns
        -------
        loss, reason
            The real lane's loss; and what differs, None if nothing does.
        """
        lane, stacked, device = self.lane, self._stacked, self._task.device
        row = self._row()
        stacked.theta.copy_(row)
        stacked.theta[1:] *= _BESIDE
        if self._steps.buffers:
            named, K = dict(lane.whole.named_buffers()), len(stacked.theta)
            stacked.buffers = [torch.stack([named[n]] * K) for n in self._steps.buffers]
        lane.optimizer.zero_grad()
        own, others, total = [], [], list[Tensor]()
        for batch in group:
            renew, before = remembered(device), draws(device)
            with torch.enable_grad():
                own.append(lane.backward(copied(batch), 1 / len(group)))
            self.drawn |= not all(map(torch.equal, before, draws(device)))
            if self.drawn or self._task.probe.draws_in_python:
                renew()
            try:
                with torch.no_grad():
                    losses, found, stacked.buffers = stacked.gradients(copied(batch))
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                return float(torch.stack(own).mean()), why_not_stacked(error, "it")
            others.append(losses[0])
            total = add_gradients(total, found) if total else found
        if len(group) > 1:
            total = [g / len(group) for g in total]
        reason = self._differing(torch.stack(others), torch.stack(own), total)
        if reason is None and self._fed is not None:
            reason = self._moved_otherwise(row, multiplier)
        return float(torch.stack(own).mean()), reason

    def _row(self) -> Tensor:
        """The real lane's parameters, (P,)."""
        return torch.cat([p.detach().reshape(-1) for p in self.lane.parameters.values()])

    def _differing(
        self, losses: Tensor, own_losses: Tensor, gradients: Sequence[Tensor]
    ) -> str | None:
        """What differs before the optimizer's step; the real gradient is kept for it, if it is finite."""
        names, own, coarse = self._task.layout.names, self.lane.parameters, self._coarse
        self._fed: list[Tensor] | None = None
        for name, rows in zip(names, gradients, strict=True):
            if own[name].numel() and (own[name].grad is None) == bool(rows.numel()):
                return f"stacked, its parameter {_short(name)!r} has a gradient in other steps"
        pairs = [(n, g) for n, g in zip(names, gradients, strict=True) if own[n].grad is not None]
        real = [own[n].grad.flatten().clone() for n, _ in pairs]  # type: ignore[union-attr]  # a step may change it
        sizes = torch.stack(torch._foreach_norm(real) or [losses.new_zeros(())])
        if not bool(torch.isfinite(sizes).all()):
            return None
        if not close(losses, own_losses, coarse=coarse):
            return "its stacked loss differs from its own"
        exact = coarse == 1.0
        beside = (NOISE if exact else 1.0) * float(sizes.norm())
        stacked = [g[0] for _, g in pairs]
        off = first_apart(stacked, real, sizes, beside, 1.0 if exact else _GRADIENTS)
        if off is not None:
            return f"its stacked gradient differs from its own (that of {_short(pairs[off][0])!r})"
        after, buffers = dict(self.lane.whole.named_buffers()), self._stacked.buffers
        for name, buffer in zip(self._steps.buffers, buffers, strict=True):
            if not close(buffer[0], after[name], coarse=coarse):
                return f"its stacked buffer {_short(name)!r} differs from its own"
        fed = {
            n: g.expand(len(self._stacked.theta), -1) for (n, _), g in zip(pairs, real, strict=True)
        }
        self._fed = [fed.get(n, g) for n, g in zip(names, gradients, strict=True)]
        return None

    def _moved_otherwise(self, row: Tensor, multiplier: float) -> str | None:
        """Let both optimizers make their step of the real gradient."""
        assert self._fed is not None
        self.lane.step(multiplier)
        with torch.no_grad():
            self._stacked.move(self._fed, multiplier)
            now = self._row()
            off, moved = (self._stacked.theta[0] - now).norm(), (now - row).norm()
            tolerance = _ROUNDING.get(row.dtype, 1e-3)
            if bool(off <= tolerance * moved + torch.finfo(row.dtype).eps * 4 * row.norm()):
                return None
        return "its stacked optimizer's step differs from that of the class in torch.optim"

    def evaluation(self, batch: Any) -> str | None:
        """Why stacked lanes cannot be measured, None if they can."""
        whole, part = self._steps.whole.eval(), "it in evaluation mode"
        renew = remembered(self._task.device)
        with torch.set_grad_enabled(self._task.probe.evaluated_with_gradients):
            own = self.lane.whole.eval().run(copied(batch))[0].detach()
        renew()
        self._stacked.theta[0] = self._row()
        names, before = whole.metric_names, kept_state(whole)
        try:
            for name in whole.measures:
                if name != "loss":
                    part = f"the metric {name!r}"
                whole.metric_names = () if name == "loss" else (name,)
                with torch.no_grad():
                    buffers = [rows[:2] for rows in self._stacked.buffers]
                    found = StackedSteps(self._task, apart=self._steps.apart).measures(
                        self._stacked.theta[:2], buffers, copied(batch)
                    )
                if name == "loss" and not close(found[0][0], own, coarse=self._coarse):
                    return "in evaluation mode its stacked loss differs from its own"
        except Exception as error:
            if is_out_of_memory(error):
                raise
            return why_not_stacked(error, part)
        finally:
            whole.metric_names = names
        different = changed(before, kept_state(whole))
        if not different:
            return None
        return f"in evaluation state is kept outside of buffers: {different[0]}"


def _short(name: str) -> str:
    return name.removeprefix("model.")
