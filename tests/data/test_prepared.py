"""Splitting, scaling, and the way back to the user's units."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnrate.data.moments import Moments
from learnrate.data.prepared import Prepared, Scaling
from learnrate.data.split import split_rows
from learnrate.errors import OptionError


class TestSplit:
    def test_every_row_is_in_one_part(self) -> None:
        for n in (2, 3, 10, 101):
            for fraction in (0.3, 0.5, 0.7):
                parts = split_rows(n, fraction, seed=4)
                assert parts is not None
                train, val = parts
                assert len(val) == round(fraction * n)
                assert sorted([*train, *val]) == list(range(n))
                assert (np.diff(train) > 0).all()

    def test_decided_by_the_seed_and_by_nothing_else(self) -> None:
        first = split_rows(50, 0.4, seed=1)
        np.random.random()  # noqa: NPY002  # the global state is nobody's business
        again, other = split_rows(50, 0.4, seed=1), split_rows(50, 0.4, seed=2)
        assert first is not None
        assert again is not None
        assert other is not None
        np.testing.assert_array_equal(first[1], again[1])
        assert not np.array_equal(first[1], other[1])

    def test_each_row_is_held_out_as_often_as_another(self) -> None:
        counts = np.zeros(10)
        for seed in range(600):
            parts = split_rows(10, 0.5, seed)
            assert parts is not None
            counts[parts[1]] += 1
        # Binomial(600, ½): standard deviation 12.2; 5 of these is a chance of 1 in 10⁵ for ten rows.
        assert (np.abs(counts - 300) < 62).all()

    def test_none_where_nothing_is_held_out(self) -> None:
        assert split_rows(10, 0, seed=0) is None

    @pytest.mark.parametrize(
        ("n", "fraction"), [(10, 0.04), (10, 0.96), (2, 0.2), (10, 1), (10, -0.5), (10, "a")]
    )
    def test_refused(self, n: int, fraction: object) -> None:
        with pytest.raises(OptionError, match="held-out fraction"):
            split_rows(n, fraction, seed=0)


class TestMoments:
    @settings(max_examples=200, deadline=None, derandomize=True)
    @given(st.lists(st.floats(-1e150, 1e150), min_size=1, max_size=30))
    def test_against_exact_arithmetic(self, values: list[float]) -> None:
        mean, scale = Moments(np.array(values)).scaling()
        if min(values) == max(values):
            assert (mean, scale) == (values[0], 1.0)
            return
        exact = [Fraction(value) for value in values]
        true_mean = sum(exact, Fraction(0)) / len(exact)
        squares = ((value - true_mean) ** 2 for value in exact)
        variance = sum(squares, Fraction(0)) / len(exact)
        largest = max(abs(value) for value in exact)
        assert abs(Fraction(mean) - true_mean) <= largest * Fraction(1e-15)
        # The deviations are exact to about one unit in the last place of the largest value.
        error = abs(Fraction(scale) ** 2 - variance)
        spread = max(abs(value - true_mean) for value in exact)
        assert error <= 4 * spread * (spread + largest) * Fraction(1e-15) + Fraction(1e-300)

    @pytest.mark.parametrize("offset", [0.0, 1e9, -1e12])
    @pytest.mark.parametrize("unit", [1.0, 1e-3])
    def test_a_large_offset_does_not_spoil_the_spread(self, offset: float, unit: float) -> None:
        values = offset + unit * np.array([-1.0, 0.0, 1.0, 2.0] * 250)
        scale = Moments(values).scaling()[1]
        ulp = np.spacing(abs(offset)) / unit
        assert scale == pytest.approx(unit * np.sqrt(1.25), rel=1e-14 + 2 * ulp)

    def test_huge_and_tiny_units(self) -> None:
        for unit in (1e-250, 1e250):
            mean, scale = Moments(unit * np.array([1.0, 2.0, 3.0, 6.0])).scaling()
            assert mean == pytest.approx(3 * unit, rel=1e-15)
            assert scale == pytest.approx(unit * np.sqrt(3.5), rel=1e-15)
        assert Moments(np.array([0.0] * 99 + [5e-324])).scaling()[1] > 0

    def test_constants_that_rounding_would_spread(self) -> None:
        assert Moments(np.full(1001, 0.1)).scaling() == (0.1, 1.0)

    def test_float32_is_summed_in_float64(self) -> None:
        values = (1e4 + np.arange(1000) / 128).astype(np.float32)
        expected = values.astype(np.float64)
        mean, scale = Moments(values).scaling()
        assert mean == pytest.approx(expected.mean(), rel=1e-15)
        assert scale == pytest.approx(expected.std(), rel=1e-13)


def prepared(scaling: Scaling | None) -> Prepared:
    X = np.zeros((2, 2))
    return Prepared(X, X[:, 0], None, None, ("a", "b"), "y", scaling=scaling)


class TestUnits:
    def test_by_the_formula_for_any_number_of_lanes(self) -> None:
        data = prepared(Scaling(np.array([10.0, -4.0]), np.array([2.0, 0.5])))
        w, b = data.to_user_units(np.array([6.0, 1.0]), np.array(3.0))
        assert w.tolist() == [3.0, 2.0]
        assert float(b) == 3 - (3 * 10 + 2 * -4)
        W = np.arange(24.0).reshape(3, 4, 2)
        W_user, b_user = data.to_user_units(W, np.ones((3, 4)))
        assert W_user.shape == W.shape
        for s in range(3):
            for k in range(4):
                one_w, one_b = data.to_user_units(W[s, k], np.array(1.0))
                np.testing.assert_array_equal(W_user[s, k], one_w)
                assert b_user[s, k] == one_b

    def test_without_scaling_they_are_as_they_were(self) -> None:
        W, b = np.ones((3, 2)), np.zeros(3)
        W_user, b_user = prepared(None).to_user_units(W, b)
        np.testing.assert_array_equal(W_user, W)
        np.testing.assert_array_equal(b_user, b)

    def test_a_lane_that_diverged_warns_of_nothing(self) -> None:
        data = prepared(Scaling(np.ones(2), np.ones(2)))
        W_user, b_user = data.to_user_units(np.array([[np.inf, -np.inf], [1.0, 2.0]]), np.zeros(2))
        assert np.isinf(W_user[0]).all()
        assert np.isnan(b_user[0])
        assert b_user[1] == -3
