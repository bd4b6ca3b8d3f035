"""Gradients of gradients: every rule, differentiated in its turn, against finite differences of the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnrate import autograd, nd
from learnrate.nd import NDArray
from learnrate.nd.operators.choosing import GATHER, PICK, SLICE
from learnrate.nd.recording import Recording
from tests.nd.test_gradients import BINARY, UNARY, Shape, arrays, seeds, shapes

few = settings(max_examples=4, deadline=None, derandomize=True)


def gradients_of(function: Callable[..., NDArray]) -> Callable[..., NDArray]:
    """The function of the same inputs whose value is the gradient of ``function``, summed with unequal weights."""

    def gradient(*inputs: NDArray) -> NDArray:
        for x in inputs:
            if x._node is None:
                x.attach_grad()
        with autograd.record():
            out = function(*inputs)
            weights = np.cos(1 + np.arange(out.size, dtype=np.float64)).reshape(out.shape)
            weighted = out * nd.array(weights, dtype=out.dtype)
            found = autograd.grad(weighted, list(inputs), create_graph=True)
            flat: list[NDArray] = [
                (g + x).reshape((-1,)) for g, x in zip(found, inputs, strict=True)
            ]
            return nd.concat(*flat, dim=0)

    return gradient


def check_second(function: Callable[..., NDArray], *inputs: NDArray) -> None:
    nd.check_gradient(gradients_of(function), *inputs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", UNARY)
@few
@given(shape=shapes, seed=seeds)
def test_of_one_array(name: str, shape: Shape, seed: int) -> None:
    function, domain = UNARY[name]
    check_second(function, *arrays((shape,), seed, domain))


@pytest.mark.parametrize("name", BINARY)
@few
@given(seed=seeds, pair=st.sampled_from([((2, 3), (2, 3)), ((2, 3), (3,)), ((1,), (2, 1))]))
def test_of_two_arrays_that_broadcast(name: str, pair: tuple[Shape, Shape], seed: int) -> None:
    function, domain = BINARY[name]
    check_second(function, *arrays(pair, seed, domain))


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "norm"])
@pytest.mark.parametrize("options", [{}, {"axis": 0}, {"axis": (0, 1), "keepdims": True}])
def test_reductions(name: str, options: dict[str, Any]) -> None:
    check_second(lambda x: getattr(nd, name)(x * x, **options), *arrays(((2, 3),), 1))


@pytest.mark.parametrize("pair", [((2, 3), (3, 2)), ((3,), (3,)), ((2, 2, 3), (3, 2))])
def test_dot(pair: tuple[Shape, Shape]) -> None:
    check_second(lambda x, y: nd.dot(x * x, y), *arrays(pair, 2))


def test_joining_and_choosing() -> None:
    x, y = arrays(((2, 3), (2, 3)), 3)
    condition, index = nd.array([[1, 0, 1], [0, 0, 1]]), nd.array([2, -1])
    check_second(lambda x, y: nd.concat(x * y, y, dim=1) ** 3, x, y)
    check_second(lambda x, y: nd.stack(x * y, y, axis=1) ** 3, x, y)
    check_second(lambda x, y: nd.add_n(x, x, y) ** 3, x, y)
    check_second(lambda x, y: nd.where(condition, x * y, y**3), x, y)
    check_second(lambda x, y: nd.pick(x**3, index, mode="wrap") * y[:, 0], x, y)
    check_second(lambda x: x[:, 1:][0] ** 3, x)
    check_second(lambda x: x[[0, 0, 1], 1:] ** 3, x)


def test_a_network_with_every_kind_of_layer() -> None:
    X, w, b = arrays(((3, 2), (2, 4), (4,)), 4)
    labels = nd.array([0, 3, 1])

    def loss(X: NDArray, w: NDArray, b: NDArray) -> NDArray:
        hidden = nd.Activation(nd.dot(X, w) + b, "softrelu")
        return -nd.pick(nd.log_softmax(hidden), labels)

    check_second(loss, X, w, b)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_stays(dtype: str) -> None:
    x = nd.array([0.5, 2.0], dtype=dtype)
    x.attach_grad()
    with autograd.record():
        y = nd.sigmoid(x) * x.mean() / 3 + x**2
    (first,) = autograd.grad(y, x, create_graph=True)
    (second,) = autograd.grad(first, x, create_graph=True)
    assert str(np.dtype(first.dtype)) == str(np.dtype(second.dtype)) == dtype


@pytest.mark.parametrize(
    ("operator", "attributes"),
    [(SLICE, (slice(0, 2),)), (GATHER, ([0, 0, 1],)), (PICK, (np.array([1.0]), 0, False, "clip"))],
)
def test_what_puts_back_is_undone_by_what_takes_out(operator: Any, attributes: Any) -> None:
    """The operators un… are linear: their gradient is the operator that they are the gradient of."""
    x = nd.array([3.0, 5.0, 7.0], dtype="float64")
    x.attach_grad()
    out = operator.forward(x._data, *attributes)
    g = Recording(out * 0 + 2, x._node)
    (rule,) = operator.gradients
    put = rule(g, out, x._data, *attributes)
    assert put.shape == x.shape
    (back,) = put._node.operator.gradients
    np.testing.assert_array_equal(back(x._data, put._data, *put._node.values), out)


def test_numpy_functions_without_an_operator_are_refused() -> None:
    x = nd.array([1.0])
    x.attach_grad()
    value = Recording(x._data, x._node)
    for compute in (np.cosh, np.cumsum, np.multiply.reduce):
        with pytest.raises(TypeError):
            compute(value)
