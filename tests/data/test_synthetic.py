from __future__ import annotations

import numpy as np
import pytest

from learnrate.data.synthetic import note_data, synthetic_data


def test_the_notes_examples() -> None:
    X, y = note_data()
    assert X.shape == (1000, 2)
    assert y.shape == (1000,)
    X1 = np.column_stack([X, np.ones(1000)])
    theta, residual, *_ = np.linalg.lstsq(X1, y, rcond=None)
    np.testing.assert_allclose(theta, [2, -3.4, 4.2], atol=0.002)
    assert residual[0] / 1000 == pytest.approx(1e-4, rel=0.15)
    assert abs(X.mean()) < 0.1
    assert X.std() == pytest.approx(1, abs=0.05)


def test_without_noise_the_model_is_exact() -> None:
    X, y = synthetic_data([1.0, 2.0, 3.0], -1.0, 20, noise=0.0, seed=3)
    np.testing.assert_allclose(y, X @ [1, 2, 3] - 1, rtol=1e-15)


def test_the_same_seed_gives_the_same_examples() -> None:
    np.testing.assert_array_equal(note_data(seed=4)[0], note_data(seed=4)[0])
    assert (note_data(seed=4)[0] != note_data(seed=5)[0]).all()
