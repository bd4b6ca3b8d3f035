"""Orders, anchor and epochs of the fused engine, made in fewer and quicker calls, are what the plain ones are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from learnrate._shapes import Array
from learnrate.data.order import MinibatchOrders, Sampling, epoch_order
from learnrate.linear.anchor import find_anchor
from learnrate.linear.fused import FusedEngine
from learnrate.linear.kernels import paths
from learnrate.linear.kernels.least_squares import anchor_of
from learnrate.linear.kernels.permutation import epoch_orders, permutation
from learnrate.linear.problem import LinearProblem
from tests.contract.problems import FEATURES, features


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 63, 64, 65, 1000, 4097, 30_000, 300_001])
def test_a_permutation_is_numpys(n: int) -> None:
    for seed in range(3):
        expected = np.random.Generator(np.random.PCG64(seed)).permutation(n)
        ours = permutation(np.random.Generator(np.random.PCG64(seed)), n)
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("sampling", Sampling)
@pytest.mark.parametrize("first", [0, 1, 7])
def test_orders_of_several_epochs_are_those_of_each(sampling: Sampling, first: int) -> None:
    orders = MinibatchOrders(103, 10, seed=5, sampling=sampling)
    for epoch, order in enumerate(epoch_orders(orders, first, first + 4), first):
        expected = epoch_order(103, 10, seed=5, epoch=epoch, sampling=sampling)
        np.testing.assert_array_equal(order, expected)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", FEATURES)
@pytest.mark.parametrize(("n", "d"), [(2, 3), (3, 60), (9, 1), (1000, 2), (70_000, 5), (50, 65)])
def test_the_anchor_is_the_plain_one(n: int, d: int, kind: str, dtype: str) -> None:
    rng = np.random.default_rng([n, d])
    X = features(rng, n, d, kind).astype(dtype)
    y = rng.standard_normal(n).astype(dtype) + 3
    problem = LinearProblem(X, y.astype(dtype), np.ones(1), 1, 1)
    ours, plain = anchor_of(problem), find_anchor(problem)
    np.testing.assert_allclose(ours.shift, plain.shift, rtol=1e-6)
    # They may stop apart where directions are flat, so what counts is how well they fit.
    fits = [float(np.std(y - X.astype(float) @ anchor.w)) for anchor in (ours, plain)]
    assert fits[0] <= 1.001 * fits[1] + 1e-4


def states(problem: LinearProblem) -> list[Array]:
    return [
        np.column_stack([state.W, state.b, state.loss]) for state in FusedEngine().states(problem)
    ]


@pytest.mark.parametrize("sampling", Sampling)
@pytest.mark.parametrize("d", [1, 2, 9])
def test_epochs_taken_together_are_those_taken_one_by_one(
    d: int, sampling: Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(d)
    X, y = rng.standard_normal((300, d)), rng.standard_normal(300)
    told: list[int] = []
    problem = LinearProblem(
        *(X, y, np.array([0.01, 0.1, 50.0]), 7, 5),
        sampling=sampling,
        weight_decay=0.1,
        multipliers=np.linspace(1, 0.1, 5 * 43),
        on_rows=told.append,
    )
    together = states(problem)
    monkeypatch.setattr(paths, "_VISITS", 0)
    np.testing.assert_array_equal(together, states(replace(problem, on_rows=None)))
    assert told == 5 * [300]


@pytest.mark.parametrize(("n", "d", "batch_size"), [(3000, 3, 600), (20_000, 10, 5000)])
def test_large_minibatches_drawn_afresh_have_the_same_losses_on_threads(
    n: int, d: int, batch_size: int
) -> None:
    """Where the loss's quadratic form is made in more blocks of rows than an epoch has steps."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d))
    problem = LinearProblem(
        X, X.sum(axis=1), np.array([0.01, 0.1]), batch_size, 2, sampling=Sampling.INDEPENDENT
    )
    for state in FusedEngine(threads=2).states(problem):
        errors = X @ state.W.T + state.b - problem.y[:, None]
        np.testing.assert_allclose(state.loss, (errors * errors).sum(axis=0) / (2 * n), rtol=1e-9)
