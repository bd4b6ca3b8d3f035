"""A sweep's curves for TensorBoard while they are measured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from learnrate._files import check_output_folder
from learnrate.report.tensorboard import (
    append,
    begin_events,
    end_event,
    file_name,
    named,
    require_tensorboard,
    scalar_event,
    unwritable,
)
from learnrate.sweeps.exports import lane_names, lane_settings
from learnrate.training.monitor import SoFar

__all__ = ["TensorBoard"]

_LOSSES = ("loss", "val_loss")


class TensorBoard:
    """A callback for ``on_progress`` that writes TensorBoard's files as a sweep goes on; needs the extra ``tensorboard``.

    Each sweep gets a new folder ``sweep-1``, ``sweep-2``, … with a run for each lane, as by
    `SweepResult.to_tensorboard`. ``tensorboard --logdir FOLDER`` shows new points as they come.

    Parameters
    ----------
    folder : str or Path
        The folder of the sweeps, which is created if necessary.

    Attributes
    ----------
    place : Path or None
        The folder of the last sweep; None before the first.

    Raises
    ------
    MissingExtraError, OutputError
        If TensorBoard is not installed, or the folder cannot be written.
    """

    def __init__(self, folder: str | Path) -> None:
        require_tensorboard()
        self._folder = check_output_folder(folder)
        self.place: Path | None = None
        self._record: Any = None

    def __call__(self, so_far: SoFar) -> None:
        """Write what has been measured since the last call."""
        now = time.time()
        try:
            if so_far.record is not self._record:
                self._begin(so_far, now)
            self._go_on(so_far, now)
        except OSError as error:
            raise unwritable(self._folder, error) from error

    def _begin(self, so_far: SoFar, now: float) -> None:
        self._record = so_far.record
        self._names = lane_names(so_far.lrs, so_far.seeds)
        self._written = np.full((len(so_far.seeds), len(so_far.lrs)), -1)
        self._ended = np.zeros(self._written.shape, dtype=bool)
        self._settings = lane_settings(so_far.settings)
        self._file = file_name(now)
        temporary = self._folder / f".{time.time_ns():x}"
        temporary.mkdir(parents=True)
        self.place = named(temporary, self._folder)

    def _go_on(self, so_far: SoFar, now: float) -> None:
        begun, points, curves = so_far.begun, so_far.points, so_far.curves
        due = begun & ((points > self._written) | (self._over(so_far) & ~self._ended))
        for s, k in np.argwhere(due).tolist():
            assert self.place is not None
            run = self.place / self._names[s][k]
            run.mkdir(exist_ok=True)
            lane = {name: curve[s, k] for name, curve in curves.items()}
            append(run / self._file, self._events(so_far, s, k, lane, now), now)
            self._written[s, k] = points[s, k]

    def _over(self, so_far: SoFar) -> Any:
        """Which lanes are at their end, (S, K)."""
        return (so_far.points == len(so_far.positions) - 1) | so_far.pruned

    def _events(
        self, so_far: SoFar, s: int, k: int, lane: dict[str, Any], now: float
    ) -> Iterator[Any]:
        first, last = int(self._written[s, k]) + 1, int(so_far.points[s, k])
        if first == 0:
            own = {"lr": float(so_far.lrs[k]), "seed": int(so_far.seeds[s])}
            yield from begin_events({**own, **self._settings}, now)
        for name, values in lane.items():
            for point in range(first, last + 1):
                if name in _LOSSES or not np.isnan(values[point]):
                    yield scalar_event(name, int(so_far.positions[point]), values[point])
        if self._over(so_far)[s, k]:
            self._ended[s, k] = True
            yield end_event(not np.isfinite(so_far.last[s, k]), now)
