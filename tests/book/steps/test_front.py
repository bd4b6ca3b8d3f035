"""The numbers of an explanation against plain NumPy, and against a sweep."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnrate.book.steps import Explanation, explain
from learnrate.data import epoch_order, initial_weights, note_data
from learnrate.errors import OptionError
from learnrate.sweeps.run import sweep


def numpy_step(X: Any, y: Any, *, lr: float, batch_size: int, seed: int, step: int) -> Any:
    """Indices, old w and b, gradients and new w and b of one step: the recurrence and nothing else."""
    w, b = initial_weights(X.shape[1], seed), 0.0
    per_epoch = -(-len(X) // batch_size)
    for t in range(step):
        epoch, place = divmod(t, per_epoch)
        order = epoch_order(len(X), batch_size, seed=seed, epoch=epoch)
        J = order[place * batch_size : (place + 1) * batch_size]
        old_w, old_b = w.copy(), b
        residual = X[J] @ w + b - y[J]
        grad_w, grad_b = X[J].T @ residual, residual.sum()
        w = w - lr / batch_size * grad_w
        b = b - lr / batch_size * grad_b
    return J, old_w, old_b, grad_w, grad_b, w, b


@settings(deadline=None, max_examples=40)
@given(
    n=st.integers(2, 12),
    d=st.integers(1, 4),
    batch=st.integers(1, 12),
    seed=st.integers(0, 3),
    step=st.integers(1, 9),
)
def test_every_number_is_that_of_plain_numpy(
    n: int, d: int, batch: int, seed: int, step: int
) -> None:
    rng = np.random.default_rng([n, d, seed])
    X, y = rng.normal(size=(n, d)), rng.normal(size=n)
    batch = min(batch, n)
    e = explain(X, y, lr=0.1, batch_size=batch, seed=seed, step=step)
    J, old_w, old_b, grad_w, grad_b, w, b = numpy_step(
        X, y, lr=0.1, batch_size=batch, seed=seed, step=step
    )
    np.testing.assert_array_equal(e.indices, J)
    np.testing.assert_array_equal(e.X, X[J])
    np.testing.assert_array_equal(e.y, y[J])
    of_w, of_b = e.updates
    close: dict[str, Any] = {"rtol": 1e-11, "atol": 1e-13}
    for found, expected in (
        (of_w.old, old_w),
        (of_w.gradient, grad_w),
        (of_w.change, 0.1 / batch * grad_w),
        (of_w.new, w),
        (of_b.old, old_b),
        (of_b.gradient, grad_b),
        (of_b.change, 0.1 / batch * grad_b),
        (of_b.new, b),
        (e.check.backward, np.append(grad_w, grad_b)),
        (e.check.by_hand, np.append(grad_w, grad_b)),
        (e.check.terms.sum(axis=0), np.append(grad_w, grad_b)),
        (e.loss_before, np.mean((X[J] @ old_w + old_b - y[J]) ** 2) / 2),
        (e.loss_after, np.mean((X[J] @ w + b - y[J]) ** 2) / 2),
    ):
        np.testing.assert_allclose(np.ravel(found), np.ravel(expected), **close)
    assert e.check.disagreement < 1e-8
    assert (e.epoch - 1) * e.minibatches + e.minibatch == step


def test_a_sweep_takes_the_same_step() -> None:
    X, y = note_data(10)
    for step, n in ((1, 7), (2, 7), (1, 3)):  # a full and a short minibatch, and the whole data
        e = explain(X[:n], y[:n], lr=0.03, batch_size=4 if n == 7 else 3, seed=2, step=2 * step)
        result = sweep(
            X[:n],
            y[:n],
            lrs=[0.03],
            batch_size=e.batch_size,
            seed=2,
            epochs=2 * step // e.minibatches,
        )
        np.testing.assert_allclose(e.updates[0].new[:, 0], result.W[0, 0], rtol=1e-9)
        np.testing.assert_allclose(e.updates[1].new, result.b[0], rtol=1e-9)


def test_a_table_is_prepared_as_for_a_sweep() -> None:
    e = explain("diabetes", batch_size=442)
    result = sweep("diabetes", lrs=[0.03], batch_size=442, epochs=1)
    w, b = result.data.to_user_units(e.updates[0].new.T, e.updates[1].new)
    np.testing.assert_allclose(w, result.W[0], rtol=1e-9)
    np.testing.assert_allclose(b, result.b[0], rtol=1e-9)
    assert e.standardized
    assert e.target_name == "progression"
    assert not explain("diabetes", standardize=False).standardized


def test_few_examples_are_one_minibatch_unless_a_size_is_given() -> None:
    X, y = note_data(2)
    assert explain(X, y).batch_size == 2
    with pytest.raises(OptionError, match="batch_size"):
        explain(X, y, batch_size=3)


def test_a_diverged_run_is_a_result() -> None:
    e = explain("note", lr=1e200, step=5)
    assert not np.isfinite(e.updates[0].new).any()
    assert np.isnan(e.check.disagreement)
    assert json.loads(json.dumps(e.as_dict(), allow_nan=False))["updates"][1]["new"] == [None]


@pytest.mark.parametrize("way", ["backward", "by_hand", "finite_difference"])
def test_a_wrong_gradient_would_be_seen(note: Explanation, way: str) -> None:
    wrong = getattr(note.check, way) + np.array([0, 0.25, 0])
    assert replace(note.check, **{way: wrong}).disagreement == pytest.approx(0.25)


def test_of_very_many_parameters_the_first_and_last_are_checked() -> None:
    rng = np.random.default_rng(0)
    e = explain(rng.normal(size=(4, 2500)), rng.normal(size=4))
    assert e.check.checked.sum() == 2000
    np.testing.assert_array_equal(e.check.checked, np.isfinite(e.check.finite_difference))
    assert e.check.checked[0]
    assert e.check.checked[-1]
    assert e.check.disagreement < 1e-8


def test_no_global_random_state_is_touched() -> None:
    # Python's own generator is not asked: beartype, which checks shapes under the tests, draws from it.
    before = np.random.get_state(legacy=False)  # noqa: NPY002
    explain("note", step=3)
    np.testing.assert_equal(np.random.get_state(legacy=False), before)  # noqa: NPY002


def test_json_holds_everything(large: Explanation) -> None:
    found = json.loads(json.dumps(large.as_dict(), allow_nan=False))
    np.testing.assert_array_equal(found["X"], large.X)
    np.testing.assert_array_equal(found["nodes"][-1]["values"], large.nodes[-1].values)
    assert found["nodes"][0]["gradient"] is None
    assert found["attached"][0] == {
        "name": "w",
        "grad": [[0.0]] * 40,
        "grad_req": "write",
        "shape": [40, 1],
        "dtype": "float64",
    }
    assert found["check"]["disagreement"] == large.check.disagreement


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"lr": 0}, "0 instead"),
        ({"lr": float("nan")}, "nan"),
        ({"lr": "fast"}, "'fast'"),
        ({"lr": [0.1, 0.2]}, "0.2"),
        ({"step": 0}, "first step is 1"),
        ({"step": 1.5}, "1.5"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 1001}, "1001"),
        ({"seed": -1}, "seed"),
        ({"missing": "guess"}, "guess"),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], word: str) -> None:
    with pytest.raises(OptionError, match=word):
        explain("note", **options)


def test_it_says_what_it_is(note: Explanation) -> None:
    assert repr(note) == (
        "<Explanation: step 1 at learning rate 0.03, 3 examples × 2 features, 9 nodes>"
    )
    assert "One training step" in str(note)
