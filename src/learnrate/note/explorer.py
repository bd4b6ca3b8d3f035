"""The heart of the note: drag η, and the curve, the path and the numbers follow.

All rates of the slider are trained side by side in one sweep, so that dragging only chooses among them: the
page answers by itself, with no way to the server and back, and still does so when it is exported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import learnrate
from learnrate.note.catalogue import Texts
from learnrate.note.landscape import Landscape, descend
from learnrate.note.plot import Axis, Dot, Line, Plot, render

__all__ = ["NOTE_RATES", "RATES", "explorer"]

NOTE_RATES = (0.01, 0.02, 0.03, 0.04)
"""The rates of the note, always drawn."""

RATES = sorted({*NOTE_RATES, *(float(f"{lr:.2g}") for lr in np.geomspace(0.001, 3, 81))})
"""What the slider can choose."""

_PATH_POINTS = 120
_FAR = 30.0


def explorer(
    X: Any,
    y: Any,
    t: Texts,
    *,
    batch_size: int,
    epochs: int,
    seeds: int,
    start: float = 0.03,
) -> str:
    """The page that answers to the slider, for two features: HTML of a document of its own."""
    rates = np.array(RATES)
    result = learnrate.sweep(
        X, y, lrs=rates, batch_size=batch_size, epochs=epochs, seeds=seeds, seed=0
    )
    with np.errstate(all="ignore"):
        measured = result.losses.mean(axis=0)
    plot = _curves_plot(result, measured, t)
    land, paths = _paths(X, y, batch_size=batch_size, epochs=epochs)
    contours = _contour_plot(land, paths, t)
    predicted = result.predicted
    assert predicted is not None
    found = np.arange(measured.shape[1])
    lanes = [
        {
            "rate": f"{lr:g}",
            "curve": plot.points(found, measured[k]),
            "predicted": plot.points(found, predicted[k]),
            "path": contours.points(paths[k, :, 0], paths[k, :, 1]),
            "loss": _number(measured[k, -1], t),
            "expected": _number(predicted[k, -1], t),
            "floor": _number(np.inf if result.floors is None else result.floors[k], t),
            "verdict": t(f"verdict_{(result.verdicts or ('unknown',) * len(rates))[k]}"),
        }
        for k, lr in enumerate(rates)
    ]
    return render(
        "explorer.html",
        t=t,
        plot=plot,
        contours=contours,
        lanes=lanes,
        chosen=RATES.index(start),
        limits=[
            (t("limit_mean"), _number(result.limit, t)),
            (t("limit_typical"), _number(result.typical_limit, t)),
            (t("limit_full"), _number(2 / _largest_eigenvalue(X), t)),
        ],
        batch_size=batch_size,
    )


def _largest_eigenvalue(X: Any) -> float:
    ones = np.column_stack([X, np.ones(len(X))])
    return float(np.linalg.eigvalsh(ones.T @ ones / len(X))[-1])


def _curves_plot(result: Any, measured: Any, t: Texts) -> Plot:
    """The note's curves, and an empty place for the chosen one."""
    E = measured.shape[1] - 1
    epochs = np.arange(E + 1)
    start = float(measured[:, 0].max())
    low = float(measured[np.isfinite(measured) & (measured > 0)].min())
    note = [
        Line(epochs, measured[RATES.index(lr)], colour=str(i + 1), label=f"lr={lr:g}")
        for i, lr in enumerate(NOTE_RATES)
    ]
    chosen = [
        Line([], [], colour="chosen", name="chosen", label=t("your_rate"), width=3),
        Line([], [], colour="ink", name="predicted", label=t("predicted"), dash="5 4"),
    ]
    return Plot(
        "curves",
        t("curves_alt"),
        Axis(t("epoch"), 0, E, whole=True),
        Axis(t("loss"), low / 2, start * _FAR, log=True),
        [*note, *chosen],
    )


def _paths(X: Any, y: Any, *, batch_size: int, epochs: int) -> tuple[Landscape, Any]:
    """The landscape, and a path for each rate with few enough points to draw."""
    theta = descend(X, y, lr=RATES, batch_size=batch_size, epochs=epochs)
    steps = theta.shape[1] - 1
    # The first steps are long, the last hardly move.
    chosen = np.unique(np.geomspace(1, steps + 1, min(steps + 1, _PATH_POINTS)).astype(int) - 1)
    return Landscape.of(X, y), theta[:, chosen]


def _contour_plot(land: Landscape, paths: Any, t: Texts) -> Plot:
    start = paths[0, 0, :2]
    axes = land.axes(("w₁", "w₂"), keep=[start])
    marks: Sequence[Line | Dot] = [
        Line([], [], colour="chosen", name="path", width=2),
        Dot(start[0], start[1], colour="ink", label=t("start")),
        Dot(land.best[0], land.best[1], colour="good", label="w*", ring=True),
    ]
    return land.plot("path-plot", t("path_alt"), axes, marks)


def _number(value: float | None, t: Texts) -> str:
    if value is None:
        return t("not_known")
    return f"{value:.3g}" if np.isfinite(value) else "∞"
