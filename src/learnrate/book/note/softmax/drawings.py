"""The pictures of note one: losses and their gradients, points with the borders between classes, and the track of η."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.book.note.catalogue import Texts
from learnrate.book.note.plot import Axis, Dot, Line, Plot
from learnrate.book.note.track import Mark, Track

__all__ = ["curve", "losses_of_score", "plane", "track", "zone_names"]

_SIZE = 420.0, 340.0
_COLOURS = ("chosen", "2", "3")
_NOISY, _NEAR = 1.1, 1.05


def losses_of_score(score: float, t: Texts) -> tuple[Plot, Plot]:
    """Cross-entropy and squared loss against the score of the right class, the others 0; and the size of their gradients."""
    z = np.linspace(-8, 8, 161)
    p = np.exp(z) / (np.exp(z) + 2)
    at = np.exp(score) / (np.exp(score) + 2)
    x = Axis(t("score_axis"), -8, 8)

    def both(name: str, key: str, high: float, entropy: Any, squared: Any) -> Plot:
        marks: list[Line | Dot] = [
            Line(z, entropy(p), "chosen", t("cross_entropy"), 2.2),
            Line(z, squared(p), "2", t("squared"), 2.2, "6 4"),
            Dot(score, entropy(at), "chosen"),
            Dot(score, squared(at), "2"),
        ]
        return Plot(name, t(f"{key}_alt"), x, Axis(t(f"{key}_axis"), 0, high), marks, *_SIZE)

    # With equal others q = (1 − p)/2: ½ Σ (ŷ − y)² = ¾ (1 − p)², and dp/do = p (1 − p).
    return (
        both("score-loss", "loss_of", 9, lambda p: -np.log(p), lambda p: 0.75 * (1 - p) ** 2),
        both("score-gradient", "slope_of", 1.1, lambda p: 1 - p, lambda p: 1.5 * p * (1 - p) ** 2),
    )


def plane(X: Any, y: Any, W: Any, b: Any, t: Texts) -> Plot:
    """The points, and the borders on which two classes are equally likely and the third is less."""
    half = np.array([4.2, 3.4])
    marks: list[Line | Dot] = [
        Dot(a, b, _COLOURS[label], size=3.2) for (a, b), label in zip(X, y, strict=True)
    ]
    marks += _borders(W, b, half)
    first, second = (Axis(name, -a, a) for name, a in zip(("x₁", "x₂"), half, strict=True))
    return Plot("plane", t("plane_alt"), first, second, marks, *_SIZE)


def _borders(W: Any, b: Any, half: Any) -> list[Line]:
    found = []
    far = 2 * float(np.hypot(*half))
    for i, j, k in ((0, 1, 2), (0, 2, 1), (1, 2, 0)):
        w, c = W[:, i] - W[:, j], b[i] - b[j]
        length = float(np.hypot(*w))
        if not np.isfinite(length) or length < 1e-12:
            continue
        along = np.array([-w[1], w[0]]) / length
        line = -c * w / length**2 + np.linspace(-far, far, 801)[:, None] * along
        o = line @ W + b
        on = o[:, i] >= o[:, k]
        if on.any():
            found.append(Line(line[on, 0], line[on, 1], "ink", width=2.2))
    return found


def curve(result: Any, lane: int, t: Texts) -> Plot:
    """The loss of one rate against the epoch, with its floor and the least possible loss; the axis follows the loss."""
    losses = result.losses[0, lane]
    E, floor, least = len(losses) - 1, float(result.floors[lane]), float(result.floors.min())
    lines = [Line([0, E], [least, least], "good", t("least"), 1.5, "2 4")]
    if np.isfinite(floor):
        lines.append(Line([0, E], [floor, floor], "ink", t("floor"), 1.5, "6 4"))
    lines.append(Line(np.arange(E + 1), losses, "chosen", f"η = {result.lrs[lane]:g}", 2.2))
    high = max(1.2, 1.1 * float(np.max(losses[np.isfinite(losses)])))
    y = Axis(t("entropy_axis"), 0, high)
    return Plot("entropy", t("curve_alt"), Axis(t("epoch"), 0, E, whole=True), y, lines, *_SIZE)


def zone_names(result: Any) -> list[str]:
    """Each rate's: too slow for these epochs, good, noisy, or one that will not settle."""
    least = result.floors.min()
    names = []
    for lr, floor, end in zip(result.lrs, result.floors, result.losses[0, :, -1], strict=True):
        if lr > result.limit:
            names.append("diverges")
        elif end > _NEAR * floor and not names.count("good") + names.count("noisy"):
            names.append("slow")
        else:
            names.append("good" if floor <= _NOISY * least else "noisy")
    return names


def track(result: Any, lane: int, t: Texts) -> Track:
    """The rates, coloured by what they do, with the rate that is proved safe and the limit."""
    marks = [Mark(result.limit, f"{t('mark_limit')} {result.limit:.3g}")]
    if result.prediction.curved.safe:
        safe = result.prediction.curved.safe
        marks.append(Mark(safe, f"{t('mark_safe')} {safe:.3g}"))
    names = zone_names(result)
    return Track.of_rates("softmax-track", t("track_alt"), result.lrs, names, marks, lane, t)
