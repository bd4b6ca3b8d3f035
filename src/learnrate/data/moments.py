"""Mean and standard deviation, computed block by block, and whether numbers are constant up to rounding."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from learnrate._shapes import Array, Float

__all__ = ["Moments", "constant_spread", "is_constant"]


def constant_spread(rows: int, *, single: bool = False) -> float:
    """The relative spread up to which numbers count as constant up to rounding.

    It is the rounding error of a sum over the rows, about ``(4 + ½ log₂ rows) ε``; for ``single`` numbers, stored in
    float32, at least the spacing of float32.
    """
    rounding = (4 + 0.5 * math.log2(rows)) * sys.float_info.epsilon
    return max(2.0**-22, rounding) if single else rounding


def is_constant(low: Any, high: Any, rows: int, dtype: Any = None) -> bool:
    """Whether numbers from ``low`` to ``high`` are constant up to rounding.

    Floating-point numbers are if ``high − low`` is at most `constant_spread` times their largest absolute value: scaled
    by such a spread, a feature would hold rounding errors. Whole numbers are exact.
    """
    if low == high:
        return True
    single = False
    if dtype is not None:
        import polars as pl

        if not dtype.is_float():
            return False
        single = dtype == pl.Float32
    size = max(abs(low), abs(high))
    return bool(math.isfinite(size) and high - low <= constant_spread(rows, single=single) * size)


class Moments:
    """Mean and standard deviation ``√((1/n) Σ (x − mean)²)`` of numbers that are added block by block, in float64.

    In a block, deviations from the mean are divided by the largest one before squaring, so that large offsets and huge
    or tiny units lose no digits. Two blocks with counts n and m, means a and b and deviations s and t together have the
    mean ``a + (b − a) m/(n + m)`` and the deviation ``√(n s² + m t² + (b − a)² n m/(n + m)) / √(n + m)``.

    Parameters
    ----------
    *blocks : arrays
        The first blocks, of finite numbers.

    Attributes
    ----------
    count : int
        How many numbers were added.
    mean, deviation, low, high : float
        Their mean, standard deviation, minimum and maximum.

    Source: Chan, Golub and LeVeque (1983), "Algorithms for Computing the Sample Variance", The
    American Statistician 37(3), 242–247.
    """

    def __init__(self, *blocks: Float[Array, " n"]) -> None:
        self.count, self.mean, self.deviation = 0, 0.0, 0.0
        self.low, self.high = math.inf, -math.inf
        for block in blocks:
            self.add(block)

    def add(self, values: Float[Array, " n"]) -> None:
        """Add a block of finite numbers."""
        m = len(values)
        if not m:
            return
        low, high = float(values.min()), float(values.max())
        mean, deviation = low, 0.0
        if low < high:
            values = values.astype(np.float64, copy=False)
            mean = float(values.mean())
            deviations = values - mean
            largest = np.abs(deviations).max()
            deviations /= largest
            deviation = float(largest * np.sqrt(np.mean(deviations**2)))
        n, whole = self.count, self.count + m
        if not n:
            self.mean, self.deviation = mean, deviation
        else:
            apart = mean - self.mean
            self.deviation = math.hypot(  # without overflow or underflow
                self.deviation * math.sqrt(n / whole),
                deviation * math.sqrt(m / whole),
                apart * math.sqrt(n * m) / whole,
            )
            self.mean += apart * (m / whole)
        self.count, self.low, self.high = whole, min(self.low, low), max(self.high, high)

    def scaling(self, gaps: int = 0) -> tuple[float, float]:
        """Mean and standard deviation for scaling, after filling ``gaps`` missing numbers with the mean.

        If the numbers are constant up to rounding, it returns the smallest number and 1.
        """
        if is_constant(self.low, self.high, self.count + gaps):
            return self.low, 1.0
        deviation = self.deviation * math.sqrt(self.count / (self.count + gaps))
        return self.mean, max(deviation, float(np.finfo(np.float64).tiny))  # not 0 by underflow
