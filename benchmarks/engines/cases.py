"""The work that is timed, and what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from learnrate.data.order import epoch_order, initial_weights

Array = Any


@dataclass(frozen=True)
class Case:
    """K learning rates on n examples with d features, for E epochs of minibatches of B.

    ``bar`` is how many times as fast as the best peer a public call with the fused engine should be,
    ``bar_alone`` the engine alone, ``bar_gram`` a public call with the gram engine.
    """

    name: str
    n: int
    d: int
    batch_size: int
    lanes: int
    epochs: int
    bar: float
    bar_alone: float | None = None
    bar_gram: float | None = 1.0
    against_one: bool = False

    @property
    def lrs(self) -> Array:
        """Rates, none of which diverges; the note's where there are four."""
        return (
            np.linspace(0.01, 0.04, 4) if self.lanes == 4 else np.geomspace(1e-3, 0.1, self.lanes)
        )

    def examples(self) -> tuple[Array, Array]:
        """``X`` (n, d) and ``y = X w + 4.2 + noise`` in float64."""
        rng = np.random.default_rng(0)
        X = rng.standard_normal((self.n, self.d))
        w = rng.standard_normal(self.d) * (4 / np.sqrt(self.d))
        return X, X @ w + 4.2 + 0.1 * rng.standard_normal(self.n)

    def orders(self) -> list[Array]:
        """The minibatch order of each epoch, as learnrate makes it."""
        return [epoch_order(self.n, self.batch_size, seed=0, epoch=e) for e in range(self.epochs)]

    def start(self) -> Array:
        """The weights that every lane starts from."""
        return initial_weights(self.d, seed=0)


_ALL = [
    Case("S", 1000, 2, 10, 4, 3, bar=4, bar_alone=60),
    Case("S64", 1000, 2, 10, 64, 3, bar=6, bar_alone=80),
    Case("M4", 100_000, 20, 32, 4, 3, bar=8),
    Case("M64", 100_000, 20, 32, 64, 3, bar=9, against_one=True),
    Case("M1k", 100_000, 20, 32, 1024, 1, bar=9),
    Case("W64", 20_000, 512, 128, 64, 1, bar=1.4, bar_gram=None),
    Case("W256", 20_000, 512, 128, 256, 1, bar=1.1, bar_gram=None),
    Case("L", 2_000_000, 20, 256, 64, 1, bar=13, against_one=True),
]
CASES = {case.name: case for case in _ALL}
QUICK = Case("Q", 60, 3, 7, 5, 2, bar=1, bar_alone=1, against_one=True)
"""A case for trying the script out."""


def case_of(name: str) -> Case:
    """The case of that name."""
    return QUICK if name == QUICK.name else CASES[name]


THREADED = ("M64", "L", "W64")
"""Where two threads are timed against one, and by how much they should win."""
BAR_THREADS = 1.4
BAR_LANES = 2.0
BAR_AUTO = 1.5e-3
BAR_COLD = {"learnrate sweep": 0.5, "learnrate sweep --save sweep.png": 1.3}
