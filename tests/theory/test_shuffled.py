from __future__ import annotations

import itertools

import numpy as np
import pytest

from learnrate.theory import analyse, shuffled
from learnrate.theory.epoch_noise import label_noise
from learnrate.theory.epoch_sums import epoch_sums, pair_sums, uneven_sums
from learnrate.theory.expected_curve import independent_curve
from learnrate.theory.mean_square import mean_square_limit
from learnrate.theory.modes import Modes
from learnrate.theory.quantity import Kind
from learnrate.theory.shuffled import shuffled_curve, shuffled_floor
from tests.theory.examples import DATA, Array, without_bias
from tests.theory.simulate import simulate
from tests.theory.tables import ASIDE, TABLES


def sixty() -> tuple[Array, Array, int]:
    """The examples on which the design measured: n = 60, B = 5, label noise 1."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((60, 2))
    return X, X @ [2.0, -3.4] + 4.2 + rng.standard_normal(60), 5


@pytest.mark.parametrize(
    ("lr", "epochs"), [(0.01, 900), (0.03, 500), (0.1, 200), (0.2, 100), (0.4, 60), (0.6, 60)]
)
def test_floor_over_two_decades(lr: float, epochs: int) -> None:
    """Measured over predicted: 0.92 to 0.98; without the drift between visits it would be up to 1.16."""
    X, y, B = sixty()
    losses = simulate(
        X, y, np.array([lr]), B, epochs, runs=150, sampling="shuffle", keep_from=2 * epochs // 3
    )
    modes = Modes(X, y)
    floor = shuffled_floor(modes, B, np.array([lr]))
    assert floor.kind is Kind.ESTIMATE
    ratio = (losses.mean() - modes.loss_at_optimum) / (floor.losses[0] - modes.loss_at_optimum)
    assert 0.88 < ratio < 1.12


@pytest.mark.parametrize("name", DATA)
def test_curves(name: str) -> None:
    """At 0.03, 0.1 and 0.3 of the limit; least accurate where n < d."""
    X, y, B = DATA[name]()
    modes = Modes(X, y)
    limit = mean_square_limit(modes, B).value
    assert limit is not None
    lrs = limit * np.array([0.03, 0.1, 0.3])
    measured = simulate(X, y, lrs, B, 3, runs=200, sampling="shuffle", real_order=True).mean(axis=1)
    predicted = shuffled_curve(modes, B, lrs, 3)
    within = 0.2 if name == "n < d" else 0.03
    np.testing.assert_allclose(measured / predicted.losses, 1, atol=within)


def test_it_beats_the_independent_theory() -> None:
    X, y, B = sixty()
    modes, lrs = Modes(X, y), np.array([0.1])
    measured = simulate(X, y, lrs, B, 2, runs=2000, sampling="shuffle").mean(axis=1)
    ours = shuffled_curve(modes, B, lrs, 2).losses
    independent = independent_curve(modes, B, lrs, 2).losses
    assert np.abs(measured / ours - 1).max() < 0.02
    assert np.abs(measured / independent - 1).max() > 0.05


def test_second_order_in_the_rate_by_all_permutations() -> None:
    """For small η the loss after one epoch agrees to O(η³) with the average over all orders."""
    rng = np.random.default_rng(2)
    n, B = 5, 1
    x, y = rng.uniform(0.5, 2.0, (n, 1)), rng.standard_normal(n)
    modes = without_bias(x, y)
    start = np.array([0.8])

    def miss(lr: float) -> float:
        ends = []
        for order in itertools.permutations(range(n)):
            w = start[0]
            for i in order:
                w -= lr / B * x[i, 0] * (x[i, 0] * w - y[i])
            ends.append(np.mean((x[:, 0] * w - y) ** 2) / 2)
        return float(np.mean(ends)) - after_one_epoch(lr)

    def after_one_epoch(lr: float) -> float:
        delta = start - modes.optimum
        along = modes.directions
        m = (modes.spectrum.vectors.T @ delta).reshape(1)
        worn = shuffled._without_label_noise(
            modes, B, np.array([lr]), along.spread, m, np.outer(m, m), 1
        )
        level = label_noise(modes, B, np.array([lr]), along)
        mean = level.mean_kept * m
        noise = shuffled._excess(modes, level.rise, level.shift, mean)
        return float(modes.loss_at_optimum + worn[0, 1] + noise[0])

    assert abs(miss(0.01)) < 1e-3
    assert abs(miss(0.001)) < 2e-3 * abs(miss(0.01))


def test_all_examples_at_once_is_gradient_descent() -> None:
    X, y, _ = sixty()
    lrs = np.array([0.1, 1.0])
    curve = shuffled_curve(Modes(X, y), 60, lrs, 5).losses
    weights = np.array([0.3, -0.2])
    known = shuffled_curve(Modes(X, y), 60, lrs, 5, weights=weights).losses
    measured = simulate(X, y, lrs, 60, 5, runs=4000).mean(axis=1)
    np.testing.assert_allclose(curve, measured, rtol=2e-3)
    rows, theta = np.column_stack([X, np.ones(60)]), np.append(weights, 0.0)
    for epoch in range(6):
        assert known[1, epoch] == pytest.approx(0.5 * np.mean((rows @ theta - y) ** 2), rel=1e-10)
        theta = theta - 1.0 * rows.T @ (rows @ theta - y) / 60
    floor = shuffled_floor(Modes(X, y), 60, np.array([0.5, 3.0])).losses
    assert floor[0] == pytest.approx(Modes(X, y).loss_at_optimum)
    assert floor[1] == np.inf


def test_a_short_last_minibatch() -> None:
    X, y, _ = sixty()
    modes, lrs = Modes(X, y), np.array([0.05, 0.1])
    measured = simulate(X, y, lrs, 35, 3, runs=400, sampling="shuffle").mean(axis=1)
    predicted = shuffled_curve(modes, 35, lrs, 3).losses
    np.testing.assert_allclose(predicted, measured, rtol=0.01)


def test_weight_decay() -> None:
    X, y, B = sixty()
    modes, lrs = Modes(X, y, weight_decay=0.2), np.array([0.02, 0.1])
    measured = simulate(X, y, lrs, B, 8, runs=600, sampling="shuffle", weight_decay=0.2).mean(
        axis=1
    )
    predicted = shuffled_curve(modes, B, lrs, 8).losses
    np.testing.assert_allclose(predicted, measured, rtol=0.02)


def test_the_floor_is_where_the_curve_ends() -> None:
    X, y, B = sixty()
    modes = Modes(X, y)
    lrs = np.array([0.05, 0.3, 0.8])
    curve = shuffled_curve(modes, B, lrs, 300).losses
    np.testing.assert_allclose(curve[:, -1], shuffled_floor(modes, B, lrs).losses, rtol=1e-6)


def test_the_floor_falls_with_the_square_of_the_rate() -> None:
    """Its variance falls with the cube; the shift of the mean remains."""
    X, y, B = sixty()
    modes = Modes(X, y)
    floor = shuffled_floor(modes, B, np.array([1e-9, 1e-5, 1e-4, 2.0, 1e200])).losses
    excess = floor[:3] - modes.loss_at_optimum
    assert 0.005 < excess[1] / excess[2] < 0.0102
    assert abs(excess[0]) < 1e-15
    assert (floor[3:] == np.inf).all()


@pytest.mark.parametrize("x", [1e-9, 1e-5, 1e-3, 0.4, 1.0, 1.6, 1.999])
@pytest.mark.parametrize("m", [1, 2, 13, 400])
def test_sums_over_an_epoch(x: float, m: int) -> None:
    got = [float(part[0, 0]) for part in epoch_sums(np.array([[x]]), m)]
    powers = (1 - np.array(x, dtype=np.longdouble)) ** np.arange(m)
    c = m / max(m - 1, 1)
    K = c * np.sum((powers - powers.mean()) ** 2)
    once = np.cumsum(powers) - powers
    twice = np.cumsum(powers**2) - powers**2
    want = [K, c * np.mean(twice - once**2 / m), np.mean(powers**2), np.sum(powers**2)]
    want.append(np.mean(twice))
    np.testing.assert_allclose(got, np.array(want, dtype=float), rtol=2e-3, atol=1e-30)


@pytest.mark.parametrize("m", [1, 2, 13, 200])
def test_sums_over_pairs(m: int) -> None:
    x = np.array([1e-9, 1e-4, 0.3, 0.3, 1.0, 1.7])
    got = pair_sums(x, m)
    a = (1 - x).astype(np.longdouble)
    want = np.zeros((6, 6))
    for t in range(m):
        s = np.arange(t)
        inner = (a[:, None] ** (t - 1 - s)).sum(axis=1)
        want += (a[:, None] ** (m - 1 - t) * inner).astype(float)
    np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-9)


def test_many_steps_are_jumped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the correlations within an epoch, which matter little for large n."""
    X, y, B = DATA["note"]()
    modes, lrs = Modes(X, y), np.array([0.05, 0.5, 1.2])
    followed = shuffled_curve(modes, B, lrs, 3)
    monkeypatch.setattr(shuffled, "_WORK", 0)
    jumped = shuffled_curve(modes, B, lrs, 3)
    assert jumped.note != followed.note
    np.testing.assert_allclose(jumped.losses, followed.losses, rtol=0.15)


