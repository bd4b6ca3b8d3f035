"""Every engine against every promise. A new engine is a new row of `learnrate.linear.choose.ENGINES`."""

from __future__ import annotations

import tracemalloc
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from learnrate._shapes import Array
from learnrate.data.order import Sampling, initial_weights
from learnrate.linear.choose import ENGINES, get_engine
from learnrate.linear.fused import gram_pays
from learnrate.linear.problem import EpochState, LinearProblem
from tests.contract.problems import make_problem, problems, with_rates
from tests.linear.oracle import Trained, numpy_loop

ROWS = list(ENGINES)
FAST = [name for name in ROWS if name not in ("reference", "rows")]
"""Those made for squared loss: in float32 they keep more digits than the plain loop would."""
THREADED = [name for name, row in ENGINES.items() if row.threaded]

every_engine = pytest.mark.parametrize("name", ROWS)
fast_engines = pytest.mark.parametrize("name", FAST)
bounded = settings(
    deadline=None,
    derandomize=True,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)


def run(
    name: str, problem: LinearProblem, start: EpochState | None = None, threads: int = 1
) -> list[EpochState]:
    """All states, with any warning an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        states = get_engine(name, threads=threads).states(problem, start)
        return [EpochState.of(state) for state in states]


def curves(states: list[EpochState]) -> Array:
    return np.stack([state.loss for state in states], axis=1)


def oracle(problem: LinearProblem) -> Trained:
    """The plain loop in float64 on the numbers that the engine is given."""
    exact = replace(problem, X=problem.X.astype(float), y=problem.y.astype(float))
    with np.errstate(all="ignore"):
        return numpy_loop(exact)


ROUNDINGS = 8 * 2.0**-24


def assert_equals_oracle(name: str, problem: LinearProblem) -> None:
    """Float64: relative 1e-9 where the loss is above 1e-12 of its start. Float32: 1e-4 of the floor.

    A float32 lane that swings out and back keeps the rounding of its swing, so lanes that rise or have
    momentum get 1e-3, and 1e-2 if they swing a million times as high as they started. And a loss that drops in few steps from ``P`` to ``L``, as features far from 0 make
    it do, keeps some roundings of the errors that it dropped from: ``2 c ε √(L P)``, with ε = 2⁻²⁴ and
    c = 8. No float32 could do much better, since the rounding of η is one of the eight.
    """
    states = run(name, problem)
    expected, W, b, peaks = oracle(problem)
    measured = curves(states)
    assert measured.shape == expected.shape
    assert [state.epoch for state in states] == list(range(problem.epochs + 1))
    start = expected[:, :1]
    if problem.dtype == np.float64:
        allowed = 1e-9 * expected + 1e-21 * start
        readable = expected < 1e280  # above that the engines may overflow one epoch apart
    else:
        swings = (peaks > 100 * start) | (expected > start) | bool(problem.momentum)
        with np.errstate(all="ignore"):
            allowed = np.where(swings, 1e-3, 1e-4) * expected + 1e-9 * peaks
            # Out by a million and more: every step of hundreds multiplies the rounding of η again.
            allowed = np.where(peaks > 1e6 * start, 1e-2 * expected + 1e-9 * peaks, allowed)
            allowed += 2 * ROUNDINGS * np.sqrt(expected) * np.sqrt(peaks)
        readable = expected < 1e30
    with np.errstate(all="ignore"):
        assert (np.abs(measured - expected) <= allowed)[readable].all()
    assert not np.isfinite(measured[~np.isfinite(expected)]).any() or problem.dtype == np.float32
    last = states[-1]
    settled = readable[:, -1] & (problem.dtype == np.float64)
    # A lane's weights as one vector: beside others of 1e24 a small one is what rounding leaves of it.
    allowed_W = 1e-9 + 1e-7 * np.abs(W).max(axis=1, keepdims=True)
    assert (np.abs(last.W - W) <= allowed_W)[settled].all()
    # The bias is what is left of the features' offsets, and has their rounding.
    offsets = np.abs(W) @ np.abs(problem.X).max(axis=0).astype(float)
    allowed = 1e-9 + 1e-7 * np.abs(b) + 1e-11 * offsets
    assert (np.abs(last.b - b) <= allowed)[settled].all()


@every_engine
@bounded
@given(problem=problems())
def test_equals_the_plain_loop(name: str, problem: LinearProblem) -> None:
    assert_equals_oracle(name, problem)


@fast_engines
@bounded
@given(problem=problems(dtype="float32"))
def test_equals_the_plain_loop_in_float32(name: str, problem: LinearProblem) -> None:
    assert_equals_oracle(name, problem)


@fast_engines
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("n", "d", "batch_size", "lanes", "epochs"),
    [
        (1000, 2, 10, 4, 3),  # the note
        (700, 20, 32, 64, 2),
        (300, 20, 300, 65, 3),  # one minibatch
        (150, 20, 1, 130, 1),
        (260, 300, 128, 5, 2),  # wide
        (90, 300, 7, 70, 1),
        (400, 31, 64, 200, 2),
    ],
)
def test_equals_the_plain_loop_at_sizes_that_matter(
    name: str, dtype: str, n: int, d: int, batch_size: int, lanes: int, epochs: int
) -> None:
    assert_equals_oracle(name, make_problem(n, d, batch_size, lanes, epochs, dtype=dtype))


@pytest.mark.slow
@fast_engines
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@settings(bounded, max_examples=75, phases=[Phase.explicit, Phase.generate])
@given(data=st.data())
def test_equals_the_plain_loop_far_and_wide(name: str, dtype: str, data: st.DataObject) -> None:
    wide = problems(dtype=dtype, max_d=300, max_lanes=200, max_n=300)
    assert_equals_oracle(name, data.draw(wide))


@every_engine
@bounded
@given(problem=problems(max_n=30, max_lanes=4), epoch=st.integers(0, 3))
def test_going_on_from_a_state_is_the_unbroken_run(
    name: str, problem: LinearProblem, epoch: int
) -> None:
    unbroken = run(name, problem)
    start = unbroken[min(epoch, problem.epochs)]
    resumed = run(name, problem, start)
    assert [s.epoch for s in resumed] == [s.epoch for s in unbroken if s.epoch > start.epoch]
    for ours, theirs in zip(resumed, unbroken[start.epoch + 1 :], strict=True):
        np.testing.assert_array_equal(ours.W, theirs.W)
        np.testing.assert_array_equal(ours.b, theirs.b)
        np.testing.assert_allclose(ours.loss, theirs.loss, rtol=1e-12, atol=1e-25)


@every_engine
def test_the_start_is_common_and_nothing_else_is_drawn(name: str) -> None:
    problem = make_problem(50, 3, 8, 6, 2, seed=7)
    np.random.seed(0)  # noqa: NPY002  # the caller's own
    before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    states = run(name, problem)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002
    np.testing.assert_allclose(states[0].W, np.tile(initial_weights(3, 7), (6, 1)), atol=1e-15)
    np.testing.assert_allclose(states[0].b, 0, atol=1e-14)
    np.testing.assert_array_equal(states[0].loss, states[0].loss[0])


@every_engine
def test_the_problem_is_left_as_it_was(name: str) -> None:
    problem = make_problem(50, 3, 8, 4, 2, schedule="cosine")
    copies = [a.copy() for a in (problem.X, problem.y, problem.lrs, problem.multipliers)]  # type: ignore[union-attr]
    for array in (problem.X, problem.y, problem.lrs, problem.multipliers):
        array.flags.writeable = False  # type: ignore[union-attr]
    run(name, problem)
    for array, copy in zip(
        (problem.X, problem.y, problem.lrs, problem.multipliers), copies, strict=True
    ):
        np.testing.assert_array_equal(array, copy)


@every_engine
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("d", [2, 100])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_diverging_lane_disturbs_no_other(name: str, dtype: str, d: int, momentum: float) -> None:
    problem = make_problem(300, d, 8, 1, 3, dtype=dtype, momentum=momentum)
    good = float(problem.lrs[0])
    alone = run(name, with_rates(problem, good, good / 2))
    beside = run(name, with_rates(problem, good, 1e200, good / 2, 1e5 * good))
    for ours, theirs in zip(alone, beside, strict=True):
        kept = theirs.loss[[0, 2]]
        rtol = 1e-12 if dtype == "float64" else 1e-5
        np.testing.assert_allclose(kept, ours.loss, rtol=rtol)
    assert not np.isfinite(beside[-1].loss[1])
    assert not beside[-1].loss[3] < 1e3 * beside[0].loss[3]


def assert_same_bits(name: str, problem: LinearProblem, threads: int) -> None:
    """States with one thread and with more are the same to the last bit, momenta too."""
    for ours, theirs in zip(run(name, problem), run(name, problem, threads=threads), strict=True):
        for field in ("W", "b", "loss", "V", "vb"):
            np.testing.assert_array_equal(getattr(ours, field), getattr(theirs, field))


many_threads = pytest.mark.parametrize("threads", [2, 3, 7])
threaded_engines = pytest.mark.parametrize("name", THREADED)
both_types = pytest.mark.parametrize("dtype", ["float64", "float32"])


@threaded_engines
@many_threads
@settings(bounded, max_examples=10)
@given(data=st.data(), dtype=st.sampled_from(["float64", "float32"]))
def test_the_bits_do_not_depend_on_the_number_of_threads(
    name: str, threads: int, data: st.DataObject, dtype: str
) -> None:
    problem = data.draw(problems(dtype=dtype, max_n=120, max_d=20, max_lanes=150))
    assert_same_bits(name, problem, threads)


@threaded_engines
@many_threads
@both_types
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(
    ("n", "d", "batch_size"), [(700, 5, 4), (130, 150, 6)], ids=["grams", "rows"]
)
def test_the_bits_are_the_same_on_both_paths(
    name: str, threads: int, dtype: str, momentum: float, n: int, d: int, batch_size: int
) -> None:
    assert gram_pays(d, batch_size, 70) == (d == 5)
    problem = make_problem(n, d, batch_size, 70, 2, dtype=dtype, momentum=momentum, kind="offset")
    assert_same_bits(name, problem, threads)


@pytest.mark.slow
@threaded_engines
@many_threads
@both_types
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize(
    ("n", "d", "batch_size", "lanes"),
    [(60_000, 20, 32, 64), (40_000, 20, 9000, 40), (3000, 400, 64, 64), (4000, 200, 600, 300)],
)
def test_the_bits_are_the_same_at_length(
    name: str,
    threads: int,
    dtype: str,
    momentum: float,
    n: int,
    d: int,
    batch_size: int,
    lanes: int,
) -> None:
    problem = make_problem(n, d, batch_size, lanes, 2, dtype=dtype, momentum=momentum)
    assert_same_bits(name, problem, threads)


@every_engine
@pytest.mark.parametrize("order", ["F", "strided"])
def test_features_may_lie_in_memory_in_any_way(name: str, order: str) -> None:
    problem = make_problem(60, 4, 8, 3, 2)
    X = np.asfortranarray(problem.X)
    if order == "strided":
        X = np.repeat(problem.X, 2, axis=1)[:, ::2]
    other = replace(problem, X=X, y=np.repeat(problem.y, 2)[::2])
    np.testing.assert_allclose(
        curves(run(name, other)), curves(run(name, problem)), rtol=1e-12, atol=0
    )


@every_engine
def test_without_epochs_there_is_the_start_alone(name: str) -> None:
    problem = make_problem(20, 2, 5, 3, 0)
    assert [state.epoch for state in run(name, problem)] == [0]


@fast_engines
@pytest.mark.parametrize(
    ("n", "d", "batch_size", "lanes"),
    [
        (200_000, 20, 256, 64),
        (200_000, 20, 200_000, 4),
        (40_000, 100, 8, 8),
        (20_000, 200, 20_000, 3),
        (3000, 600, 600, 256),  # matrices larger than the data
    ],
)
def test_memory_is_the_data_a_chunk_and_the_lanes(
    name: str, n: int, d: int, batch_size: int, lanes: int
) -> None:
    """The bound that docs/engines.md states."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d), dtype=np.float32)
    problem = LinearProblem(
        X, X[:, 0].copy(), np.full(lanes, 1e-3), batch_size, 1, sampling=Sampling.SHUFFLE
    )
    run(name, make_problem(40, d, 5, 2, 1, dtype="float32"))  # what is loaded once
    tracemalloc.start()
    run(name, problem)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * n + 200 * lanes * (d + 1) + (16 << 20) + 20 * 8 * (d + 2) ** 2
