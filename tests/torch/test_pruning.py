"""Lanes that are ended early: what is left has the bits of a sweep without pruning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import learnrate.torch
from learnrate.errors import OptionError
from learnrate.sweeps.outcomes import Outcome
from learnrate.torch.result import TorchSweepResult
from learnrate.training.monitor import SweepInterrupted
from learnrate.training.problem import Horizon
from learnrate.training.pruning import Halving
from tests.torch.models import regression

LRS = np.geomspace(1e-4, 0.3, 9)


def sweep(prune: bool, norm: type[nn.Module] = nn.LayerNorm, **options: Any) -> TorchSweepResult:
    torch.manual_seed(0)
    inside = nn.Sequential(nn.Linear(5, 8), norm(8), nn.ReLU(), nn.Dropout(0.1))
    model = nn.Sequential(inside, nn.Linear(8, 1)).double()
    settings: dict[str, Any] = {
        "lrs": LRS,
        "steps": 256,
        "optimizer": "adam",
        "batch_size": 16,
        "val_data": regression(40, seed=1),
        **options,
    }
    return learnrate.torch.sweep(model, regression(), loss="mse", prune=prune, **settings)


@pytest.mark.parametrize(
    "options",
    [
        {"seeds": 2},
        {"lanes_at_once": 1, "norm": nn.BatchNorm1d},
        {"lanes_at_once": 4, "schedule": "cosine"},
    ],
    ids=["seeds", "alone", "parts"],
)
def test_what_goes_on_has_the_same_bits(options: dict[str, Any]) -> None:
    whole, pruned = sweep(False, **options), sweep(True, **options)
    assert pruned.pruned is not None
    trained = np.isfinite(pruned.losses)
    np.testing.assert_array_equal(pruned.losses[trained], whole.losses[trained])
    for k, point in enumerate(pruned.pruned):
        ends = trained.shape[2] if point < 0 else point + 1
        assert trained[:, k].sum() == ends * len(trained)
    (left,) = np.flatnonzero(pruned.pruned < 0)
    for name, tensor in whole.state_dict(LRS[left]).items():
        assert torch.equal(tensor, pruned.state_dict(LRS[left])[name])
    assert pruned.suggestion().lr == LRS[left]
    steps = sum(int(pruned.positions[p]) if p >= 0 else 256 for p in pruned.pruned)
    assert steps < 1.6 * 256
    assert "rates or more that were trained to the end. Got 1" in pruned.suggestion(2560).reason


def test_stacked_batch_normalisation_goes_on_to_rounding() -> None:
    """Its channels of all lanes are one array, in which sums are in another order for other numbers of lanes."""
    whole, pruned = (sweep(prune, nn.BatchNorm1d) for prune in (False, True))
    trained = np.isfinite(pruned.losses)
    np.testing.assert_allclose(pruned.losses[trained], whole.losses[trained], rtol=1e-6)


def test_ended_rates_are_called_pruned_and_have_no_parameters(tmp_path: Path) -> None:
    result = sweep(True)
    assert result.pruned is not None
    k = int(np.flatnonzero(result.pruned >= 0)[0])
    assert result.outcomes[0][k] is Outcome.PRUNED
    assert result.sentences[k] == f"pruned after {result.positions[result.pruned[k]]} steps"
    with pytest.raises(OptionError, match="which was pruned"):
        result.state_dict(result.lrs[k])
    frame = result.to_frame()
    assert set(frame["outcome"]) >= {"pruned"}
    for name in ("curves.svg", "report.html", "sweep.json"):
        result.save(tmp_path / name)
    result.save(tmp_path / "rates.svg", picture="rates")
    assert "diverged" not in (tmp_path / "rates.svg").read_text()


@pytest.mark.parametrize(
    ("horizon", "rungs"),
    [
        (Horizon(steps=1280), [(10, 7), (40, 4), (160, 2), (320, 1)]),
        (Horizon(steps=1300), [(10, 7), (41, 4), (162, 2), (325, 1)]),
        (Horizon(steps=128), [(16, 2), (32, 1)]),  # not before 8 steps
        (Horizon(steps=16), []),
        (Horizon(epochs=40), [(1, 4), (5, 2), (10, 1)]),
        (Horizon(epochs=40, per_epoch=2), [(5, 2), (10, 1)]),
        (Horizon(epochs=3), [(1, 1)]),
        (Horizon(epochs=1), []),
    ],
)
def test_when_rates_are_ended(horizon: Horizon, rungs: list[tuple[int, int]]) -> None:
    found = Halving().points(horizon, 13)
    assert [(int(horizon.positions[point]), left) for point, left in found] == rungs


@pytest.mark.parametrize(
    ("schedule", "share"),
    [
        ("constant", 0.0),
        ("cosine", 0.0),
        (learnrate.Schedule("linear", warmup=0.1), 0.046),
        (lambda t: min(1.0, (t + 1) / 40), 0.079),
        (lambda o: torch.optim.lr_scheduler.LinearLR(o, 0.01, total_iters=40), 0.083),
        (
            lambda o: torch.optim.lr_scheduler.OneCycleLR(
                o, o.param_groups[0]["lr"], total_steps=240, pct_start=0.25
            ),
            0.122,
        ),
    ],
)
def test_parts_count_from_where_the_warm_up_has_half_the_rate(schedule: Any, share: float) -> None:
    """A scheduler may change momentum too, as OneCycleLR does."""
    sgd = learnrate.SGD(momentum=0.9)
    found = sweep(True, schedule=schedule, steps=240, optimizer=sgd, eval_every=4)
    assert found.pruned is not None
    ended = found.positions[found.pruned[found.pruned >= 0]] / 240
    parts = share + np.array([1 / 32, 1 / 8, 1 / 4]) * (1 - share)
    for part in parts[1:]:
        assert np.abs(ended - part).min() <= 2.5 / 240
    assert ended.min() >= share


def test_with_a_warm_up_the_rate_that_goes_on_does_not_diverge() -> None:
    """If parts counted from the start, the rates that are left at half the warm-up would all diverge."""
    options: dict[str, Any] = {
        "schedule": learnrate.Schedule("constant", warmup=0.3),
        "steps": 512,
        "optimizer": learnrate.SGD(momentum=0.9),
        "lrs": np.geomspace(1e-3, 10, 13),
    }
    whole, pruned = sweep(False, **options), sweep(True, **options)
    assert pruned.pruned is not None
    assert whole.val_losses is not None
    (left,) = np.flatnonzero(pruned.pruned < 0)
    final = np.fmin.reduce(whole.val_losses[0], axis=1)
    final[~np.isfinite(whole.val_losses[0, :, -1])] = np.inf
    start = float(whole.val_losses[0, 0, 0])
    assert final[left] - final.min() < 0.1 * (start - final.min())


@pytest.mark.parametrize("after", [3, 6, 8])
def test_a_pruned_sweep_goes_on_from_a_checkpoint(after: int, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    whole, kept = sweep(True), learnrate.Checkpoint(tmp_path, every=0)
    with pytest.raises(SweepInterrupted):
        sweep(True, checkpoint=kept, on_epoch=stop)
    resumed = sweep(True, checkpoint=kept)
    np.testing.assert_array_equal(resumed.losses, whole.losses)
    np.testing.assert_array_equal(resumed.pruned, whole.pruned)
    with pytest.raises(OptionError, match="prune is True there and False here"):
        sweep(False, checkpoint=kept)


def test_linear_sweeps_are_pruned_too() -> None:
    options: dict[str, Any] = {"epochs": 40, "lrs": np.geomspace(1e-4, 1, 13)}
    whole = learnrate.sweep("diabetes", **options)
    pruned = learnrate.sweep("diabetes", prune=True, **options)
    assert pruned.pruned is not None
    (left,) = np.flatnonzero(pruned.pruned < 0)
    np.testing.assert_allclose(pruned.losses[0, left], whole.losses[0, left], rtol=1e-9)
    best = float(np.nanmin(whole.losses[0, :, -1]))
    assert pruned.losses[0, left, -1] <= 1.02 * best
