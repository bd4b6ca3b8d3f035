"""Losses that may not be believed are told apart, and measured; anchors that do not serve are given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from learnrate._shapes import Array
from learnrate.linear import gram
from learnrate.linear.anchor import Anchor, find_anchor
from learnrate.linear.fused import FusedEngine
from learnrate.linear.kernels import path
from learnrate.linear.kernels.least_squares import anchor_of
from learnrate.linear.kernels.shared import GramMaker
from learnrate.linear.losses import TOLERANCE, Quadratic, Trust, quadratic_fits, sum_of_products
from learnrate.linear.problem import LinearProblem
from learnrate.linear.units import units
from tests.contract.problems import make_problem
from tests.contract.tables import COLUMNS, prepared, table
from tests.contract.test_engines import assert_equals_oracle


def moved(anchor: Anchor, by: float) -> Anchor:
    """Another anchor, whose weights are off by so much in every direction."""
    off = by * np.random.default_rng(0).standard_normal(anchor.w.size)
    return replace(anchor, w=(anchor.w + off).astype(np.float32).astype(float))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", COLUMNS)
def test_what_is_believed_is_right(kind: str, dtype: str) -> None:
    """However far away the anchor is, and whether its numbers are few or many: to the tolerance."""
    doubtful_near = 0
    for label in ("noisy", "exact", "far"):
        data = prepared(*table((kind,), label, 800, 3), dtype)
        X, y = data.X_train, data.y_train
        anchor = find_anchor(LinearProblem(X, y, np.ones(1), 1, 1))
        exact = X.astype(np.longdouble), y.astype(np.longdouble)
        for by in (0.0, 1.0, 1e2, 1e4, 1e6, 1e8):
            away = moved(anchor, by * float(np.std(y.astype(float))))
            Q, _ = sum_of_products(X, y, away)
            near = anchor.w + 1e-2 * np.random.default_rng(1).standard_normal((6, anchor.w.size))
            W = np.vstack([np.zeros((1, anchor.w.size)), anchor.w, near])
            b = np.append(0.0, np.full(len(W) - 1, anchor.beta - anchor.shift @ anchor.w))
            delta = away.enter(W, b)
            v = np.vstack([delta, np.ones(len(W))])
            with np.errstate(all="ignore"):
                loss, doubtful = Quadratic(Q / len(y)).losses(v, Trust.of(away, X.dtype, 256))
            errors = exact[0] @ W.T.astype(np.longdouble) + b - exact[1][:, None]
            right = (errors**2).mean(axis=0).astype(float) / 2
            believed = np.ones(len(W), dtype=bool) if doubtful is None else ~doubtful
            allowed = TOLERANCE[dtype] * np.maximum(right, 1e-12 * anchor.start)
            assert (np.abs(loss - right) <= allowed)[believed].all()
            if by == 0.0 and label == "noisy":
                doubtful_near += (~believed).sum()
            if by == 1e8 and label == "noisy":
                assert not believed.any()
    assert doubtful_near == 0


def problem_of(way: str, dtype: str) -> LinearProblem:
    """One that goes by Gram matrices, or by rows."""
    n, d, batch_size, lanes = (400, 5, 20, 9) if way == "grams" else (60, 150, 3, 9)
    return make_problem(n, d, batch_size, lanes, 3, dtype=dtype, noise=1.0)


@pytest.fixture
def bad_anchor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Anchor]:
    """Engines begin at an anchor that is off by so much; the anchors that they found."""
    found: list[Anchor] = []

    def off(find: Callable[[LinearProblem], Anchor]) -> Callable[[LinearProblem], Anchor]:
        def moved_one(problem: LinearProblem) -> Anchor:
            found.append(moved(find(problem), request.param))
            return found[-1]

        return moved_one

    monkeypatch.setattr(gram, "find_anchor", off(find_anchor))
    monkeypatch.setattr(path, "anchor_of", off(anchor_of))
    return found


@pytest.mark.parametrize("bad_anchor", [1.5, 1e12], indirect=True)
@pytest.mark.parametrize("way", ["grams", "rows"])
@pytest.mark.parametrize("name", ["gram", "fused"])
def test_engines_are_right_wherever_they_begin(
    name: str, way: str, bad_anchor: list[Anchor]
) -> None:
    assert_equals_oracle(name, problem_of(way, "float64"))
    assert bad_anchor


@pytest.mark.parametrize("bad_anchor", [1e12], indirect=True)
@pytest.mark.parametrize("way", ["grams", "rows"])
@pytest.mark.parametrize("name", ["gram", "fused"])
def test_engines_are_right_in_float32_too(name: str, way: str, bad_anchor: list[Anchor]) -> None:
    assert_equals_oracle(name, problem_of(way, "float32"))
    assert bad_anchor


@pytest.mark.parametrize("bad_anchor", [1e12], indirect=True)
@pytest.mark.parametrize("epoch", [0, 1])
def test_matrices_that_were_made_elsewhere_are_left_where_the_anchor_does_not_serve(
    epoch: int, bad_anchor: list[Anchor]
) -> None:
    """All of them are taken, so that what comes after them is the next problem's."""
    problem = problem_of("grams", "float64")
    alone = list(FusedEngine().states(problem))
    start = alone[epoch] if epoch else None
    maker = GramMaker(problem)
    made = ((unit, maker.make(unit)) for unit in units(problem, start, 7))
    ours = list(FusedEngine().states_on(problem, start, made))
    assert next(made, None) is None
    for one, other in zip(alone[-len(ours) :], ours, strict=True):
        np.testing.assert_allclose(one.loss, other.loss, rtol=1e-12)
        np.testing.assert_array_equal(one.W, other.W)
    assert not quadratic_fits(quadratic_of(problem, bad_anchor[0]), bad_anchor[0])


def quadratic_of(problem: LinearProblem, anchor: Anchor) -> Array:
    return sum_of_products(problem.X, problem.y, anchor)[0] / problem.n
