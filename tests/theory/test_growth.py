from __future__ import annotations

import numpy as np
import pytest

from learnrate.theory import growth
from learnrate.theory.growth import measure_growth
from learnrate.theory.modes import Modes
from tests.theory.examples import DATA, Array, without_bias


def one_feature(n: int = 40) -> Array:
    return np.random.default_rng(4).uniform(0.2, 2.0, (n, 1))


def test_one_direction_has_a_closed_form() -> None:
    """Then steps commute: Λ = E log|1 − ηx²|, with spread for independent examples and none if shuffled."""
    X, lrs = one_feature(), np.array([0.3, 0.9, 1.4])
    logs = np.log(np.abs(1 - lrs[:, None] * X[:, 0] ** 2))
    modes = without_bias(X)
    shuffled = measure_growth(modes, 1, lrs, shuffle=True)
    np.testing.assert_allclose(shuffled.mean, logs.mean(axis=1), rtol=1e-10)
    np.testing.assert_allclose(shuffled.variance, 0, atol=1e-20)
    independent = measure_growth(modes, 1, lrs, steps=4096, runs=32)
    miss = np.abs(independent.mean - logs.mean(axis=1))
    assert (miss < 4 * independent.standard_error).all()
    assert (independent.standard_error < 0.01).all()
    np.testing.assert_allclose(independent.variance, logs.var(axis=1), rtol=0.1)


def test_a_short_last_minibatch_is_divided_by_the_nominal_size() -> None:
    X, lrs = one_feature(5), np.array([0.7])
    modes = without_bias(X)
    got = measure_growth(modes, 2, lrs, shuffle=True, steps=3 * 400, runs=32)
    squares = np.random.default_rng(0).permuted(np.tile(X[:, 0] ** 2, (100_000, 1)), axis=1)
    factors = 1 - 0.7 * np.stack([squares[:, :2].sum(1), squares[:, 2:4].sum(1), squares[:, 4]]) / 2
    want = np.log(np.abs(factors)).sum(axis=0).mean() / 3
    assert abs(got.mean[0] - want) < 4 * got.standard_error[0]


@pytest.mark.parametrize("momentum", [0.0, 0.7])
@pytest.mark.parametrize("alpha", [0.0, 0.4])
def test_against_plain_products(momentum: float, alpha: float) -> None:
    """The same recursion, one run and one rate at a time, on all D coordinates."""
    X, y, B = DATA["correlated"]()
    modes = Modes(X, y, weight_decay=alpha)
    lrs = np.array([0.3, 0.4, 0.6])
    got = measure_growth(modes, B, lrs, momentum=momentum, steps=512, runs=8)
    P = np.diag([1.0] * 5 + [0.0])
    rng = np.random.default_rng(9)
    plain = []
    for lr in lrs:
        delta, velocity, total = rng.standard_normal(6), np.zeros(6), 0.0
        for t in range(4096 + 64):
            rows = modes.examples.whole()[rng.choice(len(X), B, replace=False)]
            velocity = momentum * velocity + rows.T @ (rows @ delta) / B + alpha * (P @ delta)
            delta = delta - lr * velocity
            length = np.sqrt(delta @ delta + lr**2 * velocity @ velocity)
            delta, velocity = delta / length, velocity / length
            total += np.log(length) if t >= 64 else 0.0
        plain.append(total / 4096)
    assert (np.abs(got.mean - plain) < 6 * got.standard_error + 0.003).all()


def test_all_rates_share_their_random_numbers() -> None:
    X, y, B = DATA["note"]()
    modes = Modes(X, y)
    together = measure_growth(modes, B, np.array([1.0, 1.8, 2.5]), seed=3)
    alone = measure_growth(modes, B, np.array([1.8]), seed=3)
    assert together.mean[1] == pytest.approx(alone.mean[0], rel=1e-12)
    other = measure_growth(modes, B, np.array([1.8]), seed=4)
    assert other.mean[0] != alone.mean[0]


def test_long_epochs_are_drawn_afresh() -> None:
    X, y, _ = DATA["note"]()
    modes, lrs = Modes(X, y), np.array([0.7])
    afresh = measure_growth(modes, 1, lrs, steps=256)
    assert measure_growth(modes, 1, lrs, shuffle=True, steps=256).mean == afresh.mean
    whole = measure_growth(modes, 1, lrs, shuffle=True, steps=1000)
    assert whole.mean != measure_growth(modes, 1, lrs, steps=1000).mean


@pytest.mark.parametrize("scale", [1e-3, 1e3, 1e30])
def test_huge_steps_do_not_overflow(scale: float) -> None:
    X = scale * DATA["heavy-tailed"]()[0]
    modes = Modes(X, X[:, 0])
    lrs = np.array([1e-3, 1.0, 1e6]) / modes.spectrum.largest
    measured = measure_growth(modes, 5, lrs)
    assert np.isfinite(measured.mean).all()
    assert measured.mean[0] < 0
    assert measured.mean[2] == pytest.approx(np.log(1e6), abs=3)


@pytest.mark.parametrize("draw", [growth.independent_orders, growth.shuffled_orders])
def test_minibatches_hold_no_example_twice(draw: object) -> None:
    assert callable(draw)
    orders = draw(10, 4, 7, 0)
    for _ in range(20):
        for J in next(orders):
            real = J[J < 10]
            assert len(set(real.tolist())) == len(real)


@pytest.mark.parametrize(("n", "B"), [(10, 1), (60, 2), (300, 3)])
def test_rare_twins_are_drawn_again(n: int, B: int) -> None:
    """Every minibatch without replacement, every example equally often, runs and steps independent."""
    orders = growth.independent_orders(n, B, 4, 0)
    drawn = np.concatenate([next(orders) for _ in range(5000)])
    in_order = np.sort(drawn, axis=1)
    assert (in_order[:, 1:] > in_order[:, :-1]).all()
    counts = np.bincount(drawn.ravel(), minlength=n)
    expected = drawn.size / n
    assert np.sum((counts - expected) ** 2) / expected < n + 5 * np.sqrt(2 * n)
    assert len(np.unique(drawn[:400], axis=0)) > min(n, 380) - 2


def test_shuffled_epochs_visit_every_example_once() -> None:
    orders = growth.shuffled_orders(10, 4, 3, 0)
    for _ in range(5):
        epoch = np.concatenate([next(orders) for _ in range(3)], axis=1)
        for row in epoch:
            assert sorted(row.tolist()) == [*range(10), 10, 10]