def test_rates_do_not_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates are followed a few at a time; overflow of one leaves the others alone."""
    X, y, B = sixty()
    modes, lrs = Modes(X, y), np.array([0.1, 1e150, 0.2, 5.0, 0.3])
    want = shuffled_curve(modes, B, lrs, 30).losses
    monkeypatch.setattr(shuffled, "_CACHE", 20)
    got = shuffled_curve(modes, B, lrs, 30).losses
    np.testing.assert_array_equal(got, want)
    assert np.isfinite(got[[0, 2, 4]]).all()
    assert (got[[1, 3], -1] == np.inf).all()
    assert np.isfinite(got[:, 0]).all()


@pytest.mark.parametrize("m", [2, 7, 50])
def test_a_last_minibatch_of_full_size_is_no_other_case(m: int) -> None:
    x = np.array([[1e-7, 1e-3, 0.1, 1.3]])
    for uneven, even in zip(uneven_sums(x, m - 1, 1.0), epoch_sums(x, m), strict=True):
        np.testing.assert_allclose(uneven, even, rtol=1e-4)


@pytest.mark.parametrize(("n", "B"), [(100, 64), (100, 90), (60, 32), (130, 64)])
def test_the_floor_where_a_short_minibatch_ends_the_epoch(n: int, B: int) -> None:
    """Most of an epoch's noise is undone by its last few examples; without that it was 2 to 30 times too high."""
    rng = np.random.default_rng(5)
    X = rng.standard_normal((n, 4))
    y = X @ [1.0, -1.0, 0.5, 0.0] + rng.standard_normal(n)
    modes = Modes(X, y)
    limit = mean_square_limit(modes, B).value
    assert limit is not None
    lrs = limit * np.array([0.3, 0.7])
    losses = simulate(X, y, lrs, B, 200, runs=40, sampling="shuffle")[:, :, 120:]
    excess = losses.mean(axis=(1, 2)) - modes.loss_at_optimum
    ratio = excess / (shuffled_floor(modes, B, lrs).losses - modes.loss_at_optimum)
    assert (ratio > 0.5).all()
    assert (ratio < 2.6).all()


