"""``SweptSGDRegressor`` beside scikit-learn's ``SGDRegressor``, alone and searched: the table of docs/scikit-learn.md.

Ten regression sets that scikit-learn ships or that are generated here, five seeds each for the split and the
estimator. Every method is used as its documentation says, with its defaults::

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python -m benchmarks.sklearn_compare            # print
    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python -m benchmarks.sklearn_compare --update   # into the pages too

Time is CPU time of ``fit``, on one thread. A fit counts as diverged if it fails, gives numbers that are not
finite, or explains its own training data worse than their mean does (R² < 0 there).
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.linear_model import LinearRegression, SGDRegressor
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.pages import DOCS, processor, put
from learnrate.sklearn import SweptSGDRegressor

SEEDS = 5
Examples = tuple[Any, Any]


def linnerud() -> Examples:
    """Exercise of 20 men, and their weight."""
    data = datasets.load_linnerud()
    return data.data, data.target[:, 0]


def correlated() -> Examples:
    """Thirty features that three factors lie behind."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((800, 3)) @ rng.standard_normal((3, 30))
    X += 0.1 * rng.standard_normal(X.shape)
    return X, X @ rng.standard_normal(30) + rng.standard_normal(800)


def heavy_tailed() -> Examples:
    """Features and noise of Student's t with 3 degrees of freedom."""
    rng = np.random.default_rng(0)
    X = rng.standard_t(3, (1000, 10))
    return X, X @ rng.standard_normal(10) + rng.standard_t(3, 1000)


def badly_scaled() -> Examples:
    """Units from thousandths to thousands, and an offset."""
    X, y = datasets.make_regression(1000, 8, n_informative=8, noise=10, random_state=0)
    return X * np.geomspace(1e-3, 1e4, 8) + np.geomspace(1e-3, 1e4, 8), y


DATA: dict[str, Callable[[], Examples]] = {
    "diabetes": lambda: datasets.load_diabetes(return_X_y=True),
    "linnerud": linnerud,
    "make_regression": lambda: datasets.make_regression(2000, 20, noise=20, random_state=0),
    "wide (n < d)": lambda: datasets.make_regression(
        120, 300, n_informative=5, noise=5, random_state=0
    ),
    "friedman1": lambda: datasets.make_friedman1(1000, noise=1.0, random_state=0),
    "friedman2": lambda: datasets.make_friedman2(1000, noise=50.0, random_state=0),
    "friedman3": lambda: datasets.make_friedman3(1000, noise=0.1, random_state=0),
    "correlated": correlated,
    "heavy-tailed": heavy_tailed,
    "badly scaled": badly_scaled,
}


def searched(seed: int) -> GridSearchCV:
    """Scaled, and the rate searched for: 5 rates × 3 schedules × 5 folds."""
    grid = {
        "sgdregressor__eta0": [1e-4, 1e-3, 1e-2, 1e-1, 1.0],
        "sgdregressor__learning_rate": ["constant", "invscaling", "adaptive"],
    }
    return GridSearchCV(scaled(seed), grid)


def scaled(seed: int) -> Any:
    """As the documentation of `SGDRegressor` says."""
    return make_pipeline(StandardScaler(), SGDRegressor(random_state=seed))


METHODS: dict[str, Callable[[int], Any]] = {
    "least squares": lambda seed: LinearRegression(),
    "SGD": lambda seed: SGDRegressor(random_state=seed),
    "scaled SGD": scaled,
    "scaled SGD, searched": searched,
    "swept": lambda seed: SweptSGDRegressor(random_state=seed),
}


@dataclass(frozen=True)
class Fit:
    """One fit: R² on held-out examples, whether it diverged, CPU seconds."""

    r2: float
    diverged: bool
    seconds: float


def measure(method: str, X: Any, y: Any, seed: int) -> Fit:
    """Fit on three quarters of the examples and score on the others."""
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=seed)
    estimator = METHODS[method](seed)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # what went wrong is counted below
        began = time.process_time()
        try:
            estimator.fit(X_train, y_train)
            seconds = time.process_time() - began
            r2 = estimator.score(X_test, y_test)
            diverged = not (np.isfinite(r2) and estimator.score(X_train, y_train) >= 0)
        except ValueError:  # scikit-learn: "Floating-point under-/overflow occurred"
            return Fit(-np.inf, True, time.process_time() - began)
    return Fit(float(r2), diverged, seconds)


def rows() -> Iterator[list[str]]:
    """One row per data set, then the sums."""
    fits: dict[str, list[Fit]] = {method: [] for method in METHODS}
    for name, load in DATA.items():
        X, y = load()
        cells = [name, f"{len(X):,} × {X.shape[1]}"]
        for method in METHODS:
            measured = [measure(method, X, y, seed) for seed in range(SEEDS)]
            fits[method] += measured
            cells.append(cell(measured))
        yield cells
    diverged = [sum(fit.diverged for fit in fits[method]) for method in METHODS]
    yield ["diverged", "", *(f"{count} of {len(DATA) * SEEDS}" for count in diverged)]
    seconds = [sum(fit.seconds for fit in fits[method]) / SEEDS for method in METHODS]
    yield ["CPU seconds, all ten", "", *(f"{total:.2f}" for total in seconds)]


def cell(fits: list[Fit]) -> str:
    """Median R² of the fits that did not diverge, CPU seconds, and how many did."""
    seconds = f"{statistics.median(fit.seconds for fit in fits):.3f} s"
    kept = [fit.r2 for fit in fits if not fit.diverged]
    count = len(fits) - len(kept)
    if not kept:
        return f"diverged {count}/{len(fits)}"
    r2 = f"{statistics.median(kept):.3f}".replace("-", "−")
    return f"{r2} ({seconds})" + (f", diverged {count}/{len(fits)}" if count else "")


def table() -> Iterator[str]:
    """The table in Markdown, with what it was made on."""
    columns = ["data", "n × d", *METHODS]
    yield "| " + " | ".join(columns) + " |"
    yield "| --- " * len(columns) + "|"
    for row in rows():
        yield "| " + " | ".join(row) + " |"
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("learnrate", "scikit-learn", "numpy", "scipy")
    )
    yield ""
    yield (
        f"{datetime.datetime.now(tz=datetime.UTC).date()}, {processor()}, {os.cpu_count()} cores, one "
        f"thread; Python {platform.python_version()}, {versions}. "
        "`python -m benchmarks.sklearn_compare --update`"
    )


def main() -> None:
    """Print the table, and put it into the pages if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--update", action="store_true", help="put it into docs/scikit-learn*.md")
    options = parser.parse_args()
    lines = []
    for line in table():
        print(line, flush=True)
        lines.append(line)
    if options.update:
        for page in DOCS.glob("scikit-learn*.md"):
            put(page, "compare", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
