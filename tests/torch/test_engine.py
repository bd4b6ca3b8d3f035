"""The engine's states: training that goes on from any of them gives the bits of training that was never broken."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import learnrate.torch
from learnrate.torch.engine import TorchEngine
from learnrate.torch.problem import TorchProblem
from learnrate.torch.task import TorchTask
from learnrate.training.states import LaneStates
from tests.torch.models import mlp, regression, seeded
from tests.torch.test_lanes import Branching, Counting

LRS = [0.003, 0.01, 0.03, 0.1, 1e200]
KEPT: dict[str, Any] = {"loss": "mse", "lrs": LRS, "batch_size": 16, "epochs": 3}


def masked() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Dropout(0.3), nn.Linear(6, 1))


def halving(optimizer: Any) -> Any:
    """A scheduler that is stepped by itself."""
    return torch.optim.lr_scheduler.StepLR(optimizer, 3, 0.5)


CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "adam": (mlp, {"optimizer": "adam", "schedule": "cosine"}),
    "masks and buffers": (masked, {"optimizer": "momentum"}),
    "one at a time": (Branching, {"optimizer": "adamw"}),
    "state in an attribute": (Counting, {}),
    "views": (masked, {"optimizer": torch.optim.Adafactor, "schedule": halving}),
    "in chunks": (masked, {"lanes_at_once": 2}),
}


def problem_of(
    monkeypatch: pytest.MonkeyPatch, build: Any, data: Any = None, **options: Any
) -> TorchProblem:
    """The problem that a sweep would train."""
    found: list[TorchProblem] = []

    def problems(self: TorchTask, progress: Any) -> list[TorchProblem]:
        found.append(TorchProblem(self.training, self.lrs, self.config.seed))
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(TorchTask, "problems", problems)
        examples = regression() if data is None else data
        with pytest.raises(InterruptedError):
            learnrate.torch.sweep(seeded(build), examples, **{**KEPT, **options})
    return found[0]


def by_lane(states: list[LaneStates]) -> dict[tuple[int, int], dict[str, Any]]:
    """Everything that is known of each lane at each epoch."""
    found = {}
    for state in states:
        lanes = range(state.size) if state.lanes is None else state.lanes
        for k, lane in enumerate(lanes):
            everything = {**state.arrays, **state.measured}
            found[int(lane), state.epoch] = {name: array[k] for name, array in everything.items()}
    return found


def assert_same(found: dict[Any, Any], expected: dict[Any, Any]) -> None:
    for key, values in found.items():
        for name, value in values.items():
            np.testing.assert_array_equal(value, expected[key][name], err_msg=f"{key} {name}")


@pytest.mark.parametrize("name", CASES)
def test_going_on_from_any_state_gives_the_same_bits(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, options = CASES[name]
    problem = problem_of(monkeypatch, build, **options)
    whole = list(TorchEngine().states(problem))
    expected = by_lane(whole)
    assert {epoch for _, epoch in expected} == {0, 1, 2, 3}
    assert len({lane for lane, _ in expected}) == len(LRS)
    again = pickle.loads(pickle.dumps(problem))
    for start in (state for state in whole if state.lanes is None):
        assert_same(by_lane(list(TorchEngine().states(again, start))), expected)
    if name == "in chunks":
        assert [list(state.lanes) for state in whole[::4]] == [[0, 1], [2, 3], [4]]  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["adam", "state in an attribute"])
def test_some_lanes_go_on_without_the_others(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    build, options = CASES[name]
    problem = problem_of(monkeypatch, build, **options)
    states = TorchEngine().states(problem)
    [next(states) for _ in range(1)]
    start = next(states)
    rest = by_lane(list(states))
    kept = np.array([3, 1])
    found = by_lane(list(TorchEngine().states(problem.take(kept), start.take(kept))))
    assert {epoch for _, epoch in found} == {2, 3}
    for (lane, epoch), values in found.items():
        for what, value in values.items():
            np.testing.assert_allclose(value, rest[int(kept[lane]), epoch][what], rtol=1e-12)


def test_the_way_is_told_and_not_read_from_words() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        separate = learnrate.torch.sweep(seeded(Branching), regression(), **KEPT)
    alone = learnrate.torch.sweep(mlp(), regression(), lanes_at_once=1, **KEPT)
    stacked = learnrate.torch.sweep(mlp(), regression(), **KEPT)
    assert stacked.engine_reason == "lanes stacked by vmap; on cpu"
    assert separate.engine_reason == alone.engine_reason == "one lane at a time; on cpu"
    assert not alone.notes
