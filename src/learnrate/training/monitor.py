"""Progress of a sweep: the caller's callbacks, and the counts that they are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from learnrate._shapes import Array, Int
from learnrate.errors import OptionError

__all__ = ["Monitor", "Progress", "SweepInterrupted"]


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
        Called with (examples visited, visits in all), counted over all seeds and epochs, also within an epoch. It may
        be called on another thread.

    Raises
    ------
    OptionError
        If a callback cannot be called.
    """

    on_epoch: Callable[[int, int], object] | None = None
    on_eval: Callable[[Any], object] | None = None
    on_message: Callable[[str], object] | None = None
    on_progress: Callable[[int, int], object] | None = None

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
    """Counts the measurements of all lanes and the examples that they have visited, and calls a `Monitor`.

    Parameters
    ----------
    points : int array, shape (S, K)
        The number of each lane's last measurement so far.
    total : int
        Measurements of a lane, without the one before training: the number of epochs, or of evaluations.
    n : int
        Examples visited from one measurement to the next.
    monitor : Monitor
        The callbacks.
    result : callable, optional
        Returns the result so far of a seed, given its number, for ``on_eval``.
    """

    def __init__(
        self,
        points: Int[Array, "S K"],
        total: int,
        n: int,
        monitor: Monitor,
        result: Callable[[int], Any] | None = None,
    ) -> None:
        self._points, self._rows = points.copy(), np.zeros(len(points), dtype=np.int64)
        self._total, self._n, self._monitor, self._result = total, n, monitor, result

    def of(self, s: int) -> Callable[[int], object] | None:
        """A callback for seed ``s``, to be called with the examples visited since the last measurement."""
        if self._monitor.on_progress is None:
            return None

        def report(rows: int) -> None:
            self._rows[s] = rows
            self._report_visits()

        return report

    def finish(self, s: int, lanes: Int[Array, " L"], point: int) -> None:
        """Report that some lanes of seed ``s`` have reached measurement number ``point`` (0 is before training)."""
        if self._monitor == _NO_CALLBACKS:
            return
        before = self._done()
        self._points[s, lanes], self._rows[s] = point, 0
        self._report_visits()
        if self._done() > before:
            if self._monitor.on_epoch is not None:
                self._monitor.on_epoch(self._done(), len(self._points) * self._total)
            if self._monitor.on_eval is not None and self._result is not None:
                self._monitor.on_eval(self._result(s))

    def _done(self) -> int:
        """Measurements that all lanes of a seed have reached, added over the seeds."""
        return int(self._points.min(axis=1).sum())

    def _report_visits(self) -> None:
        if self._monitor.on_progress is not None:
            done, total = self._done(), len(self._points) * self._total
            visits = min(done * self._n + int(self._rows.sum()), total * self._n)
            self._monitor.on_progress(visits, total * self._n)
