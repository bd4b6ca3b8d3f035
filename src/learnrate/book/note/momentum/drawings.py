"""The pictures of note three: the track of η, paths over the bowl, and the loss beside what was predicted."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnrate.book.note.catalogue import Texts
from learnrate.book.note.momentum.bowl import Bowl, Path, edges, factor, limit, steps_to_shrink
from learnrate.book.note.plot import Axis, Dot, Line, Plot
from learnrate.book.note.track import Mark, Track, Zone

__all__ = ["curves", "paths", "sentence", "track"]

_SIZE = 420.0, 360.0
_FARTHEST = 60.0
"""Distance from the minimum beyond which nothing is drawn."""
_FIRST_WINDOW = 10.0


def track(name: str, bowl: Bowl, lr: float, mu: float, steps: int, t: Texts, ends: Any) -> Track:
    """What each η will do in so many steps, with the best one and the limit."""
    enough, too_much = edges(mu, bowl.eigenvalues, steps, ends[0])
    last = limit(mu, 1.0)
    zones = [
        Zone("slow", enough, t("zone_slow")),
        Zone("good", too_much, t("zone_good")),
        Zone("borderline", last, t("zone_zigzag")),
        Zone("diverges", np.inf, t("zone_diverges")),
    ]
    tried = np.geomspace(ends[0], last, 400)
    best = float(tried[np.argmin(factor(tried, mu, bowl.eigenvalues))])
    marks = [
        Mark(best, f"{t('mark_best')} {best:.3g}"),
        Mark(last, f"{t('mark_limit')} {last:.3g}"),
    ]
    low, high = ends
    return Track(name, t("track_alt"), low, high, zones, marks, lr)


def sentence(track: Track, bowl: Bowl, mu: float, steps: int, t: Texts) -> str:
    """What the chosen rate will do, and why."""
    rho = float(factor(track.chosen, mu, bowl.eigenvalues))
    key = {"borderline": "zigzag"}.get(track.zone().name, track.zone().name)
    needed = steps_to_shrink(rho)
    values = {"rho": f"{rho:.4g}", "shown": steps, "limit": f"{limit(mu, 1.0):.3g}"}
    if np.isfinite(needed):
        values["steps"] = f"{float(f'{needed:.2g}'):,.0f}"
    return t(f"sentence_{key}", **values)


def paths(name: str, bowl: Bowl, runs: dict[str, tuple[Path, str]], t: Texts) -> Plot:
    """The paths over the contours: label to path and colour; the window grows with a path that leaves it."""
    points = np.concatenate([path.points for path, _ in runs.values()])
    reach = np.abs(points[np.isfinite(points).all(axis=1)]).max()
    window = _FIRST_WINDOW
    while window < min(reach, _FARTHEST):
        window *= 1.5
    far = np.copysign(window, bowl.start[0])
    corners = [np.array([far, -window / 2]), np.array([-far / 4, window / 2])]
    land = bowl.landscape
    axes = land.axes(("θ₁", "θ₂"), keep=corners, size=_SIZE)
    marks: list[Line | Dot] = [
        Line(path.points[:, 0], path.points[:, 1], colour, label, width=2.0, dots=True)
        for label, (path, colour) in runs.items()
    ]
    marks += [Dot(*bowl.start, "ink", t("start")), Dot(0.0, 0.0, "good", "", ring=True)]
    return land.plot(name, t("path_alt"), axes, marks, _SIZE)


def curves(
    name: str, runs: dict[str, tuple[Path, str]], t: Texts, *, rho: float | None = None
) -> Plot:
    """The losses of the paths; with the factor of the last one, the slope that it predicts."""
    lines = [
        Line(np.arange(len(path.losses)), path.losses, colour, label, width=2.0)
        for label, (path, colour) in runs.items()
    ]
    steps = len(lines[-1].y) - 1
    if rho is not None:
        with np.errstate(all="ignore"):
            slope = lines[-1].y[0] * rho ** (2 * np.arange(steps + 1.0))
        lines.append(Line(np.arange(steps + 1), slope, "ink", t("predicted"), 1.5, "6 4"))
    shown = [np.maximum(line.y, 1e-12) for line in lines]
    axes = Axis(t("step_axis"), 0, steps, whole=True), Axis.of_losses(t("loss_axis"), shown)
    return Plot(name, t("curve_alt"), *axes, lines, *_SIZE)
