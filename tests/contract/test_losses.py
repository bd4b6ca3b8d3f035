"""Every engine that has more than squared loss, with every loss and every optimizer, against the plain loop."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from learnrate._shapes import Array
from learnrate.data.order import Sampling, initial_weights
from learnrate.data.rows import Block as RowBlock
from learnrate.linear.choose import ENGINES, get_engine
from learnrate.linear.evaluation import means
from learnrate.linear.parameters import joined
from learnrate.linear.problem import EpochState, LinearProblem
from learnrate.training.losses import LOSSES, Softmax
from learnrate.training.optimizers import OPTIMIZERS
from learnrate.training.schedules import schedule_multipliers
from tests.linear.loss_oracle import Trained, loss_loop

CAPABLE = ("reference", "rows", "torch", "fused")
"""Engines that have more than squared loss; ``fused`` by SGD alone."""
EQUALS = [name for name, optimizer in OPTIMIZERS.items() if optimizer.equals is not None]
OPTIONS: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": 0.8, "dampening": 0.3},
    "adam": {"amsgrad": True, "weight_decay": 0.02},
    "rmsprop": {"centered": True, "momentum": 0.5},
    "nadam": {"decoupled_weight_decay": True, "weight_decay": 0.02},
}
"""Options beside the defaults, each of which has a state or a way of its own."""

every_loss = pytest.mark.parametrize("loss", list(LOSSES))
every_capable = pytest.mark.parametrize("name", CAPABLE)


def ways(*optimizers: str) -> pytest.MarkDecorator:
    """Every engine with every one of these optimizers that it has."""
    by_sgd = ("sgd", "momentum")
    pairs = [(n, o) for n in CAPABLE for o in optimizers if n != "fused" or o in by_sgd]
    return pytest.mark.parametrize(("name", "optimizer"), pairs)


def make(
    loss: str,
    optimizer: str = "sgd",
    *,
    n: int = 23,
    d: int = 3,
    batch_size: int = 5,
    epochs: int = 2,
    lrs: tuple[float, ...] = (0.003, 0.05, 0.4),
    classes: int = 4,
    dtype: str = "float64",
    schedule: str = "constant",
    seed: int = 1,
    **settings: Any,
) -> LinearProblem:
    """A problem with labels that suit the loss."""
    rng = np.random.default_rng([seed, n, d])
    X = rng.standard_normal((n, d))
    z = X @ rng.standard_normal((d, classes)) + rng.standard_normal((n, classes))
    y: Array = z[:, 0] + 0.3
    if loss == "huber":
        y = y + 9 * (rng.random(n) < 0.2)
    elif loss == "logistic":
        y = (z[:, 0] > 0).astype(np.int64)
    elif loss == "softmax":
        y = z.argmax(axis=1)
        y[:classes] = np.arange(classes)
    elif loss == "poisson":
        y = rng.poisson(np.exp(0.5 * z[:, 0])).astype(float)
        lrs = tuple(lr / 20 for lr in lrs)
    made = LOSSES[loss].of(y, classes if loss == "softmax" else 2)
    return LinearProblem(
        X.astype(dtype),
        y if made.of_classes else y.astype(dtype),
        np.array(lrs),
        batch_size,
        epochs,
        seed=seed,
        optimizer=optimizer,
        loss=made,
        multipliers=schedule_multipliers(schedule, epochs * -(-n // batch_size)),
        **settings,
    )


def run(name: str, problem: LinearProblem, start: EpochState | None = None) -> list[EpochState]:
    """All states, with any warning an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return [EpochState.of(state) for state in get_engine(name).states(problem, start)]


def curves(states: list[EpochState]) -> Array:
    return np.stack([state.loss for state in states], axis=1)


def able(problem: LinearProblem) -> list[str]:
    """The engines that train it; all but the one of compiled kernels train everything."""
    names = [name for name in CAPABLE if get_engine(name).supports(problem) is None]
    assert set(CAPABLE) - set(names) <= {"fused"}
    return names


def assert_equals_the_loop(problem: LinearProblem) -> None:
    expected = loss_loop(problem)
    for name in able(problem):
        assert_equals(run(name, problem), expected, problem)


