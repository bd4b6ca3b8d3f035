"""The table of rates as text, computed once for every drawing of it."""

from __future__ import annotations

import numpy as np

from learnrate.report.curves import Curves, format_rate, mean_interval

__all__ = ["format_loss", "rate_rows"]


def rate_rows(curves: Curves, shown: list[int]) -> tuple[list[str], list[list[str]]]:
    """Headings, and one row of cells for each rate in ``shown``: rate, final loss, what is known beside it."""
    final = mean_interval(curves.losses[:, :, -1])
    columns = {
        "rate": [format_rate(float(lr)) for lr in curves.lrs[shown]],
        "final loss": [format_loss(final.mean[k]) for k in shown],
    }
    if curves.seeds > 1:
        columns["95 % interval"] = [
            f"{format_loss(final.low[k])} – {format_loss(final.high[k])}" for k in shown
        ]
    if curves.val_losses is not None and curves.r2 is not None:
        val = mean_interval(curves.val_losses[:, :, -1]).mean
        r2 = mean_interval(curves.r2).mean
        columns["held out"] = [format_loss(val[k]) for k in shown]
        columns["R²"] = [_format_r2(r2[k]) for k in shown]
    return list(columns), [list(cells) for cells in zip(*columns.values(), strict=True)]


def format_loss(loss: float) -> str:
    """Three significant digits, or ``∞`` where the loss is not finite."""
    if not np.isfinite(loss):
        return "∞"
    return f"{loss:.3g}" if loss == 0 or 1e-3 <= abs(loss) < 1e5 else f"{loss:.2e}"


def _format_r2(r2: float) -> str:
    """Three decimals; how far below nothing it lies, no one needs to know."""
    if not np.isfinite(r2):
        return "–"
    return f"{r2:.3f}".replace("-", "−") if r2 > -100 else "< −100"
