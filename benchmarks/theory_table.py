"""Predicted against measured: the tables of docs/theory.md, on five data sets and on tables as people have them.

From the repository's root::

    python -m benchmarks.theory_table             # print the tables; some minutes
    python -m benchmarks.theory_table --update    # and put them into docs/theory*.md

What is measured comes from the plain simulation in tests/theory/simulate.py, not from learnrate's engines.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.pages import DOCS, put
from learnrate.theory import Theory, analyse
from tests.theory.examples import DATA, Array
from tests.theory.simulate import simulate
from tests.theory.tables import ASIDE
from tests.theory.tables import TABLES as REAL

SAMPLINGS = ("independent", "shuffle")
ALL = DATA | {name: make for name, make in (REAL | ASIDE).items() if name not in DATA}
LONGEST = 4000  # epochs


def limits() -> Iterator[str]:
    """The limits of each data set, and the measured edge of a typical run."""
    yield f"{'':14}{'n':>5}{'d':>4}{'B':>4}{'full batch':>12}{'mean square':>13}" + "".join(
        f"{name:>30}" for name in ("typical run, independent", "typical run, shuffled")
    )
    yield f"{'':44}{'':>8}" + f"{'predicted':>20}{'measured':>10}" * 2
    for name, examples in DATA.items():
        X, y, B = examples()
        line = f"{name:14}{len(X):>5}{X.shape[1]:>4}{B:>4}"
        cells = ""
        for sampling in SAMPLINGS:
            theory = analyse(X, y, B, sampling=sampling)
            typical = theory.typical_limit
            cells += f"{typical.value:>12.4g} ±{typical.standard_error:>6.1g}"
            cells += f"{half_diverged(X, y, B, theory):>10.4g}"
        yield line + f"{theory.full_batch_limit.value:>12.4g}{theory.limit.value:>13.4g}" + cells


def half_diverged(X: Array, y: Array, B: int, theory: Theory) -> float:
    """The rate at which half of 100 runs have grown after 3000 steps, labels met exactly."""
    rows = np.column_stack([X, np.ones(len(X))])
    met = rows @ theory.optimum
    lrs = number(theory.typical_limit.value) * np.linspace(0.96, 1.04, 13)
    sampling = "shuffle" if theory.shuffle else "independent"
    losses = simulate(X, met, lrs, B, 3000 * B // len(X), runs=100, sampling=sampling)
    share = (losses[:, :, -1] >= losses[:, :, 0]).mean(axis=1)
    return float(np.interp(0.5, share, lrs))


def edges() -> Iterator[str]:
    """The mean loss of 400 runs after 1500 steps, below and above the mean-square limit, labels met exactly."""
    yield f"{'':22}{'sampling':13}{'at 0.9 of the limit':>21}{'at 1.3 of it':>14}{'verdict there':>15}"
    for name, examples in ALL.items():
        X, y, B = examples()
        met = np.column_stack([X, np.ones(len(X))]) @ analyse(X, y, B).optimum
        for sampling in SAMPLINGS:
            theory = analyse(X, y, B, sampling=sampling)
            lrs = number(theory.limit.value) * np.array([0.9, 1.3])
            losses = simulate(X, met, lrs, B, 1500 * B // len(X), runs=400, sampling=sampling)
            with np.errstate(all="ignore"):
                grown = losses[:, :, -1].mean(axis=1) / losses[:, :, 0].mean(axis=1)
            word = theory.verdict(float(lrs[1])).verdict.word
            yield f"{name:22}{sampling:13}{grown[0]:>21.2g}{grown[1]:>14.2g}{word:>15}"


def curves() -> Iterator[str]:
    """Mean of 400 seeds over the predicted curve, after epochs 1, 2 and 4."""
    rates = (0.1, 0.5, 0.9)
    yield f"{'':22}{'sampling':13}" + "".join(f"{f'at {rate} of the limit':>30}" for rate in rates)
    for name, examples in ALL.items():
        X, y, B = examples()
        for sampling in SAMPLINGS:
            theory = analyse(X, y, B, sampling=sampling)
            lrs = number(theory.limit.value) * np.array(rates)
            losses = simulate(X, y, lrs, B, 4, runs=400, sampling=sampling, real_order=True)
            mean, error = losses.mean(axis=1), losses.std(axis=1, ddof=1) / 20
            predicted = theory.curve(lrs, 4).losses
            cells = ""
            for k in range(3):
                ratios = (mean / predicted)[k, [1, 2, 4]]
                worst = np.max((error / mean)[k, 1:])
                cells += f"{'  '.join(ratio(value) for value in ratios):>22} ±{worst:.3f} "
            yield f"{name:22}{sampling:13}{cells}"


def ratio(value: float) -> str:
    """Measured over predicted; a dash where nothing is predicted."""
    return "    –" if np.isnan(value) else f"{value:.3f}"


def floors() -> Iterator[str]:
    """Excess loss at the ends of shuffled epochs, long after the start."""
    yield (
        f"{'':26}{'rate':>9}{'rate/limit':>12}{'predicted':>12}{'measured':>12}{'ratio':>8}"
        f"{'independent':>14}"
    )
    rng = np.random.default_rng(1)
    X = rng.standard_normal((60, 2))
    y = X @ [2.0, -3.4] + 4.2 + rng.standard_normal(60)
    cases: list[tuple[str, Array, Array, int]] = [("n = 60, B = 5, noise 1", X, y, 5)]
    cases += [(name, *make()) for name, make in ALL.items() if name != "n < d"]
    for name, X, y, B in cases:
        shuffled = analyse(X, y, B)
        limit, least = number(shuffled.limit.value), shuffled.loss_at_optimum
        rates = (
            [0.01, 0.03, 0.1, 0.2, 0.4, 0.6]
            if "=" in name
            else limit * np.array([0.01, 0.1, 0.3, 0.7])
        )
        for lr in rates:
            slowest = lr * shuffled.spectrum.smallest * len(X) / B
            if slowest * LONGEST < 5:  # it would not be reached
                continue
            epochs = int(np.clip(12 / slowest, 40, LONGEST))
            runs = max(20, int(2e5 / (epochs * len(X) / B)))
            one = np.array([lr])
            losses = simulate(
                X, y, one, B, epochs, runs=runs, sampling="shuffle", keep_from=2 * epochs // 3
            )
            measured, predicted = losses.mean() - least, shuffled.floor(one).losses[0] - least
            said = "–" if np.isnan(predicted) else f"{predicted:.3g}"
            alone = analyse(X, y, B, sampling="independent").floor(one).losses[0] - least
            yield (
                f"{name:26}{lr:>9.2g}{lr / limit:>12.2g}{said:>12}{measured:>12.3g}"
                f"{ratio(measured / predicted):>8}{alone:>14.3g}"
            )


def shares() -> Iterator[str]:
    """Share of 300 runs above their start after three epochs, beside that of the 100 that are counted."""
    parts = np.array([0.9, 0.95, 0.97, 0.985, 1.0, 1.015, 1.03])
    yield f"{'':14}{'sampling':13}{'':11}" + "".join(f"{part:>7}" for part in parts)
    for name in ("note", "diabetes", "correlated", "heavy-tailed"):
        X, y, B = DATA[name]()
        for sampling in SAMPLINGS:
            theory = analyse(X, y, B, sampling=sampling)
            lrs, epochs = number(theory.typical_limit.value) * parts, 3
            losses = simulate(X, y, lrs, B, epochs, runs=300, sampling=sampling)
            measured = (losses[:, :, -1] >= losses[:, :, 0]).mean(axis=1)
            predicted = theory.diverged_share(lrs, epochs)
            for label, row in (("predicted", predicted), ("measured", measured)):
                yield f"{name:14}{sampling:13}{label:11}" + "".join(f"{v:>7.2f}" for v in row)


def number(value: float | None) -> float:
    """A value that is available on these data sets."""
    assert value is not None
    return value


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "limits": limits,
    "edges": edges,
    "curves": curves,
    "floors": floors,
    "shares": shares,
}


def main() -> None:
    """Print the tables, and put them into the pages if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", nargs="*", help=f"which of {', '.join(TABLES)}; all by default")
    parser.add_argument("--update", action="store_true", help="put them into docs/theory*.md")
    options = parser.parse_args()
    for name in options.tables or TABLES:
        print(f"{name}: {(TABLES[name].__doc__ or '').strip()}\n")
        lines = []
        for line in TABLES[name]():
            lines.append(line.rstrip())
            print(lines[-1], flush=True)
        print()
        if options.update:
            text = "\n".join(lines)
            for page in DOCS.glob("theory*.md"):
                put(page, name, f"```text\n{text}\n```\n")


if __name__ == "__main__":
    main()
