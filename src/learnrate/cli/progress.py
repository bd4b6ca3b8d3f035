"""A progress bar on a terminal, for work that takes longer than a second."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from learnrate._translation import Say, as_it_is

__all__ = ["EpochProgress"]

_BAR_DELAY_S = 1.0
"""Seconds after which the bar appears."""


class EpochProgress:
    """Shows progress on standard error, if that is a terminal and the work takes longer than a second."""

    def __init__(self, *, shown: bool, counted: str = "epochs", translate: Say = as_it_is) -> None:
        self._translate, self._counted = translate, translate(counted)
        self._shown = shown and sys.stderr.isatty()
        self._began = time.monotonic()
        self._training: float | None = None
        self._bar: Any = None

    def __enter__(self) -> EpochProgress:
        return self

    def update(self, done: int, total: int) -> None:
        """Report that ``done`` of ``total`` epochs or evaluations (over all seeds) are finished."""
        if self._due():
            from rich.progress import MofNCompleteColumn

            self._show(done, total, MofNCompleteColumn(), self._counted)

    def update_examples(self, done: int, total: int) -> None:
        """Report that ``done`` of ``total`` visits to examples (over all seeds and epochs) are finished."""
        if self._training is None:
            self._training = time.monotonic()
        if self._due():
            rate = done / max(1e-9, time.monotonic() - self._training)
            self._show(
                done, total, "[progress.percentage]{task.percentage:.0f}%", "{task.fields[rate]}"
            )
            self._bar.update(
                self._bar.task_ids[0], rate=self._translate(f"{_brief(rate)} examples/s")
            )

    def _due(self) -> bool:
        waited = time.monotonic() - self._began >= _BAR_DELAY_S
        return self._shown and (self._bar is not None or waited)

    def _show(self, done: int, total: int, *columns: Any) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TimeRemainingColumn

            whole = (self._translate("training"), BarColumn(), *columns, TimeRemainingColumn())
            self._bar = Progress(*whole, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._bar.add_task("training", total=total, rate="")
        self._bar.update(self._bar.task_ids[0], completed=done)

    def say(self, message: str) -> None:
        """Print a sentence to standard error, about work that takes long."""
        if self._shown:
            print(self._translate(message), file=sys.stderr)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _brief(rate: float) -> str:
    """A number with a unit prefix, such as ``12.3M``."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rate >= size:
            return f"{rate / size:.3g}{unit}"
    return f"{rate:.3g}"
