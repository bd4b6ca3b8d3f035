"""Where lanes are measured: after epochs, every so many steps, or at log-spaced ones."""

import numpy as np
import pytest

from learnrate.training.problem import Horizon
from learnrate.training.states import LaneStates


def at(epoch: int, step: int = 0) -> LaneStates:
    return LaneStates(epoch, {}, {}, step=step)


def test_epochs() -> None:
    horizon = Horizon(3)
    assert (horizon.unit, horizon.points) == ("epoch", 4)
    assert [horizon.point(at(*place)) for place in ((0,), (1,), (1, 5), (3,))] == [0, 1, None, 3]
    assert [horizon.reached(state) for state in (None, at(2, 9), at(3))] == [False, False, True]
    assert horizon.passed(at(2, 9)) == 2


@pytest.mark.parametrize(
    "horizon", [Horizon(steps=25, every=10, per_epoch=8), Horizon(steps=25, every=10)]
)
def test_steps(horizon: Horizon) -> None:
    np.testing.assert_array_equal(horizon.positions, [0, 10, 20, 25])
    places = (
        [(0, 0), (1, 2), (2, 3), (2, 4), (3, 1)]
        if horizon.per_epoch
        else [(0, t) for t in (0, 10, 19, 20, 25)]
    )
    states = [at(*place) for place in places]
    assert [horizon.point(state) for state in states] == [0, 1, None, 2, 3]
    assert [horizon.passed(state) for state in states] == [0, 1, 1, 2, 3]
    assert [horizon.reached(state) for state in states] == [False] * 4 + [True]


def test_steps_inside_epochs() -> None:
    horizon = Horizon(2, every=3, per_epoch=4)
    np.testing.assert_array_equal(horizon.positions, [0, 3, 6, 8])
    assert horizon.reached(at(2))


@pytest.mark.parametrize(
    ("steps", "positions"),
    [
        (1, [0, 1]),
        (2, [0, 1, 2]),
        (3, [0, 1, 2, 3]),
        (12, [0, 1, 2, 3, 6, 12]),
        (2000, [0, 1, 2, 4, 8, 16, 31, 62, 125, 250, 500, 1000, 2000]),
    ],
)
def test_log_spaced_steps_end_with_the_run(steps: int, positions: list[int]) -> None:
    horizon = Horizon(steps=steps, per_epoch=5)
    assert horizon.positions.tolist() == positions
    assert (horizon.unit, horizon.log_spaced) == ("step", True)
    assert not Horizon(steps=steps, every=3).log_spaced
    assert horizon.reached(at(steps // 5, steps % 5))
