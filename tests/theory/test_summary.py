from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from learnrate.errors import OptionError
from learnrate.theory import Kind, Theory, Verdict, analyse
from learnrate.theory.examples import Examples
from tests.theory.examples import DATA, Array
from tests.theory.simulate import simulate


def note(**options: object) -> Theory:
    X, y, B = DATA["note"]()
    return analyse(X, y, B, **options)  # type: ignore[arg-type]


def number(value: float | None) -> float:
    assert value is not None
    return value


def test_the_limits_in_their_order() -> None:
    theory = note(sampling="independent")
    bound, limit = number(theory.safe_bound.value), number(theory.limit.value)
    typical, full = number(theory.typical_limit.value), number(theory.full_batch_limit.value)
    assert bound < limit < typical
    assert limit < full
    assert number(theory.best_full_batch_rate.value) < full
    assert theory.gaussian_limit.value == pytest.approx(limit, rel=0.15)
    kinds = [theory.safe_bound, theory.limit, theory.typical_limit, theory.full_batch_limit]
    assert [q.kind for q in kinds] == [Kind.BOUND, Kind.EXACT, Kind.ESTIMATE, Kind.EXACT]
    np.testing.assert_allclose(theory.optimum, [2, -3.4, 4.2], atol=0.002)
    assert theory.loss_at_optimum == pytest.approx(5e-5, rel=0.1)


@pytest.mark.parametrize("sampling", ["independent", "shuffle"])
def test_same_arguments_same_numbers(sampling: str) -> None:
    one, two = note(sampling=sampling), note(sampling=sampling)
    assert one.limit == two.limit
    assert one.typical_limit == two.typical_limit
    assert one.verdict(1.7, 3) == two.verdict(1.7, 3)


def test_nothing_is_computed_before_it_is_asked_for() -> None:
    theory = note()
    assert not {"Z", "spectrum", "optimum"} & set(vars(theory.modes))
    _ = theory.limit
    assert "optimum" not in vars(theory.modes)


def test_shuffled_and_independent_floors_differ() -> None:
    lrs = np.array([0.01])
    independent = note(sampling="independent").floor(lrs)
    shuffled = note(sampling="shuffle").floor(lrs)
    least = note().loss_at_optimum
    assert independent.kind is Kind.EXACT
    assert shuffled.kind is Kind.ESTIMATE
    assert shuffled.losses[0] - least < 0.1 * (independent.losses[0] - least)


@pytest.mark.parametrize("sampling", ["independent", "shuffle"])
@pytest.mark.parametrize("epochs", [1, 3, 30])
def test_best_rate(sampling: str, epochs: int) -> None:
    theory = note(sampling=sampling)
    best = number(theory.best_rate(epochs).value)
    lrs = np.geomspace(1e-3, 1.4, 400)
    final = theory.curve(lrs, epochs).losses[:, -1]
    assert theory.curve(np.array([best]), epochs).losses[0, -1] <= np.nanmin(final) * 1.01
    X, y, B = DATA["note"]()
    measured = simulate(
        X, y, best * np.array([0.6, 1.0, 1.7]), B, epochs, runs=100, sampling=sampling
    ).mean(axis=1)[:, -1]
    assert measured[1] <= measured.min() * 1.02


@pytest.mark.parametrize("sampling", ["independent", "shuffle"])
@pytest.mark.parametrize("name", DATA)
def test_the_share_of_runs_above_their_start(name: str, sampling: str) -> None:
    """Counted among 100 runs: three standard errors on either side of what 300 others show."""
    X, y, B = DATA[name]()
    theory = analyse(X, y, B, sampling=sampling)
    lrs = number(theory.typical_limit.value) * np.array([0.5, 0.9, 0.97, 1.03])
    losses = simulate(X, y, lrs, B, 3, runs=300, sampling=sampling)
    measured = (losses[:, :, -1] >= losses[:, :, 0]).mean(axis=1)
    share = theory.diverged_share(lrs, 3)
    assert (np.abs(share - measured) <= 0.02 + 3.5 * np.sqrt(measured * (1 - measured) / 75)).all()


def test_a_share_with_weight_decay_a_short_minibatch_and_no_signal() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((103, 3)), rng.standard_normal(103)
    theory = analyse(X, y, 10, weight_decay=0.3)
    lrs = np.array([0.01, 0.8, 5.0])
    losses = simulate(X, y, lrs, 10, 4, runs=300, sampling="shuffle", weight_decay=0.3)
    measured = (losses[:, :, -1] >= losses[:, :, 0]).mean(axis=1)
    np.testing.assert_allclose(theory.diverged_share(lrs, 4), measured, atol=0.15)
    assert measured[1] > 0.3  # the floor lies above the start


def test_a_share_that_would_take_long_is_not_given() -> None:
    theory = analyse(*DATA["note"]()[:2], 1)
    assert np.isnan(theory.diverged_share(np.array([0.6]), 1000)).all()
    said = theory.verdict(0.6, 1000)
    assert said.verdict is Verdict.BORDERLINE
    assert said.diverged_share is None
    assert said.sentence.endswith("a few blow up.")


