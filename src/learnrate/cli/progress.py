"""What a terminal shows of a sweep that runs for longer than a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np

from learnrate._translation import Say, as_it_is
from learnrate.report.curves import format_rate
from learnrate.report.terminal import sparkline
from learnrate.training.monitor import SoFar

__all__ = ["SweepView"]

_DELAY_S = 1.0
"""Seconds after which the view appears."""
_SHOWN = 5
"""Number of the best rates that are listed."""
_WIDE = 60
"""Width of the terminal, in columns, from which on their curves are drawn."""


class SweepView:
    """Shows how far a sweep is on standard error, if that is a terminal and the work takes longer than a second.

    Parameters
    ----------
    shown : bool
        Whether to show anything.
    translate : callable, optional
        Translates an English text.
    also : callable, optional
        Called with every `SoFar` too.
    """

    def __init__(
        self,
        *,
        shown: bool,
        translate: Say = as_it_is,
        also: Callable[[SoFar], object] | None = None,
    ) -> None:
        self._translate, self._also = translate, also
        self._shown = shown and sys.stderr.isatty()
        self._began = time.monotonic()
        self._live: Any = None
        self._console: Any = None
        self._so_far: SoFar | None = None

    def __enter__(self) -> SweepView:
        return self

    def update(self, so_far: SoFar) -> None:
        """Show this from now on."""
        if self._also is not None:
            self._also(so_far)
        self._so_far = so_far
        if self._shown and self._live is None and time.monotonic() - self._began >= _DELAY_S:
            from rich.console import Console
            from rich.live import Live

            self._console = Console(stderr=True)
            self._live = Live(get_renderable=self._drawn, console=self._console, transient=True)
            self._live.start()

    def say(self, message: str) -> None:
        """A sentence on standard error about what takes its time."""
        if self._shown:
            print(self._translate(message), file=sys.stderr)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def _drawn(self) -> Any:
        """A bar with the time left, the speed, the best rates so far, and how many are out."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        so_far, say = self._so_far, self._translate
        assert so_far is not None
        left = so_far.seconds_left
        bar = Table.grid(padding=(0, 1), expand=True)
        for ratio in (None, 1, None, None):
            bar.add_column(ratio=ratio, no_wrap=True)
        bar.add_row(
            say("training"),
            ProgressBar(total=max(1, so_far.total), completed=so_far.steps),
            f"{100 * so_far.steps // max(1, so_far.total)} %",
            say(f"{_clock(left)} left") if np.isfinite(left) else "",
        )
        steps = f"{_brief(so_far.steps)} of {_brief(so_far.total)} steps"
        lines: list[Any] = [bar, Text(say(f"{steps}, {_brief(so_far.speed)} a second"))]
        lines.append(self._best(so_far, self._console.width))
        diverged, pruned = int(so_far.diverged.sum()), int((so_far.pruned & ~so_far.diverged).sum())
        if diverged or pruned:
            rates = len(so_far.lrs)
            lines.append(Text(say(f"{diverged} diverged, {pruned} pruned, of {rates} rates")))
        return Group(*lines)

    def _best(self, so_far: SoFar, width: int) -> Any:
        """The rates with the lowest losses so far: rate, loss, and the curve where there is room."""
        from rich.table import Table
        from rich.text import Text

        points, curves, best = so_far.points, so_far.curves, so_far.best(_SHOWN)
        name = "val_loss" if "val_loss" in curves else "loss"
        heading = "held-out loss" if name == "val_loss" else "loss"
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column("lr", justify="right", no_wrap=True)
        table.add_column(self._translate(heading), justify="right", no_wrap=True)
        if width >= _WIDE:
            table.add_column(self._translate("curve, log"), no_wrap=True)
        drawn = {}
        for lr, _ in best:
            k = int(np.flatnonzero(so_far.lrs == lr)[0])
            s = int(points[:, k].argmax())
            drawn[lr] = curves[name][s, k, : points[s, k] + 1]
        values = np.concatenate([*drawn.values(), np.ones(1)])
        values = values[np.isfinite(values) & (values > 0)]
        low, high = float(values.min()), float(values.max())
        for lr, loss in best:
            cells = [format_rate(lr), f"{loss:.4g}"]
            if width >= _WIDE:
                cells.append(sparkline(drawn[lr], low, high))
            table.add_row(*map(Text, cells))
        return table


def _clock(seconds: float) -> str:
    """``0:01:05``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def _brief(count: float) -> str:
    """``12.3M`` and the like."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return f"{count:.3g}"
