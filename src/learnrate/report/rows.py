"""The table of rates as text, for the terminal and the HTML report."""

from __future__ import annotations

import numpy as np

from learnrate._shapes import Array, Float
from learnrate.report.curves import Curves, format_rate, mean_interval

__all__ = ["format_loss", "rate_rows"]


def rate_rows(curves: Curves, shown: list[int]) -> tuple[list[str], list[list[str]]]:
    """Headings, and for each rate in ``shown`` a row: rate, final loss, interval, held-out loss, score."""
    final = mean_interval(curves.losses[:, :, -1])
    columns = {
        "rate": [format_rate(float(lr)) for lr in curves.lrs[shown]],
        "final loss": [_at_the_end(curves, final.mean, k) for k in shown],
    }
    if curves.seeds > 1:
        columns["95 % interval"] = [
            f"{_at_the_end(curves, final.low, k)} – {_at_the_end(curves, final.high, k)}"
            for k in shown
        ]
    if curves.val_losses is not None:
        val = mean_interval(curves.val_losses[:, :, -1]).mean
        columns["held out"] = [_at_the_end(curves, val, k) for k in shown]
    if curves.score is not None:
        name, values = curves.score
        score = mean_interval(values).mean
        columns[name] = [_format_score(score[k]) for k in shown]
    return list(columns), [list(cells) for cells in zip(*columns.values(), strict=True)]


def _at_the_end(curves: Curves, losses: Float[Array, " K"], k: int) -> str:
    """A loss at the end of a run; a dash for a rate that was ended early."""
    return format_loss(losses[k]) if curves.whole[k] else "–"


def format_loss(loss: float) -> str:
    """Three significant digits, or ``∞`` where the loss is not finite."""
    if not np.isfinite(loss):
        return "∞"
    return f"{loss:.3g}" if loss == 0 or 1e-3 <= abs(loss) < 1e5 else f"{loss:.2e}"


def _format_score(score: float) -> str:
    """Three decimals; ``< −100`` for very low scores, ``–`` where the score is not finite."""
    if not np.isfinite(score):
        return "–"
    return f"{score:.3f}".replace("-", "−") if score > -100 else "< −100"
