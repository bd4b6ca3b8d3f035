"""NDArray beyond the differential table: conversions, errors in words, threads, names that are not there."""

from __future__ import annotations

import copy
import pickle
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from learnrate import autograd, nd
from learnrate.errors import AutogradError, InputError, OptionError

A = nd.array([[1, 2, 3], [4, 5, 6]])
V = nd.array([1, 2, 3])
I = nd.array([1, 2, 3], dtype="int32")  # noqa: E741
unchecked: Any = nd  # for calls that a type checker would refuse too


def formatted(template: str, value: Any) -> str:
    return str(template % value)


def test_one_element_prints_as_a_number_on_any_numpy() -> None:
    mean = A.mean().asnumpy()
    assert formatted("%f", mean) == "3.500000"
    assert formatted("%d", mean) == "3"
    assert formatted("%.2f", (0.5 + mean) / 2) == "2.00"
    assert float(mean) == 3.5
    assert repr(mean) == repr(np.array([3.5], np.float32))
    assert isinstance(mean, np.ndarray)
    assert type(A.asnumpy()) is np.ndarray
    with pytest.raises(TypeError):
        float(np.concatenate([mean, mean]))


def test_numpy_takes_arrays_and_is_refused_as_an_operand() -> None:
    np.testing.assert_array_equal(np.asarray(A), A.asnumpy())
    assert np.asarray(A, dtype="float64").dtype == np.float64
    np.asarray(A)[:] = 0
    assert A.sum().asscalar() == 21
    for refused in (lambda: np.ones(3) * V, lambda: V * np.ones(3), lambda: np.ones(3) == V):
        with pytest.raises(InputError, match=r"nd\.array"):
            refused()


def test_arrays_can_be_copied_and_pickled() -> None:
    x = nd.array([1, 2])
    x.attach_grad()
    for other in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        other[0] = 9
        assert (x.asnumpy().tolist(), other.asnumpy().tolist()) == ([1, 2], [9, 2])
        assert other.grad is None


def test_float64_stays_float64() -> None:
    x = nd.array([1, 2], dtype="float64")
    results = [x + 1, 2 / x, x**0.5, x.exp(), x.mean(), nd.softmax(x), x == 1, x.reshape((2, 1)).T]
    results += [nd.random.normal(shape=2, dtype="float64"), x.norm(), nd.maximum(x, 1.5)]
    assert {result.dtype for result in results} == {np.float64}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32", "int64", "uint8"])
def test_gradients_have_the_dtype_of_their_array(dtype: str) -> None:
    x = nd.array([1, 2, 3], dtype=dtype)
    x.attach_grad()
    with autograd.record():
        y = (2**x + x / 2 + x.sqrt()).sum() * x.mean()
    y.backward()
    assert x.grad.dtype == np.dtype(dtype)


