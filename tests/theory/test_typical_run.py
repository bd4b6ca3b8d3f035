from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from learnrate.theory.expected_curve import independent_floor
from learnrate.theory.growth import Growth
from learnrate.theory.mean_square import mean_square_limit
from learnrate.theory.modes import Modes
from learnrate.theory.quantity import Kind
from learnrate.theory.typical_run import Tail, diverged_share, typical_limit
from tests.theory.examples import DATA, Array, without_bias
from tests.theory.simulate import simulate


def test_one_direction_has_a_closed_form() -> None:
    """The root of E log|1 − ηx²|, found by bisection."""
    x2 = np.random.default_rng(4).uniform(0.2, 2.0, 40) ** 2
    low, high = 1.0, 3.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if np.log(np.abs(1 - middle * x2)).mean() < 0 else (low, middle)
    modes = without_bias(np.sqrt(x2)[:, None])
    near = mean_square_limit(modes, 1).value
    assert near is not None
    shuffled = typical_limit(modes, 1, near=near, shuffle=True)
    assert shuffled.value == pytest.approx(low, rel=0.01)
    independent = typical_limit(modes, 1, near=near, steps=2048)
    assert independent.value is not None
    assert independent.standard_error is not None
    assert independent.standard_error < 0.02 * low
    assert abs(independent.value - low) < 4 * independent.standard_error + 0.005 * low


@pytest.mark.parametrize("factor", [0.01, 1.0, 30.0])
def test_it_is_found_from_afar(factor: float) -> None:
    X, y, B = DATA["note"]()
    modes = Modes(X, y)
    near = mean_square_limit(modes, B).value
    assert near is not None
    limit = typical_limit(modes, B, near=factor * near)
    assert limit.value == pytest.approx(typical_limit(modes, B, near=near).value, rel=0.01)
    assert limit.kind is Kind.ESTIMATE


@pytest.mark.parametrize("shuffle", [False, True])
def test_the_standard_error_is_what_seeds_scatter(shuffle: bool) -> None:
    X, y, B = DATA["note"]()
    modes = Modes(X, y)
    limits = [typical_limit(modes, B, near=1.4, shuffle=shuffle, seed=seed) for seed in range(12)]
    scatter = np.std([limit.value or np.nan for limit in limits], ddof=1)
    claimed = np.mean([limit.standard_error or np.nan for limit in limits])
    assert 0.4 * claimed < scatter < 2 * claimed


def test_every_example_in_every_minibatch() -> None:
    X, y, _ = DATA["note"]()
    modes = Modes(X, y)
    limit = typical_limit(modes, len(X), near=1.0, momentum=0.5)
    assert limit.kind is Kind.EXACT
    assert limit.value == 3 / modes.spectrum.largest


def meets(X: Array, y: Array) -> Array:
    """Labels that can be met exactly, so that a run only shrinks or grows."""
    rows = np.column_stack([X, np.ones(len(X))])
    fitted: Array = rows @ np.linalg.lstsq(rows, y, rcond=None)[0]
    return fitted


