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

    Squared loss, unless there are ``classes``: two by logistic loss, more by softmax. A public call with the fused engine
    in float32 should be ``ahead`` times as fast as the best peer, and take at most ``over_floor`` times as long as the
    floor. With ``alone`` the engine is timed by itself, too. With ``over_one`` so is one rate, of whose time all rates should
    take at most so many times as much.
    """

    name: str
    n: int
    d: int
    batch_size: int
    lanes: int
    epochs: int
    over_floor: float | None = None
    alone: bool = False
    over_one: float | None = None
    classes: int = 0
    ahead: float = 1.0

    @property
    def loss(self) -> str:
        """The loss by its name."""
        return ("softmax" if self.classes > 2 else "logistic") if self.classes else "squared"

    @property
    def outputs(self) -> int:
        """Outputs of the model: one for each class where there are more than two."""
        return self.classes if self.classes > 2 else 1

    @property
    def lrs(self) -> Array:
        """Rates, none of which diverges; the note's where there are four."""
        return (
            np.linspace(0.01, 0.04, 4) if self.lanes == 4 else np.geomspace(1e-3, 0.1, self.lanes)
        )

    def examples(self) -> tuple[Array, Array]:
        """``X`` (n, d) and ``y = X w + 4.2 + noise`` in float64; or the class whose ``X w`` with Gumbel noise is largest."""
        rng = np.random.default_rng(0)
        X = rng.standard_normal((self.n, self.d))
        if self.classes:
            W = rng.standard_normal((self.d, self.classes)) * (2 / np.sqrt(self.d))
            return X, (X @ W + rng.gumbel(size=(self.n, self.classes))).argmax(axis=1)
        w = rng.standard_normal(self.d) * (4 / np.sqrt(self.d))
        return X, X @ w + 4.2 + 0.1 * rng.standard_normal(self.n)

    def orders(self) -> list[Array]:
        """The minibatch order of each epoch, as learnrate makes it."""
        return [epoch_order(self.n, self.batch_size, seed=0, epoch=e) for e in range(self.epochs)]

    def start(self) -> Array:
        """The weights that every lane starts from: (d,), or (d, C) where there are several outputs."""
        return initial_weights(self.d, 0, self.outputs if self.outputs > 1 else None)


_ALL = [
    Case("S", 1000, 2, 10, 4, 3, alone=True),
    Case("S64", 1000, 2, 10, 64, 3, alone=True),
    Case("M4", 100_000, 20, 32, 4, 3),
    Case("M64", 100_000, 20, 32, 64, 3, over_floor=2.5, over_one=2.0),
    Case("M1k", 100_000, 20, 32, 1024, 1, over_floor=2.5),
    Case("W64", 20_000, 512, 128, 64, 1),
    Case("W256", 20_000, 512, 128, 256, 1),
    Case("L", 2_000_000, 20, 256, 64, 1, over_floor=3.5, over_one=2.0),
    Case("C2", 100_000, 20, 32, 64, 3, over_one=3.0, classes=2, ahead=2.0),
    Case("C10", 60_000, 784, 128, 32, 1, classes=10),
    Case("Cs", 1000, 4, 10, 64, 3, alone=True, classes=3, ahead=2.0),
]
CASES = {case.name: case for case in _ALL}
QUICK = Case("Q", 60, 3, 7, 5, 2, alone=True, over_one=2.0)
QUICK_CLASSES = Case("Qc", 60, 3, 7, 5, 2, alone=True, over_one=2.0, classes=3)
"""Cases for trying the script out."""


def case_of(name: str) -> Case:
    """The case of that name."""
    tried = {case.name: case for case in (QUICK, QUICK_CLASSES)}
    return tried[name] if name in tried else CASES[name]


THREADED = ("M64", "L", "W64")
"""Where two threads are timed against one, and by how much they should win."""
BAR_THREADS = 1.4
BAR_AUTO = 1.5e-3
BAR_COLD = {"learnrate sweep": 0.5, "learnrate sweep --save sweep.png": 1.3}
