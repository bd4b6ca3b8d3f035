"""The estimators beside scikit-learn's ``SGDRegressor`` and ``SGDClassifier``: the tables of docs/scikit-learn.md.

Ten regression sets and ten of classes that scikit-learn ships or that are generated here, five seeds each for the split
and the estimator. Every method is used as its documentation says, with its defaults::

    export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
    python -m benchmarks.sklearn_compare                     # print both tables
    python -m benchmarks.sklearn_compare --update classes    # one of them, and into the pages too

Time is CPU time of ``fit``, on one thread. A fit counts as diverged if it fails, gives numbers that are not
finite, or explains its own training data worse than their mean does (R² < 0 there), or of classes worse than their shares (a
log loss above the entropy).
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
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.pages import DOCS, processor, put
from learnrate.sklearn import SweptSGDClassifier, SweptSGDRegressor

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


def of_classes(X: Any, slope: float, shift: float = 0.0) -> Examples:
    """Two classes, by the logistic model along the features' sum."""
    rng = np.random.default_rng(1)
    z = slope * X.sum(axis=1) / np.sqrt(X.shape[1]) + shift
    return X, (rng.random(len(X)) < 1 / (1 + np.exp(-z))).astype(int)


def generated(n: int, d: int, classes: int, **options: Any) -> Examples:
    """By `make_classification`, half of whose features tell something."""
    X, y = datasets.make_classification(
        n, d, n_informative=d // 2, n_classes=classes, random_state=0, **options
    )
    return X, y


def badly_scaled_classes() -> Examples:
    """Units from thousandths to thousands, and an offset."""
    X, y = generated(1000, 8, 2)
    return X * np.geomspace(1e-3, 1e4, 8) + np.geomspace(1e-3, 1e4, 8), y


def normal(n: int, d: int) -> Any:
    """Standard normal features."""
    return np.random.default_rng(0).standard_normal((n, d))


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


def classifier(seed: int) -> SGDClassifier:
    """With the loss that gives probabilities."""
    return SGDClassifier(loss="log_loss", random_state=seed)


@dataclass(frozen=True)
class Comparison:
    """Methods on data sets.

    Attributes
    ----------
    name : str
        Of the table in the pages.
    data, methods : mappings from a name to what loads the examples, and to what makes an estimator of a seed
    scores : callable
        Numbers that stand for a fitted estimator on some examples.
    diverged : callable
        Whether an estimator explains its own training data worse than a constant.
    shown : callable
        Text of the median scores.
    """

    name: str
    data: dict[str, Callable[[], Examples]]
    methods: dict[str, Callable[[int], Any]]
    scores: Callable[[Any, Any, Any], tuple[float, ...]]
    diverged: Callable[[Any, Any, Any], bool]
    shown: Callable[[list[float]], str]


def entropy(y: Any) -> float:
    """Log loss of the classes' shares."""
    shares = np.bincount(np.unique(y, return_inverse=True)[1]) / len(y)
    return float(-(shares * np.log(shares)).sum())


def of_probabilities(model: Any, X: Any, y: Any) -> tuple[float, ...]:
    """Log loss and accuracy."""
    p = model.predict_proba(X)
    if not np.isfinite(p).all():
        return float("nan"), float("nan")
    return float(log_loss(y, p, labels=model.classes_)), float(model.score(X, y))


NUMBERS = Comparison(
    "compare",
    {
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
    },
    {
        "least squares": lambda seed: LinearRegression(),
        "SGD": lambda seed: SGDRegressor(random_state=seed),
        "scaled SGD": scaled,
        "scaled SGD, searched": searched,
        "swept": lambda seed: SweptSGDRegressor(random_state=seed),
    },
    lambda model, X, y: (float(model.score(X, y)),),
    lambda model, X, y: not model.score(X, y) >= 0,
    lambda scores: f"{scores[0]:.3f}".replace("-", "−"),
)
CLASSES = Comparison(
    "compare classes",
    {
        "iris": lambda: datasets.load_iris(return_X_y=True),
        "wine": lambda: datasets.load_wine(return_X_y=True),
        "breast cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
        "digits": lambda: datasets.load_digits(return_X_y=True),
        "two classes": lambda: generated(2000, 20, 2),
        "five classes": lambda: generated(2000, 20, 5),
        "wide (n < d)": lambda: generated(120, 300, 2),
        "one in 50": lambda: of_classes(normal(2000, 10), 1.5, -5.0),
        "heavy-tailed": lambda: of_classes(np.random.default_rng(0).standard_t(3, (1000, 10)), 1.0),
        "badly scaled": badly_scaled_classes,
    },
    {
        "LogisticRegression": lambda seed: LogisticRegression(),
        "scaled LogisticRegression": lambda seed: make_pipeline(
            StandardScaler(), LogisticRegression()
        ),
        "SGD": classifier,
        "scaled SGD": lambda seed: make_pipeline(StandardScaler(), classifier(seed)),
        "swept": lambda seed: SweptSGDClassifier(random_state=seed),
        "swept, a fifth held out": lambda seed: SweptSGDClassifier(
            validation_fraction=0.2, random_state=seed
        ),
    },
    of_probabilities,
    lambda model, X, y: not of_probabilities(model, X, y)[0] <= entropy(y),
    lambda scores: f"{scores[0]:.3f}, {100 * scores[1]:.1f} %",
)
COMPARISONS = {"numbers": NUMBERS, "classes": CLASSES}