def test_momentum_leaves_averages_out() -> None:
    theory = note(momentum=0.5)
    lrs = np.array([0.01, 0.1])
    for quantity in (theory.limit, theory.safe_bound, theory.best_rate(3), theory.gaussian_limit):
        assert quantity.value is None
        assert quantity.kind is Kind.UNAVAILABLE
        assert "momentum" in quantity.note
    for prediction in (theory.floor(lrs), theory.curve(lrs, 3)):
        assert np.isnan(prediction.losses).all()
        assert prediction.kind is Kind.UNAVAILABLE
    assert theory.curve(lrs, 3).losses.shape == (2, 4)
    assert theory.full_batch_limit.value == pytest.approx(3 / theory.spectrum.largest)
    assert theory.verdict(0.1).verdict is Verdict.TYPICAL
    assert theory.verdict(9.0).verdict is Verdict.DIVERGES


def test_weight_decay_lowers_every_limit() -> None:
    plain, decayed = note(), note(weight_decay=0.5)
    assert number(decayed.full_batch_limit.value) < number(plain.full_batch_limit.value)
    assert number(decayed.limit.value) < number(plain.limit.value)
    assert number(decayed.typical_limit.value) < number(plain.typical_limit.value)
    assert decayed.gaussian_limit.value is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sampling": "shuffled"}, "Did you mean 'shuffle'"),
        ({"momentum": 1.0}, r"below 1\. Got 1\.0"),
        ({"momentum": -0.1}, "momentum"),
        ({"weight_decay": -1.0}, "weight_decay"),
    ],
)
def test_options_must_be_usable(options: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        note(**options)


@pytest.mark.parametrize("B", [0, 1001])
def test_batch_size_must_fit(B: int) -> None:
    X, y, _ = DATA["note"]()
    with pytest.raises(OptionError, match="batch_size"):
        analyse(X, y, B)


rng = np.random.default_rng(3)
G = rng.standard_normal((30, 2))
ODD: dict[str, Array] = {
    "one example": np.array([[3.0, -1.0]]),
    "two examples": np.array([[3.0], [-1.0]]),
    "all alike": np.ones((6, 2)),
    "zeros": np.zeros((6, 2)),
    "a column twice": np.column_stack([G, G[:, 0]]),
    "a constant column": np.column_stack([G, np.full(30, 7.0)]),
    "far from zero": G + 1e3,
    "large": G * 1e3,
    "small": G * 1e-3,
    "mixed": G * [1e3, 1e-3],
    "very wide": rng.standard_normal((4, 50)),
}


@pytest.mark.parametrize("sampling", ["independent", "shuffle"])
@pytest.mark.parametrize("name", ODD)
def test_odd_examples(name: str, sampling: str) -> None:
    """Everything has an answer, without a warning (warnings are errors here)."""
    X = ODD[name]
    y = X.sum(axis=1) + np.arange(len(X))
    for B in sorted({1, max(1, len(X) // 2), len(X)}):
        theory = analyse(X, y, B, sampling=sampling)
        limit = number(theory.limit.value)
        assert 0 < limit <= number(theory.full_batch_limit.value) * (1 + 1e-9)
        typical = theory.typical_limit.value  # None where some directions are too slow
        assert typical is not None or theory.spectrum.condition_number > 1e8
        assert typical is None or typical > 0.9 * limit
        lrs = limit * np.array([1e-6, 0.1, 0.9, 2.0, 1e3, 1e200])
        curve, floor = theory.curve(lrs, 3), theory.floor(lrs)
        estimated = sampling == "shuffle" and len(X) > B  # what is too much in doubt is not given
        assert not np.isnan(curve.losses[: 1 if estimated else None]).any()
        unknown = (lrs > limit) if typical is None else np.zeros(len(lrs), bool)
        assert estimated or not np.isnan(floor.losses[~unknown]).any()
        assert np.isfinite(curve.losses[:, 0]).all()
        assert not (floor.losses < theory.loss_at_optimum * (1 - 1e-9)).any()
        share = theory.diverged_share(lrs[:4], 3)
        assert ((share >= 0) & (share <= 1)).all()
        assert theory.verdict(0.5 * limit, 2).verdict is Verdict.SAFE
        assert theory.verdict(50 * limit, 2).sentence


@settings(deadline=None, max_examples=10)
@given(scale=st.sampled_from([1e-3, 0.5, 1e3]), seed=st.integers(0, 100), B=st.integers(1, 12))
def test_limits_scale_with_all_inputs_alike(scale: float, seed: int, B: int) -> None:
    """Multiplying x̃ (the features and the one) by c divides every limit by c²."""
    X = np.random.default_rng(seed).standard_normal((12, 2))
    y = X[:, 0]
    one, other = analyse(X, y, B), analyse(X, y, B)
    other.modes.examples = Examples(scale * X, one=scale)
    assert other.limit.value == pytest.approx(number(one.limit.value) / scale**2, rel=1e-9)
    assert other.typical_limit.value == pytest.approx(
        number(one.typical_limit.value) / scale**2, rel=1e-6
    )


def test_small_cases_load_numpy_alone() -> None:
    code = (
        "import sys, numpy as np\n"
        "from learnrate.theory import analyse\n"
        "X = np.random.default_rng(0).standard_normal((200, 3))\n"
        "t = analyse(X, X[:, 0], 10)\n"
        "t.verdict(0.1, 3), t.curve(np.array([0.1]), 3), t.floor(np.array([0.1])), t.best_rate(3)\n"
        "assert not any(name.startswith('scipy') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)
