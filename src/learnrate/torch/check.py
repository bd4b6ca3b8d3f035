"""Stacked lanes against the user's own training: a copy of the real module and the real `torch.optim` class.

Both visit the same minibatches with the same draws. What comes out must be the same but for rounding: which
parameters have a gradient, the gradients, the buffers, and the step that the optimizer makes of the same gradients.
Gradients are compared before the step, since Adam's turns the rounding of a gradient that is zero into a whole step.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from learnrate._shapes import Array, Float
from learnrate.errors import OptionError
from learnrate.torch.batches import copied
from learnrate.torch.copying import copy_of
from learnrate.torch.examples import Examples
from learnrate.torch.failures import short
from learnrate.torch.kept import changed, kept_state
from learnrate.torch.lane import Lane
from learnrate.torch.lanes import Lanes, Task
from learnrate.torch.measuring import means_alike, measures_of
from learnrate.torch.memory import is_out_of_memory
from learnrate.torch.randomness import Stream, draws, remembered
from learnrate.torch.separate import SeparateLanes
from learnrate.torch.stacked import StackedLanes, StackedSteps
from learnrate.torch.states import copied as copied_rows
from learnrate.torch.trace import close

__all__ = ["Check", "Differs", "MeasuredOtherwise", "SharedChanged", "why_not_stacked"]

_ROUNDING = {torch.float64: 1e-6, torch.float32: 1e-3}
"""Of an optimizer's step; some classes keep a part of their state in float32."""
_NOISE = 1e-2
"""The share of the whole gradient's size that is added to a parameter's, for what should be 0 and is rounding."""
_BLOCK = 8
"""Minibatches in a block that is measured once more."""
_COARSE = 30.0
"""Rounding in bfloat16 and float16, in that of float32."""
_DRAWN = 6
"""At least so many steps where there are random draws: masks that differ may look alike once."""
_BESIDE = 1.01
"""The other lane's parameters, as a multiple."""


def why_not_stacked(
    task: Task,
    steps: StackedSteps,
    examples: Examples,
    batches: Sequence[Tensor],
    lr: float,
    start: Mapping[str, Array] | None = None,
    K: int = 2,
) -> str | None:
    """Why lanes have to be trained one at a time; None if stacked ones are the real training.

    Parameters
    ----------
    task : Task
        What is trained.
    steps : StackedSteps
        Its steps.
    examples : Examples
        Trained on.
    batches : sequence of Tensor
        The numbers of some minibatches; one step is made with each.
    lr : float
        Learning rate.
    start : mapping, optional
        Arrays of one lane, from which to go on.
    K : int
        How many lanes to stack; all but the first are there only to be stacked.
    """
    reason = task.why_separate()
    if reason is not None:
        return reason
    lrs, drawn = np.full(K, lr), False
    alone = SeparateLanes(task, lrs[:1], scheduled=False)
    stacked = StackedLanes(task, lrs, steps, scheduled=False)
    if start is not None:
        alone.load(start, 0, [""])
        stacked.load(start, 0, [""])
    for number in range(max(_DRAWN if start is None else 0, len(batches))):
        if number >= len(batches) and not drawn:
            break
        examples.renew(task.device, task.seed, Stream.TRAINING, number)
        before = draws(task.device)
        batch = examples.batch(batches[number % len(batches)])
        reason = _step(task, steps, alone.lanes[0], stacked, batch)
        if reason is not None:
            return reason
        drawn = not all(map(torch.equal, before, draws(task.device)))
    if start is not None:  # at the end lanes have been evaluated before
        return None
    return _evaluation(task, steps, stacked, examples.batch(batches[0]))


def _step(
    task: Task,
    steps: StackedSteps,
    lane: Lane,
    stacked: StackedLanes,
    batch: Any,
) -> str | None:
    """One step of both, and what differs."""
    layout = task.layout
    row = layout.join(lane.whole)
    K = len(stacked.theta)
    stacked.theta.copy_(torch.stack([row] + [_BESIDE * row] * (K - 1)))
    named = dict(lane.whole.named_buffers())
    stacked.buffers = [torch.stack([named[n]] * K).clone() for n in steps.buffers]
    renew = remembered(task.device)
    lane.whole.train()
    lane.optimizer.zero_grad()
    with torch.enable_grad():
        own_loss = lane.backward(copied(batch))
    renew()
    steps.whole.train()
    try:
        with torch.no_grad():
            losses, gradients, buffers = stacked.gradients(copied(batch))
    except Exception as error:
        return _reason(error, "it")
    fed: list[Tensor] = []
    for name, shape, found in zip(layout.names, layout.shapes, gradients, strict=True):
        own = lane.parameters[name].grad
        if shape.numel() and (own is None) == bool(found.numel()):
            return f"stacked, its parameter {_short(name)!r} has a gradient in other steps"
        fed.append(found if own is None else own.detach().reshape(1, -1).repeat(K, 1))
    if not all(bool(torch.isfinite(g[0]).all()) for g in fed):
        return None
    coarse = 1.0 if task.whole.precision is None else _COARSE
    if not close(losses[0], own_loss, coarse=coarse):
        return "its stacked loss differs from its own"
    size = float(torch.cat([g[0] for g in fed]).norm())
    for name, found, real in zip(layout.names, gradients, fed, strict=True):
        if not close(found[0], real[0], beside=_NOISE * size, coarse=coarse):
            return f"its stacked gradient differs from its own (that of {_short(name)!r})"
    after = dict(lane.whole.named_buffers())
    for name, buffer in zip(steps.buffers, buffers, strict=True):
        if not close(buffer[0], after[name], coarse=coarse):
            return f"its stacked buffer {_short(name)!r} differs from its own"
    lane.step(1.0)
    with torch.no_grad():
        stacked.move(fed, 1.0)
        moved = layout.join(lane.whole) - row
        tolerance = _ROUNDING.get(row.dtype, 1e-3)
        off = (stacked.theta[0] - row - moved).norm()
        if not bool(off <= tolerance * moved.norm() + torch.finfo(row.dtype).eps * 4 * row.norm()):
            return "its stacked optimizer's step differs from that of the class in torch.optim"
    return None


