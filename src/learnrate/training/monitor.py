"""Progress of a sweep: the caller's callbacks, and the counts that they are given."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from learnrate._shapes import Array, Bool, Float, Int
from learnrate.errors import OptionError
from learnrate.training.record import Record

__all__ = ["Monitor", "Progress", "SoFar", "SweepInterrupted"]

_INTERVAL_S = 0.05
"""``on_progress`` is called no more often than this."""


class SweepInterrupted(KeyboardInterrupt):
    """Raised on Ctrl-C once a sweep has finished an epoch, or an evaluation after the start.

    Attributes
    ----------
    result : SweepResult
        The lanes and epochs that were finished.
    """

    def __init__(self, result: Any) -> None:
        super().__init__("interrupted")
        self.result = result


@dataclass(frozen=True, eq=False)
class SoFar:
    """How far a sweep is: what ``on_progress`` is called with.

    Attributes
    ----------
    record : Record
        The curves and states, which change while the sweep goes on.
    seeds : int array, shape (S,)
        The seeds.
    settings : mapping
        What was asked for, by name.
    steps, total : int
        Steps that all lanes together have made, and will have made at the end. A rate that was ended early makes no more.
    seconds : float
        Time since this call of the sweep began to train.
    speed : float
        Steps a second, of all lanes together, since then; 0 if there was none yet.
    """

    record: Record
    seeds: Int[Array, " S"]
    settings: Mapping[str, Any]
    steps: int
    total: int
    seconds: float
    speed: float

    @property
    def finished(self) -> bool:
        """Whether all lanes are at their end."""
        return self.steps >= self.total

    @property
    def seconds_left(self) -> float:
        """How long the rest takes at this speed; infinite if there is none yet."""
        return (self.total - self.steps) / self.speed if self.speed else np.inf

    @property
    def lrs(self) -> Float[Array, " K"]:
        """The learning rates."""
        return self.record.lrs

    @property
    def unit(self) -> str:
        """What `positions` count: ``"epoch"`` or ``"step"``."""
        return self.record.horizon.unit

    @property
    def positions(self) -> Int[Array, " points"]:
        """The epochs or steps after which lanes are measured; the first is 0, before training."""
        return self.record.horizon.positions

    @property
    def points(self) -> Int[Array, "S K"]:
        """The number of each lane's last measurement, from 0."""
        return self.record.points()

    @property
    def pruned(self) -> Bool[Array, " K"]:
        """Which rates were ended early, because they can no longer be the best."""
        return self.record.pruned >= 0

    @property
    def curves(self) -> dict[str, Float[Array, "S K points"]]:
        """A copy of all curves by name: ``"loss"``, ``"val_loss"``, metrics; nan where a lane has not been measured yet."""
        return {name: curve.copy() for name, curve in self.record.curves.items()}

    @property
    def last(self) -> Float[Array, "S K"]:
        """The last loss of each lane: on held-out examples if there are any; nan for a lane that has not begun."""
        if not self.record.curves:
            return np.full(self.points.shape, np.nan)
        return np.take_along_axis(self.record.compared, self.points[:, :, None], axis=2)[:, :, 0]

    @property
    def begun(self) -> Bool[Array, "S K"]:
        """Which lanes have been measured before training."""
        begun = np.zeros((len(self.seeds), len(self.lrs)), dtype=bool)
        for s, latest in enumerate(self.record.latest):
            for lanes, _ in latest:
                begun[s, lanes] = True
        return begun

    @property
    def diverged(self) -> Bool[Array, " K"]:
        """Which rates have a last loss that is not finite, for any seed that has begun."""
        return np.asarray((self.begun & ~np.isfinite(self.last)).any(axis=0))

    def best(self, number: int = 3) -> list[tuple[float, float]]:
        """The rates with the lowest last losses, the mean over seeds that have begun, and these: the lowest first."""
        mean = np.full(len(self.lrs), np.inf)
        known = ~np.isnan(self.last).all(axis=0) & ~self.diverged & ~self.pruned
        mean[known] = np.nanmean(self.last[:, known], axis=0)
        order = np.argsort(mean, kind="stable")[:number]
        return [(float(self.lrs[k]), float(mean[k])) for k in order if np.isfinite(mean[k])]


