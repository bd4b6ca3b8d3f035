from __future__ import annotations

import numpy as np
import pytest

from learnrate.theory.closed_form import gaussian_limit, gaussian_noise_gain
from learnrate.theory.quantity import Kind


@pytest.mark.parametrize("d", [1, 2, 10])
@pytest.mark.parametrize("B", [1, 8, 100])
@pytest.mark.parametrize("lam", [0.01, 1.0, 1e6])
def test_isotropic(d: int, B: int, lam: float) -> None:
    limit = gaussian_limit(np.full(d, lam), B)
    assert limit.value == pytest.approx(2 * B / (lam * (B + d + 1)), rel=1e-12)
    assert limit.kind is Kind.ESTIMATE


def test_the_gain_reaches_one_at_the_limit_and_is_infinite_beyond_the_largest_rate() -> None:
    lam = np.array([0.1, 1.0, 2.0])
    limit = gaussian_limit(lam, 5).value
    assert limit is not None
    assert gaussian_noise_gain(lam, 5, limit) == pytest.approx(1)
    assert gaussian_noise_gain(lam, 5, 2.0) == np.inf
