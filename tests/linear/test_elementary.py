"""Slopes and values of the kernels against those of the losses, at outputs of every size."""

from __future__ import annotations

import numpy as np
import pytest

from learnrate._shapes import Array
from learnrate.linear.kernels.compiled import inner
from learnrate.linear.kernels.elementary import FORMULAS
from learnrate.linear.kernels.vectors import LANE_BYTES
from learnrate.training.losses import Huber, Logistic, Loss, Poisson, Softmax

LOSSES: dict[str, Loss] = {
    "logistic": Logistic(),
    "softmax": Softmax(3),
    "huber": Huber(1.3),
    "poisson": Poisson(),
}


def outputs(name: str, dtype: str) -> Array:
    """Outputs (rows, C, lanes): near 0, tiny, huge, equal, infinite and not a number."""
    lanes = LANE_BYTES // np.dtype(dtype).itemsize
    rng = np.random.default_rng(0)
    sizes = np.repeat(10.0 ** np.arange(-8, 5), 8)
    z = sizes[:, None, None] * rng.standard_normal((len(sizes), LOSSES[name].outputs, lanes))
    odd = np.zeros((5, *z.shape[1:]))
    odd[0, 0], odd[1, -1], odd[2] = np.inf, -np.inf, np.nan
    odd[3] = 88.5
    if name == "poisson":
        z = np.minimum(z, 80)
    return np.concatenate([z, odd]).astype(dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FORMULAS)
def test_slopes_and_values_are_those_of_the_loss(name: str, dtype: str) -> None:
    slope, measure = FORMULAS[name]
    loss, z = LOSSES[name], outputs(name, dtype)
    y = np.arange(len(z)) % (3 if name == "softmax" else 2)
    option = getattr(loss, "delta", 0.0)
    of_label = np.array([-1.0 if name == "poisson" and label else option for label in y])

    @inner
    def run(
        R: Array, lanes: int, C: int, y: Array, option: float, more: Array, sums: Array, fits: Array
    ) -> None:
        for i in range(len(y)):
            row = i * C * lanes
            measure(R, row, lanes, C, y[i], more[i], sums, fits, i * lanes)
            slope(R, row, lanes, C, y[i], option)

    rows, C, lanes = z.shape
    R, sums, fits = z.reshape(-1).copy(), np.zeros(rows * lanes), np.zeros(rows * lanes)
    run(R, lanes, C, y.astype(dtype), option, of_label.astype(dtype), sums, fits)
    wide = z.astype(np.float64)
    t = loss.encode(y, np.float64)
    eps = np.finfo(dtype).eps
    with np.errstate(all="ignore"):
        value, expected = loss.value(wide, t), loss.derivative(wide.copy(), t)
        fit = loss.fit(wide, t)
    usual = np.isfinite(wide).all(axis=(1, 2)) & (np.abs(wide).max(axis=(1, 2)) < 80)
    tiny = 40 * np.finfo(dtype).tiny
    found = R.reshape(z.shape)
    # A slope is a difference of numbers of size 1 at most, or of the count and its mean.
    scale = np.maximum(np.abs(expected), 1)
    # The rounding of z alone changes e^z by |z| / 2 roundings.
    roundings = 8 + (0.5 * np.abs(wide[usual]) if name == "poisson" else 0)
    apart = np.abs(found[usual] - expected[usual])
    assert (apart <= roundings * eps * scale[usual]).all()
    scale = np.abs(value)
    if name in ("huber", "poisson"):  # a difference of the output and the label
        scale = scale + 1 + np.abs(wide).max(axis=1)
    summed = sums.reshape(value.shape)
    assert (np.abs(summed[usual] - value[usual]) <= 16 * eps * scale[usual] + tiny).all()
    assert not np.isfinite(summed[np.isnan(value)]).any()
    if "accuracy" in fit:
        for i in range(rows):
            right = loss.fit(wide[i : i + 1], loss.encode(y[i : i + 1], np.float64))["accuracy"]
            np.testing.assert_array_equal(fits.reshape(rows, lanes)[i], right)
