"""A progress bar on a terminal, for anything longer than a second."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

__all__ = ["EpochProgress"]

_PATIENCE = 1.0
"""Seconds before a bar appears."""


class EpochProgress:
    """Shows epochs done on standard error, if that is a terminal and the work takes its time."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown and sys.stderr.isatty()
        self._began = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> EpochProgress:
        return self

    def update(self, done: int, total: int) -> None:
        """Report that ``done`` of ``total`` epochs (over all seeds) are finished."""
        if not self._shown or (self._bar is None and time.monotonic() - self._began < _PATIENCE):
            return
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

            columns = (
                "training",
                BarColumn(),
                MofNCompleteColumn(),
                "epochs",
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._bar.add_task("training", total=total)
        self._bar.update(self._bar.task_ids[0], completed=done)

    def say(self, message: str) -> None:
        """A sentence on standard error about what takes its time."""
        if self._shown:
            print(message, file=sys.stderr)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
