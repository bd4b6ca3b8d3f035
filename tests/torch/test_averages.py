"""An average of the parameters, as `torch.optim.swa_utils` keeps it; and state of a step that belongs to a lane."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import learnrate.torch
from learnrate.data.order import epoch_order
from learnrate.errors import OptionError
from learnrate.torch.engine import TorchEngine
from tests.torch.models import mlp, regression, seeded
from tests.torch.test_engine import problem_of
from tests.torch.test_lanes import Branching

MSE = nn.functional.mse_loss
X, Y = regression()
LRS = [0.01, 0.05]


def normed() -> nn.Module:
    return seeded(lambda: nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Linear(6, 1)))


def swept(model: Any, **options: Any) -> Any:
    kept: dict[str, Any] = {"loss": "mse", "lrs": LRS, "batch_size": 16, "epochs": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return learnrate.torch.sweep(model, (X, Y), **kept | options)


@pytest.mark.parametrize("at_once", ["auto", 1])
def test_an_average_is_that_of_swa_utils(at_once: Any) -> None:
    own = copy.deepcopy(normed())
    average = AveragedModel(own, multi_avg_fn=get_ema_multi_avg_fn(0.7))  # type: ignore[no-untyped-call]
    optimizer = torch.optim.SGD(own.parameters(), lr=LRS[1], momentum=0.9)

    def loss() -> float:
        with torch.no_grad():
            average.module.load_state_dict(  # its buffers are those of the model
                {**own.state_dict(), **dict(average.module.named_parameters())}
            )
            return MSE(average.module.eval()(X), Y).item()

    losses = [loss()]
    for epoch in range(2):
        for J in torch.split(torch.from_numpy(epoch_order(70, 16, seed=0, epoch=epoch)), 16):
            optimizer.zero_grad()
            MSE(own(X[J]), Y[J]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            average.update_parameters(own)
        losses.append(loss())
    result = swept(normed(), ema=0.7, optimizer="momentum", lanes_at_once=at_once)
    np.testing.assert_allclose(result.losses[0, 1], losses, rtol=1e-9)
    for name, value in result.state_dict(LRS[1]).items():
        torch.testing.assert_close(value, average.module.state_dict()[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("build", [mlp, Branching], ids=["stacked", "separate"])
def test_an_average_goes_on(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem = problem_of(monkeypatch, build, ema=0.9, eval_every=3, lrs=LRS)
        states = list(TorchEngine().states(problem))
        *_, last = TorchEngine().states(problem, next(s for s in states if s.step == 3))
    assert any(name.startswith("average") for name in last.arrays)
    for name, array in last.arrays.items():
        np.testing.assert_array_equal(array, states[-1].arrays[name], err_msg=name)


def smoothed(model: nn.Module, batch: Any, state: dict[str, Any]) -> Any:
    """Weighs the loss by a moving average of itself, and lets the penalty grow."""
    loss = MSE(model(batch[0]), batch[1])
    state["mean"] = 0.9 * state.get("mean", 1.0) + 0.1 * float(loss.detach())
    state["calls"] = state.get("calls", 0) + 1
    penalty = sum(p.square().sum() for p in model.parameters())
    return loss / state["mean"] + 1e-3 * state["calls"] * penalty


def test_a_step_has_state_of_its_own_in_each_lane() -> None:
    for k, lr in enumerate(LRS):
        own, state = copy.deepcopy(mlp()), dict[str, Any]()
        optimizer = torch.optim.SGD(own.parameters(), lr=lr)
        for epoch in range(2):
            for J in torch.split(torch.from_numpy(epoch_order(70, 16, seed=0, epoch=epoch)), 16):
                optimizer.zero_grad()
                smoothed(own, (X[J], Y[J]), state).backward()
                optimizer.step()
        result = swept(mlp(), loss=None, step=smoothed)
        assert "one lane at a time" in result.engine_reason
        assert any("'state'" in note for note in result.notes)
        for name, value in result.state_dict(LRS[k]).items():
            torch.testing.assert_close(value, own.state_dict()[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("ema", [0.0, 1.0, 2, True, "yes"])
def test_what_is_no_decay_is_refused(ema: Any) -> None:
    with pytest.raises(OptionError, match="ema must be a decay between 0 and 1"):
        swept(mlp(), ema=ema)
