"""Floors and edges of losses that are not quadratic: predicted near the optimum, and measured.

    python -m benchmarks.local_floors               # print the table
    python -m benchmarks.local_floors --update      # and put it into docs/theory*.md

Six sets, both samplings. Every run starts at the optimum; a third of its epochs are left out, the losses after the others
averaged over epochs and seeds.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.pages import print_table
from learnrate._shapes import Array
from learnrate.data.order import Sampling
from learnrate.linear.fused import FusedEngine
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.theory.local import Local
from learnrate.training.losses import Logistic, Loss, Softmax
from learnrate.training.losses.optimum import find_optimum
from learnrate.training.losses.settling import Settling

PARTS = np.array([0.01, 0.03, 0.1, 0.3, 0.6, 0.9, 1.2, 2.0])
B, SEEDS, EPOCHS = 8, 8, 600


def sets() -> Iterator[tuple[str, Loss, Array, Array]]:
    """Name, loss, features and codes."""
    rng = np.random.default_rng(0)

    def two(X: Array, w: Array, shift: float = 0.0) -> Array:
        return (rng.random(len(X)) < 1 / (1 + np.exp(-(X @ w + shift)))).astype(np.int64)

    X = rng.normal(size=(400, 4))
    yield "two classes", Logistic(), X, two(X, np.array([1.0, -0.5, 0.3, 0.0]))
    y = (X @ rng.normal(size=(4, 3)) + rng.gumbel(size=(400, 3))).argmax(axis=1)
    yield "three classes", Softmax(3), X, y
    shared = rng.normal(size=(400, 1)) + 0.2 * rng.normal(size=(400, 4))
    yield "correlated", Logistic(), shared, two(shared, np.array([0.5, 0.5, -0.5, 0.5]))
    heavy = rng.standard_t(3, size=(400, 4))
    yield "heavy-tailed", Logistic(), heavy, two(heavy, np.array([0.6, -0.3, 0.2, 0.0]))
    X = rng.normal(size=(1000, 4))
    yield "1 in 50", Logistic(), X, two(X, np.array([0.7, -0.4, 0.0, 0.0]), -4.3)
    X = rng.normal(size=(400, 4))
    yield "nearly separable", Logistic(), X, two(X, np.array([8.0, -4.0, 2.0, 0.0]))


def measured(loss: Loss, X: Array, y: Array, theta: Array, lrs: Array, sampling: Sampling) -> Array:
    """Mean loss of each rate."""
    K = len(lrs)
    W, b = np.tile(theta[:, :-1].T, (K, 1, 1)), np.tile(theta[:, -1], (K, 1))
    if loss.outputs == 1:
        W, b = W[:, :, 0], b[:, 0]
    losses = []
    for seed in range(SEEDS):
        problem = LinearProblem(X, y, lrs, B, EPOCHS, seed=seed, sampling=sampling, loss=loss)
        start = EpochState(0, W, b, np.zeros(K))
        states = list(FusedEngine().states(problem, start))
        losses.append(np.mean([state.measured["loss"] for state in states[EPOCHS // 3 :]], axis=0))
    return np.asarray(np.mean(losses, axis=0))


def lines() -> Iterator[str]:
    """The table."""
    yield f"| set | sampling | limit | {' | '.join(f'{part:g}' for part in PARTS)} |"
    yield f"| --- | --- | --- {'| --- ' * len(PARTS)}|"
    for name, loss, X, y in sets():
        found = find_optimum(loss, X, y)
        assert found is not None
        assert found.reached, name
        local = Local(X, found.derivative, found.second_derivative, B)
        lrs = PARTS * local.limit
        settling = Settling(loss, X, y, found, local)
        for sampling in (Sampling.INDEPENDENT, Sampling.SHUFFLE):
            above = measured(loss, X, y, found.theta, lrs, sampling) - found.loss
            predicted = settling.excess(lrs, shuffle=sampling is Sampling.SHUFFLE)
            cells = [
                f"{a / p:.2f}" if np.isfinite(p) else f"+{a:.2g}"
                for a, p in zip(above, predicted, strict=True)
            ]
            yield f"| {name} | {sampling} | {local.limit:.3g} | {' | '.join(cells)} |"


if __name__ == "__main__":
    print_table("local floors", lines(), "theory")
