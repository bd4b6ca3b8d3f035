"""The table of a sweep on a terminal, with Rich."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.report.curves import Curves, rate_rows
from learnrate.report.framing import spread

__all__ = ["curve_table", "sparkline"]

_BARS = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH = 12
_OUTCOME_WIDTH = 16
"""The least width of the last column, which is wrapped."""
_CURVE, _VERDICT = "curve, log", "verdict"
_MOST_ROWS = 40
"""With more rates the table shows evenly spaced ones, with the suggested rate."""


def sparkline(losses: Any, low: float, high: float, width: int = _SPARK_WIDTH) -> str:
    """A loss curve as a word of bars, on a log scale from ``low`` to ``high``; ``×`` where it is not finite."""
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


def curve_table(curves: Curves, width: int, *, title: str | None = None) -> Any:
    """A Rich table with one row for each rate: final loss (mean and interval over seeds), curve, verdict, outcome.

    Where a terminal of ``width`` characters is too narrow, whole columns are left out, so that no number is cut.
    """
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    say = curves.say
    shown_rates = spread(curves, _MOST_ROWS)
    headings, rows = rate_rows(curves, shown_rates)
    shown = curves.losses[np.isfinite(curves.losses) & (curves.losses > 0)]
    low = float(shown.min()) if shown.size else 1.0
    starts = curves.losses[:, :, 0]
    high = float(starts.max(initial=low, where=np.isfinite(starts)))
    columns = dict(zip(headings, map(list, zip(*rows, strict=True)), strict=True))
    columns[_CURVE] = [
        sparkline(np.median(curves.measured(k), axis=0), low, high) for k in shown_rates
    ]
    if curves.verdicts is not None:
        columns[_VERDICT] = [say(curves.verdicts[k]) for k in shown_rates]
    left_out = []
    for heading in (_CURVE, *reversed(headings[2:]), _VERDICT):
        needed = sum(2 + max(map(cell_len, (say(name), *cells))) for name, cells in columns.items())
        if needed + _OUTCOME_WIDTH > width and columns.pop(heading, None) is not None:
            left_out.append(say(heading))
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in columns:
        right = heading in headings
        table.add_column(say(heading), justify="right" if right else "left", no_wrap=True)
    table.add_column(say("outcome"), overflow="fold")
    for row, k in enumerate(shown_rates):
        cells = [*(cells[row] for cells in columns.values()), say(curves.outcomes[k])]
        # Text, so that Rich reads no [markup] in the user's text.
        table.add_row(*map(Text, cells), style="bold" if k == curves.suggested else None)
    notes = []
    if len(shown_rates) < len(curves.lrs):
        notes.append(say(f"{len(shown_rates)} of {len(curves.lrs):,} rates; a csv file has all"))
    if left_out:
        notes.append(say(f"No room here for: {', '.join(left_out)}"))
    if notes:
        table.caption, table.caption_justify = ". ".join(notes), "left"
    return table
