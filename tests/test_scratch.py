"""The note's own functions against their formulas."""

from __future__ import annotations

import pickle
import random

import numpy as np
import pytest

from learnrate import nd
from learnrate.data import note_data
from learnrate.errors import OptionError
from learnrate.scratch import data_iter, linreg, sgd, squared_loss, train


def test_linreg_and_squared_loss_are_their_formulas() -> None:
    X, w, b = nd.array([[1, 2], [3, 4], [5, 6]]), nd.array([[0.5], [-1]]), nd.array([2])
    y_hat = linreg(X, w, b)
    assert y_hat.asnumpy().tolist() == [[0.5], [-0.5], [-1.5]]
    assert squared_loss(y_hat, nd.array([0.5, 0.5, 0.5])).asnumpy().tolist() == [[0], [0.5], [2]]


def test_sgd_divides_by_the_batch_size_and_writes_in_place() -> None:
    w = nd.array([1.0, 2.0])
    w.attach_grad()
    w.grad[:] = nd.array([10.0, -20.0])
    shared = w.detach()
    sgd([w], lr=0.5, batch_size=10)
    assert shared.asnumpy().tolist() == [0.5, 3.0]


def test_data_iter_visits_each_example_once_with_a_short_last_batch() -> None:
    features, labels = nd.arange(14).reshape((7, 2)), nd.arange(7)
    batches = list(data_iter(3, features, labels, rng=np.random.default_rng(0)))
    assert [len(y) for _, y in batches] == [3, 3, 1]
    visited = np.concatenate([y.asnumpy() for _, y in batches])
    assert sorted(visited.tolist()) == list(range(7))
    for X, y in batches:
        np.testing.assert_array_equal(X.asnumpy()[:, 0], 2 * y.asnumpy())


def test_data_iter_takes_an_order_beyond_what_float32_can_count() -> None:
    n = 2**24 + 2
    labels = nd.zeros(n, dtype="uint8")
    labels[n - 1] = 7
    [(_, y)] = data_iter(2, labels, labels, order=[n - 1, 0])
    assert y.asnumpy().tolist() == [7, 0]


def test_data_iter_refuses_an_empty_batch() -> None:
    with pytest.raises(OptionError, match="at least 1"):
        next(data_iter(0, nd.ones((2, 1)), nd.ones(2)))


def numpy_global_state() -> bytes:
    return pickle.dumps(np.random.get_state(legacy=False))  # noqa: NPY002


def test_train_reaches_the_noise_floor_and_leaves_global_random_states_alone() -> None:
    X, y = note_data()
    numpy_state, python_state = numpy_global_state(), random.getstate()
    w, b, losses = train(nd.array(X), nd.array(y), lr=0.04, rng=np.random.default_rng(0))
    assert len(losses) == 4
    assert losses[-1] == pytest.approx(5e-5, rel=0.1)
    np.testing.assert_allclose(w.asnumpy()[:, 0], [2, -3.4], atol=2e-3)
    np.testing.assert_allclose(b.asnumpy(), [4.2], atol=2e-3)
    assert numpy_global_state() == numpy_state
    assert random.getstate() == python_state


def test_train_with_one_seed_gives_one_result() -> None:
    X, y = note_data(50)
    runs = [
        train(nd.array(X), nd.array(y), lr=0.1, epochs=2, rng=np.random.default_rng(5))[2]
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
