"""The figures of docs/theory.md, as small SVG files in docs/figures.

From the repository's root: ``python -m benchmarks.theory_figures``.
"""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmarks.pages import DOCS, STYLE, save_svg
from learnrate.theory import analyse
from learnrate.theory.growth import measure_growth
from learnrate.theory.modes import batch_variance
from learnrate.theory.second_moments import SecondMoments
from tests.theory.examples import DATA, Array
from tests.theory.simulate import simulate


def exponents() -> Figure:
    """Growth per step of one run, and of the mean square, over the learning rate."""
    X, y, B = DATA["note"]()
    theory = analyse(X, y, B, sampling="independent")
    lrs = np.linspace(0.05, 2.2, 60)
    growth = measure_growth(theory.modes, B, lrs, steps=2048)
    moments = SecondMoments.of(theory.modes, batch_variance(len(X), B), rates=1)
    mean_square = [0.5 * np.log(moments.radius(lr)) for lr in lrs]
    slowest = np.log(np.abs(1 - lrs[:, None] * theory.modes.eigenvalues)).max(axis=1)
    figure, ax = canvas()
    ax.plot(lrs, mean_square, color="#b5367a", label="root of the mean square, ½ log ρ(T)")
    ax.plot(lrs, growth.mean, color="#2c7fb8", label="one run, Λ")
    ax.plot(lrs, slowest, color="0.6", linestyle=":", label="full batches, log max|1 − ηλ|")
    ax.axhline(0, color="0.2", linewidth=0.8)
    for limit, color in ((theory.limit, "#b5367a"), (theory.typical_limit, "#2c7fb8")):
        ax.plot(limit.value, 0, "o", color=color, markersize=5)
        ax.annotate(f"{limit.value:.3g}", (limit.value or 0, 0.04), color=color, ha="right")
    ax.set(xlabel="learning rate η", ylabel="log growth per step", ylim=(-1.6, 0.5))
    ax.legend(frameon=False, loc="upper left")
    return figure


def rates() -> Figure:
    """Loss after three shuffled epochs over the learning rate, with predictions and limits."""
    X, y, B = DATA["note"]()
    theory = analyse(X, y, B)
    lrs, fine = np.geomspace(2e-3, 2.2, 33), np.geomspace(2e-3, 2.2, 200)
    losses = simulate(X, y, lrs, B, 3, runs=100, sampling="shuffle", real_order=True)[:, :, -1]
    predicted = theory.curve(fine, 3).losses[:, -1]
    figure, ax = canvas()
    low, middle, high = np.quantile(losses, [0.05, 0.5, 0.95], axis=1)
    ax.fill_between(lrs, low, high, color="#2c7fb8", alpha=0.2, linewidth=0)
    ax.plot(lrs, middle, "o", color="#2c7fb8", markersize=3, label="100 runs: median, 5 % to 95 %")
    ax.plot(fine, predicted, "--", color="0.15", linewidth=1, label="predicted mean")
    ax.axhline(theory.loss_at_optimum, color="0.6", linestyle=":", label="least loss L*")
    for limit, color in ((theory.limit, "#b5367a"), (theory.typical_limit, "#2c7fb8")):
        ax.axvline(limit.value or 0, color=color, linewidth=0.8)
    ax.set(xscale="log", yscale="log", ylim=(2e-5, 1e4))
    ax.set(xlabel="learning rate η", ylabel="loss after 3 epochs")
    ax.legend(frameon=False, loc="upper center")
    return figure


def floors() -> Figure:
    """What noise leaves at epoch ends, shuffled and independent, predicted and measured."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((60, 2))
    y = X @ [2.0, -3.4] + 4.2 + rng.standard_normal(60)
    lrs, fine = np.array([0.01, 0.03, 0.1, 0.3, 0.6]), np.geomspace(8e-3, 1.1, 80)
    figure, ax = canvas()
    for sampling, label, color in (
        ("independent", "independent minibatches", "#b5367a"),
        ("shuffle", "shuffled epochs", "#2c7fb8"),
    ):
        theory = analyse(X, y, 5, sampling=sampling)
        least = theory.loss_at_optimum
        ax.plot(fine, theory.floor(fine).losses - least, "--", color=color, linewidth=1)
        ax.plot(lrs, settled(X, y, lrs, sampling) - least, "o", color=color, markersize=4)
        ax.plot([], [], "o--", color=color, markersize=4, label=label)
    ax.set(xscale="log", yscale="log", ylim=(3e-7, 3))
    ax.set(xlabel="learning rate η", ylabel="floor − L*")
    ax.legend(frameon=False, loc="lower right")
    return figure


def settled(X: Array, y: Array, lrs: Array, sampling: str) -> Array:
    """Mean loss at epoch ends, long after the start."""
    levels = []
    for lr in lrs:
        epochs = int(np.clip(10 / lr, 60, 900))
        runs = 40_000 // epochs
        losses = simulate(
            X, y, np.array([lr]), 5, epochs, runs=runs, sampling=sampling, keep_from=epochs // 2
        )
        levels.append(losses.mean())
    return np.array(levels)


def canvas() -> tuple[Figure, Any]:
    """An empty figure of the size that the page has room for."""
    figure = Figure(figsize=(5.2, 3.2), layout="constrained")
    return figure, figure.add_subplot()


def main() -> None:
    """Write all figures."""
    with mpl.rc_context(STYLE):
        for draw in (exponents, rates, floors):
            path = DOCS / "figures" / f"theory-{draw.__name__}.svg"
            save_svg(draw(), path)
            print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
