"""The rate for a run longer than the sweep: by the drift of the best rate, or by the theory where it knows the loss."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import learnrate
from learnrate.errors import OptionError
from learnrate.sweeps.longer import (
    COVERAGE,
    Swept,
    best_rate,
    longer_run,
    on_the_way,
    suggest_longer,
)

LRS = np.geomspace(1e-4, 1e-1, 13)


def bowl(
    best: float = 3e-3, *, points: int = 8, drift: float = 0.0, rise: float = 0.0, **changes: Any
) -> Swept:
    """Losses that are lowest at ``best · t^drift`` of the length, and rise again by a share at the end."""
    positions = np.append(0, 2 ** np.arange(points))
    t = positions[1:] / positions[-1]
    distance = np.log(LRS)[:, None] - np.log(best * t**drift)[None]
    curves = 0.1 + 0.05 * distance**2 + 0.5 * (1 - t)
    curves[:, -1] += rise
    losses = np.column_stack([np.ones(len(LRS)), curves])[None]
    swept = Swept(LRS, losses, positions, "step", "held-out loss")
    return swept._replace(**changes)


def test_the_rate_falls_with_the_length_and_the_interval_widens() -> None:
    one, ten, thirty = (longer_run(1e-2, M) for M in (1.0, 10.0, 30.0))
    assert one.lr == 1e-2
    assert (ten.lr, thirty.lr) == pytest.approx((1e-2 * 10**-0.32, 1e-2 * 30**-0.32))
    assert math.log(ten.high / ten.lr) == pytest.approx(1.8 * math.hypot(0.47, 0.22 * math.log(10)))
    assert thirty.high / thirty.low > ten.high / ten.low > one.high / one.low


@given(st.floats(-8.3, -3.1), st.floats(0.01, 10.0))
def test_the_bottom_of_a_parabola_is_found(at: float, steep: float) -> None:
    losses = steep * (np.log(LRS) - at) ** 2
    assert math.log(best_rate(LRS, losses)) == pytest.approx(at, abs=1e-6)


def test_beside_a_diverged_rate_the_best_one_tried_is_taken() -> None:
    losses = np.array([3.0, 2.0, 1.0, np.inf])
    assert best_rate(LRS[:4], losses) == LRS[2]


def test_a_longer_run_gets_a_smaller_rate_an_interval_and_what_is_at_risk() -> None:
    found = suggest_longer(bowl(), 1280)
    assert found.lr == pytest.approx(3e-3 * 10**-0.32, rel=0.01)
    assert found.coverage == COVERAGE
    assert found.lr is not None
    assert found.interval is not None
    assert found.interval[0] < found.lr < found.interval[1]
    assert 0 < (found.at_risk or 0) < 1
    assert "10 times the sweep" in found.reason
    assert "may be better" not in found.reason


def test_seeds_and_the_order_of_rates_do_not_matter() -> None:
    swept = bowl()
    turned = swept._replace(lrs=LRS[::-1], losses=np.repeat(swept.losses[:, ::-1], 3, axis=0))
    one, other = suggest_longer(turned, 1280), suggest_longer(swept, 1280)
    assert (one.lr, one.interval, one.reason) == (other.lr, other.interval, other.reason)


@pytest.mark.parametrize(
    ("swept", "horizon", "why"),
    [
        (bowl(), 128 * 101, "more than 100 times what was trained, 128 steps; train 130 steps"),
        (bowl(1e-1), 1280, "is the largest one tried; add larger ones"),
        (bowl(1e-4), 1280, "is the smallest one tried; add smaller ones"),
        (bowl(points=4), 100, "needs 20 steps or more to go by, and 8 steps were trained"),
        (
            bowl(lrs=LRS[:8], losses=bowl().losses[:, :8]),
            1280,
            "needs 9 rates or more that were trained to the end. Got 8",
        ),
        (bowl(losses=np.full((1, 13, 9), np.nan)), 1280, "every rate diverged"),
    ],
)
def test_why_there_is_none(swept: Swept, horizon: int, why: str) -> None:
    found = suggest_longer(swept, horizon)
    assert found.lr is None
    assert why in str(found)


def test_what_the_guess_does_not_know_is_said() -> None:
    assert "may be better" in suggest_longer(bowl(drift=0.5), 1280).reason
    assert "keep the best checkpoint" in suggest_longer(bowl(rise=0.6), 1280).reason


@pytest.mark.parametrize(("gained", "said"), [(0.1, False), (0.5, True)])
def test_a_sweep_that_was_short_for_its_model_is_said_to_be(gained: float, said: bool) -> None:
    """At half the length the loss is 1 − the rest of 0.9."""
    swept = bowl()
    distance = (np.log(LRS) - math.log(3e-3)) ** 2
    swept.losses[0, :, 1:-1] = (0.1 + gained * 0.9 + 0.01 * distance)[:, None]
    swept.losses[0, :, -1] = 0.1 + 0.01 * distance
    sentence = f"{100 * gained:.0f} % of what the best rate gained came in the last half"
    assert (sentence in suggest_longer(swept, 1280).reason) == said


def test_a_horizon_that_was_measured_is_that_measurement() -> None:
    result = learnrate.sweep("note", epochs=4, lrs=[0.01, 0.03, 0.1])
    shorter = learnrate.sweep("note", epochs=2, lrs=[0.01, 0.03, 0.1])
    assert result.suggestion(4) == result.suggestion()
    assert result.suggestion(2).lr == shorter.suggestion().lr


def test_how_the_best_rate_has_moved() -> None:
    """In a bowl whose bottom falls with the root of the length; the picture may show other losses, of the same rates."""
    swept = bowl(drift=-0.5)
    rates, losses, places = on_the_way(swept, 2 * swept.losses)
    assert places.tolist() == [4, 8, 16, 32, 64, 128]
    np.testing.assert_allclose(rates, 3e-3 * (places / 128) ** -0.5, rtol=0.1)
    np.testing.assert_allclose(rates[1:], 3e-3 * (places[1:] / 128) ** -0.5, rtol=1e-6)
    for rate, loss, place in zip(rates, losses, places, strict=True):
        point = swept.positions.tolist().index(place)
        shown = 2 * np.interp(math.log(rate), np.log(LRS), swept.losses[0, :, point])
        assert loss == pytest.approx(shown)
    turned = swept._replace(lrs=LRS[::-1], losses=swept.losses[:, ::-1])
    np.testing.assert_array_equal(on_the_way(turned, 2 * turned.losses)[1], losses)
    nothing = swept._replace(losses=np.full((1, 13, 9), np.nan))
    assert [len(found) for found in on_the_way(nothing, nothing.losses)] == [0, 0, 0]


@pytest.mark.parametrize("horizon", [0, -1, 2.5, "30", True])
def test_a_horizon_that_is_none_is_refused(horizon: Any) -> None:
    result = learnrate.sweep("note", epochs=2, lrs=[0.01, 0.03])
    with pytest.raises(OptionError, match="horizon must be a whole number of epochs"):
        result.suggestion(horizon)


def test_for_linear_models_the_theory_knows_the_longer_run() -> None:
    """The rate that is said for 300 epochs, from a sweep of 2, is the best of a sweep of 300 within 5 %."""
    lrs = np.geomspace(1e-3, 0.3, 12)
    said = learnrate.sweep("diabetes", epochs=2, lrs=lrs).suggestion(300)
    assert said.lr is not None
    assert "by the theory" in said.reason
    long = learnrate.sweep("diabetes", epochs=300, lrs=lrs, seeds=8)
    final = long.losses[:, :, -1].mean(axis=0)
    k = int(np.flatnonzero(np.isclose(lrs, said.lr))[0])
    assert final[k] <= 1.05 * np.nanmin(np.where(np.isfinite(final), final, np.nan))
