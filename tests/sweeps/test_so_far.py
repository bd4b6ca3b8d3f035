"""What ``on_progress`` is told of a sweep, between measurements too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import learnrate
from learnrate.training import monitor as monitors

X, Y = learnrate.note_data(200)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitors, "_INTERVAL_S", 0.0)


def test_steps_grow_to_their_total_and_curves_to_those_of_the_result() -> None:
    told: list[tuple[int, int, Any]] = []

    def tell(so_far: learnrate.SoFar) -> None:
        told.append((so_far.steps, so_far.total, so_far.curves))
        assert so_far.seconds >= 0
        assert so_far.seconds_left >= 0

    result = learnrate.sweep(
        X,
        Y,
        lrs=[0.01, 0.03, 5.0],
        epochs=3,
        seeds=2,
        val=0.2,
        engine="gram",  # fused takes several short epochs at once
        monitor=learnrate.Monitor(on_progress=tell),
    )
    steps = [done for done, *_ in told]
    assert steps == sorted(steps)
    assert steps[0] == 0
    assert {total for _, total, _ in told} == {2 * 3 * 3 * 16}
    assert steps[-1] == told[-1][1]
    np.testing.assert_array_equal(told[-1][2]["loss"], result.losses)
    np.testing.assert_array_equal(told[-1][2]["val_loss"], result.val_losses)
    before = next(curves for done, _, curves in told if 0 < done < steps[-1])
    assert np.isnan(before["loss"][1]).all()  # the second seed has not begun


def test_the_best_rates_and_those_that_are_out() -> None:
    seen: list[learnrate.SoFar] = []
    learnrate.sweep(
        X,
        Y,
        lrs=[0.003, 0.01, 0.03, 0.1, 1e20],
        epochs=8,
        prune=True,
        monitor=learnrate.Monitor(on_progress=seen.append),
    )
    last = seen[-1]
    assert last.finished
    assert last.diverged.tolist() == [False, False, False, False, True]
    assert last.pruned.sum() == 4
    assert last.steps == 20 * int(last.points.sum())  # a pruned lane makes no more
    [(lr, loss)] = last.best()
    assert lr == last.lrs[~last.pruned][0]
    assert loss == last.last[0, ~last.pruned][0]