def assert_equals(states: list[EpochState], expected: Trained, problem: LinearProblem) -> None:
    np.testing.assert_allclose(curves(states), expected.losses, rtol=1e-9, atol=1e-15)
    W, b = expected.W, expected.b
    if problem.loss.outputs == 1:
        W, b = W[:, :, 0], b[:, 0]
    np.testing.assert_allclose(states[-1].W, W, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(states[-1].b, b, rtol=1e-9, atol=1e-11)


@every_loss
@pytest.mark.parametrize("optimizer", EQUALS)
def test_equals_the_plain_loop(loss: str, optimizer: str) -> None:
    options = OPTIONS.get(optimizer, {})
    assert_equals_the_loop(make(loss, optimizer, optimizer_options=options))


@every_loss
@pytest.mark.parametrize(
    "settings",
    [
        {"momentum": 0.9, "weight_decay": 0.1, "schedule": "cosine"},
        {"sampling": Sampling.INDEPENDENT, "batch_size": 1},
        {"batch_size": 23, "lrs": (0.1,)},
        {"block_size": 7},
    ],
    ids=["short form", "one by one", "full batch", "blocks"],
)
def test_equals_the_plain_loop_however_it_is_trained(loss: str, settings: dict[str, Any]) -> None:
    assert_equals_the_loop(make(loss, **settings))


@every_loss
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
def test_engines_agree(loss: str, optimizer: str) -> None:
    """Lion too, which no class of torch.optim equals."""
    problem = make(loss, optimizer, optimizer_options={"weight_decay": 0.05})
    expected = curves(run("reference", problem))
    for name in able(problem):
        np.testing.assert_allclose(curves(run(name, problem)), expected, rtol=1e-9)


@ways("sgd", "momentum", "adam")
@every_loss
def test_going_on_from_a_state_is_the_unbroken_run(name: str, loss: str, optimizer: str) -> None:
    problem = make(loss, optimizer, epochs=3)
    unbroken = run(name, problem)
    resumed = run(name, problem, unbroken[1])
    assert [state.epoch for state in resumed] == [2, 3]
    for ours, theirs in zip(resumed, unbroken[2:], strict=True):
        assert ours.arrays.keys() == theirs.arrays.keys()
        for key, array in ours.arrays.items():
            np.testing.assert_array_equal(array, theirs.arrays[key])
        for key, array in ours.measured.items():
            np.testing.assert_allclose(array, theirs.measured[key], rtol=1e-12)


@every_capable
@every_loss
def test_a_lane_that_runs_to_infinity_ends_alone(name: str, loss: str) -> None:
    problem = make(loss, epochs=3)
    good = float(problem.lrs[1])
    alone = curves(run(name, replace(problem, lrs=np.array([good, good / 2]))))
    lrs = np.array([good, 1e308, good / 2])
    for optimizer in ("sgd", "momentum"):
        beside = curves(run(name, replace(problem, lrs=lrs, optimizer=optimizer)))
        assert not beside[1, -1] < 1e3 * beside[1, 0]
        if optimizer == "sgd":
            np.testing.assert_allclose(beside[[0, 2]], alone, rtol=1e-12)
        assert np.isfinite(beside[[0, 2]]).all()


@every_capable
@pytest.mark.parametrize("loss", ["logistic", "softmax"])
def test_large_margins_do_no_harm(name: str, loss: str) -> None:
    """Features of a million: outputs run far beyond where ``e^z`` overflows, and the loss stays what it is."""
    problem = make(loss, lrs=(1.0,), batch_size=23)
    problem = replace(problem, X=1e6 * problem.X)
    states = run(name, problem)
    assert np.isfinite(curves(states)).all()
    expected = loss_loop(problem).losses
    np.testing.assert_allclose(curves(states), expected, rtol=1e-9)


def test_a_small_loss_keeps_its_digits() -> None:
    z = np.array([[[60.0], [0.0], [0.0]]])
    np.testing.assert_allclose(Softmax(3).value(z, np.array([0])), 2 * np.exp(-60), rtol=1e-14)
    logistic = LOSSES["logistic"].of(np.array([0, 1]), 2)
    value = logistic.value(z[:, :1], logistic.encode(np.array([1]), float))
    np.testing.assert_allclose(value, np.exp(-60), rtol=1e-14)


@every_loss
def test_derivatives_are_those_of_the_value(loss: str) -> None:
    """Slope and second by central differences; no curvature is above the bound."""
    problem = make(loss, n=40, classes=3)
    phi, C = problem.loss, problem.loss.outputs
    z = 2 * np.random.default_rng(0).standard_normal((40, C, 1))
    t, h = phi.encode(problem.y, np.float64), 1e-5
    first, second = phi.derivative(z.copy(), t), phi.second_derivative(z[:, :, 0], problem.y)
    for c in range(C):
        step = np.zeros_like(z)
        step[:, c] = h
        rise = (phi.value(z + step, t) - phi.value(z - step, t)) / (2 * h)
        np.testing.assert_allclose(first[:, c], rise, rtol=1e-6, atol=1e-9)
        turn = (phi.derivative(z + step, t) - phi.derivative(z - step, t)) / (2 * h)
        np.testing.assert_allclose(second[:, :, c], turn[:, :, 0], rtol=1e-5, atol=1e-9)
    if phi.curvature is not None:
        assert np.linalg.eigvalsh(second).max() <= phi.curvature + 1e-12


@ways("sgd", "adam")
@every_loss
def test_float32_follows_float64(name: str, loss: str, optimizer: str) -> None:
    problem = make(loss, optimizer)
    narrow = curves(run(name, make(loss, optimizer, dtype="float32")))
    np.testing.assert_allclose(narrow, curves(run(name, problem)), rtol=2e-3)


@pytest.mark.parametrize("loss", ["logistic", "softmax"])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_the_losses_of_float32_are_those_of_its_parameters(loss: str, offset: float) -> None:
    """To a relative 1e-4, where outputs are small differences of large numbers too: features far from 0 that outweigh each other."""
    problem = make(loss, n=50, d=2, dtype="float32", lrs=(1e-30, 2e-30), epochs=1)
    problem = replace(problem, X=problem.X + np.float32(offset))
    C = problem.loss.outputs
    W = np.tile(np.array([1.0, -1.0])[:, None] * np.arange(1, C + 1), (2, 1, 1))
    b = np.zeros((2, C))
    if C == 1:
        W, b = W[:, :, 0], b[:, 0]
    start = EpochState(0, W, b, np.zeros(2))
    (state,) = run("fused", problem, start)
    theta = joined(state.W, state.b, np.float64)
    exact = means(problem.loss, [RowBlock(problem.X.astype(np.float64), problem.y)], theta)
    np.testing.assert_allclose(state.loss, exact["loss"], rtol=1e-4)
    np.testing.assert_allclose(state.measured["accuracy"], exact["accuracy"], atol=1e-9)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("loss", "settings"),
    [
        ("logistic", {"batch_size": 700, "n": 900}),  # minibatches larger than the room
        ("softmax", {"classes": 11, "n": 300, "d": 40, "batch_size": 33}),
        ("softmax", {"classes": 150, "n": 200, "d": 5, "batch_size": 64}),
        ("huber", {"n": 300, "momentum": 0.9, "block_size": 128, "batch_size": 9}),
        ("poisson", {"n": 300, "d": 17, "weight_decay": 0.1, "batch_size": 10}),
    ],
)
def test_sizes_that_matter_to_kernels(loss: str, settings: dict[str, Any], dtype: str) -> None:
    """Fused against rows, with more lanes than a vector has; threads change no bit."""
    lrs = tuple(np.geomspace(1e-3, 0.1, 37))
    problem = make(loss, lrs=lrs, dtype=dtype, **settings)
    rtol = 1e-9 if dtype == "float64" else 1e-3
    ours, theirs = run("fused", problem), run("rows", problem)
    np.testing.assert_allclose(curves(ours), curves(theirs), rtol=rtol)
    threaded = [
        EpochState.of(state) for state in get_engine("fused", threads=3).states(problem, None)
    ]
    for one, other in zip(ours, threaded, strict=True):
        for key, array in one.arrays.items():
            np.testing.assert_array_equal(array, other.arrays[key])
        for key, array in one.measured.items():
            np.testing.assert_array_equal(array, other.measured[key])