@dataclass(frozen=True)
class Fit:
    """One fit: scores on held-out examples, whether it diverged, CPU seconds."""

    scores: tuple[float, ...]
    diverged: bool
    seconds: float


def measure(comparison: Comparison, method: str, X: Any, y: Any, seed: int) -> Fit:
    """Fit on three quarters of the examples and score on the others."""
    same_shares = y if comparison is CLASSES else None
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, random_state=seed, stratify=same_shares
    )
    estimator = comparison.methods[method](seed)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # what went wrong is counted below
        began = time.process_time()
        try:
            estimator.fit(X_train, y_train)
            seconds = time.process_time() - began
            scores = comparison.scores(estimator, X_test, y_test)
            diverged = not np.isfinite(scores).all()
            diverged = diverged or comparison.diverged(estimator, X_train, y_train)
        except ValueError:  # scikit-learn: "Floating-point under-/overflow occurred"
            return Fit((-np.inf,), True, time.process_time() - began)
    return Fit(scores, diverged, seconds)


def rows(comparison: Comparison) -> Iterator[list[str]]:
    """One row per data set, then the sums."""
    methods = comparison.methods
    fits: dict[str, list[Fit]] = {method: [] for method in methods}
    for name, load in comparison.data.items():
        X, y = load()
        cells = [name, f"{len(X):,} × {X.shape[1]}"]
        for method in methods:
            measured = [measure(comparison, method, X, y, seed) for seed in range(SEEDS)]
            fits[method] += measured
            cells.append(cell(comparison, measured))
        yield cells
    count = len(comparison.data) * SEEDS
    diverged = [sum(fit.diverged for fit in fits[method]) for method in methods]
    yield ["diverged", "", *(f"{some} of {count}" for some in diverged)]
    seconds = [sum(fit.seconds for fit in fits[method]) / SEEDS for method in methods]
    yield ["CPU seconds, all ten", "", *(f"{total:.2f}" for total in seconds)]


def cell(comparison: Comparison, fits: list[Fit]) -> str:
    """Median scores of the fits that did not diverge, CPU seconds, and how many did."""
    seconds = f"{statistics.median(fit.seconds for fit in fits):.3f} s"
    kept = [fit.scores for fit in fits if not fit.diverged]
    count = len(fits) - len(kept)
    if not kept:
        return f"diverged {count}/{len(fits)}"
    median = [statistics.median(values) for values in zip(*kept, strict=True)]
    text = f"{comparison.shown(median)} ({seconds})"
    return text + (f", diverged {count}/{len(fits)}" if count else "")


def table(comparison: Comparison) -> Iterator[str]:
    """The table in Markdown, with what it was made on."""
    columns = ["data", "n × d", *comparison.methods]
    yield "| " + " | ".join(columns) + " |"
    yield "| --- " * len(columns) + "|"
    for row in rows(comparison):
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
    """Print the tables, and put them into the pages if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("which", nargs="*", help=f"of {', '.join(COMPARISONS)}; both unless given")
    parser.add_argument("--update", action="store_true", help="put them into docs/scikit-learn*.md")
    options = parser.parse_args()
    if unknown := set(options.which) - set(COMPARISONS):
        parser.error(f"{', '.join(unknown)} is none of {', '.join(COMPARISONS)}.")
    for which in options.which or COMPARISONS:
        comparison, lines = COMPARISONS[which], []
        for line in table(comparison):
            print(line, flush=True)
            lines.append(line)
        if options.update:
            for page in DOCS.glob("scikit-learn*.md"):
                put(page, comparison.name, "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