SHAPE_ERRORS: dict[str, tuple[Callable[[], Any], str]] = {
    "broadcast": (lambda: A + nd.ones(2), r"add .*\(2, 3\) and \(2,\).*\.reshape\(\(2, 1\)\)"),
    "no near one": (
        lambda: A * nd.ones((3, 2)),
        r"multiply .*\(2, 3\) and \(3, 2\).*\(2, 3\), or with 1",
    ),
    "dot": (lambda: nd.dot(A, A), r"dot .*\(2, 3\) and \(2, 3\).*\(3, k\)"),
    "reshape": (lambda: A.reshape((4, 2)), r"6 elements .*\(2, 3\).*\(4, 2\).*\(-1,\)"),
    "reshape codes": (lambda: A.reshape((-1, -1)), "at most one −1"),
    "reshape too many zeros": (lambda: A.reshape((0, 0, 0)), "6 elements"),
    "dtypes": (lambda: V + I, r"add .*float32 and int32.*astype\('float32'\)"),
    "dtypes of dot": (lambda: nd.dot(V, I), "dot .*float32 and int32"),
    "dtypes of concat": (lambda: nd.concat(V, I, dim=0), "concat .*float32 and int32"),
    "concat": (lambda: nd.concat(A, nd.ones((3, 1))), r"concat .*\(2, 3\) and \(3, 1\)"),
    "concat a list": (lambda: unchecked.concat([V, V]), r"concat.*list.*nd\.concat\(\*arrays\)"),
    "stack": (lambda: nd.stack(A, V), r"stack .*\(2, 3\) and \(3,\)"),
    "axis": (lambda: A.sum(axis=2), "sum .*axis from -2 to 1 .*2 axes.*Got 2"),
    "axis of softmax": (lambda: nd.softmax(V, axis=1), "softmax .*from -1 to 0 .*1 axis"),
    "index": (lambda: A[2], r"slice .*\(2, 3\).*index 2 is out of bounds"),
    "too many indices": (lambda: A[0, 0, 0], "slice .*too many indices"),
    "index array": (lambda: A[[0, 5]], "gather .*index 5 is out of bounds"),
    "a string as index": (lambda: A["a"], "An index must be .*'a'"),
    "an array of strings": (lambda: A[["a"]], "array of indices must be of numbers"),
    "take": (lambda: unchecked.take(A, [0]), "take must be given an NDArray.*list"),
    "take mode": (lambda: A.take(V, mode="fold"), "mode of clip, wrap, raise.*'fold'"),
    "take raise": (lambda: V.take(nd.array([9]), mode="raise"), "take .*9"),
    "pick": (lambda: nd.pick(A, V), r"pick .*\(2, 3\).*\(3,\).*\(2,\) would fit"),
    "where": (lambda: nd.where(V, A, V), r"where .*\(3,\), \(2, 3\) and \(3,\)"),
    "elemwise": (lambda: nd.elemwise_add(A, V), r"elemwise add .*\(2, 3\) and \(3,\).*nd\.add"),
    "not an array": (
        lambda: nd.exp(2),  # type: ignore[type-var]
        "exp must be given an NDArray.*int",
    ),
    "not an array either": (lambda: unchecked.sum([1, 2]), "sum must be given an NDArray.*list"),
    "operand": (lambda: V + "1", r"add .*\(3,\).*str"),
    "comparison": (lambda: V == None, "equal .*NoneType"),  # noqa: E711
    "number": (lambda: I + 2**40, "add .*int32"),
    "infinite number": (lambda: I * float("inf"), "multiply .*int32.*inf"),
    "truth": (lambda: bool(A), r"truth .*\(2, 3\).*\.min\(\)"),
    "scalar": (lambda: A.asscalar(), r"one element.*\(2, 3\)"),
    "dtype": (lambda: nd.zeros(2, dtype="flaot32"), "dtype .*'flaot32'.*Did you mean 'float32'"),
    "ragged": (lambda: nd.array([[1, 2], [3]]), "rows of one length"),
    "text": (lambda: nd.array("abc"), "array .*str"),
    "shape": (lambda: nd.zeros((2.5,)), r"A shape must be .*\(2\.5,\)"),
    "negative shape": (lambda: nd.zeros((-1,)), "lengths ≥ 0"),
    "arange": (lambda: nd.arange(5, 1), "arange .*start 5, stop 1"),
    "squeeze": (lambda: nd.squeeze(A, axis=0), r"squeeze .*length 1.*\(2, 3\)"),
    "transpose": (lambda: A.transpose((0, 0)), r"each of the axes 0 … 1 once.*\(0, 0\)"),
    "broadcast_to": (lambda: A.broadcast_to((2, 4)), r"broadcast_to .*\(2, 4\) for \(2, 3\)"),
    "out": (lambda: nd.exp(V, out=nd.zeros(4)), r"out must have shape \(3,\).*\(4,\)"),
    "out dtype": (lambda: nd.exp(V, out=nd.zeros(3, dtype="int32")), "one dtype"),
    "out of a number": (lambda: V.exp(1), "out must be given an NDArray"),
    "copyto": (lambda: V.copyto(nd.zeros(2)), r"copyto\(\) .*\(3,\).*\(2,\)"),
    "norm": (lambda: V.norm(ord=3), "ord 1 or 2"),
    "activation": (lambda: nd.Activation(V, "rleu"), "act_type must be one of relu"),
    "num_hidden": (lambda: nd.FullyConnected(A, A, num_hidden=4), r"num_hidden = 2 .*\(2, 3\)"),
    "clip": (lambda: unchecked.clip(V, "a", 1), "clip .*"),
    "gpu": (lambda: nd.zeros(2, ctx=nd.gpu()), r"cpu\(\).*gpu\(0\)"),
    "to a gpu": (lambda: V.as_in_context(nd.gpu(1)), r"gpu\(1\)"),
    "a value that does not fit": (
        lambda: write(A.copy(), nd.ones((3, 2))),
        r"\(2, 3\).*shape \(3, 2\)",
    ),
    "a value that is no number": (lambda: write(A.copy(), "a"), "float32.*'a'"),
    "a sum that grows": (lambda: add_to(nd.ones(2), nd.ones((2, 2))), r"keep its shape.*\(2, 2\)"),
    "dropout": (lambda: nd.Dropout(V, 1.5), "probability.*1.5"),
}


