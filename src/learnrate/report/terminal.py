"""The sweep as a table on a terminal, with Rich."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.report.curves import Curves
from learnrate.report.framing import spread
from learnrate.report.rows import rate_rows

__all__ = ["curve_table", "sparkline"]

_BARS = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH = 12
_ROWS = 40
"""A longer table shows this many rates, evenly spread, and the suggested one."""


def sparkline(losses: Any, low: float, high: float, width: int = _SPARK_WIDTH) -> str:
    """A loss curve in one word, on a log scale from ``low`` to ``high``; ``×`` where it is not finite."""
    losses = np.asarray(losses, dtype=np.float64)
    if losses.size > width:
        losses = losses[np.linspace(0, losses.size - 1, width).round().astype(int)]
    span = max(np.log(high / low), 1e-12) if low > 0 else 1.0
    marks = []
    for loss in losses:
        if not np.isfinite(loss):
            marks.append("×")
            continue
        level = np.log(max(loss, low) / low) / span if low > 0 else 0.0
        marks.append(_BARS[int(min(level, 1.0) * (len(_BARS) - 1) + 0.5)])
    return "".join(marks)


def curve_table(curves: Curves, *, title: str | None = None) -> Any:
    """A Rich table with one row per rate: final loss (mean and interval over seeds), curve, outcome."""
    from rich.table import Table
    from rich.text import Text

    shown_rates = spread(curves, _ROWS)
    headings, rows = rate_rows(curves, shown_rates)
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("curve, log", no_wrap=True)
    if curves.verdicts is not None:
        table.add_column("verdict", no_wrap=True)
    table.add_column("outcome", overflow="fold")
    shown = curves.losses[np.isfinite(curves.losses) & (curves.losses > 0)]
    low = float(shown.min()) if shown.size else 1.0
    starts = curves.losses[:, :, 0]
    high = float(starts.max(initial=low, where=np.isfinite(starts)))
    for k, cells in zip(shown_rates, rows, strict=True):
        curve = sparkline(np.median(curves.losses[:, k], axis=0), low, high)
        verdict = [] if curves.verdicts is None else [curves.verdicts[k]]
        cells = [*cells, curve, *verdict, curves.outcomes[k]]
        # User text must stay text: Text does not read Rich's [markup].
        table.add_row(*map(Text, cells), style="bold" if k == curves.suggested else None)
    if len(shown_rates) < len(curves.lrs):
        table.caption = f"{len(shown_rates)} of {len(curves.lrs):,} rates; --save FILE.csv has all"
        table.caption_justify = "left"
    return table