def _evaluation(task: Task, steps: StackedSteps, stacked: StackedLanes, batch: Any) -> str | None:
    steps.whole.eval()
    names, part = steps.whole.metric_names, "it in evaluation mode"
    before = kept_state(steps.whole)
    try:
        for name in steps.whole.measures:
            if name != "loss":
                part = f"the metric {name!r}"
            steps.whole.metric_names = () if name == "loss" else (name,)
            with torch.no_grad():
                StackedSteps(task).measures(stacked.theta, stacked.buffers, copied(batch))
    except Exception as error:
        return _reason(error, part)
    finally:
        steps.whole.metric_names = names
    now = kept_state(steps.whole)
    different = changed(before, now)
    if different:
        return (
            f"in evaluation the model or a metric keeps state outside its buffers: {different[0]}"
        )
    return None


def _short(name: str) -> str:
    return name.removeprefix("model.")


def _reason(error: Exception, part: str) -> str:
    """What `vmap` complains of; at its most usual complaint it goes on for half a page."""
    if is_out_of_memory(error):
        return "memory ran out with two of them stacked"
    if any(
        words in str(error)
        for words in ("calling .item() on a Tensor", "data-dependent control flow")
    ):
        reason = "a value decides what is done (an if, or .item()), and lanes differ in it"
    else:
        reason = short(error, 150).removeprefix("vmap: ").split(". ")[0].rstrip(".")
    return f"vmap cannot stack {part}: {reason}"


class Differs(Exception):  # noqa: N818  # it tells of a way, not of an error
    """Lanes that have been trained are not the real training."""


class MeasuredOtherwise(Differs):
    """Lanes are measured in blocks, which are not the mean of their minibatches."""


class SharedChanged(Differs):
    """A lane has changed what all hold together."""


