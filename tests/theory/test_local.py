"""Near an optimum: against the theory of squared loss, explicit sums, a linear program, and measured runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import learnrate
from learnrate._shapes import Array
from learnrate.data.arrays import from_arrays
from learnrate.data.order import Sampling
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.linear.rows import RowsEngine
from learnrate.sweeps.config import SweepConfig
from learnrate.sweeps.curved import analyse_curved
from learnrate.theory import analyse
from learnrate.theory.curvature import largest_curvature
from learnrate.theory.local import Local, block_sum
from learnrate.theory.separability import separable
from learnrate.training.losses import LOSSES, Huber, Loss
from learnrate.training.losses.expected import ExpectedLoss
from learnrate.training.losses.optimum import Optimum, find_optimum
from learnrate.training.losses.settling import Settling


def labelled(name: str, n: int = 60, d: int = 2, seed: int = 0) -> tuple[Loss, Array, Array]:
    """A loss, features and labels that no linear model tells apart."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    z = X @ rng.normal(size=(d, 3)) + rng.gumbel(size=(n, 3))
    y: Array = z[:, 0]
    if name == "logistic":
        y = (z[:, 0] > 0.5).astype(np.int64)
    elif name == "softmax":
        y = z.argmax(axis=1)
    elif name == "poisson":
        y = rng.poisson(np.exp(0.4 * X[:, 0] + 0.5)).astype(float)
    return LOSSES[name].of(y, len(np.unique(y))), X, y


def optimum(loss: Loss, X: Array, y: Array, weight_decay: float = 0.0) -> Optimum:
    found = find_optimum(loss, X, y, weight_decay)
    assert found is not None
    assert found.reached
    return found


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_for_squared_loss_it_is_the_known_theory(weight_decay: float) -> None:
    loss, X, y = labelled("squared")
    found = optimum(loss, X, y, weight_decay)
    theory = analyse(X, y, 5, sampling="independent", weight_decay=weight_decay)
    local = Local(X, found.derivative, found.second_derivative, 5, weight_decay=weight_decay)
    assert theory.limit.value is not None
    np.testing.assert_allclose(found.loss, theory.loss_at_optimum, rtol=1e-9)
    assert theory.full_batch_limit.value is not None
    np.testing.assert_allclose(local.full_batch_limit, theory.full_batch_limit.value, rtol=1e-9)
    np.testing.assert_allclose(local.limit, theory.limit.value, rtol=2e-3)
    lrs = np.array([0.01, 0.1, 0.5]) * theory.limit.value
    expected = theory.floor(lrs).losses
    np.testing.assert_allclose(found.loss + local.excess(lrs, shuffle=False), expected, rtol=5e-3)


@pytest.mark.parametrize("name", ["softmax", "logistic", "poisson", "huber"])
def test_its_sums_are_those_over_the_examples(name: str) -> None:
    loss, X, y = labelled(name, n=12)
    found = optimum(loss, X, y)
    local = Local(X, found.derivative, found.second_derivative, 4)
    rows = np.column_stack([X, np.ones(12)])
    M = [np.kron(found.second_derivative[i], np.outer(rows[i], rows[i])) for i in range(12)]
    np.testing.assert_allclose(block_sum(rows, found.second_derivative), sum(M) / 12, atol=1e-12)
    Q, H = local._Q, sum(M) / 12
    S = np.random.default_rng(1).normal(size=(len(local.eigenvalues),) * 2)
    S = S @ S.T
    whole = Q @ S @ Q.T
    noise = sum(m @ whole @ m for m in M) / 12 - H @ whole @ H
    np.testing.assert_allclose(local._noise(S), Q.T @ noise @ Q, atol=1e-10)


@pytest.mark.parametrize("name", list(LOSSES))
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_the_optimum_is_one(name: str, weight_decay: float) -> None:
    loss, X, y = labelled(name)
    found = optimum(loss, X, y, weight_decay)
    gradient = found.derivative.T @ np.column_stack([X, np.ones(len(X))]) / len(X)
    np.testing.assert_allclose(gradient[:, -1], 0, atol=1e-6)  # the bias is not decayed
    if not weight_decay:
        np.testing.assert_allclose(gradient, 0, atol=1e-6)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([0, 0, 1, 1], True),
        ([0, 1, 0, 1], False),
        ([0, 1, 1, 1], True),
        ([0, 0, 1, 2], True),
        ([0, 1, 0, 2], True),  # the last class alone can be told apart
        ([1, 0, 2, 0], True),
        ([0, 1, 0, 0], False),
    ],
)
def test_separability(codes: list[int], expected: bool) -> None:
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    assert separable(X, np.array(codes)) is expected


def test_newton_and_the_program_agree_on_separability() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(10, 3))
        y = rng.integers(0, 2, 10)
        y[:2] = 0, 1
        loss = LOSSES["logistic"].of(y, 2)
        found = find_optimum(loss, X, y)
        assert found is not None
        expected = separable(X, y)
        if found.separates:
            assert expected is True
        elif found.reached and found.flat > 1e-8:
            assert expected is False


def test_a_program_that_is_too_large_is_not_tried() -> None:
    X = np.zeros((3000, 400))
    assert separable(X, np.arange(3000) % 20) is None


def test_curvature_is_that_of_the_weighted_gram_matrix() -> None:
    X = np.random.default_rng(0).normal(size=(30, 4))
    c = np.random.default_rng(1).random(30)
    rows = np.column_stack([X, np.ones(30)]) * np.sqrt(c)[:, None]
    expected = np.linalg.eigvalsh(rows.T @ rows / 30)[-1]
    np.testing.assert_allclose(largest_curvature(X, c), expected)
    np.testing.assert_allclose(largest_curvature(X[:3], 1.0), largest_curvature(X[:3], np.ones(3)))


