"""Every statement of the theory on every table: said, measured, within.

From the repository's root::

    python -m benchmarks.theory_real             # print the tables; some minutes
    python -m benchmarks.theory_real regrets     # one of them: real, regrets
    python -m benchmarks.theory_real --update    # and put them into docs/theory*.md

What is measured comes from the plain simulation in tests/theory/simulate.py, and the mean-square limit from powers of its
map, begun at the row of largest leverage. A statement that is not made is shown as a dash.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.pages import DOCS, put
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.sweeps.run import sweep
from learnrate.sweeps.suggestion import Suggestion
from learnrate.theory import Theory, analyse
from tests.theory.examples import Array
from tests.theory.simulate import simulate
from tests.theory.tables import ASIDE, TABLES
from tests.theory.test_mean_square import by_powers

SAMPLINGS = ("independent", "shuffle")
STATEMENTS = {
    "limit": "mean-square limit over 2/κ by powers",
    "typical": "typical-run limit over the rate at which half of 40 noise-free runs have grown",
    "curve .1": "expected loss after 3 epochs at 0.1 of the limit, over the mean of 100 runs",
    "curve .5": "the same at 0.5 of it",
    "floor .3": "floor at 0.3 of the limit over the mean of late epochs, where it is reached",
    "floor .7": "the same at 0.7 of it",
    "share": "share above the start after 3 epochs between the limits, minus that of 200 runs",
    "regret": "loss at the suggestion (20 seeds) over the least of the rates tried, minus 1",
}


def measured(X: Array, y: Array, B: int, sampling: str) -> Iterator[tuple[str, float, bool]]:
    """Each statement: its name, said against measured, and whether that is within what is claimed."""
    theory = analyse(X, y, B, sampling=sampling)
    limit = theory.limit.value
    assert limit is not None
    ratio = limit / by_powers(theory.modes, B, 60)
    error = (theory.limit.standard_error or 0.0) / limit
    yield "limit", ratio, 0.999 - error <= ratio <= 1 + 1e-4
    yield typical(theory, X, B, sampling)
    losses = simulate(X, y, limit * np.array([0.1, 0.5]), B, 3, runs=100, sampling=sampling)
    predicted = theory.curve(limit * np.array([0.1, 0.5]), 3).losses[:, -1]
    last = losses[:, :, -1]
    for k, name in enumerate(("curve .1", "curve .5")):
        error = float(last[k].std() / 10 / last[k].mean())
        ratio = float(predicted[k] / last[k].mean())
        allowed = 4 * error + (0.01 if sampling == "independent" else 0.1)
        yield name, ratio, abs(ratio - 1) <= allowed
    for part in (0.3, 0.7):
        yield floor(theory, X, y, B, sampling, part)
    yield share(theory, X, y, B, sampling)
    yield regret(X, y, B, sampling)


def typical(theory: Theory, X: Array, B: int, sampling: str) -> tuple[str, float, bool]:
    """Where half of some noise-free runs have grown after some 3,000 steps."""
    said = theory.typical_limit
    if said.value is None or len(X) <= B:
        return "typical", np.nan, True
    lrs = said.value * np.linspace(0.88, 1.12, 13)
    epochs = max(6, 3000 * B // len(X))
    rows = np.column_stack([X, np.ones(len(X))])
    fitted = rows @ theory.optimum
    losses = simulate(X, fitted, lrs, B, epochs, runs=40, sampling=sampling)
    with np.errstate(all="ignore"):
        grown = ~(losses[:, :, -1] <= losses[:, :, 0])
    half = float(np.interp(0.5, np.maximum.accumulate(grown.mean(axis=1)), lrs))
    ratio = said.value / half
    return "typical", ratio, abs(ratio - 1) <= 3 * (said.standard_error or 0.0) / said.value + 0.02


def floor(
    theory: Theory, X: Array, y: Array, B: int, sampling: str, part: float
) -> tuple[str, float, bool]:
    """Late epochs at a part of the limit."""
    name = f"floor {part}".replace("0.", ".")
    lr = np.array([part * (theory.limit.value or 0.0)])
    epochs = 150
    settled = lr[0] * theory.spectrum.smallest * 60 * len(X) / B > 5
    said = float(theory.floor(lr).losses[0])
    nothing = said < 1e-12 * float(np.mean(y**2))
    if not settled or nothing or not np.isfinite(said):
        return name, np.nan, True
    losses = simulate(X, y, lr, B, epochs, runs=30, sampling=sampling, keep_from=60)
    measured = float(losses.mean())
    error = float(losses.mean(axis=(0, 2)).std()) / np.sqrt(30) / measured
    ratio = said / measured
    return name, ratio, abs(ratio - 1) <= 3 * error + (0.01 if sampling == "independent" else 0.2)


def share(theory: Theory, X: Array, y: Array, B: int, sampling: str) -> tuple[str, float, bool]:
    """A rate half-way between the limits."""
    limit, high = theory.limit.value or 0.0, theory.typical_limit.value
    if high is None or high <= limit:
        return "share", np.nan, True
    lr = np.array([np.sqrt(limit * high)])
    said = float(theory.diverged_share(lr, 3)[0])
    if np.isnan(said):
        return "share", np.nan, True
    losses = simulate(X, y, lr, B, 3, runs=200, sampling=sampling)
    with np.errstate(all="ignore"):
        seen = float((~(losses[:, :, -1] <= losses[:, :, 0])).mean())
    return "share", said - seen, abs(said - seen) <= 0.1


def regret(X: Array, y: Array, B: int, sampling: str) -> tuple[str, float, bool]:
    """The suggestion of one sweep, and whether a rate that is not safe is said not to be."""
    result, worse = suggested(X, y, B, 1, epochs=3, sampling=sampling)
    suggestion = result.suggestion()
    if suggestion.lr is None:
        return "regret", np.nan, True
    assert result.verdicts is not None
    word = result.verdicts[int(np.flatnonzero(result.lrs == suggestion.lr)[0])]
    said = word == "safe" or "not known to be safe" in suggestion.reason
    return "regret", worse, said and worse <= 0.25


def suggested(
    X: Array, y: Array, B: int, seeds: int, **options: Any
) -> tuple[LinearSweepResult, float]:
    """A sweep, and how much more than the least of its rates its suggestion gives by 20 other seeds.

    In their median or in their mean, whichever is less: with heavy tails these prefer other rates. It is the held-out
    loss where examples are held out, the same ones for all seeds.
    """
    options = {"batch_size": B, "standardize": False, **options}
    result = sweep(X, y, seeds=seeds, **options)
    lr = result.suggestion().lr
    if lr is None:
        return result, np.nan
    others = sweep(X, y, lrs=result.lrs, seeds=seeds + 20, **options)
    losses = others.losses if others.val_losses is None else others.val_losses
    worse = []
    for typical in (np.median, np.mean):
        with np.errstate(all="ignore"):
            final = typical(losses[seeds:, :, -1], axis=0)
        worse.append(float(final[result.lrs == lr][0] / np.nanmin(final) - 1))
    return result, min(worse)


REGRETS: dict[str, dict[str, Any]] = {
    "plain": {"epochs": 3},
    "val": {"epochs": 3, "val": 0.25},
    "schedule": {"epochs": 1, "schedule": "cosine"},
    "both": {"epochs": 3, "val": 0.25, "schedule": "cosine"},
}


def decided_by_one(suggestion: Suggestion) -> bool:
    """Whether its sentence says that one run decides."""
    return "one run decides this" in suggestion.reason


def regrets() -> Iterator[str]:
    """Regret of the suggestion by one run and by ten; a star beyond 0.25 without the word that one run decides it."""
    yield f"{'':22}" + "".join(f"{name:>18}" for name in REGRETS)
    yield f"{'':22}" + f"{'1 seed':>9}{'10 seeds':>9}" * len(REGRETS)
    found: list[list[float]] = [[] for _ in range(2 * len(REGRETS))]
    held: list[list[bool]] = [[] for _ in found]
    for name, make in (TABLES | ASIDE).items():
        X, y, B = make()
        cells = ""
        for k, options in enumerate(REGRETS.values()):
            for j, seeds in enumerate((1, 10)):
                result, worse = suggested(X, y, B, seeds, **options)
                column, suggestion = 2 * k + j, result.suggestion()
                if np.isnan(worse):
                    cells += f"{'–':>9}"
                    continue
                within = worse <= 0.25 or decided_by_one(suggestion)
                found[column].append(worse)
                held[column].append(within)
                mark = "" if worse <= 0.25 else "!" if within else "*"
                cells += f"{f'{worse:.3f}{mark}':>9}"
        yield f"{name:22}{cells}"
    yield f"{'median':22}" + "".join(f"{np.median(column):>9.3f}" for column in found)
    yield f"{'largest':22}" + "".join(f"{np.max(column):>9.3f}" for column in found)
    yield f"{'within':22}" + "".join(f"{f'{sum(flags)}/{len(flags)}':>9}" for flags in held)


def real() -> Iterator[str]:
    """Every statement on every table; a star where it is not within what is claimed."""
    yield f"{'':22}{'sampling':13}" + "".join(f"{name:>10}" for name in STATEMENTS)
    count: dict[str, list[bool]] = {name: [] for name in STATEMENTS}
    for group, tables in (("", TABLES), ("put aside:", ASIDE)):
        if group:
            yield group
        for name, make in tables.items():
            X, y, B = make()
            for sampling in SAMPLINGS:
                cells = ""
                for statement, value, within in measured(X, y, B, sampling):
                    text = "–" if np.isnan(value) else f"{value:.3f}" + ("" if within else "*")
                    cells += f"{text:>10}"
                    if not np.isnan(value):
                        count[statement].append(within)
                yield f"{name:22}{sampling:13}{cells}"
    held = (f"{sum(flags)}/{len(flags)}" for flags in count.values())
    yield f"{'within':35}" + "".join(f"{text:>10}" for text in held)


PRINTED: dict[str, Callable[[], Iterator[str]]] = {"real": real, "regrets": regrets}


def main() -> None:
    """Print the tables, and put them into the pages if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="*", help=f"which of {', '.join(PRINTED)}; all by default")
    parser.add_argument("--update", action="store_true", help="put them into docs/theory*.md")
    options = parser.parse_args()
    for name in options.tables or PRINTED:
        shown = []
        for line in PRINTED[name]():
            shown.append(line.rstrip())
            print(shown[-1], flush=True)
        if options.update:
            text = "\n".join(shown)
            for page in DOCS.glob("theory*.md"):
                put(page, name, f"```text\n{text}\n```\n")


if __name__ == "__main__":
    main()
