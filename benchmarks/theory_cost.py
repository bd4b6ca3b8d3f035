"""What the theory adds to a sweep: limits, verdicts and the auto grid, and the suggestion apart.

From the repository's root, with one thread::

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.theory_cost             # print the table
    OPENBLAS_NUM_THREADS=1 python -m benchmarks.theory_cost --update    # and put it into docs/theory*.md

The sweep is trained with its rates given and asks nothing of the theory. Beside it stand the limits with the
verdicts that the table of ``learnrate sweep`` shows, the rest of the auto grid, and the suggestion with the
predicted curves and floors that it looks at. The bar for all of them together: the sweep or 0.3 s, whichever is
larger; 2 s for more than 300 features. Medians of 5, in processor time: with one thread that is what the
clock shows on a quiet machine, and a busy one does not spoil it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.pages import DOCS, put
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.sweeps.rates import auto_rates
from learnrate.sweeps.run import sweep
from learnrate.theory import Theory
from tests.theory.examples import DATA, Array, one_hot

REPEATS = 5
LEAST, WIDE, BROAD = 0.3, 2.0, 300


@dataclass(frozen=True)
class Case:
    """Examples, the batch size, and the rates if not those of the auto grid."""

    name: str
    examples: Callable[[], tuple[Array, Array]]
    batch_size: int
    rates: int | None = None


def normal(n: int, d: int) -> tuple[Array, Array]:
    """Standard normal features, and labels with some noise."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    return X, X @ rng.standard_normal(d) + 1 + 0.1 * rng.standard_normal(n)


def encoded(n: int, d: int) -> tuple[Array, Array]:
    """Levels of a category, from common to rare."""
    X = one_hot(n, d, 0.8)
    return X, X @ np.random.default_rng(1).standard_normal(d) / np.sqrt(d)


CASES = (
    Case("note", lambda: DATA["note"]()[:2], 10),
    Case("diabetes", lambda: DATA["diabetes"]()[:2], 10),
    Case("many examples", lambda: normal(100_000, 20), 32, 25),
    Case("one-hot", lambda: encoded(1460, 288), 10),
    Case("wide", lambda: normal(20_000, 512), 128),
    Case("n < d", lambda: normal(60, 200), 10),
    Case("300 features", lambda: normal(2000, 300), 10),
    Case("rare levels", lambda: encoded(9000, 150), 32),
)


def seconds(run: Callable[[], object]) -> float:
    """Processor time, of all threads."""
    began = time.process_time()
    run()
    return time.process_time() - began


def parts(X: Array, y: Array, B: int, lrs: Array) -> list[float]:
    """Seconds for a sweep, then its limits and verdicts, the auto grid, and the suggestion."""
    result: list[LinearSweepResult] = []
    trained = seconds(lambda: result.append(sweep(X, y, lrs=lrs, batch_size=B)))
    done = result[0]
    return [
        trained,
        seconds(lambda: (done.limit, done.typical_limit, done.verdict_sentences())),
        seconds(lambda: auto_rates(analysed(done), done.epochs)),
        seconds(lambda: (done.suggestion(), done.sentences)),
    ]


def analysed(result: LinearSweepResult) -> Theory:
    """What grid, result and suggestion share, as in a sweep with `auto`."""
    assert result.theory is not None
    return result.theory


def cost() -> Iterator[str]:
    """Milliseconds: the sweep alone, and what comes on top of it."""
    yield (
        f"{'':14}{'n':>7}{'d':>5}{'B':>5}{'rates':>7}{'sweep':>8}{'limits':>8}{'grid':>7}"
        f"{'suggestion':>12}{'all':>7}{'bar':>7}"
    )
    for case in CASES:
        X, y = case.examples()
        lrs = sweep(X, y, batch_size=case.batch_size).lrs
        if case.rates is not None:
            lrs = np.geomspace(lrs.min(), lrs.max(), case.rates)
        rounds = [parts(X, y, case.batch_size, lrs) for _ in range(REPEATS)]
        trained, limits, grid, suggestion = (
            statistics.median(times) for times in zip(*rounds, strict=True)
        )
        every = statistics.median(sum(times[1:]) for times in rounds)
        bar = max(trained, WIDE if X.shape[1] > BROAD else LEAST)
        cells = [f"{1000 * value:.0f}" for value in (trained, limits, grid, suggestion, every, bar)]
        yield (
            f"{case.name:14}{len(X):>7}{X.shape[1]:>5}{case.batch_size:>5}{len(lrs):>7}"
            f"{cells[0]:>8}{cells[1]:>8}{cells[2]:>7}{cells[3]:>12}{cells[4]:>7}{cells[5]:>7}"
            f"{'met' if every <= bar else 'missed':>8}"
        )


def main() -> None:
    """Print the table, and put it into the pages if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--update", action="store_true", help="put it into docs/theory*.md")
    options = parser.parse_args()
    lines = []
    for line in cost():
        lines.append(line.rstrip())
        print(lines[-1], flush=True)
    if options.update:
        text = "\n".join(lines)
        for page in sorted(DOCS.glob("theory*.md")):
            put(page, "cost", f"```text\n{text}\n```\n")


if __name__ == "__main__":
    main()
