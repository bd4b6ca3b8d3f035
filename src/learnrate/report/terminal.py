"""The sweep as a table on a terminal, with Rich."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.report.curves import Curves, format_rate, mean_interval

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

    final = mean_interval(curves.losses[:, :, -1])
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("rate", justify="right", no_wrap=True)
    table.add_column("final loss", justify="right", no_wrap=True)
    if curves.seeds > 1:
        table.add_column("95 % interval", justify="right", no_wrap=True)
    if curves.val_losses is not None and curves.r2 is not None:
        table.add_column("held out", justify="right", no_wrap=True)
        table.add_column("R²", justify="right", no_wrap=True)
        val = mean_interval(curves.val_losses[:, :, -1]).mean
        r2 = mean_interval(curves.r2).mean
    table.add_column("curve, log", no_wrap=True)
    if curves.verdicts is not None:
        table.add_column("verdict", no_wrap=True)
    table.add_column("outcome", overflow="fold")
    shown = curves.losses[np.isfinite(curves.losses) & (curves.losses > 0)]
    low = float(shown.min()) if shown.size else 1.0
    high = max(float(np.nanmax(curves.losses[:, :, 0])), low)
    shown_rates = _spread(curves)
    for k in shown_rates:
        lr = curves.lrs[k]
        # User text must stay text: Text does not read Rich's [markup].
        cells = [format_rate(float(lr)), format_loss(final.mean[k])]
        if curves.seeds > 1:
            cells.append(f"{format_loss(final.low[k])} – {format_loss(final.high[k])}")
        if curves.val_losses is not None and curves.r2 is not None:
            cells += [format_loss(val[k]), f"{r2[k]:.3f}" if np.isfinite(r2[k]) else "–"]
        cells.append(sparkline(np.median(curves.losses[:, k], axis=0), low, high))
        if curves.verdicts is not None:
            cells.append(curves.verdicts[k])
        cells.append(curves.outcomes[k])
        table.add_row(*map(Text, cells), style="bold" if k == curves.suggested else None)
    if len(shown_rates) < len(curves.lrs):
        table.caption = f"{len(shown_rates)} of {len(curves.lrs):,} rates; --save FILE.csv has all"
        table.caption_justify = "left"
    return table


def _spread(curves: Curves) -> list[int]:
    """Which rates to show: all of a short list, else some evenly spread and the suggested one."""
    K = len(curves.lrs)
    if K <= _ROWS:
        return list(range(K))
    chosen = set(np.linspace(0, K - 1, _ROWS - 1).round().astype(int).tolist())
    return sorted(chosen if curves.suggested is None else chosen | {curves.suggested})


def format_loss(loss: float) -> str:
    """Three significant digits, or ``∞`` where the loss is not finite."""
    if not np.isfinite(loss):
        return "∞"
    return f"{loss:.3g}" if loss == 0 or 1e-3 <= abs(loss) < 1e5 else f"{loss:.2e}"
