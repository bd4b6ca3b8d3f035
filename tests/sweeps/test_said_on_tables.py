"""What a sweep says on tables as people have them, sentence by sentence, against what then happens."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import learnrate
from learnrate.sweeps.linear import LinearSweepResult
from learnrate.sweeps.outcomes import Outcome
from tests.theory.examples import Array, one_hot
from tests.theory.simulate import simulate
from tests.theory.tables import ASIDE, TABLES


def swept(table: tuple[Array, Array, int], **options: Any) -> LinearSweepResult:
    X, y, B = table
    return learnrate.sweep(X, y, batch_size=B, standardize=False, **options)


def holds(result: LinearSweepResult) -> None:
    """The suggestion is safe or said not to be, smallest where that is said, and no safe rate is said to diverge."""
    suggestion, verdicts = result.suggestion(), result.verdicts
    assert verdicts is not None
    for word, sentence in zip(verdicts, result.sentences, strict=True):
        assert word != "safe" or "diverg" not in sentence
    if suggestion.lr is None:
        return
    k = int(np.flatnonzero(result.lrs == suggestion.lr)[0])
    assert verdicts[k] == "safe" or "not known to be safe" in suggestion.reason
    if "confirms it" in suggestion.reason:
        assert result.predicted is not None
        assert result.predicted[k, -1] <= np.nanmin(result.predicted[:, -1])


@pytest.mark.parametrize("epochs", [1, 100])
def test_a_borderline_rate_is_not_suggested_for_a_chance_end(epochs: int) -> None:
    """Powers of one column: a borderline rate ended lowest, where the expectation was 2.4e7."""
    result = swept(ASIDE["powers, raw"](), epochs=epochs, sampling="independent")
    assert result.suggestion().lr is not None
    holds(result)


@pytest.mark.parametrize("epochs", [1, 3])
def test_a_start_near_the_optimum_condemns_no_rate(epochs: int) -> None:
    """Raw incomes, ten seeds, one of which starts by luck near the optimum."""
    result = swept(TABLES["raw incomes"](), epochs=epochs, seeds=10)
    holds(result)
    lr, interval = result.suggestion().lr, result.suggestion().interval
    assert lr is not None
    assert interval is not None
    others = swept(TABLES["raw incomes"](), epochs=epochs, seeds=30, lrs=result.lrs)
    median = np.median(others.losses[10:, :, -1], axis=0)
    assert median[result.lrs == lr][0] <= 1.25 * median.min()
    inside = (result.lrs >= interval[0]) & (result.lrs <= interval[1])
    assert median[inside].max() <= 2 * median.min()


@pytest.mark.parametrize(
    "options", [{}, {"val": 0.25}, {"seeds": 10, "val": 0.25}], ids=["plain", "val", "ten seeds"]
)
@pytest.mark.parametrize("name", ["no signal", "weak signal"])
def test_features_that_say_little(name: str, options: dict[str, Any]) -> None:
    """The floor lies above the start, and that is no divergence; there is always a rate to suggest."""
    result = swept((TABLES | ASIDE)[name](), epochs=20, **options)
    holds(result)
    assert result.suggestion().lr is not None or "val" in options


@pytest.mark.parametrize("epochs", [3, 30])
def test_beyond_the_limit_of_single_runs_nothing_is_at_its_floor(epochs: int) -> None:
    table = TABLES["rare levels"]()
    typical = swept(table, lrs=[1e-3]).typical_limit
    assert typical is not None
    result = swept(table, lrs=typical * np.array([1.001, 1.2]), epochs=epochs)
    assert result.verdicts == ("diverges", "diverges")
    assert result.floors is not None
    assert np.isinf(result.floors).all()
    assert not any(outcome is Outcome.AT_FLOOR for outcome in result.outcomes[0])


@pytest.mark.parametrize("sampling", ["independent", "shuffle"])
@pytest.mark.parametrize("name", ["outlier in the label", "short last minibatch", "n < d"])
def test_shares_of_runs_above_their_start_after_many_epochs(name: str, sampling: str) -> None:
    X, y, B = (TABLES | ASIDE)[name]()
    theory = learnrate.sweep(X, y, batch_size=B, sampling=sampling, standardize=False, lrs=[1e-3]).theory  # fmt: skip
    assert theory is not None
    limit, typical = theory.limit.value, theory.typical_limit.value
    assert limit is not None
    assert typical is not None
    lrs = limit * (typical / limit) ** np.array([0.1, 0.4, 0.7])
    said = theory.diverged_share(lrs, 20)
    losses = simulate(X, y, lrs, B, 20, runs=200, sampling=sampling)
    measured = (~(losses[:, :, -1] <= losses[:, :, 0])).mean(axis=1)
    assert (np.isnan(said) | (np.abs(said - measured) <= 0.15)).all()


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [3, 20])
def test_a_wide_table_with_rare_levels(epochs: int) -> None:
    """9,000 rows, one category of 151 levels: 60 of 60 runs ended above their start at a rate called safe."""
    X = one_hot(9000, 150, 1.3)
    rng = np.random.default_rng(0)
    y = X @ rng.standard_normal(150) / 10 + rng.standard_normal(9000)
    result = swept((X, y, 32), epochs=epochs, seeds=3)
    holds(result)
    assert result.verdicts is not None
    safe = np.array([word == "safe" for word in result.verdicts])
    ends = result.losses[:, safe, -1]
    assert (ends <= result.losses[:, safe, 0] * 1.05).all()
    assert result.limit is not None
    # The largest rate that is called safe, exactly in expectation and without label noise: it shrinks.
    near = swept((X, X @ rng.standard_normal(150), 32), lrs=[0.97 * result.limit], epochs=epochs)
    assert near.losses[0, 0, -1] < near.losses[0, 0, 0]


@pytest.mark.slow
@pytest.mark.parametrize(("epochs", "seeds"), [(1, 2), (3, 10), (20, 1)])
@pytest.mark.parametrize("name", [*TABLES, *ASIDE])
def test_every_sentence_on_every_table(name: str, epochs: int, seeds: int) -> None:
    """The suggestion, and the ends of the interval where rates are said to be as good, by twenty other seeds."""
    table = (TABLES | ASIDE)[name]()
    result = swept(table, epochs=epochs, seeds=seeds)
    holds(result)
    interval = result.suggestion().interval
    if interval is None or seeds == 1:
        return
    others = swept(table, epochs=epochs, seeds=seeds + 20, lrs=result.lrs)
    median = np.median(others.losses[seeds:, :, -1], axis=0)
    inside = (result.lrs >= interval[0]) & (result.lrs <= interval[1])
    assert median[inside].max() <= 2 * median[inside].min() + 1e-12 * others.losses[0, 0, 0]
