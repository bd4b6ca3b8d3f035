"""Sweeps that go by steps: where lanes are measured, by what, and that this changes no lane."""

from __future__ import annotations

import copy
import itertools
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import learnrate.torch
from learnrate.data.order import epoch_order
from learnrate.errors import OptionError
from learnrate.torch.engine import TorchEngine
from learnrate.training.states import LaneStates
from tests.torch.models import mlp, regression, seeded
from tests.torch.test_engine import masked, problem_of
from tests.torch.test_lanes import Branching
from tests.torch.test_streams import Rows

MSE = nn.functional.mse_loss
X, Y = regression()
LRS = [0.01, 0.05]
STEPS, MEASURED = 12, [0, 1, 2, 3, 6, 12]


def swept(model: Any = None, **options: Any) -> Any:
    kept: dict[str, Any] = {"loss": "mse", "lrs": LRS, "batch_size": 16, "steps": STEPS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return learnrate.torch.sweep(mlp() if model is None else model, (X, Y), **kept | options)


def plain(lr: float, steps: int, accumulate: int = 1) -> tuple[list[float], list[list[float]]]:
    """The loss over all examples after every step, and the losses of each step's minibatches, by PyTorch's own loop."""
    model = copy.deepcopy(mlp())
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    whole, minibatches = [MSE(model(X), Y).item()], []
    epoch, waiting = 0, list[Tensor]()
    for _ in range(steps):
        if not waiting:
            order = torch.from_numpy(epoch_order(70, 16, seed=0, epoch=epoch))
            waiting, epoch = list(torch.split(order, 16)), epoch + 1
        group, waiting = waiting[:accumulate], waiting[accumulate:]
        optimizer.zero_grad()
        losses = [MSE(model(X[J]), Y[J]) for J in group]
        torch.stack(losses).mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        whole.append(MSE(model(X), Y).item())
        minibatches.append([loss.item() for loss in losses])
    return whole, minibatches


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("at_once", ["auto", 1])
def test_steps_are_those_of_the_plain_loop(at_once: Any, accumulate: int) -> None:
    result = swept(optimizer="momentum", lanes_at_once=at_once, accumulate=accumulate)
    assert result.positions.tolist() == MEASURED
    for k, lr in enumerate(LRS):
        whole, _ = plain(lr, STEPS, accumulate)
        np.testing.assert_allclose(result.losses[0, k], np.array(whole)[MEASURED], rtol=1e-9)
    assert (result.unit, result.length) == ("step", STEPS)
    assert result.epochs == (2 if accumulate == 1 else 4)


def test_where_lanes_are_measured_does_not_change_them() -> None:
    dense = swept(eval_every=1)
    assert dense.positions.tolist() == list(range(13))
    np.testing.assert_array_equal(dense.losses[:, :, MEASURED], swept().losses)
    by_epochs = swept(steps=None, epochs=2, eval_every=4)
    assert by_epochs.positions.tolist() == [0, 4, 8, 10]
    np.testing.assert_array_equal(dense.losses[:, :, [0, 4, 8, 10]], by_epochs.losses)
    whole = swept(steps=None, epochs=2)
    np.testing.assert_array_equal(whole.losses, dense.losses[:, :, [0, 5, 10]])


@pytest.mark.parametrize("at_once", ["auto", 1])
def test_losses_of_the_minibatches_in_place_of_all_examples(at_once: Any) -> None:
    result = swept(
        optimizer="momentum",
        eval_train=False,
        val_data=(X[:9], Y[:9]),
        metrics={"off": nn.functional.l1_loss},
        lanes_at_once=at_once,
    )
    first = torch.from_numpy(epoch_order(70, 16, seed=0, epoch=0))[:16]
    for k, lr in enumerate(LRS):
        _, minibatches = plain(lr, STEPS)
        means = [float(np.mean(minibatches[a:b])) for a, b in itertools.pairwise(MEASURED)]
        start = MSE(mlp()(X[first]), Y[first]).item()
        np.testing.assert_allclose(result.losses[0, k], [start, *means], rtol=1e-9)
    everything = swept(optimizer="momentum", val_data=(X[:9], Y[:9]), lanes_at_once=at_once)
    np.testing.assert_array_equal(result.val_losses, everything.val_losses)
    assert result.metrics["off"].shape == (1, 2, 6)
    alone = swept(optimizer="momentum", eval_train=False, step=step_of_mse, loss=None)
    np.testing.assert_allclose(alone.losses, result.losses, rtol=1e-9)
    assert not alone.metrics


def step_of_mse(model: nn.Module, batch: Any) -> Any:
    loss = MSE(model(batch[0]), batch[1])
    return loss, {"twice": 2 * loss}


@pytest.mark.parametrize(
    ("build", "options"),
    [(masked, {}), (Branching, {}), (masked, {"lanes_at_once": 2, "eval_train": False})],
    ids=["stacked", "one at a time", "in chunks"],
)
def test_going_on_inside_an_epoch(
    build: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = [0.003, 0.01, 1e200]
    kept = {"lrs": rates, "epochs": None, "steps": STEPS, "optimizer": "momentum", **options}
    problem = problem_of(monkeypatch, build, **kept)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        states = list(TorchEngine().states(problem))
        expected = by_lane(states)
        assert sorted(expected) == [(k, at) for k in range(3) for at in MEASURED]
        for start in states[:6]:
            lanes = np.arange(3) if start.lanes is None else start.lanes
            some = problem if start.lanes is None else problem.take(lanes)
            for (k, at), values in by_lane(list(TorchEngine().states(some, start))).items():
                for name, value in values.items():
                    known = expected[int(lanes[k]), at][name]
                    np.testing.assert_array_equal(value, known, err_msg=f"{k} {at} {name}")


def by_lane(states: list[LaneStates]) -> dict[tuple[int, int], dict[str, Any]]:
    """Everything that is known of each lane after each step at which it was measured; an epoch has 5."""
    found = {}
    for state in states:
        lanes = range(state.size) if state.lanes is None else state.lanes
        for k, lane in enumerate(lanes):
            everything = {**state.arrays, **state.measured}
            at = 5 * state.epoch + state.step
            found[int(lane), at] = {name: array[k] for name, array in everything.items()}
    return found


def test_a_lane_among_others_is_the_lane_alone_with_draws_between_measurements() -> None:
    model = seeded(lambda: nn.Sequential(nn.Linear(5, 16), nn.Dropout(0.4), nn.Linear(16, 1)))
    together = swept(model, lrs=[*LRS, 0.1])
    alone = swept(model, lrs=LRS[1])
    np.testing.assert_allclose(together.losses[0, 1], alone.losses[0, 0], rtol=1e-9)


def test_a_schedule_goes_by_the_steps() -> None:
    result = swept(schedule=lambda t: 1.0 if t < 4 else 0.0, eval_every=4)
    np.testing.assert_array_equal(result.losses[:, :, 1], result.losses[:, :, 3])
    assert (result.losses[:, :, 0] != result.losses[:, :, 1]).all()
    halves = swept(schedule="step")  # a tenth of the rate from the fourth step on
    assert (halves.losses[:, :, 3] == swept().losses[:, :, 3]).all()


@pytest.mark.parametrize(("lanes_at_once", "each"), [("auto", 2), (1, 1)])
def test_progress_is_told_after_every_step(
    lanes_at_once: Any, each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learnrate.training.monitor._INTERVAL_S", 0.0)
    told: list[tuple[int, int, Any]] = []

    def tell(so_far: learnrate.SoFar) -> None:
        told.append((so_far.steps, so_far.total, so_far.curves["loss"]))

    result = swept(on_progress=tell, lanes_at_once=lanes_at_once)
    assert sorted({steps for steps, *_ in told}) == list(range(0, 2 * STEPS + 1, each))
    assert {total for _, total, _ in told} == {2 * STEPS}
    np.testing.assert_array_equal(told[-1][2], result.losses)
    measured = {steps: curve for steps, _, curve in told}[each * MEASURED[3]]
    assert np.isfinite(measured[0, 0, :4]).all()
    assert np.isnan(measured[0, 0, 4:]).all()


def test_results_so_far() -> None:
    told: list[Any] = []
    result = swept(on_eval=told.append, seeds=2, metrics={"off": nn.functional.l1_loss})
    assert [len(r.positions) for r in told] == [2, 3, 4, 5, 6] * 2
    assert [r.seeds.tolist() for r in told] == [[0]] * 5 + [[1]] * 5
    latest = told[6].latest()
    assert latest["step"] == 2
    assert list(latest) == ["step", "lr", "loss", "off"]
    np.testing.assert_array_equal(latest["loss"], result.losses[1:, :, 2])
    np.testing.assert_array_equal(latest["off"], result.metrics["off"][1:, :, 2])
    assert told[6].suggestion().horizon == 2
    assert swept(steps=None, epochs=1).latest()["epoch"] == 1


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adam", "ema": 0.8},
        {"optimizer": torch.optim.Adafactor, "eval_train": False},
        {"data": "stream", "lanes_at_once": 1},
    ],
    ids=["ema", "views", "stream"],
)
def test_a_checkpoint_inside_an_epoch(options: dict[str, Any], tmp_path: Path) -> None:
    model = seeded(masked)
    kept: dict[str, Any] = {"loss": "mse", "lrs": LRS, "batch_size": 16, "steps": STEPS}
    kept |= {name: value for name, value in options.items() if name != "data"}

    def run(**more: Any) -> Any:
        data = Rows(40) if "data" in options else (X, Y)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return learnrate.torch.sweep(model, data, **kept, **more)

    def interrupt(result: Any) -> None:
        if result.length == 3:
            raise KeyboardInterrupt

    whole = run()
    with pytest.raises(learnrate.SweepInterrupted) as caught:
        run(checkpoint=tmp_path, on_eval=interrupt)
    first_lane_alone = "lanes_at_once" in options  # it has been trained to its end
    assert caught.value.result.length == (STEPS if first_lane_alone else 3)
    seen: list[int] = []
    result = run(checkpoint=tmp_path, on_eval=lambda so_far: seen.append(so_far.length))
    assert seen == [6, 12]
    np.testing.assert_array_equal(result.losses, whole.losses)
    for name, value in whole.state_dict(LRS[1]).items():
        torch.testing.assert_close(result.state_dict(LRS[1])[name], value, rtol=0, atol=0)


def test_what_is_said_and_saved_counts_steps(tmp_path: Path) -> None:
    result = swept(lrs=[0.01, 0.05, 1e200])
    assert "after 12 steps" in result.suggestion().reason
    assert (result.suggestion().horizon, result.suggestion().unit) == (12, "step")
    assert result.sentences[2] == "diverged by step 1"
    assert result.to_frame()["step"].to_list()[:6] == MEASURED
    assert result.to_xarray()["step"].to_numpy().tolist() == MEASURED
    kept = json.loads(result.save(tmp_path / "sweep.json").read_text())
    assert kept["steps"] == MEASURED
    assert kept["lanes"][2]["diverged_step"] == 1
    assert "steps=12" in result.call
    assert "12 steps" in repr(result)
    axes = result.plot()
    assert axes.get_xlabel() == "step"
    assert axes.get_xscale() == "log"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "1", "2", "3", "6", "12"]
    page = result.save(tmp_path / "sweep.html").read_text()
    assert "Loss by step" in page
    assert swept(eval_every=5).plot().get_xscale() == "linear"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epochs": 3}, "epochs must be left out"),
        ({"steps": 0}, "steps must be a whole number"),
        ({"eval_every": 0}, "eval_every must be a whole number"),
        ({"eval_train": "no"}, "eval_train must be True or False"),
        ({"eval_train": False, "metrics": "mse"}, "metrics must be measured on val_data"),
    ],
)
def test_what_has_no_meaning_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        swept(**options)
