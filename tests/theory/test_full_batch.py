from __future__ import annotations

import numpy as np
import pytest

from learnrate.theory.closed_form import best_full_batch_rate, full_batch_limit
from learnrate.theory.modes import Modes
from learnrate.theory.quantity import Kind
from tests.theory.examples import DATA
from tests.theory.simulate import simulate


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_full_batches_converge_below_the_limit_and_diverge_above(
    momentum: float, weight_decay: float
) -> None:
    X, y, _ = DATA["correlated"]()
    modes = Modes(X, y, weight_decay=weight_decay)
    limit = full_batch_limit(modes.spectrum, momentum=momentum)
    assert limit.kind is Kind.EXACT
    assert limit.value is not None
    lrs = limit.value * np.array([0.99, 1.01])
    losses = simulate(
        X,
        y,
        lrs,
        len(X),
        3000,
        runs=1,
        momentum=momentum,
        weight_decay=weight_decay,
        keep_from=2500,
    )
    assert losses[0].max() == pytest.approx(modes.loss_at_optimum, rel=1e-3)
    assert losses[1].min() > 1e3


def test_best_rate_balances_the_slowest_and_the_fastest_direction() -> None:
    X, y, _ = DATA["correlated"]()
    modes = Modes(X, y)
    best = best_full_batch_rate(modes.spectrum)
    assert best.value is not None
    shrink = np.abs(1 - np.outer(best.value * np.array([0.97, 1.0, 1.03]), modes.eigenvalues)).max(
        axis=1
    )
    assert shrink[1] < shrink[0]
    assert shrink[1] < shrink[2]
    kappa = modes.spectrum.condition_number
    assert shrink[1] == pytest.approx((kappa - 1) / (kappa + 1))


def test_with_momentum_there_is_no_best_rate() -> None:
    X, y, _ = DATA["correlated"]()
    best = best_full_batch_rate(Modes(X, y).spectrum, momentum=0.5)
    assert best.value is None
    assert best.kind is Kind.UNAVAILABLE
    assert "momentum" in best.note
