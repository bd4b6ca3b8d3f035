"""Every operator's gradient against finite differences: float64, random shapes, with broadcasting."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

from learnrate import autograd, nd
from learnrate.autograd import Operator
from learnrate.errors import AutogradError, InputError
from learnrate.nd import NDArray, operators
from learnrate.nd.apply import unary

Shape = tuple[int, ...]
ANY, POSITIVE = (-1.7291, 1.7291), (0.3137, 1.7291)


def arrays(
    shapes: tuple[Shape, ...], seed: int, domain: tuple[float, float] = ANY
) -> list[NDArray]:
    """Arrays in which no two elements are equal, and none is near a kink at 0 or at an integer."""
    sizes = [int(np.prod(shape)) for shape in shapes]
    low, high = domain
    values = np.linspace(low, high, sum(sizes) + 2)[1:-1] + 1e-3
    values = np.where(np.abs(values - values.round()) < 1e-3, values + 4e-3, values)
    values = np.random.default_rng(seed).permutation(values)
    bounds = np.cumsum([0, *sizes])
    return [
        nd.array(values[a:b].reshape(shape), dtype="float64")
        for (a, b), shape in zip(pairwise(bounds), shapes, strict=True)
    ]


shapes = array_shapes(min_dims=1, max_dims=3, max_side=3)
seeds = st.integers(0, 2**16)
quick = settings(max_examples=25, deadline=None, derandomize=True)

# Functions of one array of any shape, and where they are differentiable.
UNARY: dict[str, tuple[Callable[[NDArray], NDArray], tuple[float, float]]] = {
    "abs": (nd.abs, ANY),
    "astype": (lambda x: x.astype("float64") * x, ANY),
    "ceil": (nd.ceil, ANY),
    "clip": (lambda x: nd.clip(x, -0.71, 0.92), ANY),
    "copy": (lambda x: x.copy() * x, ANY),
    "cos": (nd.cos, ANY),
    "exp": (nd.exp, ANY),
    "expm1": (nd.expm1, ANY),
    "floor": (nd.floor, ANY),
    "log": (nd.log, POSITIVE),
    "log10": (nd.log10, POSITIVE),
    "log1p": (nd.log1p, POSITIVE),
    "log2": (nd.log2, POSITIVE),
    "logical_not": (nd.logical_not, ANY),
    "negative": (nd.negative, ANY),
    "ones_like": (nd.ones_like, ANY),
    "reciprocal": (nd.reciprocal, POSITIVE),
    "relu": (nd.relu, ANY),
    "round": (nd.round, ANY),
    "rsqrt": (nd.rsqrt, POSITIVE),
    "sigmoid": (nd.sigmoid, ANY),
    "sign": (nd.sign, ANY),
    "sin": (nd.sin, ANY),
    "softrelu": (nd.softrelu, ANY),
    "softsign": (nd.softsign, ANY),
    "sqrt": (nd.sqrt, POSITIVE),
    "square": (nd.square, ANY),
    "tan": (nd.tan, (-1.2, 1.2)),
    "tanh": (nd.tanh, ANY),
    "zeros_like": (nd.zeros_like, ANY),
    "argmax": (lambda x: x.argmax(axis=0), ANY),
    "argmin": (lambda x: x.argmin(axis=-1), ANY),
    "one_hot": (lambda x: nd.one_hot(x, 2), POSITIVE),
    "reshape": (lambda x: x.reshape((-1,)) * nd.reshape(x, (-1,)), ANY),
    "transpose": (lambda x: x.T * 2, ANY),
    "rotate": (lambda x: nd.transpose(x, [*range(1, x.ndim), 0]), ANY),
    "flatten": (nd.flatten, ANY),
    "expand_dims": (lambda x: nd.expand_dims(x, 1), ANY),
    "tile": (lambda x: nd.tile(x, (2, 1, 3)), ANY),
    "tile less": (lambda x: nd.tile(x, 2), ANY),
    "repeat": (lambda x: nd.repeat(x, 3), ANY),
    "repeat axis": (lambda x: nd.repeat(x, 2, axis=0), ANY),
    "slice": (lambda x: x[0] * x[-1], ANY),
    "slice steps": (lambda x: x[::-1], ANY),
    "gather": (lambda x: x[[0, -1, 0]], ANY),
    "take": (lambda x: x.take(nd.array([0, 2.9, 0, -1])), ANY),
    "take wrap": (lambda x: x.take(nd.array([[-1, 4]]), axis=x.ndim - 1, mode="wrap"), ANY),
    "softmax": (nd.softmax, ANY),
    "softmax axis": (lambda x: nd.softmax(x, axis=0), ANY),
    "log_softmax": (nd.log_softmax, ANY),
    "scalars": (lambda x: (2 * x - 1) / 3 + (1 - x) * 2 + x / 2 + 1 / (x + 4), ANY),
    "powers": (lambda x: x**2 + x**3 + x**-1 + x**0.5 + 2**x, POSITIVE),
    "remainders": (lambda x: x % 0.4177 + 5 % (x + 2.0003), POSITIVE),
    "bounds": (lambda x: nd.maximum(x, 0.5) * nd.minimum(0.7, x), ANY),
}

# Functions of two arrays whose shapes broadcast.
BINARY: dict[str, tuple[Callable[[NDArray, NDArray], NDArray], tuple[float, float]]] = {
    "add": (lambda x, y: x + y, ANY),
    "subtract": (lambda x, y: x - y, ANY),
    "multiply": (lambda x, y: x * y, ANY),
    "divide": (lambda x, y: x / y, POSITIVE),
    "modulo": (lambda x, y: (x + 3) % y, POSITIVE),
    "power": (lambda x, y: x**y, POSITIVE),
    "maximum": (nd.maximum, ANY),
    "minimum": (nd.minimum, ANY),
    "equal": (nd.equal, ANY),
    "not_equal": (nd.not_equal, ANY),
    "greater": (nd.greater, ANY),
    "greater_equal": (nd.greater_equal, ANY),
    "lesser": (nd.lesser, ANY),
    "lesser_equal": (nd.lesser_equal, ANY),
    "broadcast_to": (lambda x, y: nd.broadcast_like(x, x + y) * y, ANY),
}


@pytest.mark.parametrize("name", UNARY)
@quick
@given(shape=shapes, seed=seeds)
def test_of_one_array(name: str, shape: Shape, seed: int) -> None:
    function, domain = UNARY[name]
    nd.check_gradient(function, *arrays((shape,), seed, domain))


@pytest.mark.parametrize("name", BINARY)
@quick
@given(both=mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3), seed=seeds)
def test_of_two_arrays_that_broadcast(name: str, both: Any, seed: int) -> None:
    function, domain = BINARY[name]
    pair = tuple(shape or (1,) for shape in both.input_shapes)
    nd.check_gradient(function, *arrays(pair, seed, domain))


@pytest.mark.parametrize("name", ["sum", "mean", "max", "min", "prod", "norm"])
@quick
@given(shape=shapes, seed=seeds, data=st.data())
def test_reductions_over_any_axes(name: str, shape: Shape, seed: int, data: st.DataObject) -> None:
    axes = tuple(data.draw(st.sets(st.integers(-len(shape), len(shape) - 1))))
    options: dict[str, Any] = {"axis": axes or None}
    options["keepdims"] = data.draw(st.booleans())
    if name == "norm":
        options["ord"] = data.draw(st.sampled_from([1, 2]))
    elif data.draw(st.booleans()) and axes:
        options["exclude"] = True
    nd.check_gradient(lambda x: getattr(nd, name)(x, **options), *arrays((shape,), seed))


@quick
@given(left=shapes, right=shapes, inner=st.integers(1, 3), seed=seeds, flip=st.booleans())
def test_dot_of_any_dimensions(
    left: Shape, right: Shape, inner: int, seed: int, flip: bool
) -> None:
    x, y = arrays(((*left[:-1], inner), (inner, *right[1:])), seed)
    if flip:
        nd.check_gradient(
            lambda x, y: nd.dot(x, y, transpose_a=True, transpose_b=True), x.T.copy(), y.T.copy()
        )
    nd.check_gradient(nd.dot, x, y)


@quick
@given(shape=shapes, seed=seeds, data=st.data())
def test_joining_along_any_axis(shape: Shape, seed: int, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    wide = [list(shape) for _ in range(3)]
    for lengths in wide:
        lengths[axis] = data.draw(st.integers(1, 3))
    unequal = arrays(tuple(tuple(lengths) for lengths in wide), seed)
    nd.check_gradient(lambda *all: nd.concat(*all, dim=axis), *unequal)
    equal = arrays((shape, shape, shape), seed)
    nd.check_gradient(lambda *all: nd.stack(*all, axis=axis), *equal)
    nd.check_gradient(lambda *all: nd.add_n(*all, all[0]), *equal)


@quick
@given(shape=shapes, seed=seeds, data=st.data())
def test_pick_and_where(shape: Shape, seed: int, data: st.DataObject) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    rows = [n for i, n in enumerate(shape) if i != axis % len(shape)] or [1]
    mode = data.draw(st.sampled_from(["clip", "wrap"]))
    rng = np.random.default_rng(seed)
    index = nd.array(rng.integers(-3, 5, rows))
    x, y = arrays((shape, shape), seed)
    nd.check_gradient(lambda x: nd.pick(x, index, axis=axis, keepdims=True, mode=mode), x)
    condition = nd.array(rng.integers(0, 2, shape if data.draw(st.booleans()) else shape[:1]))
    nd.check_gradient(lambda x, y: nd.where(condition, x, y), x, y)


@quick
@given(shape=shapes, seed=seeds, data=st.data())
def test_any_index(shape: Shape, seed: int, data: st.DataObject) -> None:
    def part(size: int) -> st.SearchStrategy[Any]:
        basic = st.one_of(st.integers(-size, size - 1), st.slices(size))
        return st.one_of(basic, st.lists(st.integers(-size, size - 1), min_size=2, max_size=2))

    key = data.draw(st.tuples(*[part(size) for size in shape]))
    [x] = arrays((shape,), seed)
    if x[key].size:
        nd.check_gradient(lambda x: x[key], x)


# The table above must name them all


def defined_operators() -> dict[str, Operator]:
    """Every operator in `learnrate.nd.operators`."""
    found = {}
    for module in pkgutil.iter_modules(operators.__path__, operators.__name__ + "."):
        for value in vars(importlib.import_module(module.name)).values():
            for item in value.values() if isinstance(value, dict) else [value]:
                if isinstance(item, Operator):
                    found[item.name] = item
    return found


def test_no_operator_is_left_out() -> None:
    elsewhere = {"sum", "mean", "max", "min", "prod", "norm"}  # tests of their own, above
    elsewhere |= {"dot", "concat", "stack", "add_n", "pick", "where"}
    elsewhere |= {"stop_gradient"}  # finite differences do not stop: see test_backward
    elsewhere |= {"unslice", "ungather", "unpick"}  # in rules only: see test_second_gradients
    assert len(defined_operators()) > 50
    assert set(defined_operators()) <= {*UNARY, *BINARY, *elsewhere}


# The checker itself


def test_the_checker_returns_the_largest_disagreement() -> None:
    [x] = arrays(((3,),), 0)
    assert 0 < nd.check_gradient(nd.exp, x) < 1e-9


@pytest.mark.parametrize("factor", [0.0, 1.001, -1.0, float("nan")])
def test_the_checker_refuses_a_wrong_gradient(factor: float) -> None:
    wrong = Operator("wrong", np.exp, lambda g, out, x: factor * g * out)
    [x] = arrays(((2, 2),), 0)
    with pytest.raises(AutogradError, match="agree with finite differences"):
        nd.check_gradient(lambda x: unary(wrong, x), x)


def test_the_checker_sees_errors_that_cancel_in_a_plain_sum() -> None:
    shuffled = Operator("shuffled", np.exp, lambda g, out, x: np.roll(g * out, 1))
    x = nd.ones(3, dtype="float64")
    with pytest.raises(AutogradError, match="agree with finite differences"):
        nd.check_gradient(lambda x: unary(shuffled, x), x)


def test_the_checker_leaves_its_inputs_alone_and_wants_float64() -> None:
    x = nd.array([1, 2], dtype="float64")
    x.attach_grad()
    nd.check_gradient(nd.square, x)
    assert x.grad.asnumpy().tolist() == [0, 0]
    assert x.asnumpy().tolist() == [1, 2]
    with autograd.record():
        assert nd.check_gradient(nd.square, x.detach()) < 1e-8
    with pytest.raises(InputError, match="float64"):
        nd.check_gradient(nd.square, nd.array([1, 2]))