@pytest.mark.parametrize(
    "name",
    ["rare levels", "word counts", "heavier log-normal", "outlier in a feature", "Student's t"],
)
def test_floors_with_heavy_tails_are_near_or_not_said(name: str) -> None:
    """Above the least loss they were up to 3.9 times higher than said."""
    X, y, B = (TABLES | ASIDE)[name]()
    theory = analyse(X, y, B)
    lrs = (theory.limit.value or 0.0) * np.array([0.1, 0.3, 0.5, 0.7])
    losses = simulate(X, y, lrs, B, 150, runs=30, sampling="shuffle", keep_from=60)
    ratio = losses.mean(axis=(1, 2)) / theory.floor(lrs).losses
    assert (np.isnan(ratio) | (np.abs(ratio - 1) < 0.15)).all()
    assert np.isfinite(ratio[:2]).all()


def test_a_row_that_wears_off_in_its_own_way() -> None:
    """One row of 300 has a leverage of 0.83: near the limit its error outlives what eigenvectors show, by 2.6 times."""
    X, y, B = ASIDE["heavier log-normal"]()
    theory = analyse(X, y, B)
    lrs = (theory.limit.value or 0.0) * np.array([0.3, 0.5, 0.7, 0.9])
    ratio = simulate(X, y, lrs, B, 4, runs=200, sampling="shuffle").mean(axis=1)
    ratio /= theory.curve(lrs, 4).losses
    assert (np.isnan(ratio) | (np.abs(ratio - 1) < 0.25)).all()
    assert np.isfinite(ratio[:2]).all()
    assert np.isnan(ratio[3, 1:3]).all()


@pytest.mark.parametrize("name", ["n < d", "40 of 20", "100 of 60"])
def test_few_more_rows_than_features(name: str) -> None:
    """Every row is nearly a direction of its own: what is off by more than a quarter is not said."""
    X, y, B = DATA["n < d"]()
    if name != "n < d":
        n, d = map(int, name.split(" of "))
        rng = np.random.default_rng(52)
        X, B = rng.standard_normal((n, d)), 4
        y = X @ rng.standard_normal(d) + 0.3 * rng.standard_normal(n)
    theory = analyse(X, y, B)
    lrs = (theory.limit.value or 0.0) * np.array([0.03, 0.1, 0.3, 0.5, 0.7, 0.9])
    ratio = simulate(X, y, lrs, B, 10, runs=200, sampling="shuffle").mean(axis=1)
    ratio /= theory.curve(lrs, 10).losses
    assert (np.isnan(ratio) | (np.abs(ratio - 1) < 0.25)).all()
    assert np.isfinite(ratio[0]).all()
    assert np.isnan(ratio[3:]).any()


def test_no_floor_beyond_the_limit_of_a_typical_run() -> None:
    X, y, B = DATA["note"]()
    theory = analyse(X, y, B)
    assert np.isfinite(theory.floor(np.array([1.3])).losses).all()
    assert theory.floor(np.array([1.9, 5.0])).losses.tolist() == [np.inf, np.inf]
