"""How good the suggested rate of a loss that is not quadratic is, on the sets of ``benchmarks/local_floors.py``.

    python -m benchmarks.local_regret               # print the table
    python -m benchmarks.local_regret --update      # and put it into docs/theory*.md

`learnrate.sweep` suggests a rate from ``lrs="auto"`` for a short and a longer run, twice with one seed and once with another. A
grid of 41 rates is trained with eight seeds that neither has seen, and the suggested rates with it: regret is the final mean
loss over that of the best rate, as a share of what could be lost, the start's loss over it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import learnrate
from benchmarks.local_floors import B, sets
from benchmarks.pages import print_table
from learnrate._shapes import Array

EPOCHS, SEEDS, FRESH = (1, 10), 8, 1000
GRID = 41


def suggested(X: Array, y: Array, loss: str, epochs: int, seed: int) -> float:
    """The rate that a sweep suggests."""
    result = learnrate.sweep(X, y, lrs="auto", loss=loss, batch_size=B, epochs=epochs, seed=seed)
    lr = result.suggestion().lr
    assert lr is not None
    return lr


def rows() -> Iterator[list[str]]:
    """A row for each set and length of run."""
    for name, loss, X, y in sets():
        for epochs in EPOCHS:
            first, again, other = (suggested(X, y, loss.name, epochs, s) for s in (0, 0, 1))
            grid = np.geomspace(min(first, other) / 100, max(first, other) * 30, GRID)
            result = learnrate.sweep(
                X, y, lrs=sorted({*grid, first, other}), loss=loss.name, batch_size=B,
                epochs=epochs, seed=FRESH, seeds=SEEDS,
            )  # fmt: skip
            with np.errstate(all="ignore"):
                mean = result.losses.mean(axis=0)
            at = dict(zip(result.lrs.tolist(), mean[:, -1].tolist(), strict=True))
            best = min(at, key=lambda lr: at[lr] if np.isfinite(at[lr]) else np.inf)
            lost = float(mean[0, 0]) - at[best]
            regret = [100 * (at[lr] - at[best]) / lost for lr in (first, other)]
            same = "yes" if first == again else "no"
            rates = [f"{lr:.3g}" for lr in (best, first, other)]
            yield [
                *(name, f"{epochs}", rates[0], rates[1], f"{regret[0]:.2f} %", same),
                *(rates[2], f"{regret[1]:.2f} %"),
            ]


def lines() -> Iterator[str]:
    """The table."""
    columns = ["set", "epochs", "best rate", "suggested", "regret", "same twice"]
    columns += ["with another seed", "its regret"]
    yield f"| {' | '.join(columns)} |"
    yield f"{'| --- ' * len(columns)}|"
    for row in rows():
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    print_table("local regret", lines(), "theory")