@dataclass(frozen=True)
class Monitor:
    """Callbacks of a sweep.

    Attributes
    ----------
    on_epoch : callable, optional
        Called with (epochs done, epochs in all), counted over all seeds, when all lanes of a seed have finished an
        epoch. With ``eval_every``, evaluations are counted instead of epochs.
    on_eval : callable, optional
        Called with the result so far of a seed, a `SweepResult`, whenever all its lanes have been evaluated. Its
        ``latest()`` gives the values of this evaluation.
    on_message : callable, optional
        Called with a sentence, such as one about compiling kernels or a worker that was lost.
    on_progress : callable, optional
        Called with a `SoFar`, also between measurements: at most twenty times a second, and at the end. It may be called
        on another thread.

    Raises
    ------
    OptionError
        If a callback cannot be called.
    """

    on_epoch: Callable[[int, int], object] | None = None
    on_eval: Callable[[Any], object] | None = None
    on_message: Callable[[str], object] | None = None
    on_progress: Callable[[SoFar], object] | None = None

    def __post_init__(self) -> None:
        """Check that the callbacks can be called."""
        for item in fields(self):
            callback = getattr(self, item.name)
            if callback is not None and not callable(callback):
                raise OptionError(f"{item.name} must be a callable. Got {callback!r} instead.")

    def say(self, message: str) -> None:
        """Give the caller a sentence, if there is an ``on_message``."""
        if self.on_message is not None:
            self.on_message(message)


_NO_CALLBACKS = Monitor()


class Progress:
    """Counts the measurements and the steps of all lanes, and calls a `Monitor`.

    Parameters
    ----------
    record : Record
        The curves and states.
    stops : int array, shape (points,)
        Steps that a lane has made at each measurement.
    monitor : Monitor
        The callbacks.
    seeds, settings
        See `SoFar`.
    result : callable, optional
        Returns the result so far of a seed, given its number, for ``on_eval``.

    Attributes
    ----------
    record : Record
        The record, which may be replaced if training begins again.
    """

    def __init__(
        self,
        record: Record,
        stops: Int[Array, " points"],
        monitor: Monitor,
        seeds: Int[Array, " S"],
        settings: Mapping[str, Any],
        result: Callable[[int], Any] | None = None,
    ) -> None:
        self.record = record
        self._stops, self._monitor, self._result = stops, monitor, result
        self._seeds, self._settings = seeds, settings
        self._points = record.points()
        self._further = np.zeros(len(seeds))
        self._before, self._began, self._told = self._steps(), time.monotonic(), -np.inf

    def of(self, s: int) -> Callable[[float], object] | None:
        """A callback for seed ``s``, to be called with the steps that its lanes have made since the last measurement."""
        if self._monitor.on_progress is None:
            return None

        def report(steps: float) -> None:
            self._further[s] = steps
            if time.monotonic() - self._told >= _INTERVAL_S:
                self._report()

        return report

    def finish(self, s: int, lanes: Int[Array, " L"], point: int) -> None:
        """Report that some lanes of seed ``s`` have reached measurement number ``point`` (0 is before training)."""
        if self._monitor == _NO_CALLBACKS:
            return
        before = self._done()
        if (self._points[s, lanes] != point).any():
            self._points[s, lanes], self._further[s] = point, 0
        self._report()
        if self._done() > before:
            if self._monitor.on_epoch is not None:
                total = len(self._points) * (len(self._stops) - 1)
                self._monitor.on_epoch(self._done(), total)
            if self._monitor.on_eval is not None and self._result is not None:
                self._monitor.on_eval(self._result(s))

    def _done(self) -> int:
        """Measurements that all lanes of a seed have reached, added over the seeds."""
        return int(self._points.min(axis=1).sum())

    def _steps(self) -> int:
        return int(self._stops[self.record.points()].sum() + self._further.sum())

    def _report(self) -> None:
        """Call ``on_progress``, if it was not called just before."""
        if self._monitor.on_progress is None:
            return
        pruned = self.record.pruned
        total = len(self._seeds) * int(self._stops[pruned].sum())  # −1 is the end
        now, steps = time.monotonic(), min(self._steps(), total)
        if now - self._told < _INTERVAL_S and steps < total:
            return
        if steps == self._before:
            self._began = now  # what comes before the first step is no training
        self._told, seconds = now, now - self._began
        speed = (steps - self._before) / seconds if seconds > 0 else 0.0
        self._monitor.on_progress(
            SoFar(self.record, self._seeds, self._settings, steps, total, seconds, speed)
        )