@pytest.mark.parametrize("sampling", ["independent", "shuffle"])
@pytest.mark.parametrize("name", DATA)
def test_half_of_all_runs_diverge_within_three_per_cent(name: str, sampling: str) -> None:
    X, y, B = DATA[name]()
    modes = Modes(X, y)
    near = mean_square_limit(modes, B).value
    assert near is not None
    limit = typical_limit(modes, B, near=near, shuffle=sampling == "shuffle").value
    assert limit is not None
    epochs = max(10, 3000 * B // len(X))
    lrs = limit * np.array([0.97, 1.03])
    losses = simulate(X, meets(X, y), lrs, B, epochs, runs=60, sampling=sampling)
    diverged = (losses[:, :, -1] >= losses[:, :, 0]).mean(axis=1)
    assert diverged[0] < 0.5 < diverged[1]


@pytest.mark.parametrize("momentum", [0.5, 0.9])
def test_momentum(momentum: float) -> None:
    X, y, B = DATA["correlated"]()
    limit = typical_limit(Modes(X, y), B, near=0.2, momentum=momentum).value
    assert limit is not None
    lrs = limit * np.array([0.93, 1.07])
    losses = simulate(X, meets(X, y), lrs, B, 80, runs=60, momentum=momentum)
    diverged = (losses[:, :, -1] >= losses[:, :, 0]).mean(axis=1)
    assert diverged[0] < 0.5 < diverged[1]


def test_batch_noise_can_lift_it_above_the_full_batch_limit() -> None:
    """So neither 2/λmax nor the mean-square limit alone may say that a rate diverges."""
    X, y, B = DATA["correlated"]()
    modes = Modes(X, y)
    limit = typical_limit(modes, B, near=0.3, steps=2048)
    assert limit.value is not None
    assert limit.standard_error is not None
    assert limit.value - 2 * limit.standard_error > 2 / modes.spectrum.largest


def growth_of(drift: float, variance: float) -> Growth:
    one = np.ones(1)
    return Growth(one, drift * one, 0 * one, variance * one, variance * one)


@pytest.mark.parametrize("drift", [-0.3, -0.05, 0.0, 0.02, 0.3])
@pytest.mark.parametrize("start", [4.0, 1e3])
def test_share_is_that_of_a_walk_with_a_wall(drift: float, start: float) -> None:
    steps, sigma, runs = 200, 0.5, 2000
    rng = np.random.default_rng(7)
    parts = 20  # finer steps, so that the walk is near to Brownian motion
    wall = -0.5 * math.log(start)
    z = np.zeros(runs)
    for _ in range(steps * parts):
        z += rng.normal(drift / parts, sigma / math.sqrt(parts), runs)
        np.maximum(z, wall, out=z)
    got = diverged_share(
        growth_of(drift, sigma**2), steps=steps, start_loss=start, noise_loss=np.ones(1)
    )
    assert got[0] == pytest.approx(np.mean(z > 0), abs=0.05)


def test_the_tail_is_that_of_long_runs() -> None:
    """One direction, B = 1, at the mean-square limit: P(|δ| > u) far out, where it is a power law."""
    rng = np.random.default_rng(5)
    X = rng.uniform(0.8, 1.2, (200, 1)) * rng.choice([-1, 1], (200, 1))
    y = 0.1 * rng.standard_normal(200)
    modes = without_bias(X, y)
    limit = mean_square_limit(modes, 1).value
    assert limit is not None
    typical = typical_limit(modes, 1, near=limit, steps=4096).value
    assert typical is not None
    near = 0.98 * limit
    floor = independent_floor(modes, 1, np.array([near])).losses[0] - modes.loss_at_optimum
    tail = Tail(limit, typical, near, float(floor), 1.0, 1.0, 200)
    assert tail.exponent(limit) == pytest.approx(2)
    assert tail.exponent(typical) == pytest.approx(0)
    x, eps = X[:, 0], modes.residuals
    delta = np.zeros(100_000)
    for _ in range(300):
        drawn = rng.integers(200, size=delta.size)
        delta += limit * x[drawn] * (eps[drawn] - x[drawn] * delta)
    excess = 0.5 * modes.eigenvalues[0] * delta**2
    for share in (0.03, 0.01, 0.003):
        start = float(np.quantile(excess, 1 - share))
        assert math.exp(-2 * tail.depth(start)) == pytest.approx(share, rel=0.2)


def test_a_climb_in_shuffled_epochs() -> None:
    """Short ones do not feel what an epoch undoes, long ones little else, and a steeper drift never helps."""
    tail = Tail(1.0, 1.2, 0.9, 1.0, variance=0.02, local_variance=0.05, epoch=50)
    assert tail.climb_variance(-2.0, 1.0) == pytest.approx(0.05, rel=0.02)
    assert tail.climb_variance(-1e-4, 1.0) == pytest.approx(0.02, rel=0.02)
    drifts = np.geomspace(1e-3, 1.0, 200)
    chances = [-drift / tail.climb_variance(-drift, 1.0) for drift in drifts]
    assert (np.diff(chances) < 0).all()
    same = Tail(1.0, 1.2, 0.9, 1.0, variance=0.05, local_variance=0.05, epoch=50)
    assert same.climb_variance(-0.01, 1.0) == 0.05


def test_share_without_noise_is_normal() -> None:
    got = diverged_share(growth_of(-0.01, 0.04), steps=100, start_loss=1.0, noise_loss=np.zeros(1))
    assert got[0] == pytest.approx(stats.norm.sf(0, -1.0, 2.0), rel=1e-12)


@pytest.mark.parametrize("drift", [-5.0, -1e-9, 1e-9, 5.0, 300.0])
@pytest.mark.parametrize("noise", [0.0, 1e-300, 1.0, 1e300])
@pytest.mark.parametrize("steps", [1, 10**9])
def test_share_is_a_share(drift: float, noise: float, steps: int) -> None:
    for variance in (0.0, 1e-12, 1.0, 1e6):
        share = diverged_share(
            growth_of(drift, variance), steps=steps, start_loss=2.0, noise_loss=np.full(1, noise)
        )
        assert 0 <= share[0] <= 1


def test_nothing_has_diverged_before_training() -> None:
    growth = growth_of(1.0, 1.0)
    assert diverged_share(growth, steps=0, start_loss=1.0, noise_loss=np.zeros(1)) == 0
