from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from learnrate.report.curves import format_rate, mean_interval


def test_the_interval_is_students() -> None:
    values = np.random.default_rng(0).uniform(1, 1.1, (8, 3))
    interval = mean_interval(values)
    for k in range(3):
        low, high = stats.t.interval(
            0.95, 7, loc=values[:, k].mean(), scale=stats.sem(values[:, k])
        )
        assert interval.mean[k] == pytest.approx(values[:, k].mean())
        assert interval.low[k] == pytest.approx(max(low, values[:, k].min()))
        assert interval.high[k] == pytest.approx(high)


def test_one_seed_has_no_spread() -> None:
    interval = mean_interval(np.array([[1.0, 2.0]]))
    assert interval.low.tolist() == interval.mean.tolist() == interval.high.tolist() == [1.0, 2.0]


def test_a_diverged_seed_shows_in_the_mean_without_a_warning() -> None:
    interval = mean_interval(np.array([[1.0], [np.inf]]))
    assert not np.isfinite(interval.mean[0])


def test_the_lower_end_stays_above_the_lowest_seed() -> None:
    interval = mean_interval(np.array([[0.1], [10.0]]))
    assert interval.low[0] == 0.1


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0.01, "0.01"),
        (1.0, "1"),
        (2.0, "2"),
        (0.0316227766, "0.0316"),
        (1e-4, "0.0001"),
        (1.2345e-6, "1.23e-06"),
        (1e300, "1e+300"),
    ],
)
def test_rates_read_short(rate: float, text: str) -> None:
    assert format_rate(rate) == text