class Check:
    """The lanes of a seed against the real training, at the start and at the end.

    Parameters
    ----------
    task : Task
    examples : Examples
        Trained on.
    batches : sequence of Tensor
        The numbers of the first minibatches of the first epoch.
    multipliers : sequence of float
        ``s_t`` of the first steps, each of which accumulates minibatches where that is asked for.
    stops : sequence of int
        Steps after which lanes are measured.
    lrs : array, shape (K,)
        Learning rates of the lanes.
    measured : Examples, optional
        Those that are measured on in blocks.

    Raises
    ------
    OptionError
        If a training does not come out the same when it is made again.
    """

    def __init__(
        self,
        task: Task,
        examples: Examples,
        batches: Sequence[Tensor],
        multipliers: Sequence[float],
        stops: Sequence[int],
        lrs: Float[Array, " K"],
        measured: Examples | None,
    ) -> None:
        self._task, self._examples, self._batches = task, examples, batches
        self._multipliers, self._measured = multipliers, measured
        self._stops = [stop for stop in stops if stop]
        low, high = task.chosen.grid
        self._lr = float(min(np.median(lrs), np.sqrt(low * high)))
        self._before = kept_state(task.whole)
        self._steps: StackedSteps | None = None
        self._losses = self._first_losses(self._lr)
        self._compare(self._losses, self._first_losses(self._lr))

    def at_the_start(self) -> tuple[str | None, StackedSteps | None]:
        """Why lanes have to be trained one at a time, or else the steps of stacked ones."""
        reason = self._task.why_separate()
        if reason is None:
            self._steps = StackedSteps(self._task)
            batches = self._batches[: len(self._multipliers)]
            reason = why_not_stacked(self._task, self._steps, self._examples, batches, self._lr)
            self._held = kept_state(self._steps.whole)
        return reason, None if reason else self._steps

    def at_the_end(
        self, lanes: Lanes, lrs: Float[Array, " K"], losses: Float[Array, " K"]
    ) -> Callable[[Sequence[Tensor]], None]:
        """Choose some of the lanes that have been trained, to be compared in some more steps.

        Returns
        -------
        callable
            Makes the comparison with the last minibatches; the lanes are not needed any more. It raises `Differs` if
            stacked lanes are not the real training, and OptionError if lanes are not that were trained one at a time.
        """
        if isinstance(lanes, SeparateLanes):
            last, best = lanes.lanes[-1], int(np.argmin(np.nan_to_num(losses, nan=np.inf)))
            return functools.partial(self._compare_alone, last.first, last.lr, lanes.lanes[best])
        finite, row = np.flatnonzero(np.isfinite(losses)), None
        lr = np.nan
        if finite.size:
            assert isinstance(lanes, StackedLanes)
            k = int(finite[np.argmax(lrs[finite])])
            lr, row = float(lrs[k]), {n: copied_rows(r) for n, r in lanes.rows(slice(k, k + 1))}
        return functools.partial(self._compare_stacked, lr, row, len(lrs))

    def _compare_alone(
        self, first: list[float], lr: float, best: Lane, batches: Sequence[Tensor]
    ) -> None:
        if first:
            self._compare(first, self._first_losses(lr))
        self._check_measures(best)

    def _compare_stacked(
        self, lr: float, row: Mapping[str, Array] | None, K: int, batches: Sequence[Tensor]
    ) -> None:
        assert self._steps is not None
        if self._task.fixed_changed(self._steps.whole):
            raise SharedChanged("stacked, a fixed parameter or buffer has changed that they share")
        self._compare(self._losses, self._first_losses(self._lr))
        different = changed(self._held, kept_state(self._steps.whole))
        if different:
            raise Differs(f"stacked, what they share has changed: {different[0]}")
        if row is not None:
            K = K if self._steps.recorded else 2  # as many as the recording is for
            reason = why_not_stacked(self._task, self._steps, self._examples, batches, lr, row, K)
            if reason is not None:
                raise Differs(f"at the end {reason}")
            alone = SeparateLanes(self._task, np.array([lr]))
            alone.load(row, 0, [""])
            self._check_measures(alone.lanes[0])

    def _check_measures(self, lane: Lane) -> None:
        """Refuse blocks that are not measured as their minibatches are."""
        task, B, examples = self._task, self._task.batch_size, self._measured
        if examples is None or lane.ended is not None:
            return
        size = min(task.evaluated_at_once, _BLOCK * B, len(examples))
        if size <= B:
            return
        whole, parts = copy_of(lane.whole).eval(), torch.split(torch.arange(size), B)

        def measured(which: Tensor) -> Tensor:
            batch = examples.batch(which)
            return len(which) * measures_of(whole, batch, task.probe.evaluated_with_gradients)

        examples.renew(task.device, task.seed, Stream.EVALUATION)
        together = measured(torch.arange(size))
        if not means_alike(together, sum(map(measured, parts), torch.zeros(())), task.dtype):
            raise MeasuredOtherwise("its losses depend on how many examples are measured at once")

    def _first_losses(self, lr: float) -> list[float]:
        """Of the first steps of a training."""
        task, losses = self._task, list[float]()
        lane, each = Lane(task, lr), task.options.accumulate
        lane.mode(True)
        ends = [*(stop for stop in self._stops if stop < len(self._multipliers)), None]
        begin = 0
        for end in ends:  # as far as the next measurement, after which draws begin anew
            part = slice(begin * each, None if end is None else end * each)
            self._examples.renew(task.device, task.seed, Stream.TRAINING, 0, begin)
            groups = task.options.groups(self._examples.read(self._batches[part]))
            for group, multiplier in zip(groups, self._multipliers[begin:end], strict=False):
                try:
                    with torch.enable_grad():
                        losses.append(lane.advance(group, multiplier))
                except Exception as error:  # a rate may lead to numbers that the model refuses
                    if not losses or is_out_of_memory(error):
                        raise
                    return losses
            begin = end or 0
        return losses

    def _compare(self, losses: Sequence[float], again: Sequence[float]) -> None:
        """Refuse losses that are not the same; what has changed is named if it can be seen."""
        tolerance = 1e-4 if self._task.device.type == "cuda" else 1e-6
        for step, (first, second) in enumerate(zip(losses, again, strict=False)):
            if np.isfinite(first) and not abs(first - second) <= tolerance * abs(first):
                names = changed(self._before, kept_state(self._task.whole))
                which = f" ({', '.join(names[:3])} has changed)" if names else ""
                raise OptionError(
                    "A training must come out the same whenever it is made. Got a loss of "
                    f"{first:.9g} and then of {second:.9g} in step {step + 1} from the same start{which}; keep what "
                    "changes in the model or in a loss that is an object, whose copies each lane has for itself."
                )
