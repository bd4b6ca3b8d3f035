from __future__ import annotations

import numpy as np
import pytest

from learnrate.theory.gaussian import gaussian_floor, gaussian_limit, gaussian_noise_gain
from learnrate.theory.quantity import Kind


@pytest.mark.parametrize("d", [1, 2, 10])
@pytest.mark.parametrize("B", [1, 8, 100])
@pytest.mark.parametrize("lam", [0.01, 1.0, 1e6])
def test_isotropic(d: int, B: int, lam: float) -> None:
    limit = gaussian_limit(np.full(d, lam), B)
    assert limit.value == pytest.approx(2 * B / (lam * (B + d + 1)), rel=1e-12)
    assert limit.kind is Kind.ESTIMATE


def test_the_floor_rises_to_infinity_at_the_limit() -> None:
    lam = np.array([0.1, 1.0, 2.0])
    limit = gaussian_limit(lam, 5).value
    assert limit is not None
    floors = [
        gaussian_floor(lam, 5, share * limit, 0.5).value for share in (1e-6, 0.5, 0.999, 1.001)
    ]
    assert floors[0] == pytest.approx(0.5, rel=1e-5)
    assert floors[1] == pytest.approx(0.5 / (1 - gaussian_noise_gain(lam, 5, 0.5 * limit)))
    assert floors[2] is not None
    assert floors[2] > 50
    assert floors[3] == np.inf
    assert gaussian_noise_gain(lam, 5, 2.0) == np.inf
