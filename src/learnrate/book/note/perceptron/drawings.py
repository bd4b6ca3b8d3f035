"""The pictures of note two: a unit, what a perceptron computes as a sum of units, its loss, its sharpness, the track of η."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.book.note.catalogue import Texts
from learnrate.book.note.perceptron.model import Net, Training
from learnrate.book.note.plot import Axis, Dot, Line, Plot
from learnrate.book.note.track import Mark, Track

__all__ = ["curve", "fit", "sharpness", "track", "unit"]

_SIZE = 420.0, 320.0
_X = np.linspace(-3.3, 3.3, 133)
_SLOW = 3.0
"""A loss that is more than so many times the lowest of all rates means that the rate is too small, or unsteady."""

_DYING = 2
"""A rate kills units if so many more of them are dead than at the start."""


def unit(w: float, b: float, v: float, t: Texts) -> Plot:
    """What one unit adds: v·relu(wx + b), with its kink."""
    marks: list[Line | Dot] = [Line(_X, v * np.maximum(w * _X + b, 0), "chosen", "v·relu(wx + b)")]
    if w:
        marks.append(Dot(-b / w, 0, "good", "−b/w", ring=True))
    axes = Axis("x", -3.3, 3.3), Axis("", -5, 5)
    return Plot("unit", t("unit_alt"), *axes, marks, *_SIZE)


def fit(name: str, net: Net, X: Any, y: Any, t: Texts) -> Plot:
    """The examples, what a perceptron predicts, and the units that it is the sum of."""
    grid = _X[:, None]
    with np.errstate(all="ignore"):
        parts = net.hidden(grid)[1][:, 0] * net.W2[0]
        predicted = net(grid)[:, 0]
    marks: list[Line | Dot] = [
        Dot(x, label, "contour", size=2.6) for (x,), label in zip(X, y, strict=True)
    ]
    for j, part in enumerate(parts.T):
        marks.append(Line(_X, part, "2", t("units") if j == 0 else "", 1.1))
    marks.append(Line(_X, predicted, "chosen", t("predicted"), 2.6))
    seen = predicted[np.isfinite(predicted)]
    reach = min(max(2.6, float(np.abs(seen).max(initial=0)) * 1.1), 60.0)
    axes = Axis("x", -3.3, 3.3), Axis("y", -reach, reach)
    return Plot(name, t("fit_alt"), *axes, marks, *_SIZE)


def curve(name: str, training: Training, lane: int, t: Texts) -> Plot:
    """The loss against the step; the axis follows it."""
    losses = training.losses[lane]
    steps = len(losses) - 1
    line = Line(np.arange(steps + 1), losses, "chosen", f"η = {training.lrs[lane]:g}", 2.2)
    axes = Axis(t("step_axis"), 0, steps, whole=True), Axis.of_losses(t("loss"), [losses])
    return Plot(name, t("curve_alt"), *axes, [line], *_SIZE)


def sharpness(training: Training, lane: int, X: Any, y: Any, t: Texts) -> Plot:
    """λmax of the loss along the run, and 2/η."""
    steps = training.every * np.arange(len(training.nets))
    found = np.array([net.one(lane).sharpness(X, y) for net in training.nets])
    edge = 2 / training.lrs[lane]
    lines = [
        Line([0, steps[-1]], [edge, edge], "ink", f"2/η = {edge:.3g}", 1.5, "6 4"),
        Line(steps, found, "chosen", t("sharpness"), 2.2),
    ]
    shown = [found, np.array([np.clip(edge, 1e-2, 1e3)])]
    axes = Axis(t("step_axis"), 0, steps[-1], whole=True), Axis.of_losses("λmax", shown, most=1e6)
    return Plot("sharpness", t("sharpness_alt"), *axes, lines, *_SIZE)


def track(training: Training, lane: int, X: Any, y: Any, t: Texts) -> Track:
    """The rates, coloured by what became of them, with 2/λmax of the start."""
    lrs, ends = training.lrs, training.losses[:, -1]
    lowest, best = np.min(ends), lrs[np.argmin(ends)]
    dead = [(net.alive(X) == 0).sum(axis=1) for net in (training.nets[0], training.nets[-1])]
    names = []
    for lr, end, first, before, after in zip(lrs, ends, training.losses[:, 0], *dead, strict=True):
        if not end < 2 * first:
            names.append("diverges")
        elif after - before >= _DYING:
            names.append("noisy")
        else:
            names.append("good" if end < _SLOW * lowest else "slow" if lr < best else "borderline")
    marks = []
    if (found := training.nets[0].one(0).sharpness(X, y)) > 0:
        marks.append(Mark(2 / found, f"{t('mark_start')} {2 / found:.3g}"))
    return Track.of_rates("perceptron-track", t("track_alt"), lrs, names, marks, lane, t)