@pytest.mark.slow
@pytest.mark.parametrize("sampling", ["independent", "shuffle"])
@pytest.mark.parametrize("name", ["logistic", "softmax", "poisson"])
def test_measured_floors(name: str, sampling: str) -> None:
    """Within 20 % up to a third of the limit; the runs' own noise is half of that."""
    loss, X, y = labelled(name, n=400, d=4)
    found = optimum(loss, X, y)
    local = Local(X, found.derivative, found.second_derivative, 8)
    lrs = np.array([0.03, 0.1, 0.3]) * local.limit
    settings: dict[str, Any] = {"loss": name, "sampling": sampling, "batch_size": 8}
    result = learnrate.sweep(X, y, lrs=lrs, epochs=240, seeds=6, **settings)
    measured = result.losses[:, :, 60:].mean(axis=(0, 2)) - found.loss
    predicted = local.excess(lrs, shuffle=sampling == "shuffle")
    np.testing.assert_allclose(measured, predicted, rtol=0.2)


def settling(name: str, batch_size: int, n: int = 200, **settings: Any) -> tuple[Settling, Optimum]:
    loss, X, y = labelled(name, n=n, **settings)
    found = optimum(loss, X, y)
    return Settling(
        loss, X, y, found, Local(X, found.derivative, found.second_derivative, batch_size)
    ), found


def test_for_squared_loss_where_it_settles_is_the_known_floor() -> None:
    """Errors are normally distributed there, but for their fourth moments along each example, which are exact too."""
    made, found = settling("squared", 5, n=60)
    lrs = np.array([0.05, 0.3]) * made.local.limit
    _, X, y = labelled("squared")
    expected = analyse(X, y, 5, sampling="independent").floor(lrs).losses
    np.testing.assert_allclose(found.loss + made.excess(lrs, shuffle=False), expected, rtol=5e-3)


@pytest.mark.parametrize("name", ["logistic", "softmax", "huber"])
@pytest.mark.parametrize("sampling", list(Sampling))
def test_where_large_rates_settle_is_where_runs_do(name: str, sampling: Sampling) -> None:
    made, found = settling(name, 8)
    lrs = np.array([0.6, 0.9, 1.5]) * made.local.limit
    predicted = made.excess(lrs, shuffle=sampling is Sampling.SHUFFLE)
    loss, X, y = labelled(name, n=200)
    W, b = np.tile(found.theta[:, :-1].T, (3, 1, 1)), np.tile(found.theta[:, -1], (3, 1))
    if loss.outputs == 1:
        W, b = W[:, :, 0], b[:, 0]
    losses = []
    for seed in range(2):
        problem = LinearProblem(X, y, lrs, 8, 120, seed=seed, sampling=sampling, loss=loss)
        states = list(RowsEngine().states(problem, EpochState(0, W, b, np.zeros(3))))
        losses += [state.measured["loss"] for state in states[30:]]
    np.testing.assert_allclose(predicted, np.mean(losses, axis=0) - found.loss, rtol=0.3)


@pytest.mark.parametrize("outputs", [1, 2])
def test_averages_over_outputs_are_those_of_many_draws(outputs: int) -> None:
    loss = LOSSES["logistic" if outputs == 1 else "softmax"].of(np.array([0, 1, 1]), 2)
    y = np.array([1, 0])
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(2, outputs))
    root = rng.normal(size=(2, outputs, outputs))
    found = ExpectedLoss(loss, y)(mean, root @ root.transpose(0, 2, 1))
    draws = mean[:, :, None] + root @ rng.standard_normal((2, outputs, 200_000))
    t = loss.encode(y, np.float64)
    np.testing.assert_allclose(found.value, loss.value(draws, t).mean(axis=1), rtol=0.01)
    slope = loss.derivative(draws.copy(), t)
    np.testing.assert_allclose(found.derivative, slope.mean(axis=2), atol=0.01)
    squares = slope @ slope.transpose(0, 2, 1) / slope.shape[2]
    np.testing.assert_allclose(found.squares, squares, atol=0.01)


def test_the_limit_of_a_typical_run_is_that_of_squared_loss_where_slopes_are_straight() -> None:
    X, y = learnrate.note_data(200)
    steep = Huber(1e9)
    data = from_arrays(X, y)
    curved = analyse_curved(data, SweepConfig(batch_size=5, loss="huber"), steep)
    assert curved is not None
    expected = analyse(X, y, 5, sampling="shuffle").typical_limit
    assert curved.typical_limit.value == pytest.approx(expected.value, rel=1e-3)


def test_of_several_outputs_the_limit_of_a_typical_run_is_not_known() -> None:
    X, _ = learnrate.note_data(90)
    result = learnrate.sweep(X, np.arange(90) % 3, lrs=[0.1], loss="softmax")
    assert result.typical_limit is None
    said = " ".join(result.verdict_sentences())
    assert "for a typical run the limit is not available" in said
    assert "no curve is predicted" in said


def test_what_a_rate_beyond_the_limit_does_is_said_with_its_height() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = (X[:, 0] + rng.logistic(size=200) > 0).astype(int)
    settings: dict[str, Any] = {"loss": "logistic", "batch_size": 8, "epochs": 40}
    limit = learnrate.sweep(X, y, lrs=[0.1], **settings).limit
    assert limit is not None
    result = learnrate.sweep(X, y, lrs=[0.1, 1.5 * limit], **settings)
    said = " ".join(result.verdict_sentences())
    assert "will not settle at the optimum" in said
    assert "above the least loss (estimate, to 30 %)" in said
    assert result.floors is not None
    measured = result.losses[0, 1, 10:].mean()
    assert result.floors[1] == pytest.approx(measured, rel=0.3)