def write(x: nd.NDArray, value: Any) -> None:
    x[:] = value


def add_to(x: nd.NDArray, value: Any) -> None:
    x += value


@pytest.mark.parametrize("case", SHAPE_ERRORS)
def test_errors_name_the_operator_what_came_and_what_would_fit(case: str) -> None:
    call, words = SHAPE_ERRORS[case]
    with pytest.raises(InputError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_writing_to_the_recorded_graph_is_refused() -> None:
    x = nd.array([1, 2])
    x.attach_grad()
    with autograd.record():
        for refused in (lambda: write(x, 1), lambda: add_to(x, 1), lambda: nd.exp(V[:2], out=x)):
            with pytest.raises(AutogradError, match="must not be written to while recording"):
                refused()
        with pytest.raises(AutogradError, match=r"x = x \+ y"):
            add_to(nd.ones(2), x)
        with pytest.raises(AutogradError, match="whole array"):
            nd.zeros(4)[:2] = x
    write(x, 1)
    assert x.asnumpy().tolist() == [1, 1]


def test_unknown_names_say_that_they_are_not_part_of_learnrate() -> None:
    with pytest.raises(
        AttributeError, match=r"nd\.arrange is not part of learnrate\. Did you mean 'arange'\?"
    ):
        nd.arrange  # noqa: B018
    with pytest.raises(
        AttributeError, match=r"nd\.linalg_gemm2 is not part of learnrate, which has what .* use\.$"
    ):  # MXNet has it: no typing error
        nd.linalg_gemm2  # noqa: B018
    with pytest.raises(
        AttributeError, match=r"NDArray\.reshap is not part of .*\. Did you mean 'reshape'"
    ):
        V.reshap  # noqa: B018
    assert not hasattr(V, "__array_interface__")
    assert set(nd.__all__) <= set(dir(nd))


def test_nothing_warns() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        huge = nd.array([1e30, -1e30, 0])
        for quiet in (
            huge * huge,
            huge**5,
            huge.exp(),
            huge.log(),
            huge / 0,
            huge - huge * huge,
            (huge * huge).sum(),
            nd.dot(huge, huge * huge),
            nd.softmax(huge * 1e30),
            huge.astype("int32"),
            huge.take(nd.array([float("nan")])),
            I / nd.zeros(3, dtype="int32"),
            nd.array([1e300]),
        ):
            repr(quiet)
        huge[:] = nd.array([1e300, 0, 0], dtype="float64")
        whole = nd.zeros(3, dtype="int32")
        whole[:] = huge
        huge[:] = huge * huge
        huge += huge


def test_reading_what_was_given_may_itself_compute_with_arrays() -> None:
    class Lazy:
        def __len__(self) -> int:
            return 2

        def __getitem__(self, i: int) -> float:
            if i > 1:
                raise IndexError
            return float((V * i).sum())

    assert nd.array(Lazy()).asnumpy().tolist() == [0, 6]
    x = nd.zeros(2)
    x[:] = Lazy()
    assert x.asnumpy().tolist() == [0, 6]


def test_objects_that_look_like_arrays_are_refused() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(InputError, match=r"exp must be given an NDArray\. Got Series"):
        nd.exp(pandas.Series([1.0, 2.0]))
    assert nd.array(pandas.Series([1.0, 2.0])).asnumpy().tolist() == [1, 2]


def test_the_caller_s_numpy_settings_stay() -> None:
    before = np.geterr()
    with np.errstate(all="raise"):
        _ = V / 0
        with pytest.raises(FloatingPointError):
            np.ones(1) / np.zeros(1)
    assert np.geterr() == before


def test_threads_compute_at_once() -> None:
    def work() -> None:
        x = nd.ones((50, 50))
        for _ in range(200):
            x = nd.dot(x, x) / 50
        results.append(float(x.mean()))

    results: list[float] = []
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1.0] * 4


