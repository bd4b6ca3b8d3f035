"""What the note needs of arrays, by its own calls."""

from __future__ import annotations

import numpy as np
import pytest

from learnrate import autograd, nd


def test_the_gradient_of_the_note_is_its_closed_form_sum() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(10, 2)), rng.normal(size=10)
    w, b = nd.array(rng.normal(size=(2, 1)), dtype="float64"), nd.zeros(1, dtype="float64")
    w.attach_grad()
    b.attach_grad()
    features, labels = nd.array(X, dtype="float64"), nd.array(y, dtype="float64")
    with autograd.record():
        y_hat = nd.dot(features, w) + b
        loss = (y_hat - labels.reshape(y_hat.shape)) ** 2 / 2
    loss.backward()
    residual = X @ w.asnumpy()[:, 0] + b.asnumpy() - y
    np.testing.assert_allclose(w.grad.asnumpy()[:, 0], X.T @ residual, rtol=1e-12)
    np.testing.assert_allclose(b.grad.asnumpy(), [residual.sum()], rtol=1e-12)


def test_a_mean_can_be_printed_as_the_note_does() -> None:
    template = "loss %f"
    assert template % nd.array([1, 2]).mean().asnumpy() == "loss 1.500000"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_note_trains(dtype: str) -> None:
    nd.random.seed(1)
    features = nd.random.normal(scale=1, shape=(200, 2), dtype=dtype)
    labels = 2 * features[:, 0] - 3.4 * features[:, 1] + 4.2
    labels += nd.random.normal(scale=0.01, shape=labels.shape, dtype=dtype)
    w, b = nd.zeros((2, 1), dtype=dtype), nd.zeros((1,), dtype=dtype)
    for param in (w, b):
        param.attach_grad()
    for _ in range(20):
        for i in range(0, 200, 10):
            j = nd.array(list(range(i, i + 10)))
            X, y = features.take(j), labels.take(j)
            with autograd.record():
                loss = (nd.dot(X, w) + b - y.reshape((10, 1))) ** 2 / 2
            loss.backward()
            for param in (w, b):
                param[:] = param - 0.03 * param.grad / 10
    np.testing.assert_allclose(w.asnumpy()[:, 0], [2, -3.4], atol=0.01)
    np.testing.assert_allclose(b.asnumpy(), [4.2], atol=0.02)
