"""The loss over (w₁, w₂) as contours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from learnrate.book.note.plot import Axis, Line, Plot

__all__ = ["Landscape"]

_RINGS = 9
_SIZE = 460.0, 380.0
_ANY = Axis("", 0, 1)


@dataclass(frozen=True, eq=False)
class Landscape:
    """``L(w) = L* + ½ (w − w*)ᵀ H (w − w*)`` with the bias at its best.

    Attributes
    ----------
    best : array, shape (2,)
        ``w*``.
    lowest : float
        ``L*``.
    H : array, shape (2, 2)
        Covariance of the features: the Hessian once the bias is at its best.
    """

    best: Any
    lowest: float
    H: Any

    @classmethod
    def of(cls, X: Any, y: Any) -> Landscape:
        """The landscape of two features and a label."""
        centred, label = X - X.mean(axis=0), y - y.mean()
        best, *_ = np.linalg.lstsq(centred, label, rcond=None)
        lowest = 0.5 * np.mean((centred @ best - label) ** 2)
        return cls(best, float(lowest), centred.T @ centred / len(y))

    def loss(self, w: Any) -> float:
        """``L(w)``."""
        away = np.asarray(w) - self.best
        return float(self.lowest + 0.5 * away @ self.H @ away)

    def axes(
        self,
        labels: tuple[str, str],
        *,
        keep: Sequence[Any] = (),
        size: tuple[float, float] = _SIZE,
    ) -> tuple[Axis, Axis]:
        """Axes of the same scale that hold the optimum and the points to keep, with room around them."""
        corners = np.array([self.best, *keep])
        middle, span = (corners.max(axis=0) + corners.min(axis=0)) / 2, np.ptp(corners, axis=0)
        left, top, right, bottom = Plot("", "", _ANY, _ANY, width=size[0], height=size[1]).box
        inner = np.array([right - left, bottom - top])
        half = 0.65 * inner * max(float((span / inner).max()), 0.5 / inner[0])
        first, second = (
            Axis(label, float(at - reach), float(at + reach))
            for label, at, reach in zip(labels, middle, half, strict=True)
        )
        return first, second

    def contours(self, axes: tuple[Axis, Axis]) -> list[Line]:
        """Ellipses of equal loss: ``w* + √(2 (l − L*)) H^(−½) (cos t, sin t)``."""
        corner = [self.loss((a, b)) for a in _ends(axes[0]) for b in _ends(axes[1])]
        radii = np.linspace(0.1, 1, _RINGS) * np.sqrt(2 * (max(corner) - self.lowest))
        values, vectors = np.linalg.eigh(self.H)
        t = np.linspace(0, 2 * np.pi, 97)
        ring = (vectors / np.sqrt(values)) @ np.array([np.cos(t), np.sin(t)])
        rings = [self.best[:, None] + r * ring for r in radii]
        return [Line(x, y, colour="contour", width=1.0) for x, y in rings]

    def plot(
        self,
        name: str,
        title: str,
        axes: tuple[Axis, Axis],
        marks: Sequence[Any],
        size: tuple[float, float] = _SIZE,
    ) -> Plot:
        """The contours with marks on them; the axes are those for this size."""
        return Plot(name, title, *axes, [*self.contours(axes), *marks], *size)


def _ends(axis: Axis) -> tuple[float, float]:
    return axis.low, axis.high
