"""The lanes of a seed against the user's own training, before they are trained and again at the end."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from learnrate._shapes import Array, Float
from learnrate.errors import DataError, OptionError
from learnrate.torch.batches import alike
from learnrate.torch.examples import Examples
from learnrate.torch.failures import GRADIENTS, SHARED
from learnrate.torch.kept import changed, kept_state
from learnrate.torch.lane import Lane
from learnrate.torch.lanes import Lanes, Task
from learnrate.torch.measuring import means_alike, measures_of
from learnrate.torch.memory import is_out_of_memory
from learnrate.torch.pair import Pair
from learnrate.torch.randomness import Stream
from learnrate.torch.separate import SeparateLanes
from learnrate.torch.stacked import StackedLanes, StackedSteps
from learnrate.torch.states import copied as copied_rows

__all__ = ["Check", "Differs", "MeasuredOtherwise", "SharedChanged"]

_BLOCK = 4
"""Minibatches in a block that is measured once more."""
_SHORT, _LONG = 300, 1000
"""Trainings of up to so many steps are compared in one at each end, in two, and longer ones in three at the start."""
_DRAWN = 6
"""At least so many steps where there are random draws: masks that differ may look alike once."""


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
        usual = lrs[lrs <= min(np.median(lrs), np.sqrt(low * high))]
        self._lr = float(max(usual) if usual.size else min(lrs))
        self._before = kept_state(task.whole)
        self._steps: StackedSteps | None = None
        self._exact: tuple[Task, StackedSteps] | None = None
        self._losses: list[float] = []
        self._drawn = False

    def at_the_start(self, K: int, coming: int) -> tuple[str | None, StackedSteps | None]:
        """Why lanes have to be trained one at a time, or else the steps of stacked ones.

        Parameters
        ----------
        K : int
            How many lanes to stack.
        coming : int
            Steps that so many stacked lanes will make, for which they are recorded if it pays.
        """
        reason = self._task.why_separate()
        if reason is None:
            try:
                reason = self._with_steps(K, coming, apart=0)
                for apart, complaint in ((1, SHARED), (2, GRADIENTS)):
                    if reason is not None and reason.endswith(complaint):
                        reason = self._with_steps(K, coming, apart=apart)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if K > 2:
                    return self.at_the_start(2, 0)
                reason = "memory ran out with two of them stacked"
        return reason, None if reason else self._steps

    def _with_steps(self, K: int, coming: int, *, apart: int) -> str | None:
        """Compare steps in which lanes have copies of more or less; see `AsAlone`."""
        reason, self._steps = None, StackedSteps(self._task, apart=apart)
        if self._task.whole.precision is not None:
            task = self._task.in_full_precision()
            self._exact = task, StackedSteps(task, apart=apart)
            reason = self._first_difference(*self._exact, 2, 0)
        if reason is None:
            reason = self._first_difference(self._task, self._steps, K, coming)
        self._held = kept_state(self._steps.whole)
        return reason

    def _first_difference(self, task: Task, steps: StackedSteps, K: int, coming: int) -> str | None:
        """Make the first steps of a training, a real lane and stacked ones side by side."""
        pair = Pair(task, steps, self._lr, K)
        wanted, self._losses = self._compared(), []
        with steps.expecting(coming):
            for number, (group, multiplier) in enumerate(self._groups()):
                if number >= wanted and not (pair.drawn and number < _DRAWN):
                    break
                loss, reason = pair.step(group, multiplier)
                self._losses.append(loss)
                if reason is not None:
                    return reason
        self._drawn = pair.drawn
        return pair.evaluation(self._examples.batch(self._batches[0]))

    def _compared(self) -> int:
        """How many steps of stacked lanes are compared, of those that are there."""
        total = self._stops[-1]
        return 1 + (total > _SHORT) + (total > _LONG)

    def one_at_a_time(self) -> None:
        """Make the first steps of a training twice.

        Raises
        ------
        OptionError
            If they do not come out the same.
        """
        self._losses = self._first_losses(self._lr)
        self._compare(self._losses, self._first_losses(self._lr))

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
        self._compare(self._losses, self._first_losses(self._lr, len(self._losses)))
        different = changed(self._held, kept_state(self._steps.whole))
        if different:
            raise Differs(f"stacked, what they share has changed: {different[0]}")
        if row is not None:
            task, steps = self._exact or (self._task, self._steps)
            K = K if steps.recorded else 2  # as many as the recording is for
            pair = Pair(task, steps, lr, K, row)
            for number, indices in enumerate(batches[-2 if self._drawn else -self._compared() :]):
                self._examples.renew(self._task.device, self._task.seed, Stream.TRAINING, number)
                _, reason = pair.step([self._examples.batch(indices)], 1.0)
                if reason is not None:
                    raise Differs(f"at the end {reason}")
            self._check_measures(pair.lane)

    def _check_measures(self, lane: Lane) -> None:
        """Refuse blocks that are not measured as their minibatches are."""
        task, B, examples = self._task, self._task.batch_size, self._measured
        if examples is None or lane.ended is not None:
            return
        size = min(task.evaluated_at_once, _BLOCK * B, len(examples))
        if size <= B:
            return
        whole, parts = lane.whole.eval(), torch.split(torch.arange(size), B)

        def measured(which: Tensor) -> Tensor:
            batch = examples.batch(which)
            return len(which) * measures_of(whole, batch, task.probe.evaluated_with_gradients)

        examples.renew(task.device, task.seed, Stream.EVALUATION)
        together = measured(torch.arange(size))
        if not means_alike(together, sum(map(measured, parts), torch.zeros(())), task.dtype):
            raise MeasuredOtherwise("its losses depend on how many examples are measured at once")

    def _groups(self) -> Iterator[tuple[list[Any], float]]:
        """The first steps of a training, with its draws: minibatches and multiplier; where they end, with others.

        A scheduler that lanes step cannot begin anew: its multipliers go on, to the end of the run.
        """
        task, each, steps = self._task, self._task.options.accumulate, len(self._multipliers)
        scheduled, total = task.options.scheduler is not None, self._stops[-1]
        ends = [0, *(stop for stop in self._stops if stop < steps), steps]
        for again in itertools.count():
            for begin, end in itertools.pairwise(ends):  # after a measurement draws begin anew
                self._examples.renew(task.device, task.seed, Stream.TRAINING, again, begin)
                part = self._batches[begin * each : end * each]
                groups = task.options.groups(self._examples.read(part))
                scales, at = self._multipliers[begin:end], again * steps + begin
                if scheduled:
                    if at >= total:
                        return
                    if task.multipliers is not None:
                        scales = task.multipliers[at : at + end - begin].tolist()
                    scales = scales[: total - at]
                yield from zip(groups, scales, strict=False)

    def _first_losses(self, lr: float, most: int | None = None) -> list[float]:
        """The losses of the first steps of a training that begins anew, with the rate ``lr``; at most ``most`` steps."""
        lane, losses = Lane(self._task, lr), list[float]()
        lane.mode(True)
        for group, multiplier in itertools.islice(self._groups(), most or len(self._multipliers)):
            try:
                with torch.enable_grad():
                    losses.append(lane.advance(group, multiplier))
            except Exception as error:  # a rate may lead to numbers that the model refuses
                if not losses or is_out_of_memory(error):
                    raise
                break
        return losses

    def _compare(self, losses: Sequence[float], again: Sequence[float]) -> None:
        """Refuse losses that are not the same; what has changed is named if it can be seen."""
        tolerance = 1e-4 if self._task.device.type == "cuda" else 1e-6
        for step, (first, second) in enumerate(zip(losses, again, strict=False)):
            if np.isfinite(first) and not abs(first - second) <= tolerance * abs(first):
                self._check_data()
                names = changed(self._before, kept_state(self._task.whole))
                which = f" ({', '.join(names[:3])} has changed)" if names else ""
                raise OptionError(
                    "A training must come out the same whenever it is made. Got a loss of "
                    f"{first:.9g} and then of {second:.9g} in step {step + 1} from the same start{which}; keep what "
                    "changes in the model or in a loss that is an object, whose copies each lane has for itself."
                )

    def _check_data(self) -> None:
        """Refuse a first minibatch that is another when it is read again."""

        def first() -> Any:
            self._examples.renew(self._task.device, self._task.seed, Stream.TRAINING)
            return next(self._examples.read(self._batches[:1]))

        if not alike(first(), first()):
            raise DataError(
                "data must give the same minibatch when they are read again with the same random draws. Got another; draw "
                "random numbers from torch's, NumPy's or Python's global generators, or from one that the Dataset holds; "
                "hold=True keeps the items as they were first."
            )
