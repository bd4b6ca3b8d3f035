"""What is timed: a call, and the losses that it should give."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any


@dataclass(frozen=True)
class Contender:
    """One row of a case.

    Attributes
    ----------
    name : str
    run : callable
        Does the work; returns the losses of the lanes after each epoch, (K, E), or None.
    expected : array, optional
        What the losses should be.
    factor : float
        Times this is the whole work's time, where ``run`` does a part of the lanes.
    seconds : callable, optional
        Does the work elsewhere and says how long it took; ``run`` is timed here otherwise.
    note : str
        Which variant was chosen.
    """

    name: str
    run: Callable[[], Any]
    expected: Array | None = None
    factor: float = 1.0
    seconds: Callable[[], float] | None = None
    note: str = ""

    def deviation(self) -> float | None:
        """Run once to warm up; the largest relative error of a loss."""
        losses = self.run()
        if self.expected is None:
            return None
        assert np.shape(losses) == self.expected.shape
        return float(np.max(np.abs(np.asarray(losses) / self.expected - 1)))

    def time(self) -> float:
        """Seconds of one run."""
        if self.seconds is not None:
            return self.factor * self.seconds()
        began = time.perf_counter()
        self.run()
        return self.factor * (time.perf_counter() - began)


def fastest(variants: Iterable[Contender]) -> Contender:
    """The quickest of several ways to do the same, each run to warm up and then timed, a short one often."""
    timed = []
    for variant in variants:
        variant.run()
        seconds = variant.time()
        again = min(20, int(0.2 / seconds))
        timed.append((min([seconds, *(variant.time() for _ in range(again))]), variant))
    return min(timed, key=lambda pair: pair[0])[1]
