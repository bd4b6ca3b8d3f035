"""What the book's chapters use of ``nd``: all names are there, and short runs of them learn."""

from __future__ import annotations

import numpy as np
import pytest

from learnrate import autograd, nd

# Chapter of the first edition (MXNet), and the names of nd and methods of NDArray that it uses.
CHAPTERS = {
    "2.2 NDArray": (
        "arange array concat dot elemwise_add ones random zeros zeros_like",
        "T asnumpy asscalar exp norm reshape shape size sum",
    ),
    "2.3 autograd": ("arange array dot random", "attach_grad backward grad norm sum"),
    "3.1 linear regression": ("ones zeros", "shape"),
    "3.2 linear regression from scratch": (
        "array dot random zeros",
        "asnumpy attach_grad backward grad mean reshape shape take",
    ),
    "3.5 Fashion-MNIST": ("array", "dtype shape"),
    "3.6 softmax regression": (
        "array dot pick random zeros",
        "argmax asscalar astype exp log mean reshape size sum",
    ),
    "3.8 multilayer perceptron": ("arange", "backward relu sigmoid tanh"),
    "3.9 multilayer perceptron from scratch": ("dot maximum random zeros", "attach_grad reshape"),
    "3.11 underfitting and overfitting": ("concat dot power random", "asnumpy mean"),
    "3.12 weight decay": ("dot ones random zeros", "asscalar norm sum"),
    "3.13 dropout": ("Dropout arange random", "reshape zeros_like"),
    "3.16 house prices": ("array clip concat sqrt", "asscalar log mean"),
    "7.1–7.3 optimisation": ("array dot random zeros", "asscalar mean"),
    "7.4–7.8 optimisers": ("zeros", "sqrt square"),
    "d2lzh": ("array one_hot stack", "as_in_context astype context copyto wait_to_read"),
}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_name_of_a_chapter_is_there(chapter: str) -> None:
    functions, methods = CHAPTERS[chapter]
    assert set(functions.split()) <= set(nd.__all__)
    assert not [name for name in methods.split() if not hasattr(nd.NDArray, name)]


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


def clusters() -> tuple[nd.NDArray, nd.NDArray]:
    """Three classes of points in the plane that straight lines can tell apart."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 90)
    centres = np.array([[3, 0], [-2, 2], [-2, -2]])
    return nd.array(centres[labels] + rng.normal(size=(90, 2)) / 3), nd.array(labels)


def softmax(X: nd.NDArray) -> nd.NDArray:
    exps = X.exp()
    return exps / exps.sum(axis=1, keepdims=True)


def accuracy(y_hat: nd.NDArray, y: nd.NDArray) -> float:
    return float((y_hat.argmax(axis=1) == y.astype("float32")).mean().asscalar())


def test_softmax_regression_from_scratch_learns() -> None:
    X, y = clusters()
    nd.random.seed(0)
    W, b = nd.random.normal(scale=0.01, shape=(2, 3)), nd.zeros(3)
    W.attach_grad()
    b.attach_grad()
    for _ in range(30):
        with autograd.record():
            loss = -nd.pick(softmax(nd.dot(X.reshape((-1, 2)), W) + b), y).log()
        loss.backward()
        for param in (W, b):
            param[:] = param - 0.5 * param.grad / 90
    assert loss.mean().asscalar() < 0.1
    assert accuracy(softmax(nd.dot(X, W) + b), y) == 1


def dropout(X: nd.NDArray, drop_prob: float) -> nd.NDArray:
    assert 0 <= drop_prob <= 1
    keep_prob = 1 - drop_prob
    if keep_prob == 0:
        return X.zeros_like()
    mask = nd.random.uniform(0, 1, X.shape) < keep_prob
    return mask * X / keep_prob


def test_a_perceptron_with_dropout_and_weight_decay_from_scratch_learns() -> None:
    X, y = clusters()
    nd.random.seed(0)
    params = [
        nd.random.normal(scale=0.3, shape=(2, 16)),
        nd.zeros(16),
        nd.random.normal(scale=0.3, shape=(16, 3)),
        nd.zeros(3),
    ]
    for param in params:
        param.attach_grad()

    def net(X: nd.NDArray) -> nd.NDArray:
        W1, b1, W2, b2 = params
        hidden: nd.NDArray = nd.maximum(nd.dot(X, W1) + b1, 0)
        if autograd.is_training():
            hidden = dropout(hidden, 0.2)
        return nd.dot(hidden, W2) + b2

    for _ in range(40):
        with autograd.record():
            penalty = 0.01 * sum((W**2).sum() / 2 for W in params[::2])
            loss = -nd.pick(nd.log_softmax(net(X)), y) + penalty
        loss.backward()
        for param in params:
            param[:] -= 0.3 * param.grad / 90
    assert accuracy(net(X), y) == 1


def test_the_optimisers_of_chapter_7_descend() -> None:
    """Momentum, AdaGrad, RMSProp, AdaDelta and Adam, as the book writes them, on x² + 10 y²."""
    start, eps = nd.array([[-3.0], [2.0]]), 1e-6

    def momentum(p: nd.NDArray, v: nd.NDArray, s: nd.NDArray, t: int) -> None:
        v[:] = 0.5 * v + 0.04 * p.grad
        p[:] -= v

    def adagrad(p: nd.NDArray, v: nd.NDArray, s: nd.NDArray, t: int) -> None:
        s[:] += p.grad.square()
        p[:] -= 0.8 * p.grad / (s + eps).sqrt()

    def rmsprop(p: nd.NDArray, v: nd.NDArray, s: nd.NDArray, t: int) -> None:
        s[:] = 0.9 * s + 0.1 * p.grad.square()
        p[:] -= 0.1 * p.grad / (s + eps).sqrt()

    def adadelta(p: nd.NDArray, delta: nd.NDArray, s: nd.NDArray, t: int) -> None:
        s[:] = 0.9 * s + 0.1 * p.grad.square()
        g = ((delta + 1e-2).sqrt() / (s + 1e-2).sqrt()) * p.grad
        p[:] -= g
        delta[:] = 0.9 * delta + 0.1 * g * g

    def adam(p: nd.NDArray, v: nd.NDArray, s: nd.NDArray, t: int) -> None:
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.99 * s + 0.01 * p.grad.square()
        p[:] -= 0.2 * (v / (1 - 0.9**t)) / ((s / (1 - 0.99**t)).sqrt() + eps)

    for step in (momentum, adagrad, rmsprop, adadelta, adam):
        p = start.copy()
        p.attach_grad()
        v, s = nd.zeros((2, 1)), nd.zeros((2, 1))
        for t in range(1, 61):
            with autograd.record():
                loss = (nd.array([[1.0], [10.0]]) * p**2).sum()
            loss.backward()
            step(p, v, s, t)
        assert loss.asscalar() < 0.5, step.__name__