def test_out_is_written_in_place_and_recorded() -> None:
    x, out = nd.array([1, 2, 3]), nd.zeros(3)
    x.attach_grad()
    assert nd.square(V, out=out) is out
    with autograd.record():
        nd.square(x, out=out)
    out.backward()
    assert out.asnumpy().tolist() == [1, 4, 9]
    assert x.grad.asnumpy().tolist() == [2, 4, 6]


def test_dropout_keeps_the_mean_while_training_and_is_away_while_predicting() -> None:
    nd.random.seed(3)
    x = nd.ones(4000)
    x.attach_grad()
    assert (nd.Dropout(x, 0.25) == x).min().asscalar() == 1
    with autograd.record():
        y = nd.Dropout(x, 0.25)
    y.backward()
    assert set(np.unique(y.asnumpy()).round(4)) == {0, np.float32(1.3333)}
    assert y.mean().asscalar() == pytest.approx(1, abs=0.05)
    assert (x.grad == y).min().asscalar() == 1
    assert nd.Dropout(x, 1, mode="always").sum().asscalar() == 0


def test_contexts_are_the_cpu() -> None:
    assert nd.zeros(2, ctx=nd.cpu()).context == nd.cpu(0)
    assert repr(V.ctx) == "cpu(0)"
    assert len({nd.cpu(), nd.cpu(0), nd.gpu()}) == 2
    copied = V.copyto(nd.cpu())
    copied[:] = 0
    assert V.sum().asscalar() == 6
    V.wait_to_read()
    nd.waitall()


def test_memory_is_contiguous_whatever_made_it() -> None:
    x = nd.array(np.asfortranarray(np.arange(24).reshape(2, 3, 4)))
    makers = [
        x,
        x.T,
        x.swapaxes(0, 2),
        x[:, [0, 2]],
        x[:, :, 1],
        x.sum(axis=1),
        x[:, ::2],
        x.softmax(axis=0),
    ]
    makers += [
        nd.concat(x, x),
        nd.dot(x, x[0].T),
        x.broadcast_to((2, 3, 4)),
        nd.stack(x, x, axis=2),
    ]
    makers += [
        x.tile((1, 2, 1)),
        x.take(nd.array([1, 0]), axis=2),
        x.T.astype("float64"),
        x + x.T.T,
    ]
    makers += [nd.array(np.asfortranarray(np.ones((2, 3))), dtype="int32")]
    assert all(np.asarray(made._data).flags.c_contiguous for made in makers)


def test_empty_arrays_can_be_computed_with() -> None:
    empty = nd.zeros((0, 3))
    assert (empty + 1).shape == (0, 3)
    assert empty.sum().asscalar() == 0
    assert empty.reshape((-1,)).shape == (0,)
    assert nd.concat(empty, A, dim=0).shape == (2, 3)


def test_seeds_are_checked() -> None:
    with pytest.raises(OptionError, match="seed"):
        nd.random.seed(-1)
