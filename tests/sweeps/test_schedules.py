"""Schedules: the same numbers as torch's own classes where there is one, and what a warm-up adds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import learnrate
from learnrate.errors import OptionError
from learnrate.training.schedules import SCHEDULES, Schedule, schedule_multipliers


def of_torch(name: str, steps: int, **options: Any) -> list[float]:
    """The rate at each step by a class of `torch.optim.lr_scheduler`, from a rate of 1."""
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(rates) < steps:
            scheduler.step()
    return rates


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 100])
def test_shapes_are_those_of_torch(steps: int) -> None:
    linear = {"start_factor": 1.0, "end_factor": 0.0, "total_iters": steps}
    expected: dict[str, Any] = {
        "linear": of_torch("LinearLR", steps, **linear),
        "cosine": of_torch("CosineAnnealingLR", steps, T_max=steps),
        "one-cycle": of_torch(
            "OneCycleLR", steps, max_lr=1.0, total_steps=steps, cycle_momentum=False
        ),
    }
    for name, rates in expected.items():
        np.testing.assert_allclose(
            Schedule(name).multipliers(steps), rates, rtol=1e-9, atol=1e-12, err_msg=name
        )


def test_a_cooldown_comes_last() -> None:
    cooled = Schedule("wsd", cooldown=0.4).multipliers(10)
    np.testing.assert_allclose(cooled, [1] * 6 + [1, 0.75, 0.5, 0.25])
    root = Schedule("1-sqrt", cooldown=0.4, final=0.1).multipliers(10)
    np.testing.assert_allclose(root[6:], 1 - 0.9 * np.sqrt([0, 0.25, 0.5, 0.75]))
    assert (Schedule("wsd").multipliers(1000) == 1).sum() == 801


@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - {"one-cycle"}))
def test_a_warmup_goes_before_the_same_shape(name: str) -> None:
    whole = Schedule(name, warmup=0.25).multipliers(40)
    np.testing.assert_allclose(whole[:10], np.arange(1, 11) / 10)
    np.testing.assert_array_equal(whole[10:], Schedule(name).multipliers(30))
    np.testing.assert_array_equal(whole, Schedule(name, warmup=10).multipliers(40))


def test_no_schedule_is_no_multiplier() -> None:
    assert schedule_multipliers("constant", 5) is None
    assert schedule_multipliers(Schedule(), 5) is None
    assert schedule_multipliers(Schedule(warmup=2), 4).tolist() == [0.5, 1, 1, 1]  # type: ignore[union-attr]


def test_a_schedule_is_written_as_it_is_made() -> None:
    schedule = learnrate.Schedule("cosine", warmup=0.05)
    assert repr(schedule) == "Schedule('cosine', warmup=0.05)"
    assert str(schedule) == "cosine, warmup=0.05"
    X, y = learnrate.note_data()
    result = learnrate.sweep(X, y, lrs=[0.01], schedule=schedule)
    assert "schedule=learnrate.Schedule('cosine', warmup=0.05)" in result.call
    assert result.as_dict()["config"]["schedule"] == "cosine, warmup=0.05"
    plain = learnrate.sweep(X, y, lrs=[0.01])
    same = learnrate.sweep(X, y, lrs=[0.01], schedule=learnrate.Schedule())
    assert same.config == plain.config
    by_hand = learnrate.sweep(X, y, lrs=[0.01], schedule=lambda t: schedule.multipliers(300)[t])
    np.testing.assert_array_equal(result.losses, by_hand.losses)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"decay": "cosin"}, "'cosine'"),
        ({"warmup": -1}, "warmup must be a share"),
        ({"warmup": 1.5}, "whole number of steps"),
        ({"warmup": True}, "warmup must be a share"),
        ({"decay": "one-cycle", "warmup": 3}, "warms up by itself"),
        ({"decay": "cosine", "final": 2}, "final must lie between"),
        ({"decay": "step", "final": 0.1}, "final must be left out"),
        ({"decay": "cosine", "cooldown": 0.1}, "cooldown must be left out"),
        ({"decay": "wsd", "cooldown": 0}, "cooldown must be above 0"),
    ],
)
def test_what_has_no_meaning_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        Schedule(**options)


def test_a_warmup_is_no_longer_than_the_run() -> None:
    with pytest.raises(OptionError, match="not be longer than the run, 5 steps"):
        Schedule(warmup=6).multipliers(5)
