"""Axes and marks as SVG: the drawings of the note. Text is left to the browser's fonts, in any language."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from learnrate._templates import environment

__all__ = ["Axis", "Dot", "Line", "Plot", "render"]

_BEADS = 40
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 12.0, 14.0, 40.0


@dataclass(frozen=True)
class Axis:
    """One axis: what it shows, from where to where, and whether it is logarithmic."""

    label: str
    low: float
    high: float
    log: bool = False
    whole: bool = False

    def share(self, values: Any) -> Any:
        """How far along the axis values lie: 0 at ``low``, 1 at ``high``; nan where it has no place."""
        values = np.asarray(values, dtype=np.float64)
        low, high = self.low, self.high
        with np.errstate(all="ignore"):
            if self.log:
                values, low, high = np.log(values), math.log(low), math.log(high)
            return (values - low) / (high - low)

    def ticks(self) -> list[tuple[float, str]]:
        """Some round values and their labels."""
        if self.log:
            return self._decades()
        step = _round_step((self.high - self.low) / 7)
        if self.whole:
            step = max(step, 1.0)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [(k * step, f"{k * step:g}") for k in range(first, last + 1)]

    def _decades(self) -> list[tuple[float, str]]:
        first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
        every = max(1, (last - first) // 6 + 1)
        return [(10.0**k, _power(k)) for k in range(first, last + 1, every)]

    @classmethod
    def of_losses(cls, label: str, curves: Sequence[Any], *, most: float = 1e300) -> Axis:
        """A logarithmic axis of whole decades that holds every finite loss up to ``most``: it follows those that grow."""
        seen = np.concatenate([np.ravel(curve) for curve in curves])
        seen = np.minimum(seen[np.isfinite(seen) & (seen > 0)], most)
        low, high = (math.log10(f(seen)) for f in (np.min, np.max)) if seen.size else (-1.0, 0.0)
        first = math.floor(low - 0.05)
        return cls(label, 10.0**first, 10.0 ** max(math.ceil(high + 0.05), first + 1), log=True)


@dataclass(frozen=True)
class Line:
    """A line through points, in a colour named in ``colours.css``."""

    x: Sequence[float] | Any
    y: Sequence[float] | Any
    colour: str
    label: str = ""
    width: float = 1.8
    dash: str = ""
    dots: bool = False


@dataclass(frozen=True)
class Dot:
    """A marked point with its name beside it."""

    x: float
    y: float
    colour: str
    label: str = ""
    ring: bool = False
    size: float = 4.0


@dataclass(frozen=True)
class Plot:
    """A drawing with a text alternative.

    Attributes
    ----------
    name : str
        Unique on the page.
    title : str
        The text alternative.
    x, y : Axis
    marks : list of Line or Dot
    width, height : float
        Of the coordinates; it is shown as wide as there is room.
    """

    name: str
    title: str
    x: Axis
    y: Axis
    marks: Sequence[Line | Dot] = field(default_factory=list)
    width: float = 560.0
    height: float = 330.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the axes."""
        return _LEFT, _TOP, self.width - _RIGHT, self.height - _BOTTOM

    def place(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Coordinates in the drawing; far outside is as good as anywhere outside."""
        left, top, right, bottom = self.box
        px = left + np.clip(self.x.share(x), -20, 20) * (right - left)
        py = bottom - np.clip(self.y.share(y), -20, 20) * (bottom - top)
        return px, py

    def points(self, x: Any, y: Any) -> str:
        """``"x,y x,y …"`` up to the first point that has no place; an infinite one lies far outside."""
        px, py = self.place(x, y)
        good = np.isfinite(px) & np.isfinite(py)
        end = int(np.argmin(good)) if not good.all() else len(good)
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(px[:end], py[:end], strict=True))

    def beads(self, x: Any, y: Any) -> str:
        """A path of dots, one on each of the first points of a line."""
        return "".join(f"M{point}h0" for point in self.points(x, y).split()[:_BEADS])

    def svg(self) -> str:
        """The drawing."""
        return render("plot.svg", plot=self)

    def lines(self) -> list[Line]:
        """The marks that are lines."""
        return [mark for mark in self.marks if isinstance(mark, Line)]

    def dots(self) -> list[tuple[Dot, float, float]]:
        """The marks that are points, with their coordinates."""
        found = [mark for mark in self.marks if isinstance(mark, Dot)]
        px, py = self.place([dot.x for dot in found], [dot.y for dot in found])
        return list(zip(found, px.tolist(), py.tolist(), strict=True))


def render(template: str, **values: Any) -> str:
    """Fill a template of this room; everything put into it is escaped."""
    return environment("book.note").get_template(template).render(**values)


def _round_step(width: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below ``width``."""
    power = 10.0 ** math.floor(math.log10(width))
    return float(next(power * m for m in (1, 2, 5, 10) if power * m >= width * (1 - 1e-9)))


def _power(exponent: int) -> str:
    """``0.01``, ``1``, ``10``; further out ``10⁻⁵``."""
    if -2 <= exponent <= 3:
        return f"{10.0**exponent:g}"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