@every_capable
def test_classes_start_from_the_seed_and_biases_from_0(name: str) -> None:
    start = run(name, make("softmax", seed=7, epochs=0))[0]
    np.testing.assert_allclose(start.W, np.tile(initial_weights(3, 7, 4), (3, 1, 1)), rtol=1e-15)
    np.testing.assert_array_equal(start.b, 0)


@every_capable
@every_loss
def test_what_the_score_is_made_of(name: str, loss: str) -> None:
    problem = make(loss)
    state = run(name, problem)[-1]
    W, b = (a.reshape(3, -1, problem.loss.outputs) for a in (state.W, state.b))
    z = np.einsum("nd,kdc->nck", problem.X, W) + b.transpose(1, 2, 0)
    if loss == "softmax":
        expected = (z.argmax(axis=1) == problem.y[:, None]).mean(axis=0)
    elif loss == "logistic":
        expected = ((z[:, 0] > 0) == problem.y[:, None]).mean(axis=0)
    elif loss == "huber":
        expected = ((z[:, 0] - problem.y[:, None]) ** 2).mean(axis=0)
    else:
        assert set(state.measured) == {"loss"}
        return
    key = "squared_error" if loss == "huber" else "accuracy"
    np.testing.assert_allclose(state.measured[key], expected, rtol=1e-12)


def test_engines_of_gram_matrices_say_why_not() -> None:
    assert set(CAPABLE) <= set(ENGINES)
    assert set(ENGINES) - set(CAPABLE) == {"gram"}
    gram, fused = get_engine("gram"), get_engine("fused")
    assert "logistic" in (gram.supports(make("logistic")) or "")
    for engine in (gram, fused):
        assert engine.supports(make("squared", "momentum")) is None
        assert "adam" in (engine.supports(make("squared", "adam")) or "")
    for name in set(CAPABLE) - {"fused"}:
        assert get_engine(name).supports(make("softmax", "adam")) is None


@pytest.mark.parametrize("loss", ["logistic", "softmax"])
def test_lanes_of_a_part_are_those_of_the_whole(loss: str) -> None:
    """To the last bit, wherever it is cut: a cluster gives each worker a part."""
    problem = make(loss, lrs=tuple(np.geomspace(1e-3, 1, 40)), optimizer="momentum")
    whole = run("fused", problem)[-1]
    for part in (slice(0, 16), slice(3, 40)):
        state = run("fused", problem.take(part))[-1]
        np.testing.assert_array_equal(state.W, whole.W[part])
        np.testing.assert_array_equal(state.loss, whole.loss[part])
