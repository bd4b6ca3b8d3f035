"""The best checkpoint of each lane, against sweeps that stop at each epoch in turn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import learnrate.torch
from learnrate.errors import OptionError
from learnrate.torch.result import TorchSweepResult
from learnrate.training.monitor import SweepInterrupted
from tests.torch.models import regression

EPOCHS = 4
LRS = [1e-3, 0.03, 0.1, 30.0]
STACKED: dict[str, Any] = {"seeds": 2, "ema": 0.7}
ALONE: dict[str, Any] = {"lanes_at_once": 1}


def sweep(keep: str, epochs: int = EPOCHS, **options: Any) -> TorchSweepResult:
    """Few examples and many parameters: the held-out loss soon rises."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 1))
    settings: dict[str, Any] = {"lrs": LRS, "optimizer": "adam", "batch_size": 8, **options}
    settings = {"val_data": regression(30, seed=1), **settings}
    data = regression(24)
    return learnrate.torch.sweep(
        model.double(), data, loss="mse", keep=keep, epochs=epochs, **settings
    )


def assert_holds_the_best(result: TorchSweepResult, options: dict[str, Any]) -> None:
    """Each lane has what a sweep that ends at its best epoch ends with."""
    assert result.val_losses is not None
    shorter = {epochs: sweep("last", epochs, **options) for epochs in range(1, EPOCHS + 1)}
    for s, seed in enumerate(result.seeds):
        for k, lr in enumerate(LRS):
            curve = result.val_losses[s, k]
            at = min((e for e in range(EPOCHS + 1) if np.isfinite(curve[e])), key=curve.__getitem__)
            assert result.best_at[s, k] == at
            kept = result.state_dict(lr, seed)
            wanted = shorter[at].state_dict(lr, seed) if at else result.starts[s].state_dict()
            for name, tensor in wanted.items():
                assert torch.equal(kept[name], tensor)


@pytest.mark.parametrize("options", [STACKED, ALONE], ids=["stacked", "alone"])
def test_what_is_kept_is_that_of_the_lowest_held_out_loss(options: dict[str, Any]) -> None:
    result = sweep("best", **options)
    assert_holds_the_best(result, options)
    assert len(set(result.best_at.ravel()) - {0, EPOCHS}) > 0, "no lane is best on the way"
    X, y = regression(30, seed=1)
    with torch.no_grad():
        loss = float(nn.functional.mse_loss(result.model()(X), y))
    assert result.val_losses is not None
    assert loss == pytest.approx(result.val_losses[result.lane()].min(), rel=1e-12)


def test_the_suggestion_goes_by_what_is_kept() -> None:
    best, last = sweep("best", lrs=[0.02, 0.1]), sweep("last", lrs=[0.02, 0.1])
    assert best.val_losses is not None
    lowest = best.val_losses[0].min(axis=1)
    found = best.suggestion()
    assert found.lr == best.lrs[np.argmin(lowest)]
    assert found.criterion == "held-out loss of the best checkpoint"
    assert (
        f"held-out loss of the best checkpoint after 4 epochs, {lowest.min():.3g}" in found.reason
    )
    assert last.suggestion().criterion == "held-out loss"
    assert best.as_dict()["lanes"][1]["best_epoch"] == best.best_at[0, 1] < EPOCHS
    assert "best_epoch" not in last.as_dict()["lanes"][1]


@pytest.mark.parametrize(
    "options", [STACKED, {**ALONE, "prune": True, "steps": 64, "epochs": None}]
)
def test_a_stopped_sweep_still_knows_its_best(options: dict[str, Any], tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    whole, kept = sweep("best", **options), learnrate.Checkpoint(tmp_path, every=0)
    with pytest.raises(SweepInterrupted):
        sweep("best", checkpoint=kept, on_epoch=stop, **options)
    resumed = sweep("best", checkpoint=kept, **options)
    assert whole.lane_states is not None
    assert resumed.lane_states is not None
    for ours, theirs in zip(whole.lane_states, resumed.lane_states, strict=True):
        for one, other in zip(ours, theirs, strict=True):
            assert (one is None) == (other is None)
            for name, tensor in (one or {}).items():
                assert torch.equal(tensor, (other or {})[name])
    with pytest.raises(OptionError, match="keep is best there and last here"):
        sweep("last", checkpoint=kept, **options)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(OptionError, match=r"val_data must be given with keep='best'"):
        sweep("best", val_data=None)
    with pytest.raises(
        OptionError, match=r"keep must be one of last, best, none\. Got 'bset'.*best"
    ):
        sweep("bset")
