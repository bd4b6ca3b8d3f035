from __future__ import annotations

import numpy as np
import pytest

import learnrate as lr
from learnrate.sweeps.outcomes import Outcome, describe_rate, diverged_at, judge


@pytest.mark.parametrize(
    ("losses", "outcome"),
    [
        ([4.0, 2.0, 1.0], Outcome.FALLING),
        ([4.0, 0.1, 0.0995], Outcome.AT_FLOOR),
        ([4.0, 0.1, 0.11], Outcome.AT_FLOOR),
        ([4.0, 5.0, 6.0], Outcome.RISING),
        ([4.0, 0.1, 0.5], Outcome.UNSTEADY),
        ([4.0, 1e300, np.inf], Outcome.DIVERGED),
        ([4.0, np.nan, np.nan], Outcome.DIVERGED),
        ([0.0, 0.0], Outcome.AT_FLOOR),
        ([4.0, 3.99, 3.98], Outcome.FALLING),  # slow from the start: no floor
        ([4.0, 3.99], Outcome.FALLING),
    ],
)
def test_what_a_curve_shows(losses: list[float], outcome: Outcome) -> None:
    assert judge(np.array(losses)) is outcome


@pytest.mark.parametrize(
    ("floor", "outcome"),
    [
        (None, Outcome.AT_FLOOR),
        (0.99, Outcome.AT_FLOOR),
        (0.4, Outcome.AT_FLOOR),  # predicted floors are estimates
        (0.1, Outcome.CREEPING),
        (0.0, Outcome.CREEPING),
    ],
)
def test_a_plateau_far_above_the_floor_is_another(floor: float | None, outcome: Outcome) -> None:
    assert judge(np.array([4.0, 1.01, 1.0, 0.995]), floor) is outcome


@pytest.mark.parametrize(
    ("losses", "outcome"),
    [
        ([4.0, 2.0, 1.0], Outcome.FALLING),
        ([4.0, 0.1, 0.0995], Outcome.UNSTEADY),
        ([4.0, 0.1, 0.14], Outcome.UNSTEADY),
        ([4.0, 0.1, 0.3, 0.25], Outcome.UNSTEADY),  # lower than before, but not than ever
        ([4.0, 1e300, np.inf], Outcome.DIVERGED),
    ],
)
def test_without_a_floor_there_is_none_to_be_at(losses: list[float], outcome: Outcome) -> None:
    assert judge(np.array(losses), np.inf) is outcome


def test_a_curve_that_levels_off_with_its_rate_shows_no_floor() -> None:
    flat = np.array([48.0, 46.0, 45.0, 44.7])
    assert judge(flat) is Outcome.AT_FLOOR
    assert judge(flat, decays=True) is Outcome.LEVELLED
    assert judge(np.array([4.0, 2.0, 1.0]), decays=True) is Outcome.FALLING
    assert describe_rate(np.array([flat]), decays=True) == "levelled off as its rate fell"


@pytest.mark.parametrize(
    ("schedule", "name"),
    [
        ("constant", "at_floor"),
        ("cosine", "levelled"),
        (lr.Schedule("linear", final=0.01), "levelled"),
        (lr.Schedule(warmup=10), "at_floor"),
    ],
)
def test_a_schedule_that_decays_is_known(schedule: str | lr.Schedule, name: str) -> None:
    X, y = lr.note_data()
    swept = lr.sweep(X, y, lrs=[0.1], epochs=6, schedule=schedule)
    assert [outcome.name.lower() for outcome in swept.outcomes[0]] == [name]


def test_what_is_left_of_rounding_is_no_plateau() -> None:
    assert judge(np.array([4.0, 1e-20, 1e-20, 1e-20]), 1e-30) is Outcome.AT_FLOOR


def test_the_epoch_of_divergence_is_the_first_one_not_finite() -> None:
    assert diverged_at(np.array([1.0, 9.0, np.inf, np.nan])) == 2
    assert diverged_at(np.array([1.0, 9.0])) is None


def test_values_are_sentences() -> None:
    for outcome in Outcome:
        assert len(outcome.value.split()) >= 3


def test_a_rate_is_described_over_its_seeds() -> None:
    good, bad = [4.0, 1.0, 0.5], [4.0, np.inf, np.nan]
    assert describe_rate(np.array([good])) == "still falling after 2 epochs"
    assert describe_rate(np.array([good, bad, good])).startswith(
        "1 of 3 runs diverge; still falling"
    )
    assert describe_rate(np.array([bad, bad])).endswith("in epoch 1")


@pytest.mark.parametrize(
    ("losses", "floor", "outcome"),
    [
        ([0.5, 0.56, 0.6], 0.58, Outcome.HIGH_FLOOR),  # features say little: noise lifts the loss
        ([0.5, 0.56, 0.51], 0.4, Outcome.HIGH_FLOOR),
        ([0.5, 5.0, 60.0], 0.4, Outcome.RISING),
        ([0.5, 60.0, 5.0], 0.4, Outcome.UNSTEADY),
        ([0.5, 0.56, 0.6], np.inf, Outcome.RISING),
    ],
)
def test_a_floor_above_the_start_is_no_divergence(
    losses: list[float], floor: float, outcome: Outcome
) -> None:
    assert judge(np.array(losses), floor) is outcome


def test_at_a_rate_known_to_be_safe_noise_alone_lifts_a_run_above_its_start() -> None:
    curve = np.array([6.0, 118.0])
    assert judge(curve, 17.9) is Outcome.RISING
    assert judge(curve, 17.9, safe=True) is Outcome.LIFTED
    assert judge(curve, None, safe=True) is Outcome.LIFTED
    assert judge(curve, 60.0, safe=True) is Outcome.HIGH_FLOOR
    both = np.array([curve, [6.0, 3.0]])
    assert "diverge" in describe_rate(both, 17.9)
    assert "diverge" not in describe_rate(both, 17.9, safe=True)


def test_ups_and_downs_are_not_still_falling() -> None:
    curve = np.array([4.0, 0.3, 0.5, 0.29])
    assert judge(curve) is Outcome.AT_FLOOR
    assert judge(curve, np.inf) is Outcome.UNSTEADY
    assert judge(np.array([4.0, 1.0, 0.6, 0.4]), 0.9) is Outcome.FALLING  # below the mean's floor


def test_a_lucky_start_is_no_divergence() -> None:
    losses = np.array([[1e5, 1.0, 0.5], [0.3, 0.6, 0.5], [2e4, 1.0, 0.5]])
    assert "diverge" not in describe_rate(losses, 0.5)


def test_falls_over_unequal_stretches_are_compared_by_the_step() -> None:
    losses, doubling = np.array([4.0, 3.999, 3.5, 3.0, 2.99, 2.989]), np.array([0, 1, 2, 4, 8, 16])
    assert judge(losses) is Outcome.FALLING
    assert judge(losses, positions=doubling) is Outcome.AT_FLOOR
    assert diverged_at(np.array([1.0, 2.0, np.nan]), doubling[:3]) == 2
    sentence = describe_rate(losses[None] * [1, 1, 1, 1, 0.9, 0.7], positions=doubling, unit="step")
    assert sentence == "still falling after 16 steps"
